/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* pingpong N: a byte goes N times through a pipe to a second process and back: 2 N wake-ups. */
#include "workload.h"
#include <sys/wait.h>

static void pass(int from, int to)
{
	char byte;

	if (read(from, &byte, 1) != 1 || write(to, &byte, 1) != 1)
		die("pipe");
}

int main(int argc, char **argv)
{
	int there[2], back[2], status;
	uint64_t start;
	long total;
	pid_t child;

	if (argc != 2)
		usage("N");
	total = number(argv[1]);
	if (pipe(there) || pipe(back))
		die("pipe");
	wait_for_go();
	start = now_ns();
	child = fork();
	if (child < 0)
		die("fork");
	if (!child) {
		for (long i = 0; i < total; i++)
			pass(there[0], back[1]);
		_exit(0);
	}
	for (long i = 0; i < total; i++) {
		if (write(there[1], "x", 1) != 1)
			die("pipe");
		if (read(back[0], &(char){ 0 }, 1) != 1)
			die("pipe");
	}
	if (waitpid(child, &status, 0) != child || status)
		die("child");
	printf("pid=%d\tpeer=%d\tdone=%ld\tns=%lu\n", getpid(), child, total, now_ns() - start);
	return 0;
}
