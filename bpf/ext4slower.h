/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BORESCOPE_EXT4SLOWER_H
#define BORESCOPE_EXT4SLOWER_H

#include "lib/events.h"

/* What a file system is asked to do. */
enum fs_op {
	FS_NONE,
	FS_READ,
	FS_WRITE,
	FS_OPEN,
	FS_SYNC,
	FS_RENAME,
	FS_UNLINK,
	FS_MKDIR,
	FS_READDIR,
	FS_TRUNCATE,
	FS_FAULT,   /* a page that is not in memory */
	FS_MKWRITE, /* a page that is to be written to for the first time: a fault, too */
	FS_OPS,
};

/* event_head.flags */
#define FS_ASYNC    1 /* asynchronous: the task went on, and latency_ns is up to its completion */
#define FS_END_GONE 2 /* its completion can't be seen: latency_ns is up to its submission */

struct fs_event {
	struct event_head head; /* ts: the operation's end */
	__u64 latency_ns;
	__s64 offset;
	__s64 ret; /* bytes, 0 or -errno */
	__u32 dev; /* of the file system: major << 20 | minor */
	__u16 op;
	__u16 path_len;
	char path[]; /* from the mount down, without a slash in front; not terminated */
};

#define FS_PREFIX_MAX 256

/* A system call that is timed where nothing better is granted, by its number: natively and in the
 * 32-bit table. */
#define FS_CALLS   512
#define FS_CALL_OP 0x0f
#define FS_CALL_AT 0x10 /* has a position: after file descriptor, buffer and length */
struct fs_call {
	__u8 native, compat; /* enum fs_op and flags; 0: not timed */
};

/* Switched when it is known which probes are granted. */
struct fs_control {
	__u32 async_timed; /* completions of asynchronous I/O are seen */
};

#endif
