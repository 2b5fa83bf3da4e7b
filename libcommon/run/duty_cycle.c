/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "base/util.h"
#include "run/duty_cycle.h"

#define ALL_TIME_NS   200000000ULL /* a window when there is little to count */
#define WINDOW_NS     20000000ULL  /* and when there is much */
#define REST_LEAST_NS 90000000ULL
#define REST_SPAN_NS  180000000ULL

static uint64_t rest_ns(struct duty_cycle *d)
{
	d->random = d->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return REST_LEAST_NS + (d->random >> 32) % REST_SPAN_NS;
}

static void begin_window(struct duty_cycle *d, bool all_time, uint64_t now,
			 const struct duty_cycle_counts *at)
{
	d->counting = true;
	d->all_time = all_time;
	d->seen = d->since = *at;
	d->since_ns = now;
	d->next_ns = now + (all_time ? ALL_TIME_NS : WINDOW_NS);
}

void duty_cycle_begin(struct duty_cycle *d, uint64_t now, const struct duty_cycle_counts *at)
{
	*d = (struct duty_cycle){ .random = now };
	begin_window(d, true, now, at);
}

/* @span without counting, taken to have been as the last window. */
static void reckon(struct duty_cycle *d, uint64_t span)
{
	d->total.runs += (uint64_t)(d->runs_rate * (double)span);
	d->total.ns += (uint64_t)(d->ns_rate * (double)span);
}

static void count(struct duty_cycle *d, const struct duty_cycle_counts *at)
{
	d->total.runs += at->runs - d->seen.runs;
	d->total.ns += at->ns - d->seen.ns;
	d->total.own_runs += at->own_runs - d->seen.own_runs;
	d->total.own_ns += at->own_ns - d->seen.own_ns;
	d->seen = *at;
}

void duty_cycle_read(struct duty_cycle *d, uint64_t now, const struct duty_cycle_counts *at)
{
	if (d->counting) {
		count(d, at);
		reckon(d, d->owed_ns); /* what follows is not known yet */
		d->owed_ns = 0;
	} else {
		reckon(d, now - d->since_ns);
		d->since_ns = now;
	}
}

bool duty_cycle_rest(struct duty_cycle *d, uint64_t now, const struct duty_cycle_counts *at)
{
	double span = (double)(now - d->since_ns);

	count(d, at);
	if (span > 0) {
		d->runs_rate = (double)(at->runs - d->since.runs) / span;
		d->ns_rate = (double)(at->ns - d->since.ns) / span;
	}
	reckon(d, d->owed_ns);
	d->owed_ns = 0;
	/* Not by the last 20 ms alone: only busy ones would then have a rest beside them. */
	d->mean_rate = d->all_time ? d->runs_rate : (3 * d->mean_rate + d->runs_rate) / 4;
	if (d->mean_rate * (double)NSEC_PER_SEC <
	    (d->all_time ? DUTY_CYCLE_MANY : DUTY_CYCLE_MANY / 2)) {
		begin_window(d, true, now, at);
		return false;
	}
	d->counting = false;
	d->sampled = true;
	d->since_ns = now;
	d->next_ns = now + rest_ns(d);
	return true;
}

void duty_cycle_rest_on(struct duty_cycle *d, uint64_t now)
{
	d->next_ns = now + rest_ns(d);
}

void duty_cycle_resume(struct duty_cycle *d, uint64_t now, const struct duty_cycle_counts *at)
{
	uint64_t rest = now - d->since_ns;

	reckon(d, rest / 2);
	d->owed_ns = rest - rest / 2;
	begin_window(d, false, now, at);
}
