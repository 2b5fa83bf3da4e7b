/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * signals N: sends N signals to a child, by kill(2), sigqueue(3) and tgkill(2) in turn. The child
 * blocks the real-time signals, so that each of these waits in its queue: the result is 0
 * (delivered). It ignores SIGUSR1: 1 (ignored). Prints pid, signal, target and result of each.
 */
#include "workload.h"
#include <signal.h>
#include <sys/wait.h>

/* Until the parent closes the pipe, or has ended. */
static void child(int ready, int until)
{
	sigset_t blocked;
	char c;

	sigemptyset(&blocked);
	for (int i = SIGRTMIN; i <= SIGRTMAX; i++)
		sigaddset(&blocked, i);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	signal(SIGUSR1, SIG_IGN);
	if (write(ready, "", 1) != 1)
		die("write");
	if (read(until, &c, 1) != 0)
		die("read");
	_exit(0);
}

static void send_by(int way, pid_t to, int number)
{
	int failed;

	if (way == 0)
		failed = kill(to, number);
	else if (way == 1)
		failed = sigqueue(to, number, (union sigval){ .sival_int = 1 });
	else
		failed = syscall(SYS_tgkill, to, to, number);
	if (failed)
		die("a signal");
}

int main(int argc, char **argv)
{
	int ready[2], until[2];
	pid_t to;
	long total;
	char c;

	if (argc != 2)
		usage("N");
	total = number(argv[1]);
	if (pipe(ready) || pipe(until))
		die("pipe");
	to = fork();
	if (to < 0)
		die("fork");
	if (!to) {
		close(until[1]);
		child(ready[1], until[0]);
	}
	if (read(ready[0], &c, 1) != 1)
		die("the child");
	wait_for_go();
	for (long i = 0; i < total; i++) {
		int sig = i % 4 == 3 ? SIGUSR1 : SIGRTMIN + (int)(i % 8);

		send_by((int)(i % 3), to, sig);
		printf("pid=%d\tsignal=%d\ttarget=%d\tresult=%d\n", getpid(), sig, to,
		       sig == SIGUSR1);
	}
	close(until[1]);
	waitpid(to, NULL, 0);
	return 0;
}
