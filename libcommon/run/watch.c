/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/epoll.h>

#include "base/util.h"
#include "run/guard.h"
#include "run/timers.h"
#include "run/watch.h"

/* A reader that goes away is seen even when there is nothing to write. */
int watch_open(struct watch *w, int out_fd)
{
	struct epoll_event ev = { .events = EPOLLIN };

	w->out_fd = out_fd;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file at its limit (ulimit -f) is an error like a full disk */
	w->guard_fd = guard_start();
	if (w->guard_fd < 0)
		return w->guard_fd;
	w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (w->epoll_fd < 0)
		return -errno;
	ev.data.fd = w->guard_fd;
	if (epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, w->guard_fd, &ev))
		return -errno;
	ev.events = 0; /* EPOLLERR and EPOLLHUP always come; a regular file can't be polled: fine */
	ev.data.fd = out_fd;
	if (epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, out_fd, &ev) && errno != EPERM && errno != EBADF)
		return -errno;
	return 0;
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

	for (int i = 0; i < n; i++)
		w->hung_up |= ev[i].data.fd == w->out_fd;
	w->signalled = guard_asked();
}
