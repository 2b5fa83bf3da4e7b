/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fsops.shared.h: what a file system is asked to do; shared by bpf/lib/files/fsops.bpf.h and
 * libcommon/files/fsops.c and rw.c.
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
#define FS_MOVE	    4 /* one side of a sendfile(2) and the like: a read, and a write, as long */

/* The system call of one number, in the native and in the 32-bit table: calls are timed where the
 * kernel allows no better probe. */
#define FS_CALLS   512
#define FS_CALL_OP 0x0f
#define FS_CALL_AT 0x10 /* its arguments are file descriptor, buffer, length and a position */
/* It moves bytes from one file to another: its arguments are those of splice(2), or of sendfile(2),
 * with (FS_CALL_AT) a position of 64 bits. */
#define FS_CALL_SPLICE	 0x20
#define FS_CALL_SENDFILE 0x40
#define FS_CALL_MOVES	 (FS_CALL_SPLICE | FS_CALL_SENDFILE)
struct fs_call {
	__u8 native, compat; /* enum fs_op and FS_CALL_AT and so on; 0: it is not timed */
};

/* Types of files, as bits. Those of what has no file system (S_IFMT of inode.i_mode), too. */
#define FS_TYPE_BIT(type) (1U << ((type) >> 12))
#define FS_TYPES_ALL	  0xffff

/* Filled before the programs are loaded. */
struct fs_config {
	__u64 magic;  /* super_block.s_magic: other file systems are left out; 0: none is */
	__u64 min_ns; /* what took less is left out */
	__u32 types;  /* FS_TYPE_BIT() of each that is looked at */
	__u32 page_size;
	__u32 idmap; /* directory operations have one more argument in front (from 5.12 on) */
	struct fs_call calls[FS_CALLS];
};

/* Filled when it is known which probes the kernel allows. */
struct fs_control {
	__u32 async_timed; /* completions of asynchronous I/O are seen */
};

#endif
