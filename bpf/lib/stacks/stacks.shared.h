/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * stacks.shared.h: an event that carries the stacks of the task that it is about; shared by
 * bpf/lib/stacks/stacks.bpf.h and libcommon/stacks/samples.c.
 */
#ifndef BORESCOPE_BPF_STACKS_STACKS_SHARED_H
#define BORESCOPE_BPF_STACKS_STACKS_SHARED_H

#include "lib/core/events.shared.h"
#include "lib/core/task.shared.h"

#define STACK_FRAMES_MAX 512 /* of the kernel stack, and of the user stack; a power of two */

/* event_head.flags */
#define STACK_NEW_PROCESS 1 /* not seen on this CPU of late: its mappings must be read */
#define STACK_KERNEL_CUT  2 /* the kernel stack is as deep as the kernel walks: it may go on */
#define STACK_USER_CUT	  4 /* so is the user stack */
#define STACK_NO_USER	  8 /* there is a user stack, but it could not be read */
#define STACK_COPIED	  16

/*
 * With STACK_COPIED, the user's part is not addresses but nr_user words to unwind: STACK_REGS
 * registers in the kernel's order (asm/ptrace.h: what a debugger gets), then the stack from
 * STACK_BASE(stack pointer) on.
 */
#if defined(__x86_64__) || defined(__TARGET_ARCH_x86)
#define STACK_REGS     21 /* struct pt_regs */
#define STACK_REG_FP   4
#define STACK_REG_PC   16
#define STACK_REG_MODE 17 /* cs */
#define STACK_REG_SP   19
#define STACK_RED_ZONE 128 /* below its pointer, that functions may use */
#else			   /* arm64 */
#define STACK_REGS     34  /* struct user_pt_regs */
#define STACK_REG_FP   29
#define STACK_REG_SP   31
#define STACK_REG_PC   32
#define STACK_REG_MODE 33 /* pstate */
#define STACK_RED_ZONE 0
#endif
#define STACK_BASE(sp) (((sp)-STACK_RED_ZONE) & ~7ull)

#define STACK_COPY_MAX 16384 /* bytes; a value of a per-CPU map may have 32 KiB in all */

struct stack_event {
	struct event_head head;
	struct task_image image; /* not filled where nr_user is 0 */
	__u32 nr_kernel, nr_user;
	__u64 frames[]; /* addresses: kernel, then user; each leaf first */
};

struct stack_config {
	__u32 depth;	   /* kernel.perf_event_max_stack: a walk ends after so many frames */
	__u32 copy;	   /* bytes of a user stack to be sent; 0: it is walked by frame pointers */
	__u8 kernel, user; /* which stacks are wanted */
};

#endif
