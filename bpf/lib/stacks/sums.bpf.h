/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sums.bpf.h: adds up by stack what comes too often to be sent each time, as the times that threads
 * were blocked:
 *
 *	w = stack_sum_begin();
 *	... w->sum.label, .stack, and the frames behind it
 *	stack_sum_add(w, ns);
 *
 * Each CPU keeps the stacks that it saw of late, and for each of them the sum. A stack whose place
 * is taken by another one goes to the reader, with its sum, through the rings; at the end the
 * reader takes what is still here (libcommon/stacks/sums.h). So memory is bounded, nothing is
 * counted by a hash (stacks are compared frame by frame), and a thread that waits in the same place
 * over and over costs no event. The stacks of a process that is new are sent at once: it may not
 * live for long.
 *
 * For programs that no other program of the tool interrupts, with interrupts off.
 */
#ifndef BORESCOPE_BPF_STACKS_SUMS_BPF_H
#define BORESCOPE_BPF_STACKS_SUMS_BPF_H

#include "lib/stacks/stacks.bpf.h"
#include "lib/stacks/sums.shared.h"

const volatile __u32 stack_sums_mask SEC(".rodata.stack_sums"); /* places of a CPU, less one */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1); /* stack_sums_configure() sets it */
	__type(key, __u32);
	__type(value, struct stack_sum_slot);
} stack_sums SEC(".maps");

/* Where a stack is put together. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct stack_sum_slot);
} stack_sum_work SEC(".maps");

static __always_inline struct stack_sum_slot *stack_sum_begin(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&stack_sum_work, &zero);
}

static __always_inline __u64 stack_sum_frames(const struct stack_sum_slot *s)
{
	return s->sum.stack.nr_kernel + s->sum.stack.nr_user;
}

/* Copies @nr frames behind those of the kernel. */
static __always_inline void stack_sum_user(struct stack_sum_slot *w, const __u64 *frames, __u64 nr)
{
	__u64 at;

	barrier(); /* from memory: before 5.12 a number has no bound in 64 bits by one in 32 */
	at = w->sum.stack.nr_kernel;
	w->sum.stack.nr_user = 0;
	barrier_var(at);
	barrier_var(nr);
	if (at > STACK_SUM_FRAMES || nr > STACK_SUM_FRAMES)
		return;
	w->sum.stack.nr_user = nr;
	if (nr)
		bpf_probe_read_kernel(&w->frames[at], nr * sizeof(__u64), frames);
}

/* The bytes of @s that are filled, where those are as they should be; else 0. */
static __always_inline __u64 stack_sum_size(struct stack_sum_slot *s)
{
	s->sum.size = sizeof(s->sum) + stack_sum_frames(s) * sizeof(__u64);
	return s->sum.size <= sizeof(*s) ? s->sum.size : 0;
}

static __always_inline void stack_sum_send(struct stack_sum_slot *s, bool now)
{
	__u64 size = stack_sum_size(s);

	s->sum.head.ts = bpf_ktime_get_ns();
	barrier_var(size);
	if (size && size <= sizeof(*s))
		event_send_sum(&s->sum, size, now, s->sum.count);
}

static __always_inline __u32 stack_sum_place(const struct stack_sum_slot *w)
{
	__u64 hash = w->sum.stack.head.tid + w->sum.label, nr = stack_sum_frames(w);

	for (__u64 i = 0; i < 2 * STACK_SUM_FRAMES && i < nr; i++)
		hash += w->frames[i] * (2 * i + 1);
	return hash * 0x9e3779b97f4a7c15ull >> 40;
}

/* All but the frames and their number. */
static __always_inline bool stack_sum_same_thread(const struct stack_sum_slot *a,
						  const struct stack_sum_slot *b)
{
	const struct stack_event *x = &a->sum.stack, *y = &b->sum.stack;
	const __u64 *name_x = (const __u64 *)x->head.comm, *name_y = (const __u64 *)y->head.comm;

	return x->head.tid == y->head.tid && x->head.pid == y->head.pid &&
	       x->head.flags == y->head.flags && a->sum.label == b->sum.label &&
	       name_x[0] == name_y[0] && name_x[1] == name_y[1] &&
	       x->image.generation == y->image.generation;
}

static __always_inline bool stack_sum_same(const struct stack_sum_slot *a,
					   const struct stack_sum_slot *b)
{
	const struct stack_event *x = &a->sum.stack, *y = &b->sum.stack;
	__u64 nr = stack_sum_frames(a);

	if (x->nr_kernel != y->nr_kernel || x->nr_user != y->nr_user ||
	    !stack_sum_same_thread(a, b))
		return false;
	for (__u64 i = 0; i < 2 * STACK_SUM_FRAMES && i < nr; i++)
		if (a->frames[i] != b->frames[i])
			return false;
	return true;
}

/* The stack at @place of this CPU; NULL: there is none. */
static __always_inline struct stack_sum_slot *stack_sum_at(__u32 place)
{
	struct stack_sum_slot *s = bpf_map_lookup_elem(&stack_sums, &place);

	return s && s->sum.count ? s : NULL;
}

/* Adds @amount to the sum of @s, which is the stack @w. */
static __always_inline void stack_sum_more(struct stack_sum_slot *s, const struct stack_sum_slot *w,
					   __u64 amount)
{
	s->sum.count++;
	s->sum.sum += amount;
	s->sum.stack.head.ts = w->sum.stack.head.ts;
}

/* Adds @amount to the sum of the stack @w. Returns its place, if it was there already; or else
 * STACK_SUM_NEW. */
#define STACK_SUM_NEW (~0U)
static __always_inline __u32 stack_sum_add(struct stack_sum_slot *w, __u64 amount)
{
	struct stack_event *stack = &w->sum.stack;
	__u32 place = stack_sum_place(w) & stack_sums_mask;
	struct stack_sum_slot *s;
	__u64 size;

	w->sum.count = 1;
	w->sum.sum = amount;
	if (stack->nr_user && stack_process_is_new(stack->head.pid, stack->image.generation)) {
		stack->head.flags |= STACK_NEW_PROCESS;
		stack_sum_send(w, true);
		return STACK_SUM_NEW;
	}
	s = bpf_map_lookup_elem(&stack_sums, &place);
	if (!s)
		return STACK_SUM_NEW;
	if (s->sum.count && stack_sum_same(s, w)) {
		stack_sum_more(s, w, amount);
		return place;
	}
	if (s->sum.count)
		stack_sum_send(s, false);
	size = stack_sum_size(w);
	barrier_var(size);
	if (size <= sizeof(*s))
		bpf_probe_read_kernel(s, size, w);
	return STACK_SUM_NEW;
}

#endif
