/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * xstack.bpf.c: what each thread of the machine does and where it is, for a reader that asks.
 *
 * Programs: sleepable, plain; both below.
 */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "lib/core/filter.bpf.h"
#include "lib/tasks/thread.bpf.h"
#include "xstack.shared.h"

const volatile struct xstack_config xstack_config SEC(".rodata.xstack");
struct xstack_state xstack_state SEC(".data.xstack");

/* Is this thread to be shown? */
static __always_inline bool wanted(const struct thread_sample *t, const struct task_user *u)
{
	if (xstack_config.states && !(xstack_config.states >> t->state & 1))
		return false;
	if (!(t->head.flags & THREAD_IDLE) || xstack_config.idle)
		return true;
	/* a state that is nothing but idle was asked for by its name */
	if (xstack_config.states && t->state != TASK_IS_SLEEPING)
		return true;
	wait_count_idle(t, u);
	return false;
}

/* Counts the threads that are visited. One whose record did not fit is visited again at once, and
 * counts once. */
static __always_inline void count_visit(struct task_struct *task)
{
	__u32 tid = BPF_CORE_READ(task, pid);

	if (!xstack_state.visited || tid != xstack_state.last_tid)
		xstack_state.visited++;
	xstack_state.last_tid = tid;
	xstack_state.threads = BPF_CORE_READ(task, signal, nr_threads);
}

static __always_inline int visit(struct bpf_iter__task *ctx, bool sleepable)
{
	struct task_struct *task = ctx->task;
	struct thread_work *w;

	if (!task) /* the end */
		return 0;
	if (!xstack_state.ts)
		xstack_state.ts = bpf_ktime_get_ns();
	count_visit(task);
	if (!filter_task(task, false))
		return 0;
	w = thread_begin(task);
	if (!w || !wanted(&w->t, &w->user))
		return 0;
	w->t.head.ts = xstack_state.ts;
	thread_file(w, task);
	thread_stacks(w, task, !xstack_config.skip_kernel, sleepable && !xstack_config.skip_user);
	thread_send(w, ctx->meta->seq);
	return 0;
}

SEC("iter.s/task")
int sleepable(struct bpf_iter__task *ctx)
{
	return visit(ctx, true);
}

/* the same for a kernel before 5.18: without user stacks */
SEC("iter/task")
int plain(struct bpf_iter__task *ctx)
{
	return visit(ctx, false);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
