/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* profile.shared.h: what became of the samples, as both sides of profile count it. */
#ifndef BORESCOPE_BPF_PROFILE_SHARED_H
#define BORESCOPE_BPF_PROFILE_SHARED_H

#include "lib/stacks/stacks.shared.h"

/* A tick is on time if it is at most this part of a period off. */
#define SAMPLE_ON_TIME 16
/* So many ticks in a row are not missed for bpf(2), which takes microseconds: no interrupt came. */
#define SAMPLE_MAX_SKIPPED 16

/* The indexes of the map sample_counts. */
enum sample_count {
	SAMPLE_TICKS,	/* all ticks of the perf events */
	SAMPLE_IDLE,	/* of those, the ones left out because the CPU had nothing to do */
	SAMPLE_TAKEN,	/* and the ones that were wanted, and sent (or lost on the way) */
	SAMPLE_SKIPPED, /* ticks at which the kernel did not run the program */
	SAMPLE_LATE,	/* ticks that never came: the timer itself was late by more than one */
	SAMPLE_COUNTS,
};

#endif
