/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BORESCOPE_BPF_PROFILE_SHARED_H
#define BORESCOPE_BPF_PROFILE_SHARED_H

#include "lib/stacks/stacks.shared.h"

/* What became of the samples; indexes of the map sample_counts. */
enum sample_count {
	SAMPLE_TICKS, /* all that the events gave */
	SAMPLE_IDLE,  /* of those: of a CPU with nothing to do, left out */
	SAMPLE_TAKEN, /* wanted, and sent (or lost on the way) */
	SAMPLE_COUNTS,
};

#endif
