/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * wakes timer|other|preempt|fork N: N wake-ups, some 2 ms apart, of a thread that sleeps on the
 * last CPU: by a timer; by a thread on CPU 0; by a timer, while another thread has the CPU; or of N
 * children, one by one, wherever they are put, that only exit. Whoever lives then sleeps on until
 * stdin ends.
 */
#include "workload.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#define PAUSE_NS 2000000

static long total, last_cpu;
static int poked;
static pthread_barrier_t go, end; /* nobody comes to the end */
static atomic_bool stop;

static void stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("sched_setaffinity");
}

static void *read_pokes(void *arg)
{
	uint64_t value;

	stay_on(last_cpu);
	pthread_barrier_wait(&go);
	for (long i = 0; i < total; i++)
		if (read(poked, &value, sizeof(value)) != sizeof(value))
			die("eventfd");
	pthread_barrier_wait(&go);
	pthread_barrier_wait(&end);
	return arg;
}

static void *have_the_cpu(void *arg)
{
	stay_on(last_cpu);
	pthread_barrier_wait(&go);
	while (!atomic_load_explicit(&stop, memory_order_relaxed))
		;
	pthread_barrier_wait(&go);
	pthread_barrier_wait(&end);
	return arg;
}

static void spawn_child(void)
{
	pid_t child = fork();

	if (!child)
		_exit(0);
	if (child < 0 || waitpid(child, NULL, 0) != child)
		die("fork");
}

int main(int argc, char **argv)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	uint64_t one = 1;
	pthread_t other;
	char how;

	if (argc != 3 || !strchr("topf", argv[1][0]))
		usage("timer|other|preempt|fork N");
	total = number(argv[2]);
	how = argv[1][0];
	last_cpu = sysconf(_SC_NPROCESSORS_ONLN) - 1;
	poked = eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE);
	pthread_barrier_init(&go, NULL, 2);
	pthread_barrier_init(&end, NULL, 3);
	if (how != 'f')
		stay_on(how == 'o' ? 0 : last_cpu);
	if (how == 'o' || how == 'p')
		if (pthread_create(&other, NULL, how == 'p' ? have_the_cpu : read_pokes, NULL))
			die("pthread_create");
	wait_for_go();
	if (how == 'o' || how == 'p')
		pthread_barrier_wait(&go);
	for (long i = 0; i < total; i++) {
		nanosleep(&pause, NULL);
		if (how == 'f')
			spawn_child();
		if (how == 'o' && write(poked, &one, sizeof(one)) != sizeof(one))
			die("eventfd");
	}
	atomic_store(&stop, true);
	if (how == 'o' || how == 'p')
		pthread_barrier_wait(&go);
	nanosleep(&pause, NULL); /* who was about to sleep does */
	printf("done=%ld\n", total);
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}
