/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * burn MILLISECONDS [THREADS [DEPTH]]: each thread spends 70 % of its CPU time in burn_seventy()
 * and 30 % in burn_thirty(), called from burn_loop(), which has DEPTH calls of burn_deep() above
 * it. Prints the CPU time of both, as measured here.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <pthread.h>
#include <stdbool.h>

#include "workload.h"

#define SLICE_NS 1000000 /* of each turn: short beside the time from sample to sample */

struct share {
	uint64_t seventy_ns, thirty_ns;
};

static uint64_t end_ns;
static long depth;

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* A frame pointer in each, and no call in the loop, so that samples fall into the function. */
#define BURN(name)                                                                                 \
	__attribute__((noinline, optimize("no-omit-frame-pointer"))) void name(unsigned long n);   \
	void name(unsigned long n)                                                                 \
	{                                                                                          \
		for (volatile unsigned long i = 0; i < n; i++)                                     \
			;                                                                          \
	}
BURN(burn_seventy)
BURN(burn_thirty)

/* How many rounds take SLICE_NS. */
static unsigned long calibrate(void)
{
	unsigned long rounds = 1000;

	for (;;) {
		uint64_t from = cpu_ns(), took;

		burn_seventy(rounds);
		took = cpu_ns() - from;
		if (took >= SLICE_NS)
			return rounds * SLICE_NS / took + 1;
		rounds *= 2;
	}
}

void *burn_loop(void *arg);
__attribute__((noinline, optimize("no-omit-frame-pointer"))) void *burn_loop(void *arg)
{
	struct share *share = arg;
	unsigned long unit = calibrate();

	while (now_ns() < end_ns) {
		uint64_t a = cpu_ns(), b, c;

		burn_seventy(unit * 7);
		b = cpu_ns();
		burn_thirty(unit * 3);
		c = cpu_ns();
		share->seventy_ns += b - a;
		share->thirty_ns += c - b;
	}
	return NULL;
}

void *burn_deep(struct share *share, long more);
__attribute__((noinline, optimize("no-omit-frame-pointer", "no-optimize-sibling-calls"))) void *
burn_deep(struct share *share, long more)
{
	return more ? burn_deep(share, more - 1) : burn_loop(share);
}

static void *burn(void *share)
{
	return burn_deep(share, depth);
}

int main(int argc, char **argv)
{
	long ms = argc > 1 ? number(argv[1]) : 0, threads = argc > 2 ? number(argv[2]) : 1;
	struct share *shares = calloc(threads, sizeof(*shares)), sum = { 0 };
	pthread_t *ids = calloc(threads, sizeof(*ids));

	depth = argc > 3 ? number(argv[3]) : 0;
	if (argc < 2 || argc > 4 || !threads)
		usage("MILLISECONDS [THREADS [DEPTH]]");
	if (!shares || !ids)
		die("calloc");
	wait_for_go();
	end_ns = now_ns() + ms * 1000000ull;
	for (long i = 1; i < threads; i++)
		if ((errno = pthread_create(&ids[i], NULL, burn, &shares[i])))
			die("pthread_create");
	burn(&shares[0]);
	for (long i = 0; i < threads; i++) {
		if (i)
			pthread_join(ids[i], NULL);
		sum.seventy_ns += shares[i].seventy_ns;
		sum.thirty_ns += shares[i].thirty_ns;
	}
	printf("seventy_ns=%lld\tthirty_ns=%lld\n", (long long)sum.seventy_ns,
	       (long long)sum.thirty_ns);
	return 0;
}
