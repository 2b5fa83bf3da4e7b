/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* xstack.shared.h: what xstack's sides tell each other beside the threads (lib/tasks). */
#ifndef BORESCOPE_BPF_XSTACK_SHARED_H
#define BORESCOPE_BPF_XSTACK_SHARED_H

#include "lib/core/types.shared.h"

struct xstack_config {
	__u32 states;		     /* show these (1 << enum task_state); 0: all */
	__u8 idle;		     /* show those that wait for work, too */
	__u8 skip_kernel, skip_user; /* don't read these stacks */
};

/* What the sides tell each other about a sample, which is one pass over all threads or (with a pid
 * filter) one for each process. */
struct xstack_state {
	__u64 ts; /* user space sets it to 0 before a sample; its first thread to CLOCK_MONOTONIC */
	__u64 visited;	/* threads that a pass has come to; user space sets it to 0 before a pass */
	__u64 threads;	/* how many the process of the thread visited last has */
	__u64 last_tid; /* the thread visited last */
};

#endif
