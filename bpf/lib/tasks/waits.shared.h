/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * waits.shared.h: kinds of system calls, and what was counted by them; shared by
 * bpf/lib/tasks/waits.bpf.h and libcommon/tasks/waits.c.
 */
#ifndef BORESCOPE_BPF_TASKS_WAITS_SHARED_H
#define BORESCOPE_BPF_TASKS_WAITS_SHARED_H

#include "lib/core/types.shared.h"

#define WAIT_CALLS 512 /* system calls are known up to this number */

/* By number, a bit each. */
struct wait_calls {
	__u64 idle[WAIT_CALLS / 64];  /* in them, threads wait for work */
	__u64 by_fd[WAIT_CALLS / 64]; /* their first argument is a file descriptor */
};

struct wait_config {
	struct wait_calls native, compat;
};

/* Idle threads that were left out. */
struct idle_counts {
	__u64 calls[WAIT_CALLS]; /* in these system calls, */
	__u64 compat;		 /* or in one of the 32-bit table */
	__u64 kernel;		 /* threads of the kernel */
	__u64 other;		 /* zombies, parked */
};

#endif
