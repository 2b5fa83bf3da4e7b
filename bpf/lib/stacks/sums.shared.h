/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sums.shared.h: a stack, how often it was seen, and what that adds up to; shared by
 * bpf/lib/stacks/sums.bpf.h and libcommon/stacks/sums.c.
 */
#ifndef BORESCOPE_BPF_STACKS_SUMS_SHARED_H
#define BORESCOPE_BPF_STACKS_SUMS_SHARED_H

#include "lib/stacks/stacks.shared.h"

#define STACK_SUM_FRAMES 127  /* of the kernel stack, and of the user stack */
#define STACK_SUMS_MAX	 1024 /* of one CPU; a power of two */

struct stack_sum {
	struct event_head head;	  /* only ts, when it was sent, is filled */
	__u64 count, sum;	  /* of what each time brought: ns, bytes */
	__u32 size;		  /* with the frames */
	__u32 label;		  /* the tool's own; a stack with another label is another one */
	struct stack_event stack; /* its head is of the time when it was seen last */
};

/* What a CPU has of a stack. Of the frames nr_kernel and nr_user are filled, without a gap. */
struct stack_sum_slot {
	struct stack_sum sum;
	__u64 frames[2 * STACK_SUM_FRAMES];
};

#endif
