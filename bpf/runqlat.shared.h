/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* runqlat.shared.h: what both sides of runqlat know of its histograms and maps. */
#ifndef BORESCOPE_BPF_RUNQLAT_SHARED_H
#define BORESCOPE_BPF_RUNQLAT_SHARED_H

#include "lib/core/types.shared.h"

/* What there is one histogram for. */
enum runqlat_split {
	BY_NOTHING,
	BY_PROCESS,	  /* hist_key.k32: pid */
	BY_THREAD,	  /* k32: tid, k64: pid */
	BY_PID_NAMESPACE, /* k32: the namespace's inode number */
};

/*
 * The base of a thread's next wait: what the kernel had counted as its waiting when it last came to
 * a CPU, plus a number that stands for the thread. One word, so that no CPU ever sees half of it.
 * With the base of the same thread subtracted, the next sum of the two gives the wait; with any
 * other's, with none (0), or where the clock went back, something enormous: at least BASE_OTHER.
 *
 * A thread's number is made of bits 6 to 21 of its task_struct's address, at bits 47 to 62. (A tid
 * would not do: exec gives that of the first thread to the one that calls it. One in 65536 of those
 * has the same number.)
 */
#define BASES		 131072
#define BASE_OWNER_SHIFT 41
#define BASE_SET	 (1ULL << 63)
#define BASE_OTHER	 (1ULL << 46) /* ns: 19 hours */

/* The two clocks of a CPU at the last wake-up after which the kernel's clock may stand still until
 * the next switch. */
struct clocks {
	__u64 queue;	 /* rq->clock; 0: no such wake-up since the last switch */
	__u64 ours;	 /* bpf_ktime_get_ns() */
	__u64 unused[6]; /* so that two CPUs do not write to one line of their caches */
};

#define WAITING_MAX 65536 /* threads that wait at the same time, where wake-ups are timed */

#endif
