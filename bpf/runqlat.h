/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BORESCOPE_RUNQLAT_H
#define BORESCOPE_RUNQLAT_H

/* What there is a histogram for each of. */
enum runqlat_split {
	BY_NOTHING,
	BY_PROCESS,	  /* k32: pid */
	BY_THREAD,	  /* k32: tid, k64: pid */
	BY_PID_NAMESPACE, /* k32: the namespace's inode number */
};

/*
 * What the kernel had counted as a thread's waiting when it last came to a CPU, one word per thread
 * so that no CPU ever sees half of it: the time (47 bits of ns, 39 hours until it wraps), above it
 * which thread it is of (17 bits). The place is the low bits of the tid, of which there are at most
 * 22 (PID_MAX_LIMIT); those from bit 6 on stand in the word.
 */
#define BASE_BITS	47
#define BASE_MASK	((1ULL << BASE_BITS) - 1)
#define BASE_OWNER(tid) ((__u64)((tid) >> 6) + 1) /* never 0: an empty place is nobody's */
#define BASES_MIN	64
#define BASES_MAX	131072

#endif
