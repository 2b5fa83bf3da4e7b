/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/util.h"
#include "run/timers.h"
#include "run/watch.h"

/* SIGINT and SIGTERM end the tool in order, and so does SIGHUP, when the terminal goes (under
 * nohup it is ignored and stays so); a reader that goes away is seen even when there is nothing to
 * write. */
int watch_open(struct watch *w, int out_fd)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct sigaction hangup;

	w->out_fd = out_fd;
	sigemptyset(&w->signals);
	sigaddset(&w->signals, SIGINT);
	sigaddset(&w->signals, SIGTERM);
	if (!sigaction(SIGHUP, NULL, &hangup) && hangup.sa_handler != SIG_IGN)
		sigaddset(&w->signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &w->signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file at its limit (ulimit -f) is an error like a full disk */
	w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	w->signal_fd = signalfd(-1, &w->signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (w->epoll_fd < 0 || w->signal_fd < 0)
		return -errno;
	ev.data.fd = w->signal_fd;
	if (epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, w->signal_fd, &ev))
		return -errno;
	ev.events = 0; /* EPOLLERR and EPOLLHUP always come; a regular file can't be polled: fine */
	ev.data.fd = out_fd;
	if (epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, out_fd, &ev) && errno != EPERM && errno != EBADF)
		return -errno;
	return 0;
}

/* In order; but a second one ends the tool at once, should our output be stuck. */
static void take_signals(struct watch *w)
{
	struct signalfd_siginfo taken;

	while (read(w->signal_fd, &taken, sizeof(taken)) > 0)
		w->signalled = true;
	sigdelset(&w->signals, SIGHUP); /* the shell passes its own on, too */
	sigprocmask(SIG_UNBLOCK, &w->signals, NULL);
}

/* For epoll_wait(2), in ms, rounded up. */
static int timeout(uint64_t now, uint64_t wake)
{
	if (wake == TIMER_NEVER)
		return -1;
	if (wake <= now)
		return 0;
	return (int)min_u64((wake - now + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC, INT_MAX);
}

void watch_wait(struct watch *w, uint64_t now, uint64_t wake)
{
	struct epoll_event ev[8];
	int n = epoll_wait(w->epoll_fd, ev, ARRAY_SIZE(ev), timeout(now, wake));

	for (int i = 0; i < n; i++) {
		if (ev[i].data.fd == w->signal_fd)
			take_signals(w);
		else if (ev[i].data.fd == w->out_fd)
			w->hung_up = true;
	}
}
