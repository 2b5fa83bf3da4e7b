/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * task.shared.h: what a task does, as both sides see it.
 */
#ifndef BORESCOPE_BPF_CORE_TASK_SHARED_H
#define BORESCOPE_BPF_CORE_TASK_SHARED_H

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

#endif
