/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BORESCOPE_BPF_EXT4SLOWER_SHARED_H
#define BORESCOPE_BPF_EXT4SLOWER_SHARED_H

#include "lib/core/events.shared.h"
#include "lib/files/fsops.shared.h"

struct fs_event {
	struct event_head head; /* ts: the operation's end; flags: FS_ASYNC and so on */
	__u64 latency_ns;
	__s64 offset;
	__u32 bytes;
	__s32 err; /* 0 or -errno */
	__u32 dev; /* of the file system: major << 20 | minor */
	__u16 op;
	__u16 path_len;
	char path[]; /* from the mount down, without a slash in front; not terminated */
};

#define FS_PREFIX_MAX 256

#endif
