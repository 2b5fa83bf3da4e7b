/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "base/clock.h"
#include "output/tally.h"
#include "output/time.h"
#include "run/run.h"

void run_stop(struct run *r)
{
	r->stop = true;
}

void run_fail(struct run *r)
{
	r->failed = true;
}

void run_lost(struct run *r, uint64_t n)
{
	r->lost += n;
}

void run_unseen(struct run *r, uint64_t n)
{
	r->unseen += n;
}

uint64_t run_lost_total(const struct run *r)
{
	return r->lost + r->unseen +
	       (r->events ? events_lost(r->events) + events_unseen(r->events) +
				    events_unreadable(r->events)
			  : 0);
}

void run_count(struct run *r, uint64_t n)
{
	r->nr_events += n;
	if (r->opt.max_events && r->nr_events >= r->opt.max_events)
		run_stop(r);
}

void run_row(struct run *r, const struct column *columns, const void *row)
{
	if (r->opt.json)
		table_json(&r->out, columns, row);
	else
		table_row(&r->out, columns, row);
}

void run_show(struct run *r, const void *event, size_t size)
{
	r->shown = event;
	if (r->plan.event && !r->plan.event(r, event, size))
		return;
	run_row(r, r->plan.columns, r->shown);
	run_count(r, 1);
	if (r->out.error)
		run_stop(r);
}

uint64_t run_interval(struct run *r, uint64_t now)
{
	uint64_t since = r->reported_ns;

	r->reported_ns = now;
	return now - since;
}

void run_report_clock(struct run *r, uint64_t real_ns, bool wanted)
{
	if (r->opt.json || !(wanted || table_show_clock))
		return;
	time_of_day(&r->out, real_ns, table_show_clock ? 6 : 0);
	out_char(&r->out, '\n');
}

void run_show_tally(struct run *r, struct tally *t, const struct column *columns,
		    int (*compare)(const void *, const void *), bool wanted)
{
	uint64_t now = clock_mono_ns(), interval_ns = run_interval(r, now);
	size_t nr, size = tally_row_size(t);
	char *rows = tally_sorted(t, compare, &nr);

	run_report_clock(r, clock_real_ns(now), wanted);
	if (!r->opt.json)
		table_header(&r->out, columns);
	for (size_t i = 0; i < nr; i++) {
		struct report_row *row = (void *)(rows + i * size);

		row->head.ts = now;
		row->interval_ns = interval_ns;
		run_row(r, columns, row);
	}
	tally_clear(t);
}
