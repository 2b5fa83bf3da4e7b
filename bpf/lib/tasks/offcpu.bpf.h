/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * offcpu.bpf.h: for how long threads are off the CPU, and in which stacks: sums by stack
 * (lib/stacks/sums.bpf.h), for libcommon/tasks/offcpu.h. A tool has a program at sched_switch, and
 * one of a task iterator, which the user side runs when it begins and when it ends:
 *
 *	offcpu_switch(ctx, preempted, prev, next, typed);
 *	offcpu_visit(ctx, sleepable);
 *
 * A thread that leaves its CPU leaves the time and its user stack, which only a program that runs
 * in the thread can read. Its kernel stack is read when it comes back, and only if the wait is one
 * to be counted: until it runs, it is as it was.
 */
#ifndef BORESCOPE_BPF_TASKS_OFFCPU_BPF_H
#define BORESCOPE_BPF_TASKS_OFFCPU_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "lib/core/compat.bpf.h"
#include "lib/core/constants.bpf.h"
#include "lib/core/filter.bpf.h"
#include "lib/core/task.bpf.h"
#include "lib/stacks/again.bpf.h"
#include "lib/stacks/user_stack.bpf.h"
#include "lib/tasks/offcpu.shared.h"

const volatile struct offcpu_config offcpu_config SEC(".rodata.offcpu");
struct offcpu_state offcpu_state SEC(".data.offcpu");
__u64 offcpu_unseen SEC(".data.offcpu_unseen"); /* ends of waits */

/* A thread that is known. */
struct offcpu_wait {
	__u64 since;	/* ns; 0: it runs */
	__u64 switches; /* task_switches() then */
	__u32 flags;	/* STACK_* */
	__u32 state;	/* enum task_state, or OFFCPU_STATE_UNKNOWN */
	__u32 nr_kernel, nr_user;
	__u64 frames[STACK_SUM_FRAMES];
};

/* By the address of the task. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1); /* offcpu.c sets it */
	__type(key, __u64);
	__type(value, struct offcpu_wait);
} offcpu_waits SEC(".maps");

/* What a new one begins with: zeros, but for the iterators, which fill it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct offcpu_wait);
} offcpu_new_waits SEC(".maps");
enum { OFFCPU_OF_SWITCHES, OFFCPU_OF_ITERATORS };

/* A field of @task, where @typed is as in filter_task(). */
#define OFFCPU_TASK(field) (typed ? task->field : BPF_CORE_READ(task, field))

static __always_inline bool offcpu_is_wanted(struct task_struct *task, bool typed)
{
	if (offcpu_config.without_kernel && OFFCPU_TASK(flags) & PF_KTHREAD)
		return false;
	if (offcpu_config.without_user && !(OFFCPU_TASK(flags) & PF_KTHREAD))
		return false;
	return filter_task(task, typed);
}

static __always_inline bool offcpu_is_state(__u32 state, __u32 bits)
{
	return offcpu_config.states >> state & 1 &&
	       (!offcpu_config.state_bits || !bits || bits & offcpu_config.state_bits);
}

static __always_inline struct offcpu_wait *offcpu_find(struct task_struct *task)
{
	__u64 key = (__u64)task;

	return bpf_map_lookup_elem(&offcpu_waits, &key);
}

static __always_inline struct offcpu_wait *offcpu_new(struct task_struct *task)
{
	__u32 whose = OFFCPU_OF_SWITCHES;
	__u64 key = (__u64)task;
	struct offcpu_wait *zeros = bpf_map_lookup_elem(&offcpu_new_waits, &whose);

	if (!zeros || bpf_map_update_elem(&offcpu_waits, &key, zeros, BPF_NOEXIST)) {
		event_count_lost();
		return NULL;
	}
	return bpf_map_lookup_elem(&offcpu_waits, &key);
}

/* Where next is not known to the verifier, both stacks share the place. */
#define OFFCPU_RAW_KERNEL_FRAMES 63 /* a power of two less one */
#define OFFCPU_RAW_USER_FRAMES	 (STACK_SUM_FRAMES - OFFCPU_RAW_KERNEL_FRAMES)

/* Is a stack of @nr frames as deep as there is room for, or as the kernel walks? */
static __always_inline bool offcpu_is_cut(__u32 nr, __u32 room)
{
	return nr >= room || nr >= stack_config.depth;
}

/* The stacks that are to be read while the thread is the one on the CPU. */
static __always_inline void offcpu_read_stacks(void *ctx, struct offcpu_wait *w,
					       struct task_struct *task, bool typed)
{
	const __u64 room = typed ? STACK_SUM_FRAMES : OFFCPU_RAW_USER_FRAMES;
	__u64 nr = 0;
	long bytes;

	w->flags = w->nr_kernel = w->nr_user = 0;
	if (!typed && stack_config.kernel) {
		bytes = bpf_get_stack(ctx, w->frames, OFFCPU_RAW_KERNEL_FRAMES * sizeof(__u64), 0);
		if (bytes > 0)
			nr = (__u64)bytes / sizeof(__u64);
		barrier_var(nr);
		if (nr > OFFCPU_RAW_KERNEL_FRAMES)
			return;
		w->nr_kernel = nr;
		w->flags |= offcpu_is_cut(nr, OFFCPU_RAW_KERNEL_FRAMES) ? STACK_KERNEL_CUT : 0;
	}
	if (!stack_config.user || OFFCPU_TASK(flags) & PF_KTHREAD)
		return;
	if (typed)
		w->nr_user = stack_user_short(w->frames, &w->frames[STACK_SUM_FRAMES - STACK_REGS],
					      task);
	if (w->nr_user)
		return;
	/* Bounded by arithmetic: before 5.12 what a comparison tells is lost on the stack. */
	barrier_var(nr);
	nr = typed ? 0 : nr & OFFCPU_RAW_KERNEL_FRAMES;
	bytes = bpf_get_stack(ctx, &w->frames[nr], room * sizeof(__u64), BPF_F_USER_STACK);
	w->nr_user = bytes > 0 ? bytes / sizeof(__u64) : 0;
	if (!w->nr_user)
		w->flags |= STACK_NO_USER;
	else if (offcpu_is_cut(w->nr_user, room))
		w->flags |= STACK_USER_CUT;
}

/* @task leaves the CPU. @bits: of its state. */
static __always_inline void offcpu_leaves(void *ctx, struct task_struct *task, bool preempted,
					  __u32 bits, __u64 now, bool typed)
{
	__u32 runs = !task_state_bits(task, typed), state;
	__u64 key = (__u64)task;
	struct offcpu_wait *w;

	if (!offcpu_is_wanted(task, typed)) { /* but it may have been: by another name, say */
		if (bits & TASK_DEAD)
			bpf_map_delete_elem(&offcpu_waits, &key);
		return;
	}
	w = offcpu_find(task);
	if (w && w->since) { /* the kernel did not run this program when it came */
		if (now - w->since >= offcpu_config.min_ns)
			__sync_fetch_and_add(&offcpu_unseen, 1);
		w->since = 0;
	}
	if (bits & TASK_DEAD) {
		bpf_map_delete_elem(&offcpu_waits, &key);
		return;
	}
	if (preempted || runs)
		bits = 0;
	state = task_state_of(bits, 0);
	if (bits && state == TASK_IS_RUNNABLE)
		state = OFFCPU_STATE_UNKNOWN;
	if (!offcpu_is_state(state, bits))
		return;
	if (!w)
		w = offcpu_new(task);
	if (!w)
		return;
	offcpu_read_stacks(ctx, w, task, typed);
	w->state = state;
	w->switches = OFFCPU_TASK(nvcsw) + OFFCPU_TASK(nivcsw);
	w->since = now;
}

static __always_inline bool offcpu_is_counted(__u64 ns)
{
	return ns >= offcpu_config.min_ns && ns <= offcpu_config.max_ns;
}

/* All of @s but the frames, of @task, which waits as @w says. */
static __always_inline void offcpu_thread(struct stack_sum_slot *s, struct task_struct *task,
					  const struct offcpu_wait *w, bool typed)
{
	struct stack_event *e = &s->sum.stack;
	__u64 mm;

	e->head.pid = OFFCPU_TASK(tgid);
	e->head.tid = offcpu_config.by_thread ? OFFCPU_TASK(pid) : 0;
	e->head.flags = w->flags;
	if (typed)
		__builtin_memcpy(e->head.comm, task->comm, sizeof(e->head.comm));
	else
		BPF_CORE_READ_INTO(&e->head.comm, task, comm);
	e->image.generation = e->image.layout = 0;
	s->sum.label = w->state;
	if (w->nr_user && typed) {
		mm = (__u64)BPF_CORE_READ(task, mm);
		task_image_typed(&e->image, task, mm);
	} else if (w->nr_user) {
		task_image(&e->image, task);
	}
}

/* The frames; @at_rest: it has not moved since. */
static __always_inline void offcpu_frames(struct stack_sum_slot *s, struct task_struct *task,
					  const struct offcpu_wait *w, bool at_rest, bool typed)
{
	struct stack_event *e = &s->sum.stack;
	long bytes = 0;

	if (w->nr_kernel) { /* of raw_switched */
		bpf_probe_read_kernel(s->frames, sizeof(w->frames), w->frames);
		e->nr_kernel = w->nr_kernel;
		e->nr_user = w->nr_user;
	} else {
		if (typed && at_rest && stack_config.kernel)
			bytes = bpf_get_task_stack(task, s->frames,
						   STACK_SUM_FRAMES * sizeof(__u64), 0);
		e->nr_kernel = bytes > 0 ? bytes / sizeof(__u64) : 0;
		if (offcpu_is_cut(e->nr_kernel, STACK_SUM_FRAMES))
			e->head.flags |= STACK_KERNEL_CUT;
		stack_sum_user(s, w->frames, w->nr_user);
	}
}

/* Are the frames of @task those of the stack that @a is about, which is the one of @thread? Then
 * this wait of @ns is added to it. */
static __always_inline bool offcpu_again(struct again *a, struct task_struct *task,
					 const struct offcpu_wait *w,
					 const struct stack_sum_slot *thread, __u64 ns)
{
	struct stack_sum_slot *s = a->nr ? stack_sum_at(a->place) : NULL;
	__u64 nr;

	if (!s || s->sum.stack.nr_user != w->nr_user || !stack_sum_same_thread(s, thread))
		return false;
	nr = s->sum.stack.nr_kernel;
	barrier_var(nr);
	if (nr >= AGAIN_FRAMES)
		return false;
	for (__u64 i = 0; i < STACK_SUM_FRAMES && i < w->nr_user; i++)
		if (s->frames[nr + i] != w->frames[i])
			return false;
	if (!again_is(a, task, s))
		return false;
	stack_sum_more(s, thread, ns);
	return true;
}

/* @task comes to the CPU. */
static __always_inline void offcpu_comes(struct task_struct *task, __u64 now, bool typed)
{
	struct offcpu_wait *w = offcpu_find(task);
	struct stack_sum_slot *s;
	struct again *a = NULL;
	__u32 which = 0, place;
	__u64 ns;

	if (!w || !w->since)
		return;
	ns = now > w->since ? now - w->since : 0;
	w->since = 0;
	if (!offcpu_is_counted(ns))
		return;
	s = stack_sum_begin();
	if (!s)
		return;
	offcpu_thread(s, task, w, typed);
	s->sum.stack.head.ts = now;
	if (typed && stack_config.kernel)
		a = again_at(which = again_which(task, w->frames[0]));
	if (a && offcpu_again(a, task, w, s, ns))
		return;
	offcpu_frames(s, task, w, true, typed);
	place = stack_sum_add(s, ns);
	if (a && place != STACK_SUM_NEW)
		again_want(which, place);
}

static __always_inline int offcpu_switch(unsigned long long *ctx, bool preempted,
					 struct task_struct *prev, struct task_struct *next,
					 bool typed)
{
	__u64 now = bpf_ktime_get_ns();
	__u32 bits;

	if (offcpu_state.ended)
		return 0;
	if (typed ? next->pid : BPF_CORE_READ(next, pid))
		offcpu_comes(next, now, typed);
	if (typed ? prev->pid : BPF_CORE_READ(prev, pid)) {
		bits = offcpu_config.state_is_told ? (__u32)ctx[3] : task_state_bits(prev, typed);
		offcpu_leaves(ctx, prev, preempted, bits, now, typed);
	}
	if (typed && stack_config.kernel)
		again_learn(next);
	return 0;
}

/* --- threads that wait when the tool begins, and when it ends ------------------------------ */

static __always_inline bool offcpu_has_moved(struct task_struct *task, __u64 switches_then)
{
	return task_on_cpu(task) || task_switches(task) != switches_then;
}

/* The stack of a thread that waits already, for a program that may sleep. */
static __always_inline void offcpu_read_user_stack(struct offcpu_wait *w, struct task_struct *task)
{
	struct task_user user;
	bool whole;

	if (!stack_config.user || BPF_CORE_READ(task, flags) & PF_KTHREAD)
		return;
	task_user(&user, task);
	if (!user.sp || task_memory_is_locked(task)) {
		w->flags |= STACK_NO_USER;
		return;
	}
	w->nr_user = user_stack(w->frames, task, &user, &whole);
	if (w->nr_user >= STACK_SUM_FRAMES)
		w->flags |= STACK_USER_CUT;
}

/* At the begin: who waits now has done so before. */
static __always_inline void offcpu_found(struct task_struct *task, bool sleepable)
{
	__u32 whose = OFFCPU_OF_ITERATORS, bits = task_state_bits(task, false);
	struct offcpu_wait *w = bpf_map_lookup_elem(&offcpu_new_waits, &whose);
	__u64 key = (__u64)task;

	if (!w || !offcpu_is_wanted(task, false))
		return;
	w->switches = task_switches(task);
	w->flags = w->nr_kernel = w->nr_user = 0;
	if (task_is_queued(task))
		bits = 0;
	w->state = task_state_of(bits, 0);
	w->since = offcpu_state.began;
	if (BPF_CORE_READ(task, exit_state) || bits & TASK_DEAD ||
	    !offcpu_is_state(w->state, bits) || offcpu_has_moved(task, w->switches))
		return;
	if (sleepable)
		offcpu_read_user_stack(w, task);
	else if (stack_config.user && !(BPF_CORE_READ(task, flags) & PF_KTHREAD))
		w->flags = STACK_NO_USER;
	if (offcpu_has_moved(task, w->switches))
		return;
	if (bpf_map_update_elem(&offcpu_waits, &key, w, BPF_NOEXIST) == -E2BIG)
		event_count_lost();
	if (!offcpu_has_moved(task, w->switches))
		return;
	w = bpf_map_lookup_elem(&offcpu_waits, &key);
	if (w && w->since == offcpu_state.began)
		w->since = 0;
}

/* At the end: who still waits. */
static __always_inline void offcpu_waits_still(struct seq_file *seq, struct task_struct *task)
{
	const struct offcpu_wait *w = offcpu_find(task);
	struct stack_sum_slot *s;
	__u64 ns, size;
	bool moved;

	/* one that began just before its CPU saw the end has not waited */
	if (!w || !w->since || w->since >= offcpu_state.ended)
		return;
	ns = offcpu_state.ended - w->since;
	if (!offcpu_is_counted(ns))
		return;
	moved = !w->nr_kernel && offcpu_has_moved(task, w->switches);
	s = stack_sum_begin();
	if (!s)
		return;
	offcpu_thread(s, task, w, true);
	offcpu_frames(s, task, w, !moved, true);
	s->sum.label |= OFFCPU_UNFINISHED;
	if (moved || (!w->nr_kernel && offcpu_has_moved(task, w->switches))) {
		s->sum.label |= OFFCPU_MOVED;
		s->sum.stack.nr_kernel = 0;
		stack_sum_user(s, w->frames, w->nr_user);
	}
	s->sum.stack.head.ts = offcpu_state.ended;
	s->sum.count = 1;
	s->sum.sum = ns;
	size = stack_sum_size(s);
	barrier_var(size);
	if (size <= sizeof(*s))
		bpf_seq_write(seq, s, size);
}

static __always_inline int offcpu_visit(struct bpf_iter__task *ctx, bool sleepable)
{
	struct task_struct *task = ctx->task;

	if (task && !offcpu_state.ended)
		offcpu_found(task, sleepable);
	else if (task)
		offcpu_waits_still(ctx->meta->seq, task);
	return 0;
}

#endif
