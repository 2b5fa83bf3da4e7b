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
 * so that no CPU ever sees half of it: the time (47 bits of ns, it wraps after 39 hours), and above
 * it whose it is: bits of the address of its kernel stack, which is the thread's own for all its
 * life (a tid is not: exec gives that of the first thread to the one that calls it). The place is
 * the low bits of the tid.
 */
#define BASE_BITS	  47
#define BASE_MASK	  ((1ULL << BASE_BITS) - 1)
#define BASE_NEGATIVE	  (1ULL << (BASE_BITS - 1)) /* a difference from here on: a clock went back */
#define BASE_OWNER(stack) ((((stack) >> 14 & 0xffff) | 0x10000) << BASE_BITS) /* never 0 */
#define BASES_MIN	  64
#define BASES_MAX	  131072

#define WAITING_MAX 65536 /* threads that wait at the same time, where probes time them */

#endif
