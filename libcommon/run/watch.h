/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * watch: waits for what ends a run from outside, and for whatever else its epoll set has.
 */
#ifndef BORESCOPE_RUN_WATCH_H
#define BORESCOPE_RUN_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct watch {
	int epoll_fd; /* others may be added, to end watch_wait(); not with .data.fd of these two */
	bool signalled; /* a signal asks for the end */
	bool hung_up;	/* nobody reads the output any more */

	/* watch.c's own */
	int guard_fd, out_fd;
};

/* Starts the guard (run/guard.h), so that signals ask for the end; @out_fd is where the output
 * goes. Returns 0 or -errno. It lasts as long as the process. */
int watch_open(struct watch *w, int out_fd);

/* Waits until something happens, or until @wake; the time is @now (both in ns of one clock;
 * TIMER_NEVER: for as long as it takes). */
void watch_wait(struct watch *w, uint64_t now, uint64_t wake);

#endif
