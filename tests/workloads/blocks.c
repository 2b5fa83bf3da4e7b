/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * blocks THREADS ROUNDS MS: threads block for known times, each ROUNDS times by nanosleep(2), by
 * futex(2) and by reading a pipe; the first for MS milliseconds, the second for 2 MS, and so on. A
 * line for each thread: how long each way took by its own clock, and all of it, less the CPU time
 * that it took (a virtual CPU may stand still, too), and its voluntary switches.
 *
 * blocks paths N ROUNDS: one thread blocks for a moment in each of N stacks, ROUNDS times.
 *
 * It is built with frame pointers (Makefile).
 */
#include "workload.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define THREADS_MAX 64

#define NOINLINE   __attribute__((noipa)) /* nor changed in any other way */
#define KEEP_FRAME __asm__ volatile("" ::: "memory")

static struct thread {
	pthread_t id;
	pid_t tid;
	int pipe[2];
	uint64_t ms;
	uint64_t due; /* when its pipe is to be written to; 0: it does not wait for that */
	uint64_t nanosleep_ns, futex_ns, pipe_ns, all_ns;
	long waits;
	int done;
} threads[THREADS_MAX];
static long nr, rounds;

/* In a function of our own: libc's has no frame pointer. */
#if defined(__x86_64__)
static inline __attribute__((always_inline)) long call(long n, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "0"(n), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return ret;
}
#else
#define call(n, a, b, c, d) syscall(n, a, b, c, d)
#endif

NOINLINE static void wait_in_nanosleep(struct thread *t)
{
	struct timespec time = { t->ms / 1000, t->ms % 1000 * 1000000 };

	call(SYS_nanosleep, (long)&time, 0, 0, 0);
	KEEP_FRAME;
}

NOINLINE static void wait_in_futex(struct thread *t)
{
	struct timespec time = { t->ms / 1000, t->ms % 1000 * 1000000 };
	int word = 0;

	call(SYS_futex, (long)&word, FUTEX_WAIT_PRIVATE, 0, (long)&time);
	KEEP_FRAME;
}

NOINLINE static void wait_in_pipe(struct thread *t)
{
	char byte;

	__atomic_store_n(&t->due, now_ns() + t->ms * 1000000, __ATOMIC_RELEASE);
	call(SYS_read, t->pipe[0], (long)&byte, 1, 0);
	KEEP_FRAME;
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static uint64_t timed(void (*wait)(struct thread *t), struct thread *t)
{
	uint64_t cpu = cpu_ns(), since = now_ns(), wall;

	wait(t);
	wall = now_ns() - since;
	return wall - (cpu_ns() - cpu);
}

NOINLINE static void *sleeper(void *arg)
{
	struct thread *t = arg;
	struct rusage before, after;
	uint64_t cpu = cpu_ns(), since = now_ns();

	t->tid = tid();
	getrusage(RUSAGE_THREAD, &before);
	for (long i = 0; i < rounds; i++) {
		t->nanosleep_ns += timed(wait_in_nanosleep, t);
		t->futex_ns += timed(wait_in_futex, t);
		t->pipe_ns += timed(wait_in_pipe, t);
	}
	getrusage(RUSAGE_THREAD, &after);
	t->all_ns = now_ns() - since - (cpu_ns() - cpu);
	t->waits = after.ru_nvcsw - before.ru_nvcsw;
	__atomic_store_n(&t->done, 1, __ATOMIC_RELEASE);
	return NULL;
}

/* Wakes those in wait_in_pipe(), until all are done. */
static void wake(void)
{
	for (long done = 0; done < nr;) {
		usleep(1000);
		done = 0;
		for (struct thread *t = threads; t < threads + nr; t++) {
			uint64_t due = __atomic_load_n(&t->due, __ATOMIC_ACQUIRE);

			done += __atomic_load_n(&t->done, __ATOMIC_ACQUIRE);
			if (!due || due > now_ns())
				continue;
			t->due = 0;
			if (write(t->pipe[1], "x", 1) != 1)
				die("pipe");
		}
	}
}

static void step(long path, long bits);

NOINLINE static void left(long path, long bits)
{
	step(path, bits);
	KEEP_FRAME;
}

NOINLINE static void right(long path, long bits)
{
	step(path, bits);
	KEEP_FRAME;
}

NOINLINE static void step(long path, long bits)
{
	struct timespec moment = { 0, 1000 };

	if (!bits)
		call(SYS_nanosleep, (long)&moment, 0, 0, 0);
	else if (path & 1)
		right(path >> 1, bits - 1);
	else
		left(path >> 1, bits - 1);
	KEEP_FRAME;
}

static int walk_paths(long paths)
{
	struct rusage before, after;

	wait_for_go();
	getrusage(RUSAGE_THREAD, &before);
	for (long i = 0; i < rounds; i++)
		for (long path = 0; path < paths; path++)
			step(path, 16);
	getrusage(RUSAGE_THREAD, &after);
	printf("tid=%d\twaits=%ld\n", tid(), after.ru_nvcsw - before.ru_nvcsw);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 4)
		usage("THREADS ROUNDS MS|paths N ROUNDS");
	if (!strcmp(argv[1], "paths")) {
		rounds = number(argv[3]);
		return walk_paths(number(argv[2]));
	}
	nr = number(argv[1]);
	rounds = number(argv[2]);
	if (nr > THREADS_MAX)
		usage("THREADS (at most 64) ROUNDS MS");
	for (long i = 0; i < nr; i++) {
		threads[i].ms = (i + 1) * number(argv[3]);
		if (pipe(threads[i].pipe))
			die("pipe");
	}
	wait_for_go();
	prctl(PR_SET_NAME, "sleeper");
	for (long i = 0; i < nr; i++) {
		errno = pthread_create(&threads[i].id, NULL, sleeper, &threads[i]);
		if (errno)
			die("pthread_create");
	}
	wake();
	for (struct thread *t = threads; t < threads + nr; t++) {
		pthread_join(t->id, NULL);
		printf("tid=%d\tms=%lu\tnanosleep_ns=%lu\tfutex_ns=%lu\tpipe_ns=%lu\tall_ns=%lu\t"
		       "waits=%ld\n",
		       t->tid, t->ms, t->nanosleep_ns, t->futex_ns, t->pipe_ns, t->all_ns,
		       t->waits);
	}
	return 0;
}
