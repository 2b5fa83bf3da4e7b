/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "base/util.h"
#include "run/timers.h"

void timers_start(struct timer *timers, size_t nr, uint64_t now)
{
	for (struct timer *t = timers; t < timers + nr; t++)
		if (!t->at)
			t->at = t->every ? now + t->every : TIMER_NEVER;
}

uint64_t timers_next(const struct timer *timers, size_t nr)
{
	uint64_t next = TIMER_NEVER;

	for (size_t i = 0; i < nr; i++)
		next = min_u64(next, timers[i].at);
	return next;
}

static void set_next(struct timer *t, uint64_t now)
{
	const uint64_t soonest = now + t->every / 2;

	t->missed = 0;
	if (!t->every) {
		t->at = TIMER_NEVER;
		return;
	}
	t->at = (t->in_step ? t->at : now) + t->every;
	if (soonest > t->at)
		t->missed = (soonest - t->at + t->every - 1) / t->every;
	t->at += t->missed * t->every;
}

void timers_run(struct timer *timers, size_t nr, uint64_t now, void *ctx, const bool *stop)
{
	for (struct timer *t = timers; t < timers + nr && !*stop; t++) {
		if (now < t->at)
			continue;
		set_next(t, now);
		t->fn(ctx, t);
	}
}
