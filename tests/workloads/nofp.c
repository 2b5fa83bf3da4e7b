/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * nofp MILLISECONDS [sort|thread|call|deep]: a program without frame pointers, as distributions
 * build them. 70 % of its CPU time is spent in burn_seventy(), 30 % in burn_thirty():
 *
 * sort: in a function that the C library's qsort() calls; thread: the same in a second thread.
 * call: nothing but read(2) of /dev/zero, from call_read().
 * deep: below 40 calls of go_deep(), which have a kilobyte each on the stack.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <pthread.h>
#include <stdbool.h>

#include "workload.h"

#pragma GCC optimize("omit-frame-pointer", "no-optimize-sibling-calls")

#define SLICE_NS 500000

static uint64_t end_ns, seventy_ns, thirty_ns;
static unsigned long unit;

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

#define BURN(name)                                                                                 \
	__attribute__((noinline)) void name(unsigned long n);                                      \
	void name(unsigned long n)                                                                 \
	{                                                                                          \
		for (volatile unsigned long i = 0; i < n; i++)                                     \
			;                                                                          \
	}
BURN(burn_seventy)
BURN(burn_thirty)

static void calibrate(void)
{
	uint64_t took = 0;

	for (unit = 1000; took < SLICE_NS; unit *= 2) {
		uint64_t from = cpu_ns();

		burn_seventy(unit);
		took = cpu_ns() - from;
	}
	unit = unit / 2 * SLICE_NS / took + 1;
}

__attribute__((noinline)) void burn(void);
void burn(void)
{
	uint64_t a = cpu_ns(), b, c;

	burn_seventy(unit * 7);
	b = cpu_ns();
	burn_thirty(unit * 3);
	c = cpu_ns();
	seventy_ns += b - a;
	thirty_ns += c - b;
}

int compare(const void *a, const void *b);
int compare(const void *a, const void *b)
{
	if (now_ns() < end_ns)
		burn();
	return *(const int *)a - *(const int *)b;
}

__attribute__((noinline)) int sort_some(int first);
int sort_some(int first)
{
	int some[8] = { first, 7, 3, 9, 1, 5, 8, 2 };

	qsort(some, 8, sizeof(some[0]), compare);
	return some[0];
}

void *sort_all(void *unused);
void *sort_all(__attribute__((unused)) void *unused)
{
	long sum = 0;

	while (now_ns() < end_ns)
		sum += sort_some(sum & 15);
	return (void *)sum;
}

__attribute__((noinline)) long call_read(int fd, char *buf, size_t size);
long call_read(int fd, char *buf, size_t size)
{
	long sum = 0;

	while (now_ns() < end_ns)
		sum += read(fd, buf, size);
	return sum;
}

__attribute__((noinline)) int go_deep(int more);
int go_deep(int more)
{
	volatile char room[1024];

	room[more] = more;
	if (more)
		return go_deep(more - 1) + room[more];
	while (now_ns() < end_ns)
		burn();
	return room[0];
}

static void in_thread(void)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, sort_all, NULL);
	if (errno)
		die("pthread_create");
	pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
	long ms = argc > 1 ? number(argv[1]) : 0;
	const char *what = argc > 2 ? argv[2] : "sort";
	static char buf[1 << 20];

	if (argc < 2 || argc > 3)
		usage("MILLISECONDS [sort|thread|call|deep]");
	calibrate();
	wait_for_go();
	end_ns = now_ns() + ms * 1000000ull;
	if (!strcmp(what, "sort"))
		sort_all(NULL);
	else if (!strcmp(what, "thread"))
		in_thread();
	else if (!strcmp(what, "call"))
		call_read(open("/dev/zero", O_RDONLY | O_CLOEXEC), buf, sizeof(buf));
	else
		go_deep(40);
	printf("seventy_ns=%lld\tthirty_ns=%lld\n", (long long)seventy_ns, (long long)thirty_ns);
	return 0;
}
