/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* ext4slower.shared.h: a slow operation, as both sides of ext4slower see it. */
#ifndef BORESCOPE_BPF_EXT4SLOWER_SHARED_H
#define BORESCOPE_BPF_EXT4SLOWER_SHARED_H

#include "lib/core/events.shared.h"
#include "lib/files/fsops.shared.h"

struct fs_event {
	struct event_head head; /* ts: the operation's end; flags: FS_ASYNC and so on */
	__u64 latency_ns;
	__s64 offset; /* bytes: where a read or write began (or FS_OFFSET_UNKNOWN); of a truncate,
		       * the new size */
	__u32 bytes;  /* that were read or written */
	__s32 err;    /* 0 or -errno */
	__u32 dev;    /* of the file system: major << 20 | minor */
	__u16 op;     /* enum fs_op */
	__u16 path_len;
	char path[]; /* from the mount down, without a slash in front and without a NUL */
};

#define FS_PREFIX_MAX 256 /* bytes of --path */

#endif
