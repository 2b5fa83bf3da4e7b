/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * run: one run of a tool, as its hooks and the wings above this one see it. The life cycle itself
 * is in run/tool.c, which drives it.
 */
#ifndef BORESCOPE_RUN_RUN_H
#define BORESCOPE_RUN_RUN_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/msg.h"
#include "base/status.h"
#include "kernel/events.h"
#include "kernel/object.h"
#include "output/json.h"
#include "output/out.h"
#include "output/table.h"
#include "run/options.h"

struct run;
struct tally;

/*
 * What a run does. Each member begins as the tool's description (struct tool) has it; the setup
 * hook may choose something else, for a tool with several views.
 */
struct plan {
	struct object_image image;
	const struct probe *probes;	     /* ends with { 0 } */
	const struct kernel_fact *facts;     /* ends with { 0 }; NULL: none */
	const struct attach_target *targets; /* ends with { 0 }; NULL: none */

	/*
	 * How an event is shown. NULL: this run prints no rows; its event hook keeps every event.
	 */
	const struct column *columns;
	size_t event_size; /* of the fixed part of the event, in bytes */
	/* Returns whether the event is to be shown. NULL: each one is. See run.shown. */
	bool (*event)(struct run *r, const void *event, size_t size);
	bool no_header; /* above the rows */

	/*
	 * Prints what was gathered: at every interval and at the end. NULL: there are no reports.
	 */
	void (*report)(struct run *r);
	uint64_t interval_ns; /* between reports, or samples; 0: one report, at the end */
	uint64_t count;	      /* how many reports, or samples; 0: no bound */
};

/* What a hook can use. Members are there to be read, except those that say otherwise. */
struct run {
	struct plan plan;	   /* the setup hook may write to it */
	struct common_options opt; /* so it may to this */
	struct object object;
	struct events *events; /* NULL: the programs send none */
	/* In the event hook: what will be shown. The event itself can't be written to; the hook may
	 * put the address of a completed copy here. */
	const void *shown;
	struct out out;	      /* stdout */
	struct json json;     /* on out */
	uint64_t started_ns;  /* CLOCK_MONOTONIC: when the programs were attached */
	uint64_t reported_ns; /* until when the last report went; else as started_ns */
	uint64_t nr_events;   /* shown, or counted by run_count() */
	uint64_t lost;	      /* what run_lost() was told; see run_lost_total() */
	uint64_t unseen;      /* what run_unseen() was told */
	/* Runs of the programs that the kernel left out, as they were counted last: each second.
	 * Nobody knows how many events that were. */
	uint64_t missed_runs;
	uint64_t samples; /* how often the sample hook was called */
	/* Samples that were left out, since the one before took longer than the interval. */
	uint64_t late_samples;
	bool stop;   /* the run is about to end: by run_stop() or from outside */
	bool failed; /* by run_fail() */
};

/* Shows @event as a row or an object, by the plan's columns: what comes from the rings goes through
 * this, and a tool may hand over its own. Stops at the last one that --events asks for. */
void run_show(struct run *r, const void *event, size_t size);

/* For a report hook: prints one of its rows, or the object, and counts nothing. */
void run_row(struct run *r, const struct column *columns, const void *row);

/* Counts @n events that are kept for a report as shown, also for --events. */
void run_count(struct run *r, uint64_t n);

/* Counts @n events that could not be read or kept: they are reported as lost. */
void run_lost(struct run *r, uint64_t n);

/* Counts @n calls of which the kernel did not report the end: as lost, for another reason. */
void run_unseen(struct run *r, uint64_t n);

/* All events that were lost so far: by these two, and on the kernel side. */
uint64_t run_lost_total(const struct run *r);

/* Ends the run in order: what was gathered is still printed. */
void run_stop(struct run *r);

/* Ends the run with status 1; for a hook that has printed why. */
void run_fail(struct run *r);

/* For a report hook, once in each: how long what it reports has taken, until @now (CLOCK_MONOTONIC,
 * ns). That is the interval, or more where the report is late. */
uint64_t run_interval(struct run *r, uint64_t now);

/* The line above a report in text: the local time of day of @real_ns (ns since the epoch), with
 * --time, which adds microseconds, or if the tool itself wants it (@wanted). Nothing in JSON. */
void run_report_clock(struct run *r, uint64_t real_ns, bool wanted);

/* What a row of a tally begins with that run_show_tally() shows. */
struct report_row {
	struct event_head head; /* run_show_tally() sets its ts */
	__u64 interval_ns;	/* and this: see run_interval() */
};

/* For a report hook: prints all rows of @t in the order of @compare (as qsort(3) has it), as text
 * or JSON, and empties it. @wanted: as for run_report_clock(). */
void run_show_tally(struct run *r, struct tally *t, const struct column *columns,
		    int (*compare)(const void *, const void *), bool wanted);

#endif
