/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* biosnoop.shared.h: a block request that is over, as both sides of biosnoop see it. */
#ifndef BORESCOPE_BPF_BIOSNOOP_SHARED_H
#define BORESCOPE_BPF_BIOSNOOP_SHARED_H

#include "lib/core/events.shared.h"

enum bio_pattern { BIO_PATTERN_UNKNOWN, BIO_SEQUENTIAL, BIO_RANDOM };

struct bio_event {
	struct event_head head; /* who submitted; ts: the end */
	__u64 queued_ns;	/* all bits set: not known; so it is with these three */
	__u64 latency_ns;
	__u64 cgroup; /* id: the owner's, or, of a kernel thread, the one on whose account it is */
	__u64 sector;
	__u64 inode; /* of the file; 0: not known */
	__u32 bytes;
	__u32 dev;   /* major << 20 | minor, of the disk */
	__u32 part;  /* and of the partition; dev: it was the whole disk; 0: not known */
	__u32 flags; /* lib/block/request.shared.h */
	__s32 error; /* blk_status_t; on 5.10 -errno */
	__u16 pattern;
	__u16 path_len;
	char path[]; /* of the file: from the root of its file system, without a slash in front */
};

#endif
