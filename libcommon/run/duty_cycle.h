/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * duty_cycle: keeps a count that is itself not free. Where there is much to count, counting is on
 * for a part of the time only, and what happened in the rests between is estimated. This unit is
 * arithmetic only: its user turns counting on and off, reads the counters (which never go back),
 * and hands over the time. Times are ns of one clock.
 *
 * With less than DUTY_CYCLE_MANY runs a second (the mean of 200 ms), counting is on all the time,
 * and the figures are exact. With more it is on for 20 ms and then rests, for 180 ms on average.
 * The rests differ in length, since what happens in step with the clock would else be seen always,
 * or never. The first half of a rest is taken to have been like the 20 ms before it, and the second
 * half like those after it.
 */
#ifndef BORESCOPE_RUN_DUTY_CYCLE_H
#define BORESCOPE_RUN_DUTY_CYCLE_H

#include <stdbool.h>
#include <stdint.h>

#define DUTY_CYCLE_MANY 200000 /* runs a second */

struct duty_cycle_counts {
	uint64_t runs, ns;	   /* of programs that run in others' time: these are estimated */
	uint64_t own_runs, own_ns; /* of those that run in the tool's own time: never estimated */
};

struct duty_cycle {
	struct duty_cycle_counts total; /* counted and estimated */
	bool counting;			/* now */
	bool sampled;			/* there has been a rest: a part of total is estimated */
	uint64_t next_ns;		/* when duty_cycle_rest() or duty_cycle_resume() is due */

	/* duty_cycle.c's own */
	struct duty_cycle_counts seen;	/* the counters when they were last looked at */
	struct duty_cycle_counts since; /* the counters at since_ns */
	uint64_t since_ns;		/* when this window of counting, or this rest, began */
	bool all_time;			/* another window follows this one at once */
	uint64_t owed_ns;		/* the part of the last rest that this window stands for */
	double runs_rate, ns_rate;	/* per ns, in the last window */
	double mean_rate;		/* of runs per ns, over some windows */
	uint64_t random;
};

/* Begins: counting is on from @now, with the counters at @at. */
void duty_cycle_begin(struct duty_cycle *d, uint64_t now, const struct duty_cycle_counts *at);

/* Brings total up to @now; allowed at any time. @at is used only while counting. */
void duty_cycle_read(struct duty_cycle *d, uint64_t now, const struct duty_cycle_counts *at);

/* To be called while counting, at next_ns. Returns whether counting has to be turned off now. */
bool duty_cycle_rest(struct duty_cycle *d, uint64_t now, const struct duty_cycle_counts *at);

/* To be called while resting, at next_ns: the first if counting could not be turned on, so that the
 * rest goes on; the second if it has been turned on. */
void duty_cycle_rest_on(struct duty_cycle *d, uint64_t now);
void duty_cycle_resume(struct duty_cycle *d, uint64_t now, const struct duty_cycle_counts *at);

#endif
