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
	FS_FAULT,   /* a page that is not in memory */
	FS_MKWRITE, /* a page that is to be written to for the first time: a fault, too */
	FS_OPS,
};

/* Of an operation. */
#define FS_ASYNC    1 /* asynchronous: the task went on, and the end is that of its completion */
#define FS_END_GONE 2 /* its completion can't be seen: the end is that of its submission */

/* A system call that is timed where nothing better is granted, by its number: natively and in the
 * 32-bit table. */
#define FS_CALLS   512
#define FS_CALL_OP 0x0f
#define FS_CALL_AT 0x10 /* has a position: after file descriptor, buffer and length */
struct fs_call {
	__u8 native, compat; /* enum fs_op and flags; 0: not timed */
};

/* Filled before loading. */
struct fs_config {
	__u64 magic;  /* super_block.s_magic: other file systems are left out */
	__u64 min_ns; /* what took less is left out */
	__u32 page_size;
	__u32 idmap; /* directory operations have a user namespace or idmap in front: from 5.12 */
	struct fs_call calls[FS_CALLS];
};

/* Switched when it is known which probes are granted. */
struct fs_control {
	__u32 async_timed; /* completions of asynchronous I/O are seen */
};

#endif
