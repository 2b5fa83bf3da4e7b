/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fsops.shared.h: what a file system is asked to do; shared by bpf/lib/files/fsops.probes.bpf.h
 * and libcommon/files/fsops.c.
 */
#ifndef BORESCOPE_BPF_FILES_FSOPS_SHARED_H
#define BORESCOPE_BPF_FILES_FSOPS_SHARED_H

#include "lib/core/types.shared.h"

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
	FS_FAULT,   /* a fault at a page that is not in memory */
	FS_MKWRITE, /* a fault at a page that is written to for the first time */
	FS_OPS,
};

#define FS_OFFSET_UNKNOWN (-1) /* where a read or write began */

/* Flags of an operation. */
#define FS_ASYNC    1 /* it was asynchronous: the task went on; the end is that of the completion */
#define FS_END_GONE 2 /* its completion can't be seen: the end is that of the submission */

/* The system call of one number, in the native and in the 32-bit table: calls are timed where the
 * kernel allows no better probe. */
#define FS_CALLS   512
#define FS_CALL_OP 0x0f
#define FS_CALL_AT 0x10 /* its arguments are file descriptor, buffer, length and a position */
struct fs_call {
	__u8 native, compat; /* enum fs_op and FS_CALL_AT; 0: it is not timed */
};

/* Filled before the programs are loaded. */
struct fs_config {
	__u64 magic;  /* super_block.s_magic: other file systems are left out */
	__u64 min_ns; /* what took less is left out */
	__u32 page_size;
	__u32 idmap; /* directory operations have one more argument in front (from 5.12 on) */
	struct fs_call calls[FS_CALLS];
};

/* Filled when it is known which probes the kernel allows. */
struct fs_control {
	__u32 async_timed; /* completions of asynchronous I/O are seen */
};

#endif
