/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * stacks: the stacks of the task on the CPU, into an event.
 *
 * They are sent, not counted here: a stack map (BPF_MAP_TYPE_STACK_TRACE) forgets or mixes up
 * stacks whose hashes collide, and is memory that the kernel keeps for the worst case. Sent through
 * the rings a stack is some 400 bytes, user space compares it frame by frame, what does not fit is
 * counted, and the reader learns of a process while it still lives.
 */
#ifndef BORESCOPE_STACKS_BPF_H
#define BORESCOPE_STACKS_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "events.bpf.h"
#include "stacks.h"

const volatile struct stack_config stack_config SEC(".rodata.stacks");

/* For EVENT_SCRATCH(): room for the deepest. */
struct stack_scratch {
	struct stack_event event;
	__u64 frames[2 * STACK_FRAMES_MAX];
};

#define SEEN_MAX 256

struct stack_seen {
	__u64 process[SEEN_MAX];
};

/* Of each CPU, the process seen last of those whose ids end alike. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct stack_seen);
} stack_seen SEC(".maps");

#define PF_KTHREAD 0x00200000

/* True now and then for one that was seen before, too: no harm is done. exec gives a process
 * another mm. */
static __always_inline bool stack_process_is_new(__u32 pid, __u64 mm)
{
	struct stack_seen *seen;
	__u32 zero = 0;
	__u64 *process, id = mm ^ (__u64)pid << 48 ^ pid;

	seen = bpf_map_lookup_elem(&stack_seen, &zero);
	if (!seen)
		return false;
	process = &seen->process[pid % SEEN_MAX];
	if (*process == id)
		return false;
	*process = id;
	return true;
}

/* Fills the stacks and the flags of @s, whose head is filled. Returns the size of the event. */
static __always_inline __u64 stack_read(void *ctx, struct stack_scratch *s)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__u64 nr_kernel = 0, nr_user = 0, mm;
	long bytes;

	if (stack_config.kernel) {
		bytes = bpf_get_stack(ctx, s->frames, STACK_FRAMES_MAX * sizeof(__u64), 0);
		if (bytes > 0)
			nr_kernel = (__u64)bytes / sizeof(__u64);
		if (nr_kernel > STACK_FRAMES_MAX)
			nr_kernel = STACK_FRAMES_MAX;
		barrier_var(nr_kernel);
		if (nr_kernel >= stack_config.depth)
			s->event.head.flags |= STACK_KERNEL_CUT;
	}
	mm = (__u64)BPF_CORE_READ(task, mm);
	/* a kernel thread may borrow a process's memory, and has no user stack all the same */
	if (stack_config.user && mm && !(BPF_CORE_READ(task, flags) & PF_KTHREAD)) {
		if (nr_kernel > STACK_FRAMES_MAX)
			return 0;
		bytes = bpf_get_stack(ctx, &s->frames[nr_kernel], STACK_FRAMES_MAX * sizeof(__u64),
				      BPF_F_USER_STACK);
		if (bytes > 0)
			nr_user = (__u64)bytes / sizeof(__u64);
		if (nr_user > STACK_FRAMES_MAX)
			nr_user = STACK_FRAMES_MAX;
		if (!nr_user)
			s->event.head.flags |= STACK_NO_USER;
		else if (nr_user >= stack_config.depth)
			s->event.head.flags |= STACK_USER_CUT;
		if (stack_process_is_new(s->event.head.pid, mm))
			s->event.head.flags |= STACK_NEW_PROCESS;
	}
	s->event.nr_kernel = nr_kernel;
	s->event.nr_user = nr_user;
	return sizeof(s->event) + (nr_kernel + nr_user) * sizeof(__u64);
}

/* stack_read() and away. The reader is woken for a process that it does not know yet: that may not
 * live for long. */
static __always_inline void stack_send(void *ctx, struct stack_scratch *s)
{
	__u64 size = stack_read(ctx, s);

	barrier_var(size);
	if (!size || size > sizeof(*s))
		return;
	if (s->event.head.flags & STACK_NEW_PROCESS)
		event_send_now(&s->event, size);
	else
		event_send(&s->event, size);
}

#endif
