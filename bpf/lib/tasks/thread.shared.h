/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * thread.shared.h: a thread that a task iterator looked at, as both sides see it.
 */
#ifndef BORESCOPE_BPF_TASKS_THREAD_SHARED_H
#define BORESCOPE_BPF_TASKS_THREAD_SHARED_H

#include "lib/core/events.shared.h"
#include "lib/core/task.shared.h"
#include "lib/tasks/fd.shared.h"

#define THREAD_FRAMES_MAX 127  /* of each stack */
#define THREAD_PATH_MAX	  1024 /* bytes of a file's path; a longer one is cut on the left */

/* event_head.flags */
#define THREAD_ON_CPU	     0x01 /* on a CPU: no stack can be read */
#define THREAD_MOVED	     0x02 /* it ran while it was looked at: no stacks */
#define THREAD_KERNEL_UNREAD 0x04 /* the kernel gave no kernel stack */
#define THREAD_USER_UNREAD   0x08 /* no user stack: the process's memory map was locked */
#define THREAD_USER_CUT	     0x10 /* the walk ended before the end of the user stack */
#define THREAD_IDLE	     0x20 /* it waits for work: see waits.shared.h */
#define THREAD_OF_KERNEL     0x40 /* it never runs in user space */
#define THREAD_COMPAT	     0x80 /* syscall is one of the 32-bit table */

/* Behind the struct stand nr_kernel and nr_user addresses, leaf first; then, at the end of
 * THREAD_PATH_ROOM(path_len) bytes, the path or name of the file. */
#define THREAD_PATH_ROOM(len) (((len) + 7) & ~7ULL) /* so that the next record is aligned */
struct thread_sample {
	struct event_head head;	 /* ts: the same for all threads of a sample */
	struct task_image image; /* not filled where nr_user is 0 */
	__u32 size;		 /* with what stands behind it */
	__s32 syscall;		 /* TASK_NO_SYSCALL: none */
	__u8 state;		 /* enum task_state */
	__u8 nr_kernel, nr_user;
	__u8 unused;
	__u32 path_len;
	__u64 args[2]; /* of the system call */
	struct fd_info file;
};

#endif
