/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* offcputime.shared.h: what offcputime's sides tell each other beside the stacks and their sums. */
#ifndef BORESCOPE_BPF_OFFCPUTIME_SHARED_H
#define BORESCOPE_BPF_OFFCPUTIME_SHARED_H

#include "lib/stacks/sums.shared.h"

/* stack_sum.label: an enum task_state, or WAIT_STATE_UNKNOWN, and these */
#define WAIT_STATE_UNKNOWN 0x0f
#define WAIT_STATE_MASK	   0x0f
#define WAIT_UNFINISHED	   0x10 /* it went on when the tool ended */
#define WAIT_MOVED	   0x20 /* its thread ran before it could be looked at: no kernel stack */

struct offcputime_state {
	__u64 began; /* CLOCK_MONOTONIC, ns: since when threads wait that the start has found */
	__u64 ended; /* from then on no wait is counted; 0: not yet */
};

#endif
