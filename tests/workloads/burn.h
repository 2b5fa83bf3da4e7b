/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * burn.h: CPU time, 70 % in burn_seventy() and 30 % in burn_thirty(), and how much it was. With a
 * frame pointer in each or without, as the options and pragmas say where this is included.
 */
#ifndef BURN_H
#define BURN_H

#include "workload.h"

#define SLICE_NS 500000 /* a turn takes ten: short beside the time from sample to sample */

struct burnt {
	uint64_t seventy_ns, thirty_ns;
};

/* No call in the loop, so that samples fall into the function. */
#define BURN(name)                                                                                 \
	__attribute__((noinline)) void name(unsigned long n);                                      \
	void name(unsigned long n)                                                                 \
	{                                                                                          \
		for (volatile unsigned long i = 0; i < n; i++)                                     \
			;                                                                          \
	}
BURN(burn_seventy)
BURN(burn_thirty)

static inline uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* The shortest of three: while it runs, a machine that is emulated may be made to wait, and count
 * it as the thread's time. */
static inline uint64_t time_of(unsigned long rounds)
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < 3; i++) {
		uint64_t from = cpu_ns(), took;

		burn_seventy(rounds);
		took = cpu_ns() - from;
		if (took < best)
			best = took;
	}
	return best;
}

/* How many rounds take SLICE_NS. */
static inline unsigned long calibrate(void)
{
	unsigned long rounds = 1000;

	for (;;) {
		uint64_t took = time_of(rounds);

		if (took >= SLICE_NS)
			return rounds * SLICE_NS / took + 1;
		rounds *= 2;
	}
}

/* One turn, called from the function that it stands in. */
static inline __attribute__((always_inline)) void burn_turn(struct burnt *sum, unsigned long unit)
{
	uint64_t a = cpu_ns(), b, c;

	burn_seventy(unit * 7);
	b = cpu_ns();
	burn_thirty(unit * 3);
	c = cpu_ns();
	sum->seventy_ns += b - a;
	sum->thirty_ns += c - b;
}

static inline void print_burnt(const struct burnt *sum)
{
	printf("seventy_ns=%lld\tthirty_ns=%lld\n", (long long)sum->seventy_ns,
	       (long long)sum->thirty_ns);
}

#endif
