/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * execfast N THREADS PROGRAM [BYTES]: writes a tiny program to PROGRAM, then N spawns (vfork and
 * exec) of it on each of THREADS threads, as fast as they go, with an argument of BYTES bytes.
 * Prints how many were done.
 */
#include "threads.h"
#include <sys/wait.h>

static char *arguments[3];
static char *environment[] = { NULL };
static long per_thread;

static __attribute__((noinline)) pid_t spawn(void)
{
	pid_t pid = vfork();

	if (!pid) {
		execve(arguments[0], arguments, environment);
		_exit(127);
	}
	return pid;
}

static void *run(void *failed)
{
	for (long i = 0; i < per_thread; i++) {
		int status = -1;
		pid_t pid = spawn();

		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			++*(long *)failed;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	long count;

	if (argc < 4 || argc > 5)
		usage("N THREADS PROGRAM [BYTES]");
	per_thread = number(argv[1]);
	count = number(argv[2]);
	if (count < 1 || count > THREADS_MAX)
		usage("N THREADS PROGRAM [BYTES], with 1 to 64 threads");
	arguments[0] = argv[3];
	if (argc == 5) {
		arguments[1] = calloc(1, number(argv[4]) + 1);
		memset(arguments[1], 'x', number(argv[4]));
	}
	write_tiny_program(arguments[0]);
	wait_for_go();
	run_threads(count, per_thread, run);
	return 0;
}
