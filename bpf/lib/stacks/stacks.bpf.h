/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * stacks.bpf.h: the stacks of the task on the CPU, into an event.
 *
 * They are sent, not counted here: a stack map (BPF_MAP_TYPE_STACK_TRACE) forgets or mixes up
 * stacks whose hashes collide, and is memory that the kernel keeps for the worst case. A stack
 * that is sent through the rings has some 400 bytes; user space compares it frame by frame, what
 * does not fit is counted, and the reader learns of a process while it still lives.
 */
#ifndef BORESCOPE_BPF_STACKS_STACKS_BPF_H
#define BORESCOPE_BPF_STACKS_STACKS_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "lib/core/constants.bpf.h"
#include "lib/core/events.bpf.h"
#include "lib/core/task.bpf.h"
#include "lib/stacks/stacks.shared.h"

const volatile struct stack_config stack_config SEC(".rodata.stacks");

#define STACK_COPY_STEP 4096 /* a page is there or is not */

/* For EVENT_SCRATCH(): there is room for the deepest stacks. */
struct stack_scratch {
	struct stack_event event;
	__u64 frames[STACK_FRAMES_MAX + STACK_REGS +
		     (STACK_COPY_MAX + STACK_COPY_STEP) / sizeof(__u64)];
};

#define STACK_SEEN_MAX 256

struct stack_seen {
	__u64 process[STACK_SEEN_MAX];
};

/* For each CPU, and for all process ids that end alike, the process that was seen last. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct stack_seen);
} stack_seen SEC(".maps");

/* Was this process not seen on this CPU before? Now and then that is said of one that was: user
 * space then looks at its mappings once more, which does no harm. What it is by @generation (struct
 * task_image) is part of the question because exec makes it another program. */
static __always_inline bool stack_process_is_new(__u32 pid, __u64 generation)
{
	struct stack_seen *seen;
	__u32 zero = 0;
	__u64 *process, id = generation ^ (__u64)pid << 48 ^ pid;

	seen = bpf_map_lookup_elem(&stack_seen, &zero);
	if (!seen)
		return false;
	process = &seen->process[pid % STACK_SEEN_MAX];
	if (*process == id)
		return false;
	*process = id;
	return true;
}

/* Are the registers of user space where the kernel saves them (@saved)? @at: those of the
 * sample. A sample by cycles may be taken while the kernel is being entered, when not all are
 * saved yet: on x86 the stack pointer is then still the user's, or points among the saved
 * registers. */
static __always_inline bool stack_regs_are_saved(const __u64 *at, const struct pt_regs *saved)
{
	__u64 sp = at[STACK_REG_SP], from = (__u64)saved;

	return (__s64)sp < 0 && !(sp > from && sp <= from + STACK_REGS * sizeof(__u64));
}

#if defined(__TARGET_ARCH_x86)
#define STACK_REGS_USER(at) (((at)[STACK_REG_MODE] & 3) == 3)
#define STACK_REGS_32(at)   ((__u16)(at)[STACK_REG_MODE] == 0x23) /* __USER32_CS */
#define STACK_THREAD_TOP(t) BPF_CORE_READ(t, thread.fsbase)
#elif defined(__TARGET_ARCH_arm64)
#define STACK_REGS_USER(at) (!((at)[STACK_REG_MODE] & 0xf)) /* PSR_MODE_EL0t */
#define STACK_REGS_32(at)   ((at)[STACK_REG_MODE] & 0x10)   /* PSR_MODE32_BIT */
#define STACK_THREAD_TOP(t) 0
#endif

/*
 * Writes the registers that the task has in user space to @to. @interrupted: the registers of a
 * sample, wherever it was taken; NULL: the task itself has come to the program, in the kernel.
 * False: they are not known, or have 32 bits.
 */
static __always_inline bool stack_user_regs(__u64 *to, struct task_struct *task,
					    struct pt_regs *interrupted)
{
	struct pt_regs *saved = task_regs(task);

	if (interrupted) {
		if (bpf_probe_read_kernel(to, STACK_REGS * sizeof(__u64), interrupted))
			return false;
		if (STACK_REGS_USER(to))
			return !STACK_REGS_32(to);
		if (!stack_regs_are_saved(to, saved))
			return false;
	}
	return !bpf_probe_read_kernel(to, STACK_REGS * sizeof(__u64), saved) &&
	       STACK_REGS_USER(to) && !STACK_REGS_32(to);
}

#define STACK_SHORT_FRAMES 8
#define STACK_FRAME_MAX	   (1 << 20) /* bytes */

/*
 * Walks the user stack of the current task, which has come to the program in the kernel, by frame
 * pointers, if it has no more than STACK_SHORT_FRAMES frames. Returns how many it wrote to @to; 0:
 * it has more, or can't be walked here. @regs: room for STACK_REGS words.
 *
 * The kernel's walk follows the last frame pointer of a program, too, which as a rule is none: that
 * costs it a page fault. Here a stack ends where a frame does not lie above the one before.
 */
static __always_inline __u32 stack_user_short(__u64 *to, __u64 *regs, struct task_struct *task)
{
	struct {
		__u64 fp, ret;
	} frame;
	__u64 lowest, at;

	if (!stack_user_regs(regs, task, NULL))
		return 0;
	to[0] = regs[STACK_REG_PC];
	lowest = regs[STACK_REG_SP];
	at = regs[STACK_REG_FP];
	for (__u32 i = 1; i <= STACK_SHORT_FRAMES; i++) {
		if (at < lowest || at - lowest > STACK_FRAME_MAX || at & 7 ||
		    bpf_probe_read_user(&frame, sizeof(frame), (void *)at) || !frame.ret)
			return i;
		if (i == STACK_SHORT_FRAMES)
			break;
		to[i] = frame.ret;
		lowest = at + sizeof(frame);
		at = frame.fp;
	}
	return 0;
}

/* Where the part of a stack that is worth copying ends, if it is copied from @from on. The
 * stack of the first thread begins where the program was started, below its arguments; that of
 * another thread below what the C library keeps of the thread. */
static __always_inline __u64 stack_end(struct task_struct *task, __u64 from)
{
	__u64 end = from + stack_config.copy, top;

	top = BPF_CORE_READ(task, mm, start_stack) & ~7ull;
	if (top > from && top < end)
		end = top;
	top = STACK_THREAD_TOP(task) & ~7ull;
	if (top > from && top < end)
		end = top;
	return end;
}

/* Copies the user's memory from @from to @end; returns how many bytes were there to be copied. */
static __always_inline __u64 stack_copy(void *to, __u64 from, __u64 end)
{
	__u64 done = 0;

	for (int i = 0; i < STACK_COPY_MAX / STACK_COPY_STEP + 1; i++) {
		__u64 at = from + done, n = STACK_COPY_STEP - (at & (STACK_COPY_STEP - 1));

		barrier_var(done);
		if (done >= STACK_COPY_MAX || at >= end)
			break;
		if (n > end - at)
			n = end - at;
		/* Bounded by arithmetic: what a comparison tells is lost when the number is put on
		 * the stack, before Linux 5.12. */
		barrier_var(n);
		n = ((n - 1) & (STACK_COPY_STEP - 1)) + 1;
		if (bpf_probe_read_user(to + done, n, (void *)at))
			break;
		done += n;
	}
	return done;
}

/* Writes registers and stack to @to, for user space to unwind. Returns the number of words; 0: that
 * can't be, the stack must be walked here. */
static __always_inline __u64 stack_to_unwind(__u64 *to, struct pt_regs *interrupted)
{
	struct task_struct *task =
		have_task_btf() ? bpf_get_current_task_btf() : (void *)bpf_get_current_task();
	__u64 from;

	if (!stack_user_regs(to, task, interrupted))
		return 0;
	from = STACK_BASE(to[STACK_REG_SP]);
	return STACK_REGS +
	       stack_copy(&to[STACK_REGS], from, stack_end(task, from)) / sizeof(__u64);
}

/* Reads the user stack behind @nr_kernel frames, and sets the flags about it. Returns the number of
 * words. */
static __always_inline __u64 stack_user(void *ctx, struct stack_scratch *s, __u64 nr_kernel,
					struct pt_regs *interrupted)
{
	__u64 *to = &s->frames[nr_kernel], nr;
	long bytes;

	if (stack_config.copy) {
		nr = stack_to_unwind(to, interrupted);
		if (nr) {
			s->event.head.flags |= STACK_COPIED;
			return nr;
		}
	}
	bytes = bpf_get_stack(ctx, to, STACK_FRAMES_MAX * sizeof(__u64), BPF_F_USER_STACK);
	nr = bytes > 0 ? (__u64)bytes / sizeof(__u64) : 0;
	if (nr > STACK_FRAMES_MAX)
		nr = STACK_FRAMES_MAX;
	if (!nr)
		s->event.head.flags |= STACK_NO_USER;
	else if (nr >= stack_config.depth)
		s->event.head.flags |= STACK_USER_CUT;
	return nr;
}

/* Fills the stacks and the flags of @s, whose head is filled already. Returns the size of the
 * event; 0: there is none. */
static __always_inline __u64 stack_read(void *ctx, struct stack_scratch *s,
					struct pt_regs *interrupted)
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
	/* a kernel thread that has borrowed a process's memory has no user stack all the same */
	if (stack_config.user && mm && !(BPF_CORE_READ(task, flags) & PF_KTHREAD)) {
		if (nr_kernel > STACK_FRAMES_MAX)
			return 0;
		nr_user = stack_user(ctx, s, nr_kernel, interrupted);
		task_image_current(&s->event.image, mm);
		if (stack_process_is_new(s->event.head.pid, s->event.image.generation))
			s->event.head.flags |= STACK_NEW_PROCESS;
	}
	s->event.nr_kernel = nr_kernel;
	s->event.nr_user = nr_user;
	return sizeof(s->event) + (nr_kernel + nr_user) * sizeof(__u64);
}

/*
 * Reads the stacks and sends the event. @interrupted: as in stack_user_regs(). The reader is woken
 * for a process that it does not know yet, because that may not live for long.
 */
static __always_inline void stack_send(void *ctx, struct stack_scratch *s,
				       struct pt_regs *interrupted)
{
	__u64 size = stack_read(ctx, s, interrupted);

	barrier_var(size);
	if (!size || size > sizeof(*s))
		return;
	if (s->event.head.flags & STACK_NEW_PROCESS)
		event_send_now(&s->event, size);
	else
		event_send(&s->event, size);
}

/* The same in a program of type perf_event, which has interrupted the task anywhere. */
static __always_inline void stack_send_sample(void *ctx, struct stack_scratch *s)
{
	struct bpf_perf_event_data_kern *sample = ctx;

	stack_send(ctx, s, BPF_CORE_READ(sample, regs));
}

#endif
