/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* threads.h: the same work on several threads, as fast as they go. */
#ifndef THREADS_H
#define THREADS_H

#include "workload.h"
#include <pthread.h>

#define THREADS_MAX 64

/* Runs @work(&failed) on @count threads, with a counter of its own for each, which it raises by
 * what failed; prints how many of @each times @count were done, and in what time. */
static inline void run_threads(long count, long each, void *(*work)(void *failed))
{
	pthread_t threads[THREADS_MAX];
	long failed[THREADS_MAX] = { 0 }, sum = 0;
	uint64_t start = now_ns();

	for (long i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, work, &failed[i]))
			die("pthread_create");
	for (long i = 0; i < count; i++) {
		pthread_join(threads[i], NULL);
		sum += failed[i];
	}
	printf("pid=%d\tdone=%ld\tfailed=%ld\tns=%lu\n", getpid(), each * count, sum,
	       now_ns() - start);
}

#endif
