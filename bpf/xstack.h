/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BORESCOPE_XSTACK_H
#define BORESCOPE_XSTACK_H

#include "lib/events.h"
#include "lib/fd.h"
#include "lib/task.h"

#define XSTACK_FRAMES_MAX 127
#define XSTACK_PATH_MAX	  1024 /* of a file's path; a longer one is cut on the left */
#define XSTACK_CALLS	  512  /* system calls are known up to this number */

/* event_head.flags */
#define XSTACK_ON_CPU	     0x01 /* on a CPU: no stack can be read */
#define XSTACK_MOVED	     0x02 /* it ran while it was looked at: no stack */
#define XSTACK_KERNEL_UNREAD 0x04 /* the kernel gave no stack */
#define XSTACK_USER_UNREAD   0x08 /* the process's memory was locked */
#define XSTACK_USER_CUT	     0x10 /* the walk ended before the end of the stack */
#define XSTACK_IDLE	     0x20 /* it waits for work */
#define XSTACK_KERNEL_THREAD 0x40
#define XSTACK_COMPAT	     0x80 /* syscall is one of the 32-bit table */

/* A thread in a sample. Behind it nr_kernel and nr_user addresses, leaf first; then, at the end of
 * XSTACK_PATH_ROOM(path_len) bytes, file.kind's path or name. */
#define XSTACK_PATH_ROOM(len) (((len) + 7) & ~7ULL) /* so that the next record is aligned */
struct thread_sample {
	struct event_head head; /* ts: of the whole sample */
	__u32 size;		/* with what is behind */
	__s32 syscall;		/* TASK_NO_SYSCALL: none */
	__u8 state;		/* enum task_state */
	__u8 nr_kernel, nr_user;
	__u8 unused;
	__u32 path_len;
	__u64 args[2]; /* of the system call */
	struct fd_info file;
};

/* Kinds of system calls, by number: a bit each. */
struct xstack_calls {
	__u64 wait[XSTACK_CALLS / 64];	/* in them, threads wait for work */
	__u64 by_fd[XSTACK_CALLS / 64]; /* their first argument is a file descriptor */
};

struct xstack_config {
	struct xstack_calls native, compat;
	__u32 states;		     /* show these (1 << enum task_state); 0: all */
	__u8 idle;		     /* show those that wait for work, too */
	__u8 skip_kernel, skip_user; /* don't read these stacks */
};

/* What the sides tell each other about a sample. */
struct xstack_state {
	__u64 ts;		/* set to 0 before a sample: the first thread stamps it */
	__u64 visited, threads; /* ... to 0 before a pass: by it, and in the last one's process */
	__u64 last_tid;
	__u64 idle_kernel; /* of those left out as idle: kernel threads; user threads by call */
	__u64 idle_other;  /* ... zombies, parked */
	__u64 idle_calls[XSTACK_CALLS];
	__u64 idle_compat; /* ... in 32-bit calls */
};

#endif
