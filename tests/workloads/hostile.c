/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * hostile open|read|exec N DIR: N opens, opens with a read, or execs under names that drive a
 * terminal or are no UTF-8: of the process (comm), the file, and the arguments. Prints pid, errno
 * and kind of each; the names are the tests' to know.
 */
#include "workload.h"
#include <sys/prctl.h>
#include <sys/wait.h>

/* A window title by ESC, one by a C1 control (U+009D) and one by the byte alone, and half a
 * character. */
#define FILE_NAME "\033]0;x\007\302\235\235\n\303"
#define COMM	  "\033]0;x\007\377\302\233"

int main(int argc, char **argv)
{
	char *arguments[] = { NULL,	    "\033[2J",	 "\377\376", "line\nbreak\ttab\rreturn",
			      "\302\2332J", "\b\177\\x", "\342\202", NULL };
	char *path, byte;
	long total;

	if (argc != 4 ||
	    (strcmp(argv[1], "open") && strcmp(argv[1], "read") && strcmp(argv[1], "exec")))
		usage("open|read|exec N DIR");
	total = number(argv[2]);
	path = format("%s/" FILE_NAME, argv[3], 0);
	write_tiny_program(path);
	arguments[0] = path;
	if (prctl(PR_SET_NAME, COMM))
		die("prctl");
	wait_for_go();
	for (long i = 0; i < total; i++) {
		int status = 0, fd = -1;
		pid_t pid = getpid();

		if (strcmp(argv[1], "exec")) {
			fd = open(path, O_RDONLY);
			if (!strcmp(argv[1], "read") && read(fd, &byte, 1) != 1)
				die("read");
			close(fd);
		} else {
			pid = vfork();
			if (!pid) {
				execv(path, arguments);
				_exit(errno);
			}
			waitpid(pid, &status, 0);
		}
		printf("pid=%d\tfd=%d\tstatus=%d\n", pid, fd, status);
	}
	return 0;
}
