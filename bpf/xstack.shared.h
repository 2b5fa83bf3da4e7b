/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BORESCOPE_BPF_XSTACK_SHARED_H
#define BORESCOPE_BPF_XSTACK_SHARED_H

#include "lib/core/types.shared.h"

struct xstack_config {
	__u32 states;		     /* show these (1 << enum task_state); 0: all */
	__u8 idle;		     /* show those that wait for work, too */
	__u8 skip_kernel, skip_user; /* don't read these stacks */
};

/* What the sides tell each other about a sample. */
struct xstack_state {
	__u64 ts;		/* set to 0 before a sample: the first thread stamps it */
	__u64 visited, threads; /* ... to 0 before a pass: by it, and in the last one's process */
	__u64 last_tid;
};

#endif
