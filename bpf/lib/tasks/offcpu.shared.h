/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * offcpu.shared.h: what the sides tell each other about threads that are off the CPU, beside their
 * stacks and sums; shared by bpf/lib/tasks/offcpu.bpf.h and libcommon/tasks/offcpu.c.
 */
#ifndef BORESCOPE_BPF_TASKS_OFFCPU_SHARED_H
#define BORESCOPE_BPF_TASKS_OFFCPU_SHARED_H

#include "lib/stacks/sums.shared.h"

/* stack_sum.label: an enum task_state, or OFFCPU_STATE_UNKNOWN, and these */
#define OFFCPU_STATE_UNKNOWN 0x0f
#define OFFCPU_STATE_MASK    0x0f
#define OFFCPU_UNFINISHED    0x10 /* the wait went on when the tool ended */
#define OFFCPU_MOVED	     0x20 /* its thread ran before it could be looked at: no kernel stack */

/* Filled before the programs are loaded: which waits count. */
struct offcpu_config {
	__u64 min_ns, max_ns;
	__u32 states;	     /* only these: 1 << enum task_state */
	__u32 state_bits;    /* and, if blocked, one of these bits (TASK_*); 0: any */
	__u8 state_is_told;  /* sched_switch has a fourth argument: the state of prev */
	__u8 by_thread;	     /* sums are of a thread, not of a process */
	__u8 without_user;   /* no threads of programs */
	__u8 without_kernel; /* no threads of the kernel's own */
};

struct offcpu_state {
	__u64 began; /* CLOCK_MONOTONIC, ns: since when threads wait that the start has found */
	__u64 ended; /* from then on no wait is counted; 0: not yet */
};

#endif
