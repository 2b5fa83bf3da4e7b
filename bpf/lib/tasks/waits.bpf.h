/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * waits.bpf.h: does a thread wait for work or for something that it needs? And is that a file?
 */
#ifndef BORESCOPE_BPF_TASKS_WAITS_BPF_H
#define BORESCOPE_BPF_TASKS_WAITS_BPF_H

#include "lib/core/task.bpf.h"
#include "lib/tasks/thread.shared.h"
#include "lib/tasks/waits.shared.h"

const volatile struct wait_config wait_config SEC(".rodata.waits");
struct wait_idle_counts wait_idle_counts SEC(".data.waits");

/* Is system call @nr one of @calls? TASK_NO_SYSCALL is not. */
static __always_inline bool wait_in_calls(const volatile __u64 *calls, __u32 nr)
{
	__u64 word = nr / 64;

	if (nr >= WAIT_CALLS)
		return false;
	barrier_var(word); /* or the verifier doesn't see the bound */
	return calls[word & (WAIT_CALLS / 64 - 1)] >> (nr % 64) & 1;
}

/* Does a thread in futex(2) wait for a lock? Then it does not wait for work. FUTEX_WAIT may be for
 * either. */
static __always_inline bool wait_is_for_lock(const struct task_user *u)
{
	if (u->syscall != (u->compat ? COMPAT_NR_FUTEX : SYSCALL_NR_FUTEX))
		return false;
	switch (u->args[1] & 0x7f) { /* without FUTEX_PRIVATE_FLAG and FUTEX_CLOCK_REALTIME */
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		return true;
	}
	return false;
}

/* Is the first argument of that system call the descriptor of the file that it waits for? */
static __always_inline bool wait_is_by_fd(int syscall, bool compat)
{
	return wait_in_calls(compat ? wait_config.compat.by_fd : wait_config.native.by_fd, syscall);
}

/* Does the thread wait for work? */
static __always_inline bool wait_is_idle(const struct thread_sample *t, const struct task_user *u)
{
	switch (t->state) {
	case TASK_IS_DEAD:
	case TASK_IS_ZOMBIE:
	case TASK_IS_PARKED:
	case TASK_IS_IDLE:
		return true;
	case TASK_IS_SLEEPING:
		if (t->head.flags & THREAD_OF_KERNEL)
			return true;
		if (u->compat)
			return wait_in_calls(wait_config.compat.idle, u->syscall) &&
			       !wait_is_for_lock(u);
		return wait_in_calls(wait_config.native.idle, u->syscall) && !wait_is_for_lock(u);
	default:
		return false;
	}
}

/* Counts an idle thread that is not shown. */
static __always_inline void wait_count_idle(const struct thread_sample *t,
					    const struct task_user *u)
{
	__u64 nr = u->syscall;

	barrier_var(nr);
	if (t->head.flags & THREAD_OF_KERNEL)
		wait_idle_counts.kernel++;
	else if (t->state != TASK_IS_SLEEPING)
		wait_idle_counts.other++;
	else if (u->compat)
		wait_idle_counts.compat++;
	else
		wait_idle_counts.calls[nr & (WAIT_CALLS - 1)]++;
}

#endif
