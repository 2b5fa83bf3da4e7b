/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * waits.shared.h: kinds of system calls, and what was counted by them; shared by
 * bpf/lib/tasks/waits.bpf.h and libcommon/tasks/waits.c.
 */
#ifndef BORESCOPE_BPF_TASKS_WAITS_SHARED_H
#define BORESCOPE_BPF_TASKS_WAITS_SHARED_H

#include "lib/core/types.shared.h"

#define WAIT_CALLS 512 /* system calls are known up to this number */

/* Sets of system calls: bit N is call number N. */
struct wait_calls {
	__u64 idle[WAIT_CALLS / 64];  /* threads in these wait for work */
	__u64 by_fd[WAIT_CALLS / 64]; /* the first argument of these is a file descriptor */
};

struct wait_config {
	struct wait_calls native, compat;
};

/* How many idle threads were not shown. */
struct wait_idle_counts {
	__u64 calls[WAIT_CALLS]; /* by the system call that they were in */
	__u64 compat;		 /* those in one of the 32-bit table */
	__u64 kernel;		 /* those of the kernel */
	__u64 other;		 /* zombies and parked threads */
};

#endif
