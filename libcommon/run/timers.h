/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * timers: what is to be done at certain times, as a table. Arithmetic only: whoever uses it hands
 * over the time, and waits. Times are ns of one clock.
 */
#ifndef BORESCOPE_RUN_TIMERS_H
#define BORESCOPE_RUN_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIMER_NEVER UINT64_MAX

struct timer {
	/* Called with what timers_run() is given. It may change .at, which is the next time
	 * already. */
	void (*fn)(void *ctx, struct timer *t);
	uint64_t at;	/* when it is due; 0 in a new table: .every after the start */
	uint64_t every; /* after that it is due again; 0: never */
	/* The next time counts from when it was due, not from when it was run: one that comes late
	 * does not put off the others. By the time it is late by more than half of .every, the next
	 * one would follow too soon: the first that is at least that half away comes then. */
	bool in_step;
	uint64_t missed; /* how many were left out for that, when it is called */
};

/* Sets .at of those timers that have none: to .every after @now, or to TIMER_NEVER without it. */
void timers_start(struct timer *timers, size_t nr, uint64_t now);

/* When the first of them is due. */
uint64_t timers_next(const struct timer *timers, size_t nr);

/* Runs those that are due at @now, each of them once, in the order of the table. From when *@stop
 * is true, none is run any more. */
void timers_run(struct timer *timers, size_t nr, uint64_t now, void *ctx, const bool *stop);

#endif
