/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * nofp MILLISECONDS [sort|thread|call|deep]: a program without frame pointers, as distributions
 * build them. 70 % of its CPU time is spent in burn_seventy(), 30 % in burn_thirty():
 *
 * sort: in a function that the C library's qsort() calls; thread: the same in a second thread.
 * call: nothing but read(2) of /dev/zero, from call_read().
 * deep: below 40 calls of go_deep(), which have a kilobyte each on the stack.
 */
#include <pthread.h>

#pragma GCC optimize("omit-frame-pointer", "no-optimize-sibling-calls")

#include "burn.h"

static uint64_t end_ns;
static unsigned long unit;
static struct burnt sum;

__attribute__((noinline)) void burn(void);
void burn(void)
{
	burn_turn(&sum, unit);
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
	long first = 0;

	while (now_ns() < end_ns)
		first += sort_some(first & 15);
	return (void *)first;
}

__attribute__((noinline)) long call_read(int fd, char *buf, size_t size);
long call_read(int fd, char *buf, size_t size)
{
	long bytes = 0;

	while (now_ns() < end_ns)
		bytes += read(fd, buf, size);
	return bytes;
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
	unit = calibrate();
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
	print_burnt(&sum);
	return 0;
}
