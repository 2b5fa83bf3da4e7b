/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* fileslower.shared.h: a slow read or write, as both sides of fileslower see it. */
#ifndef BORESCOPE_BPF_FILESLOWER_SHARED_H
#define BORESCOPE_BPF_FILESLOWER_SHARED_H

#include "lib/core/events.shared.h"
#include "lib/files/fsops.shared.h"
#include "lib/tasks/fd.shared.h"

struct rw_event {
	struct event_head head; /* ts: its end; flags: FS_ASYNC and so on */
	__u64 latency_ns;
	__s64 offset; /* where it began; FS_OFFSET_UNKNOWN: that is not known, or there is none */
	struct fd_info file;
	char filesystem[16]; /* as in /proc/filesystems */
	__u64 bytes;	     /* that were read or written */
	__s32 err;	     /* 0 or -errno */
	__u32 dev;	     /* of the file system: major << 20 | minor */
	__u32 op;	     /* FS_READ or FS_WRITE */
	__u32 path_len;
	char path[]; /* of the file, or its name, as lib/tasks/fd.bpf.h writes it; without a NUL */
};

#endif
