/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * stacks.h: an event that carries the stacks of the task that it is about; shared by
 * bpf/lib/stacks.bpf.h and user space.
 */
#ifndef BORESCOPE_BPF_STACKS_H
#define BORESCOPE_BPF_STACKS_H

#include "events.h"

#define STACK_FRAMES_MAX 512 /* of each of the two; a power of two */

/* event_head.flags */
#define STACK_NEW_PROCESS 1 /* not seen on this CPU of late: remember what it has mapped */
#define STACK_KERNEL_CUT  2 /* as deep as the kernel walks */
#define STACK_USER_CUT	  4
#define STACK_NO_USER	  8 /* there is one, but it could not be read */

struct stack_event {
	struct event_head head;
	__u32 nr_kernel, nr_user;
	__u64 frames[]; /* addresses: kernel, then user; each leaf first */
};

struct stack_config {
	__u32 depth;	   /* kernel.perf_event_max_stack: what a walk ends at */
	__u8 kernel, user; /* which are wanted */
};

#endif
