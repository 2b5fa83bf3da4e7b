/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * duty_cycle: counting that is itself not free, and so is on only for a part of the time when there is
 * much to count; what came meanwhile is reckoned. Arithmetic only: who uses it turns counting on
 * and off, reads the counters (which never go back), and hands over the time. Times are ns.
 *
 * With less than DUTY_CYCLE_MANY runs a second (the mean of 200 ms) counting is on all the time, and the
 * figures are exact. With more it is on for 20 ms and then rests, 180 ms on average, but never for
 * the same time: what comes in step with the clock would be seen always, or never. A rest is taken
 * to have been half as the 20 ms before it and half as those after it.
 */
#ifndef BORESCOPE_RUN_DUTY_CYCLE_H
#define BORESCOPE_RUN_DUTY_CYCLE_H

#include <stdbool.h>
#include <stdint.h>

#define DUTY_CYCLE_MANY 200000 /* runs a second */

struct duty_cycle_counts {
	uint64_t runs, ns;	   /* of programs that run in others' time: these are reckoned */
	uint64_t own_runs, own_ns; /* and in the tool's own time: never reckoned */
};

struct duty_cycle {
	struct duty_cycle_counts total; /* counted, and reckoned */
	bool counting;			/* now */
	bool sampled;			/* there has been a rest: a part of total is reckoned */
	uint64_t next_ns;		/* when duty_cycle_rest() or duty_cycle_resume() is due */

	/* duty.c's own */
	struct duty_cycle_counts seen;	/* the counters when last looked at */
	struct duty_cycle_counts since; /* and when this window of counting began, */
	uint64_t since_ns;		/* which was then; or the rest did */
	bool all_time;			/* a window with another to follow at once */
	uint64_t owed_ns;		/* of the last rest: to be reckoned by what follows */
	double runs_rate, ns_rate;	/* per ns, in the last window */
	double mean_rate;		/* of runs: over some windows */
	uint64_t random;
};

/* Counting is on from now; @at: the counters. */
void duty_cycle_begin(struct duty_cycle *d, uint64_t now, const struct duty_cycle_counts *at);
/* Brings total up to now; at any time. @at is used only while counting. */
void duty_cycle_read(struct duty_cycle *d, uint64_t now, const struct duty_cycle_counts *at);
/* While counting, at next_ns: is counting to be turned off? */
bool duty_cycle_rest(struct duty_cycle *d, uint64_t now, const struct duty_cycle_counts *at);
/* While resting, at next_ns: counting could not be turned on; the rest goes on. */
void duty_cycle_rest_on(struct duty_cycle *d, uint64_t now);
/* While resting, at next_ns: counting has been turned on. */
void duty_cycle_resume(struct duty_cycle *d, uint64_t now, const struct duty_cycle_counts *at);

#endif
