/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * openfast N THREADS PATH [PAUSE]: N opens (and closes) of PATH on each of THREADS threads, as fast
 * as they go or with PAUSE microseconds after each. Prints how many were done in all.
 */
#include "threads.h"

static const char *path;
static long per_thread, pause_us;

static void *run(void *failed)
{
	for (long i = 0; i < per_thread; i++) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			++*(long *)failed;
		else
			close(fd);
		if (pause_us)
			usleep(pause_us);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	long count;

	if (argc < 4 || argc > 5)
		usage("N THREADS PATH [PAUSE]");
	per_thread = number(argv[1]);
	count = number(argv[2]);
	path = argv[3];
	if (argc == 5)
		pause_us = number(argv[4]);
	if (count < 1 || count > THREADS_MAX)
		usage("N THREADS PATH [PAUSE], with 1 to 64 threads");
	wait_for_go();
	run_threads(count, per_thread, run);
	return 0;
}
