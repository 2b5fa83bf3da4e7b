/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/called.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/patience.h"
#include "base/status.h"
#include "base/util.h"
#include "kernel/advice.h"
#include "kernel/pidns.h"
#include "run/cost.h"
#include "run/filter.h"
#include "run/guard.h"
#include "run/list.h"
#include "run/timers.h"
#include "run/tool.h"
#include "run/watch.h"

/* An event appears within 100 ms: an idle tool looks at its rings 20 times a second, one with
 * events to show five times as often. */
#define IDLE_POLL_NS 50000000ULL
#define BUSY_POLL_NS 10000000ULL
/* Rows wait so long for older ones of other CPUs, or for one that is being written; but if they
 * come fast, only as long as the rings have room. */
#define HOLD_NS	     40000000ULL
#define HOLD_BUSY_NS 80000000ULL
#define SETTLE_NS    NSEC_PER_MSEC
#define TICK_NS	     100000000ULL
#define LAST_WAIT_NS 200000000ULL
#define COST_TOLD_NS 5000000000ULL /* with --cost -v, without reports */

/* Subtracted from the nice value of a tool that reads events: see favour_reader(). */
#define READER_NICE 10

#define TIMERS 8

/* What only the life cycle needs to know. */
struct loop {
	const struct tool *tool;
	struct run *run;
	struct watch watch;
	struct timer timers[TIMERS];
	uint64_t reports, lost_told, unkept_told, unseen_told, missed_told;
	bool late_told;
	bool drained; /* the last look at the rings found something */
	struct cost cost;
	bool cost_on;
	uint64_t last_cost_ns, last_cost_at; /* when --max-cost was checked last */
	int costly_samples;		     /* in a row */
	bool too_costly;
	bool only_choose; /* --probes: nothing is attached */
};

/* --- events ------------------------------------------------------------------------------- */

static void flush(struct run *r)
{
	if (out_flush(&r->out))
		run_stop(r);
}

static void show_event(void *ctx, const void *event, size_t size)
{
	run_show(ctx, event, size);
}

/* What is younger waits for the next look. */
static void drain(struct loop *l, uint64_t hold_ns, uint64_t hold_busy_ns)
{
	uint64_t now = clock_mono_ns();
	const struct rings_until until = { now - hold_ns, now - hold_busy_ns };
	struct run *r = l->run;

	if (!r->events)
		return;
	clock_sync();
	l->drained =
		events_drain(r->events, &until, r->plan.event_size, show_event, r, &r->stop) > 0;
	flush(r);
}

static void drain_in_time(struct loop *l)
{
	const struct run *r = l->run;

	if (r->events && r->plan.columns && !events_pressing(r->events))
		drain(l, HOLD_NS, HOLD_BUSY_NS);
	else
		drain(l, SETTLE_NS, 0);
}

/* A record that a program has not finished yet (its task was scheduled out meanwhile) holds up all
 * that follow it in its ring, and what is younger in the others. */
static void drain_last(struct loop *l)
{
	uint64_t until = clock_mono_ns() + LAST_WAIT_NS;
	struct run *r = l->run;

	drain(l, 0, HOLD_BUSY_NS);
	while (r->events && !r->stop && events_waiting(r->events) && clock_mono_ns() < until) {
		usleep(1000);
		drain(l, 0, HOLD_BUSY_NS);
	}
	drain(l, 0, 0);
	if (r->events && !r->stop && events_waiting(r->events))
		run_lost(r, 1); /* at least */
}

static void report(struct run *r)
{
	if (!r->plan.report)
		return;
	clock_sync();
	r->plan.report(r);
	flush(r);
}

static void tell_losses(struct loop *l)
{
	struct run *r = l->run;
	uint64_t lost = r->events ? events_lost(r->events) : 0;
	uint64_t unseen = r->unseen + (r->events ? events_unseen(r->events) : 0);
	uint64_t unkept = r->lost + (r->events ? events_unreadable(r->events) : 0);

	if (lost > l->lost_told)
		warn("lost %llu events: they came faster than they could be shown",
		     (unsigned long long)(lost - l->lost_told));
	l->lost_told = lost;
	if (unkept > l->unkept_told)
		warn("lost %llu events: they could not be read or kept",
		     (unsigned long long)(unkept - l->unkept_told));
	l->unkept_told = unkept;
	if (unseen > l->unseen_told)
		warn("lost %llu events, or fewer: calls whose end the kernel did not report, for "
		     "it follows only so many at a time",
		     (unsigned long long)(unseen - l->unseen_told));
	l->unseen_told = unseen;
	r->missed_runs = programs_missed(&r->object.programs);
	if (r->missed_runs > l->missed_told)
		warn("the kernel left out %llu runs of this tool's programs: what they would have "
		     "seen is not shown, and not among the lost events",
		     (unsigned long long)(r->missed_runs - l->missed_told));
	l->missed_told = r->missed_runs;
}

static void tell_cost(struct loop *l)
{
	char text[COST_TEXT_LEN];
	struct run *r = l->run;

	note("cost: %s",
	     cost_text(&l->cost, msg_tool(), r->nr_events, run_lost_total(r), text, sizeof(text)));
}

/* --- what the time brings ----------------------------------------------------------------- */

static void on_cost_tick(void *ctx, struct timer *t)
{
	struct loop *l = ctx;

	cost_tick(&l->cost);
	t->at = l->cost.next_ns;
}

static void on_tick(void *ctx, struct timer *t)
{
	struct loop *l = ctx;

	l->tool->tick(l->run);
}

static void on_losses(void *ctx, struct timer *t)
{
	struct loop *l = ctx;

	if (l->tool->count_losses)
		l->tool->count_losses(l->run);
	tell_losses(l);
}

static void on_deadline(void *ctx, struct timer *t)
{
	struct loop *l = ctx;

	run_stop(l->run);
}

/* Above the promise for two samples in a row: stop. */
static void on_cost_check(void *ctx, struct timer *t)
{
	struct loop *l = ctx;
	const double max = l->run->opt.max_cost;
	char text[COST_NUMBER_LEN];
	uint64_t spent, now;
	double percent;

	cost_read(&l->cost);
	spent = l->cost.kernel_ns + l->cost.tool_ns;
	now = l->cost.wall_ns;
	percent = now > l->last_cost_at ? 100.0 * (double)(spent - l->last_cost_ns) /
						  (double)(now - l->last_cost_at)
					: 0;
	l->last_cost_ns = spent;
	l->last_cost_at = now;
	l->costly_samples = percent > max ? l->costly_samples + 1 : 0;
	if (l->costly_samples < 2)
		return;
	l->too_costly = true;
	run_stop(l->run);
	guard_ending(); /* before anything is written: we may be called while a write is stuck */
	warn("stopped: it cost %s %% of one CPU, more than --max-cost %g",
	     cost_number(percent, text), max);
}

/* Samples whose time has passed by the end of one are left out. */
static void on_sample(void *ctx, struct timer *t)
{
	struct loop *l = ctx;
	struct run *r = l->run;
	uint64_t now, late;

	r->late_samples += t->missed;
	clock_sync();
	l->tool->sample(r);
	flush(r);
	r->samples++;
	if (r->plan.count && r->samples >= r->plan.count)
		run_stop(r);
	now = clock_mono_ns();
	if (r->stop || now < t->at)
		return;
	late = (now - t->at) / t->every + 1;
	r->late_samples += late;
	t->at += late * t->every;
}

static void on_cost_told(void *ctx, struct timer *t)
{
	struct loop *l = ctx;

	cost_read(&l->cost);
	tell_cost(l);
}

static void tell_late(struct loop *l, const struct timer *t)
{
	uint64_t due = t->at - (t->missed + 1) * t->every;

	if (!t->missed || l->late_told)
		return;
	l->late_told = true;
	warn("a report is %.1f s late, and covers so much more: this tool, or its output, stood "
	     "still",
	     (double)(clock_mono_ns() - due) / 1e9);
}

/* One that is late covers the time of those that should have come meanwhile; it counts as one. */
static void on_report(void *ctx, struct timer *t)
{
	struct loop *l = ctx;
	struct run *r = l->run;

	tell_late(l, t);
	if (r->plan.count && ++l->reports >= r->plan.count)
		run_stop(r); /* the last one is printed at the end */
	else
		report(r);
	if (r->opt.cost && msg_verbose && !r->stop)
		on_cost_told(l, t);
}

/* What is done while a write is stuck, too: it writes nothing to stdout. These stand side by side
 * in the table. */
#define FIRST_WHILE_STUCK 2
#define NR_WHILE_STUCK	  3

static void while_stuck(void *ctx)
{
	struct loop *l = ctx;

	timers_run(l->timers + FIRST_WHILE_STUCK, NR_WHILE_STUCK, clock_mono_ns(), l,
		   &l->run->stop);
}

/* What follows the deadline in the table is not done once that has passed: the end does it. Losses
 * are told once a second at most, so that a storm of them is one line a second. The first sample is
 * taken at once. */
static void set_timers(struct loop *l)
{
	const struct tool *t = l->tool;
	const struct run *r = l->run;
	const uint64_t interval = r->plan.interval_ns;
	const uint64_t report_every = r->plan.report && !t->sample ? interval : 0;
	const bool tell_cost_now = r->opt.cost && msg_verbose && !report_every;
	const struct timer timers[TIMERS] = {
		{ on_tick, .every = t->tick ? TICK_NS : 0 },
		{ on_losses, .every = NSEC_PER_SEC },
		{ on_cost_tick, .at = l->cost_on ? l->cost.next_ns : TIMER_NEVER },
		{ on_deadline, .every = r->opt.duration_ns },
		{ on_cost_check, .every = r->opt.max_cost > 0 ? NSEC_PER_SEC : 0 },
		{ on_sample, .at = t->sample ? r->started_ns : TIMER_NEVER, .every = interval,
		  .in_step = true },
		{ on_report, .every = report_every, .in_step = true },
		{ on_cost_told, .every = tell_cost_now ? COST_TOLD_NS : 0 },
	};

	memcpy(l->timers, timers, sizeof(timers));
	timers_start(l->timers, TIMERS, r->started_ns);
	patience_meanwhile(while_stuck, l);
	if (r->opt.duration_ns)
		guard_deadline(r->started_ns + r->opt.duration_ns);
	if (r->opt.max_cost > 0)
		guard_interrupt_writes();
}

/* --- the life cycle ----------------------------------------------------------------------- */

static int configure(struct object *o, void *ctx)
{
	struct loop *l = ctx;
	struct run *r = l->run;
	struct filter *filter = object_find_section(o, ".rodata.filter", NULL);

	if (filter_is_set(&r->opt.filter)) /* programs that don't filter show everything */
		filter = object_section(o, ".rodata.filter", "lib/core/filter.bpf.h");
	if (filter) {
		*filter = r->opt.filter;
		filter->own_pid = pidns_own_pid();
		filter->any = filter_is_set(filter);
	}
	if (l->tool->configure)
		l->tool->configure(r);
	return events_configure(o);
}

static int prepare(struct object *o, void *ctx)
{
	struct loop *l = ctx;
	struct run *r = l->run;
	int err;

	events_close(r->events);
	err = events_open(&o->programs, &r->events);
	if (err)
		error("cannot make the event rings: %s%s", strerror(-err),
		      err == -EPERM ? " (on kernels before 5.11 raise RLIMIT_MEMLOCK: ulimit -l "
				      "unlimited)"
				    : "");
	return err;
}

/*
 * On a machine that is busy, which is when people look, a reader that waits for its turn among many
 * loses what comes meanwhile. It needs little, but soon: so it goes first. Measured with 32 threads
 * that open files on two CPUs: 0 of 1,000,000 events lost, and 60 % without this. It needs
 * CAP_SYS_NICE; without that nothing changes.
 */
static void favour_reader(void)
{
	int nice = getpriority(PRIO_PROCESS, 0);

	if (setpriority(PRIO_PROCESS, 0, nice - READER_NICE))
		debug("the reader of events has no higher priority (it takes CAP_SYS_NICE)");
}

static void begin(struct loop *l)
{
	struct run *r = l->run;
	int err;

	if (r->opt.cost || r->opt.max_cost > 0) {
		err = cost_start(&l->cost, &r->object.programs);
		l->cost_on = true;
		if (err)
			warn("the kernel does not count what its programs cost (%s; it takes "
			     "CAP_SYS_ADMIN): only this tool's own CPU time is known",
			     strerror(-err));
	}
	r->started_ns = r->reported_ns = clock_mono_ns();
	set_timers(l);
	if (r->plan.columns && !r->opt.json && !r->plan.no_header) {
		table_header(&r->out, r->plan.columns);
		flush(r);
	}
	if (l->tool->started)
		l->tool->started(r);
	debug("attached");
}

#define SUMMARY_KEYS "type events lost missed_runs"

static void summary(struct loop *l)
{
	struct run *r = l->run;
	uint64_t lost = run_lost_total(r);

	if (l->cost_on)
		cost_read(&l->cost); /* the last report's CPU time, too */
	if (r->opt.json) {
		json_object(&r->json, NULL);
		json_str(&r->json, "type", "summary");
		json_u64(&r->json, "events", r->nr_events);
		json_u64(&r->json, "lost", lost);
		json_u64(&r->json, "missed_runs", r->missed_runs);
		if (l->tool->summary_json)
			l->tool->summary_json(r, &r->json);
		if (l->cost_on)
			cost_json(&l->cost, &r->json);
		json_end_object(&r->json);
		out_flush(&r->out);
	}
	if (r->opt.cost)
		tell_cost(l);
}

static void detach(struct loop *l)
{
	if (l->tool->count_losses)
		l->tool->count_losses(l->run);
	if (l->tool->detach)
		l->tool->detach(l->run);
	object_detach(&l->run->object);
}

static void discard(void *ctx, const void *event, size_t size)
{
	++*(uint64_t *)ctx;
}

/* Returns the exit status, after printing why. */
static int output_failed(struct loop *l)
{
	const struct rings_until all = { UINT64_MAX, UINT64_MAX };
	uint64_t lines = l->run->out.unwritten;
	const bool go_on = false;

	if (l->run->out.error != ETIMEDOUT) {
		error("cannot write: %s", strerror(l->run->out.error));
		return STATUS_FAILED;
	}
	if (l->run->events)
		events_drain(l->run->events, &all, l->run->plan.event_size, discard, &lines,
			     &go_on);
	error("cannot write: nobody reads the output: gave up %llu lines or more",
	      (unsigned long long)lines);
	return l->too_costly ? STATUS_TOO_COSTLY : STATUS_FAILED;
}

/* What came until the end is shown, unless nobody reads it or --events is reached. */
static int end(struct loop *l)
{
	struct run *r = l->run;
	bool full = r->opt.max_events && r->nr_events >= r->opt.max_events;

	if (l->cost_on)
		cost_read(&l->cost); /* detaching takes its time */
	detach(l);
	if (l->cost_on)
		cost_stop(&l->cost);
	if (!l->watch.hung_up && !r->out.error) {
		r->stop = full;
		drain_last(l);
		report(r);
		tell_losses(l);
		if (l->tool->finish)
			l->tool->finish(r);
		summary(l);
	}
	if (r->out.error && r->out.error != EPIPE)
		return output_failed(l);
	return r->failed ? STATUS_FAILED : l->too_costly ? STATUS_TOO_COSTLY : STATUS_OK;
}

/* A line of --probes. */
static void tell_chosen(const struct ladder_choice *c, void *ctx)
{
	struct loop *l = ctx;

	out_printf(&l->run->out, "%s\t%s\t%s\t%s\t%s\t%s\n", c->probe, c->used, c->best,
		   c->replaced ? "replaced"
		   : c->less   ? "less"
			       : "",
		   c->why ?: "", c->gaps ?: "");
}

/* Loads and attaches the plan's programs. Returns 0, or -errno after printing why. */
static int start(struct loop *l)
{
	struct run *r = l->run;
	const struct object_spec spec = {
		.image = r->plan.image,
		.probes = r->plan.probes,
		.facts = r->plan.facts,
		.targets = r->plan.targets,
		.btf = r->opt.btf,
		.configure = configure,
		.prepare = prepare,
		.chosen = l->only_choose ? tell_chosen : NULL,
		.ctx = l,
	};
	int err = object_start(&r->object, &spec);

	if (err)
		return err;
#ifdef __GLIBC__
	malloc_trim(0); /* libbpf's copy of the kernel's BTF: 10 MB that nobody needs now */
#endif
	return 0;
}

/* The tool's own part of attaching. Returns as start() does. */
static int attach(struct loop *l)
{
	struct run *r = l->run;
	int err = 0;

	if (r->events) {
		favour_reader();
		err = events_epoll_add(r->events, l->watch.epoll_fd);
		if (err)
			error("cannot watch the event rings: %s", strerror(-err));
	}
	if (!err && l->tool->attach)
		err = l->tool->attach(r);
	return err;
}

/* When the rings are looked at. What waits there is shown in its time. */
static uint64_t next_look(const struct loop *l, uint64_t now)
{
	uint64_t oldest = events_oldest(l->run->events), soon = now + BUSY_POLL_NS;

	if (l->drained)
		return soon;
	if (oldest && oldest + HOLD_NS < now + IDLE_POLL_NS)
		return oldest + HOLD_NS > soon ? oldest + HOLD_NS : soon;
	return now + IDLE_POLL_NS;
}

/* Until something happens or is due. */
static void look(struct loop *l)
{
	uint64_t now = clock_mono_ns(), wake = timers_next(l->timers, TIMERS);
	struct run *r = l->run;

	if (r->events)
		wake = min_u64(wake, next_look(l, now));
	watch_wait(&l->watch, now, wake);
	if (l->watch.signalled || l->watch.hung_up)
		run_stop(r);
	if (!r->stop)
		drain_in_time(l);
	timers_run(l->timers, TIMERS, clock_mono_ns(), l, &r->stop);
}

static int end_choosing(struct loop *l)
{
	struct run *r = l->run;
	int err = l->tool->try_attach ? l->tool->try_attach(r) : 0;

	events_close(r->events);
	object_close(&r->object);
	out_flush(&r->out);
	if (!err && r->out.error)
		error("cannot write: %s", strerror(r->out.error));
	return err || r->out.error ? STATUS_FAILED : STATUS_OK;
}

/* Returns the exit status. */
static int run(struct loop *l)
{
	struct run *r = l->run;
	int err, status = STATUS_FAILED;

	if (!limits_open_files())
		return STATUS_FAILED;
	pidns_check(&r->opt.filter); /* before loading, which takes its time */
	err = watch_open(&l->watch, r->out.fd);
	if (err)
		error("cannot set up: %s", strerror(-err));
	if (err || start(l))
		return STATUS_FAILED;
	if (l->only_choose)
		return end_choosing(l);
	err = attach(l);
	if (!err)
		begin(l);
	while (!err && !r->stop && !r->failed)
		look(l);
	if (err || r->failed)
		detach(l);
	else
		status = end(l);
	events_close(r->events);
	object_close(&r->object);
	return status;
}

static struct plan plan_of(const struct tool *t)
{
	return (struct plan){
		.image = t->image,
		.probes = t->probes,
		.facts = t->facts,
		.targets = t->targets,
		.columns = t->columns,
		.event_size = t->event_size,
		.event = t->event,
		.report = t->report,
	};
}

int tool_main(const struct tool *tool, int argc, char **argv)
{
	static struct run r; /* 64 KiB of output buffer: not on the stack */
	const char *name = tool->name_from ? tool->name_from(argv[0]) : tool->name;
	const struct options_spec spec = {
		.name = name,
		.called = called(argv[0], name),
		.summary = tool->summary,
		.options = tool->options,
		.positional = tool->positional,
		.examples = tool->examples,
		.prints_rows = tool->columns,
	};
	const struct list_spec list = {
		.image = tool->image,
		.probes = tool->probes,
		.columns = tool->columns,
		.views = tool->views,
		.every_summary_keys = SUMMARY_KEYS " " COST_KEYS,
		.summary_keys = tool->summary_keys,
	};
	struct loop l = { .tool = tool, .run = &r };
	int status;

	limits_hold_stdio();
	advice_listen();
	if (argc == 3 && !strcmp(argv[1], "--list")) {
		msg_init(spec.called);
		return list_print(&list, argv[2]);
	}
	if (argc > 1 && !strcmp(argv[1], "--probes")) {
		l.only_choose = true;
		argv[1] = argv[0];
		argc--;
		argv++;
	}
	r.plan = plan_of(tool);
	out_init(&r.out, STDOUT_FILENO);
	json_init(&r.json, &r.out);
	status = options_parse(&spec, &r.opt, argc, argv);
	if (status == GO_ON && tool->setup)
		status = tool->setup(&r);
	return status == GO_ON ? run(&l) : status;
}
