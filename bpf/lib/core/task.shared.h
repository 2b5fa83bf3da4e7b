/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * task.shared.h: what a task does, as both sides see it.
 */
#ifndef BORESCOPE_BPF_CORE_TASK_SHARED_H
#define BORESCOPE_BPF_CORE_TASK_SHARED_H

#include "lib/core/types.shared.h"

/* In the kernel's order. Letter n of TASK_STATES is what ps(1) shows for state n. */
enum task_state {
	TASK_IS_RUNNABLE, /* on a CPU, or waiting for one */
	TASK_IS_SLEEPING,
	TASK_IS_BLOCKED,
	TASK_IS_STOPPED,
	TASK_IS_TRACED,
	TASK_IS_DEAD,
	TASK_IS_ZOMBIE,
	TASK_IS_PARKED,
	TASK_IS_IDLE, /* a kernel thread that waits for work */
};
#define TASK_STATES "RSDTtXZPI"

#define TASK_NO_SYSCALL -1

/*
 * Which program a process is, at the moment of an event: after execve() it is another one, whose
 * functions may stand at the same addresses. All zero: it has none, or it is not known.
 */
struct task_image {
	__u64 generation; /* no other program of this pid has it, now or later */
	__u64 layout;	  /* task_layout() of what /proc/PID/stat says, too */
};

/* Of fields 26, 27 and 28 of /proc/PID/stat. The last one is random, unless the system or the
 * process does without; so, as a rule, two programs differ. */
static inline __attribute__((always_inline)) __u64 task_layout(__u64 start_code, __u64 end_code,
							       __u64 start_stack)
{
	return (start_code * 0x9e3779b97f4a7c15ull ^ end_code) * 0xc2b2ae3d27d4eb4full ^
	       start_stack;
}

#endif
