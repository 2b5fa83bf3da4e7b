/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * hogs pinned|free|moved N MS: N threads that want a CPU all the time, for MS ms: all on CPU 0
 * (pinned), wherever they are put (free), or thrown from one CPU to another every 3 ms (moved).
 * Prints for each thread, and for the first, which only waits for them, by how much the kernel's
 * own count of its waiting grew (/proc/PID/task/TID/schedstat). It is read before and after while
 * the thread sleeps, so that no wait comes between; they sleep on until stdin ends, so that a tool
 * can be stopped before they wait again.
 */
#include "workload.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

#define HOGS_MAX 64
#define MOVE_NS	 3000000

struct stat_line {
	unsigned long run, delay, slices;
};

static pthread_barrier_t ready, known, go, end;
static atomic_bool stop;
static struct stat_line before[HOGS_MAX + 1], after[HOGS_MAX + 1];
static pid_t tids[HOGS_MAX + 1];

static struct stat_line schedstat(pid_t thread)
{
	char *path = format("/proc/self/task/%s%ld/schedstat", "", thread);
	struct stat_line s;
	FILE *f = fopen(path, "re");

	if (!f || fscanf(f, "%lu %lu %lu", &s.run, &s.delay, &s.slices) != 3)
		die(path);
	fclose(f);
	free(path);
	return s;
}

static bool sleeps(pid_t thread)
{
	char *path = format("/proc/self/task/%s%ld/stat", "", thread);
	FILE *f = fopen(path, "re");
	char state;

	if (!f || fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		die(path);
	fclose(f);
	free(path);
	return state == 'S';
}

static void wait_until_all_sleep(long nr)
{
	struct timespec pause = { .tv_nsec = 10000000 };

	for (long i = 1; i <= nr; i++)
		while (!sleeps(tids[i]))
			nanosleep(&pause, NULL);
	nanosleep(&pause, NULL); /* who was about to sleep does */
}

static void put(pid_t thread, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(thread, sizeof(set), &set))
		die("sched_setaffinity");
}

static void *hog(void *arg)
{
	long number = (long)arg;
	char name[16];

	snprintf(name, sizeof(name), "hog%ld", number);
	pthread_setname_np(pthread_self(), name);
	tids[number] = tid();
	pthread_barrier_wait(&ready);
	pthread_barrier_wait(&known);
	pthread_barrier_wait(&go);
	while (!atomic_load_explicit(&stop, memory_order_relaxed))
		;
	pthread_barrier_wait(&end);
	return NULL;
}

static void pass_time(const char *how, long nr, uint64_t end)
{
	struct timespec pause = { .tv_nsec = MOVE_NS };
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	for (long turn = 0; now_ns() < end; turn++) {
		nanosleep(&pause, NULL);
		for (long i = 1; !strcmp(how, "moved") && i <= nr; i++)
			put(tids[i], (turn + i) % cpus);
	}
	atomic_store(&stop, true);
}

int main(int argc, char **argv)
{
	pthread_t threads[HOGS_MAX + 1];
	long nr, ms;

	if (argc != 4)
		usage("pinned|free|moved N MS");
	nr = number(argv[2]);
	ms = number(argv[3]);
	if (nr < 1 || nr > HOGS_MAX)
		usage("pinned|free|moved N MS: N is 1 to 64");
	pthread_barrier_init(&ready, NULL, nr + 1);
	pthread_barrier_init(&known, NULL, nr + 1);
	pthread_barrier_init(&go, NULL, nr + 1);
	pthread_barrier_init(&end, NULL, nr + 1);
	tids[0] = tid();
	for (long i = 1; i <= nr; i++)
		if (pthread_create(&threads[i], NULL, hog, (void *)i))
			die("pthread_create");
	pthread_barrier_wait(&ready);
	for (long i = 1; i <= nr && !strcmp(argv[1], "pinned"); i++)
		put(tids[i], 0);
	wait_until_all_sleep(nr);
	for (long i = nr; i >= 0; i--)
		before[i] = schedstat(tids[i]);
	wait_for_go();
	pthread_barrier_wait(&known); /* all come to a CPU, and sleep again: a tool may know them */
	wait_until_all_sleep(nr);
	pthread_barrier_wait(&go);
	pass_time(argv[1], nr, now_ns() + ms * 1000000);
	wait_until_all_sleep(nr);
	for (long i = nr; i >= 0; i--)
		after[i] = schedstat(tids[i]);
	for (long i = 0; i <= nr; i++)
		printf("tid=%d\tdelay_ns=%lu\tslices=%lu\n", tids[i],
		       after[i].delay - before[i].delay, after[i].slices - before[i].slices);
	fflush(stdout);
	while (getchar() != EOF)
		;
	pthread_barrier_wait(&end);
	for (long i = 1; i <= nr; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
