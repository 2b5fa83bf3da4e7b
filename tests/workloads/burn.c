/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * burn MILLISECONDS [THREADS [DEPTH]]: each thread spends 70 % of its CPU time in burn_seventy()
 * and 30 % in burn_thirty(), called from burn_loop(), which has DEPTH calls of burn_deep() above
 * it. Prints the CPU time of both, as measured here.
 */
#include <pthread.h>

#include "burn.h"

static uint64_t end_ns;
static long depth;

void *burn_loop(void *arg);
__attribute__((noinline, optimize("no-omit-frame-pointer"))) void *burn_loop(void *arg)
{
	unsigned long unit = calibrate();

	while (now_ns() < end_ns)
		burn_turn(arg, unit);
	return NULL;
}

void *burn_deep(struct burnt *sum, long more);
__attribute__((noinline, optimize("no-omit-frame-pointer", "no-optimize-sibling-calls"))) void *
burn_deep(struct burnt *sum, long more)
{
	return more ? burn_deep(sum, more - 1) : burn_loop(sum);
}

static void *burn(void *sum)
{
	return burn_deep(sum, depth);
}

int main(int argc, char **argv)
{
	long ms = argc > 1 ? number(argv[1]) : 0, threads = argc > 2 ? number(argv[2]) : 1;
	struct burnt *sums = calloc(threads, sizeof(*sums)), sum = { 0 };
	pthread_t *ids = calloc(threads, sizeof(*ids));

	depth = argc > 3 ? number(argv[3]) : 0;
	if (argc < 2 || argc > 4 || !threads)
		usage("MILLISECONDS [THREADS [DEPTH]]");
	if (!sums || !ids)
		die("calloc");
	wait_for_go();
	end_ns = now_ns() + ms * 1000000ull;
	for (long i = 1; i < threads; i++)
		if ((errno = pthread_create(&ids[i], NULL, burn, &sums[i])))
			die("pthread_create");
	burn(&sums[0]);
	for (long i = 0; i < threads; i++) {
		if (i)
			pthread_join(ids[i], NULL);
		sum.seventy_ns += sums[i].seventy_ns;
		sum.thirty_ns += sums[i].thirty_ns;
	}
	print_burnt(&sum);
	return 0;
}
