/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * again.bpf.h: is the kernel stack of a thread that is on no CPU one that was walked before? To
 * walk eight frames takes the kernel 0.6 us, and threads wait in the same places over and over.
 *
 *	a = again_at(which);
 *	if (a && again_is(a, task, s))
 *		it is that of @s, a stack that was counted (sums.bpf.h)
 *	else if (a && the walk has found that it is the one that is counted at @place)
 *		again_want(which, place);
 *	... at the end of the program:
 *	again_learn(task);
 *
 * A function's frame has the same size at the same call. So if from the stack pointer on all return
 * addresses are where they were, it is the same stack, whatever else lies in it. (One function may
 * have a frame of any size: the one that a system call begins with, below a random distance. There
 * is one frame behind it, which is looked for from the stack's end.)
 *
 * Of a walk the kernel tells the addresses, but not where they lie; and an address may have been
 * left there by what ran before. Where they can be found in more than one way, nothing is learnt.
 * The functions of the scheduler, which come first, it leaves out. They are among all that looks
 * like an address before the first one that it tells: that must be the same, too.
 *
 * It is all inlined. A function that is called (BPF to BPF) would be verified by itself, but where
 * a program has one, Linux 5.10.262 panics when a typed read meets NULL. So again_learn() stands
 * last, where the verifier comes to it in one state.
 *
 * On x86-64, for typed tasks; where the kernel's stacks have another size, nothing is recognised.
 * As sums.bpf.h, for programs that no other program of the tool interrupts, with interrupts off.
 */
#ifndef BORESCOPE_BPF_STACKS_AGAIN_BPF_H
#define BORESCOPE_BPF_STACKS_AGAIN_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "lib/core/task.bpf.h"
#include "lib/stacks/sums.bpf.h"

#define AGAIN_MAX    256 /* stacks that a CPU knows; a power of two */
#define AGAIN_WORDS  256 /* of a stack: what a byte can tell apart */
#define AGAIN_FRAMES 32	 /* a power of two */
#define AGAIN_EARLY  8	 /* a power of two */
#define AGAIN_REST   16	 /* so many times nothing is tried, when it was in vain */
#define AGAIN_TRIES  8	 /* one after the other in vain; then the rest is a longer one */

struct again {
	__u32 place; /* where the stack is counted */
	__u8 rest;   /* so many times more nothing is tried */
	__u8 vain;   /* so often it was in vain, one after the other; AGAIN_TRIES: or more often */
	__u8 nr;     /* frames, but for the last one; 0: nothing is known */
	__u8 last;   /* where the last one lies: words from the end */
	__u8 at[AGAIN_FRAMES]; /* where the others lie: words from the stack pointer */
	__u8 nr_early;	       /* what looks like an address before them */
	__u8 early_at[AGAIN_EARLY];
	__u64 early[AGAIN_EARLY];
};

/* Of each CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, AGAIN_MAX);
	__type(key, __u32);
	__type(value, struct again);
} again_known SEC(".maps");

struct again_stack {
	__u64 words[AGAIN_WORDS];
	__u32 size;	    /* words that are filled */
	__u32 nr;	    /* frames that are found */
	__u32 which, place; /* of the one that is wanted */
	__u32 is_wanted;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct again_stack);
} again_stacks SEC(".maps");

#if defined(__TARGET_ARCH_x86)
#define AGAIN_SP(task) ((task)->thread.sp)
#else
#define AGAIN_SP(task) 0
#endif

/* Where the stack of @task ends: above are the registers of user space. It is aligned to its
 * size. */
static __always_inline __u64 again_end(struct task_struct *task)
{
	return (AGAIN_SP(task) | (TASK_OLD_THREAD_SIZE - 1)) + 1 -
	       bpf_core_type_size(struct pt_regs);
}

/* The number of what is known of such a stack. @from: where in user space the thread has come
 * from. */
static __always_inline __u32 again_which(struct task_struct *task, __u64 from)
{
	return ((task->pid ^ from) * 0x9e3779b97f4a7c15ull >> 32) & (AGAIN_MAX - 1);
}

/* What is known, or can be learnt; NULL: it is not to be tried now. */
static __always_inline struct again *again_at(__u32 which)
{
	struct again *a = bpf_map_lookup_elem(&again_known, &which);

	if (!a || !a->rest)
		return a;
	a->rest--;
	return NULL;
}

static __always_inline struct again_stack *again_work(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&again_stacks, &zero);
}

/* False: it can't be copied. */
static __always_inline bool again_copy(struct again_stack *copy, struct task_struct *task)
{
	__u64 sp = AGAIN_SP(task), size = again_end(task) - sp;

	copy->size = size / sizeof(__u64);
	barrier_var(size);
	return size < sizeof(copy->words) && !bpf_probe_read_kernel(copy->words, size, (void *)sp);
}

static __always_inline void again_forget(struct again *a)
{
	a->nr = 0;
	a->rest = AGAIN_REST;
	if (a->vain < AGAIN_TRIES)
		a->vain++;
	else
		a->rest *= 8;
}

static __always_inline bool again_same(const struct again *a, const struct again_stack *copy,
				       const __u64 *frames)
{
	for (__u32 i = 0; i < AGAIN_FRAMES && i < a->nr; i++)
		if (copy->words[a->at[i]] != frames[i])
			return false;
	for (__u32 i = 0; i < AGAIN_EARLY && i < a->nr_early; i++)
		if (copy->words[a->early_at[i]] != a->early[i])
			return false;
	return true;
}

/* The last frame of @task: is it @frame? */
static __always_inline bool again_ends(const struct again *a, struct task_struct *task, __u64 frame)
{
	__u64 word = 0;

	bpf_probe_read_kernel(&word, sizeof(word),
			      (void *)(again_end(task) - a->last * sizeof(word)));
	return word == frame;
}

/* Is the stack of @task that of @s, which stands at a->place? */
static __always_inline bool again_is(struct again *a, struct task_struct *task,
				     const struct stack_sum_slot *s)
{
	__u32 nr = a->nr & (AGAIN_FRAMES - 1);
	__u64 size = (a->at[(nr - 1) & (AGAIN_FRAMES - 1)] + 1) * sizeof(__u64);
	struct again_stack *copy = again_work();

	if (!nr || nr + 1 != s->sum.stack.nr_kernel || !copy)
		return false;
	if (!bpf_probe_read_kernel(copy->words, size, (void *)AGAIN_SP(task)) &&
	    again_same(a, copy, s->frames) && again_ends(a, task, s->frames[nr])) {
		a->vain = 0;
		return true;
	}
	again_forget(a);
	return false;
}

/* The stack was walked, and is the one at @place: again_learn() is to learn it. */
static __always_inline void again_want(__u32 which, __u32 place)
{
	struct again_stack *copy = again_work();

	if (!copy)
		return;
	copy->which = which;
	copy->place = place;
	copy->is_wanted = true;
}

/* --- to learn ------------------------------------------------------------------------------ */

/* Each round of a loop begins with what is in memory, of which the verifier knows nothing
 * (barrier()): so it need not follow each way that leads there. */

/* Where do the frames lie, looked for from the top of the stack on? */
static __always_inline bool again_find(struct again *a, struct again_stack *copy,
				       const __u64 *frames)
{
	copy->nr = 0;
	for (__u32 i = 0; i < AGAIN_WORDS && i < copy->size; i++) {
		__u32 next;

		barrier();
		next = copy->nr & (AGAIN_FRAMES - 1);
		if (copy->nr <= a->nr && copy->words[i] == frames[next]) {
			a->at[next] = i;
			copy->nr++;
		}
	}
	return copy->nr == a->nr + 1;
}

/* Do they lie there, too, if they are looked for from its end on? */
static __always_inline bool again_is_certain(const struct again *a, struct again_stack *copy,
					     const __u64 *frames)
{
	for (__u32 i = AGAIN_WORDS; i-- > 0;) {
		__u32 next;

		barrier();
		next = (copy->nr - 1) & (AGAIN_FRAMES - 1);
		if (i >= copy->size || !copy->nr || copy->words[i] != frames[next])
			continue;
		if (a->at[next] != i)
			return false;
		copy->nr--;
	}
	return !copy->nr;
}

/* Notes what looks like the address of a function before the first frame. */
static __always_inline bool again_note_early(struct again *a, struct again_stack *copy)
{
	a->nr_early = 0;
	for (__u32 i = 0; i < AGAIN_WORDS && i < a->at[0]; i++) {
		__u32 next;

		barrier();
		next = a->nr_early & (AGAIN_EARLY - 1);
		if (copy->words[i] >> 31 != 0x1ffffffff) /* the last 2 GB */
			continue;
		if (a->nr_early >= AGAIN_EARLY)
			return false;
		a->early_at[next] = i;
		a->early[next] = copy->words[i];
		a->nr_early++;
	}
	return true;
}

/* What was copied is the stack of @s: from now on again_is() can tell. */
static __always_inline void again_note(struct again *a, struct again_stack *copy,
				       const struct stack_sum_slot *s)
{
	a->place = copy->place;
	a->nr = s->sum.stack.nr_kernel - 1;
	if (!a->nr || a->nr >= AGAIN_FRAMES - 1 || !again_find(a, copy, s->frames) ||
	    !again_is_certain(a, copy, s->frames) || !again_note_early(a, copy))
		again_forget(a);
	else
		a->last = copy->size - a->at[a->nr & (AGAIN_FRAMES - 1)];
}

/* Learns the stack of @task, if that is wanted. */
static __always_inline void again_learn(struct task_struct *task)
{
	struct again_stack *copy = again_work();
	struct stack_sum_slot *s;
	struct again *a;

	if (!copy || !copy->is_wanted)
		return;
	copy->is_wanted = false;
	a = bpf_map_lookup_elem(&again_known, &copy->which);
	s = stack_sum_at(copy->place);
	if (!a || a->rest || !s)
		return;
	if (!a->nr && again_copy(copy, task))
		again_note(a, copy, s);
	else /* another stack is known there, or this one is too deep */
		again_forget(a);
}

#endif
