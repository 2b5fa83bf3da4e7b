/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/util.h"
#include "kernel/advice.h"
#include "run/cost.h"
#include "base/status.h"
#include "run/list.h"
#include "kernel/pidns.h"
#include "run/filter.h"
#include "run/tool.h"

/* An event appears within 100 ms: an idle tool looks at its rings 20 times a second, one with
 * events to show five times as often. */
#define IDLE_POLL_NS 50000000ULL
#define BUSY_POLL_NS 10000000ULL
#define SETTLE_NS    NSEC_PER_MSEC
#define TICK_NS	     100000000ULL
#define LAST_WAIT_NS 200000000ULL
#define COST_TOLD_NS 5000000000ULL /* with --cost -v, without reports */
#define NEVER	     UINT64_MAX

/* Subtracted from the nice value of a tool that reads events: see favour_reader(). */
#define READER_NICE 10

#define FILES_WANTED 1024
#define FILES_NEEDED 64

/* What only the life cycle needs to know. */
struct loop {
	int epoll_fd, signal_fd;
	sigset_t signals;
	uint64_t deadline, next_report, next_sample, next_tick, next_loss;
	uint64_t next_cost, next_cost_told;
	uint64_t reports, lost_told, no_room_told;
	int costly_samples;
	uint64_t last_cost_ns, last_cost_at;
	bool drained; /* the last look at the rings found something */
	bool hung_up; /* nobody reads our output any more */
	bool too_costly;
	struct cost cost;
	bool cost_on;
};

static void show_event(void *ctx, const void *event, size_t size)
{
	run_show(ctx, event, size);
}

/* @hold_ns: what is younger waits for the next look. */
static void drain(struct run *r, struct loop *l, uint64_t hold_ns)
{
	if (!r->events)
		return;
	clock_sync();
	l->drained = events_drain(r->events, clock_mono_ns() - hold_ns, r->plan.event_size,
				  show_event, r, &r->stop) > 0;
	if (out_flush(&r->out))
		r->stop = true;
}

static void report(struct run *r)
{
	if (!r->plan.report)
		return;
	clock_sync();
	r->plan.report(r);
	if (out_flush(&r->out))
		r->stop = true;
}

/* Also at once when it begins. Samples whose time has passed by the end of one are left out. */
static void sample(struct run *r, struct loop *l)
{
	const struct tool *t = r->tool;
	uint64_t interval = r->plan.interval_ns, now;

	clock_sync();
	t->sample(r);
	if (out_flush(&r->out))
		r->stop = true;
	r->samples++;
	if (r->plan.count && r->samples >= r->plan.count)
		r->stop = true;
	l->next_sample += interval;
	now = clock_mono_ns();
	if (r->stop || now < l->next_sample)
		return;
	r->late_samples += (now - l->next_sample) / interval + 1;
	l->next_sample += ((now - l->next_sample) / interval + 1) * interval;
}

/* At most once a second: a storm of losses is one line a second. */
static void tell_losses(struct run *r, struct loop *l)
{
	uint64_t lost = r->events ? events_lost(r->events) : 0;

	if (lost > l->lost_told)
		warn("lost %llu events: they came faster than they could be shown",
		     (unsigned long long)(lost - l->lost_told));
	l->lost_told = lost;
	if (r->lost > l->no_room_told)
		warn("lost %llu events: they could not be read or kept",
		     (unsigned long long)(r->lost - l->no_room_told));
	l->no_room_told = r->lost;
}

static void tell_cost(struct run *r, struct loop *l)
{
	char text[COST_TEXT_LEN];

	note("cost: %s",
	     cost_text(&l->cost, msg_tool(), r->nr_events, run_lost_total(r), text, sizeof(text)));
}

static void tell_cost_so_far(struct run *r, struct loop *l)
{
	cost_read(&l->cost);
	tell_cost(r, l);
}

/* Above the promise for two samples in a row: stop. */
static void check_cost(struct run *r, struct loop *l)
{
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
	l->costly_samples = percent > r->opt.max_cost ? l->costly_samples + 1 : 0;
	if (l->costly_samples < 2)
		return;
	warn("stopped: it cost %s %% of one CPU, more than --max-cost %g",
	     cost_number(percent, text), r->opt.max_cost);
	l->too_costly = r->stop = true;
}

/* Everything that the time brings. */
static void keep_time(struct run *r, struct loop *l, uint64_t now)
{
	if (now >= l->deadline)
		r->stop = true;
	if (l->cost_on && now >= l->cost.next_ns)
		cost_tick(&l->cost);
	if (now >= l->next_tick) {
		l->next_tick = now + TICK_NS;
		r->tool->tick(r);
	}
	if (now >= l->next_loss) {
		l->next_loss = now + NSEC_PER_SEC;
		tell_losses(r, l);
	}
	if (now >= l->next_cost && !r->stop) {
		l->next_cost = now + NSEC_PER_SEC;
		check_cost(r, l);
	}
	if (now >= l->next_sample && !r->stop)
		sample(r, l);
	if (now >= l->next_report && !r->stop) {
		l->next_report += r->plan.interval_ns;
		if (r->plan.count && ++l->reports >= r->plan.count)
			r->stop = true; /* the last one is printed at the end */
		else
			report(r);
		if (r->opt.cost && msg_verbose && !r->stop)
			tell_cost_so_far(r, l);
	}
	if (now >= l->next_cost_told && !r->stop) {
		l->next_cost_told = now + COST_TOLD_NS;
		tell_cost_so_far(r, l);
	}
}

static void look(struct run *r, struct loop *l)
{
	struct epoll_event ev[8];
	uint64_t now = clock_mono_ns(), wake = NEVER;
	int n;

	if (r->events)
		wake = now + (l->drained ? BUSY_POLL_NS : IDLE_POLL_NS);
	wake = min_u64(wake, min_u64(l->deadline, min_u64(l->next_report, l->next_sample)));
	if (l->cost_on)
		wake = min_u64(wake, l->cost.next_ns);
	wake = min_u64(wake, min_u64(l->next_cost, l->next_cost_told));
	wake = min_u64(wake, min_u64(l->next_tick, l->next_loss));
	n = epoll_wait(
		l->epoll_fd, ev, 8,
		wake == NEVER ? -1
		: wake <= now
			? 0
			: (int)min_u64((wake - now + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC, INT_MAX));
	for (int i = 0; i < n; i++) {
		if (ev[i].data.fd == l->signal_fd) {
			/* in order; but a second one ends it at once, should our output be stuck */
			struct signalfd_siginfo taken;

			while (read(l->signal_fd, &taken, sizeof(taken)) > 0)
				r->stop = true;
			sigdelset(&l->signals, SIGHUP); /* the shell passes its own on, too */
			sigprocmask(SIG_UNBLOCK, &l->signals, NULL);
		} else if (ev[i].data.fd == r->out.fd)
			l->hung_up = r->stop = true;
	}
	if (!r->stop)
		drain(r, l, SETTLE_NS);
	keep_time(r, l, clock_mono_ns());
}

/* SIGINT and SIGTERM end the tool in order, and so does SIGHUP, when the terminal goes (under
 * nohup it is ignored and stays so); a reader that goes away is seen even when there is nothing to
 * write. */
static int loop_open(struct run *r, struct loop *l)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct sigaction hangup;

	sigemptyset(&l->signals);
	sigaddset(&l->signals, SIGINT);
	sigaddset(&l->signals, SIGTERM);
	if (!sigaction(SIGHUP, NULL, &hangup) && hangup.sa_handler != SIG_IGN)
		sigaddset(&l->signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &l->signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file at its limit (ulimit -f) is an error like a full disk */
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	l->signal_fd = signalfd(-1, &l->signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (l->epoll_fd < 0 || l->signal_fd < 0)
		return -errno;
	ev.data.fd = l->signal_fd;
	if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, l->signal_fd, &ev))
		return -errno;
	ev.events = 0; /* EPOLLERR and EPOLLHUP always come; a regular file can't be polled: fine */
	ev.data.fd = r->out.fd;
	if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, r->out.fd, &ev) && errno != EPERM &&
	    errno != EBADF)
		return -errno;
	return 0;
}

static int configure(struct object *o, void *ctx)
{
	struct run *r = ctx;
	struct filter *filter = object_find_section(o, ".rodata.filter", NULL);

	if (filter) {
		*filter = r->opt.filter;
		filter->own_pid = pidns_own_pid();
		filter->any = filter_is_set(filter);
	}
	if (r->tool->configure)
		r->tool->configure(r);
	return events_configure(o);
}

static int prepare(struct object *o, void *ctx)
{
	struct run *r = ctx;
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
 * that open files on two CPUs: 0 of 1,000,000 events lost, and 60 % without this. Takes
 * CAP_SYS_NICE; without it nothing changes.
 */
static void favour_reader(void)
{
	int nice = getpriority(PRIO_PROCESS, 0);

	if (setpriority(PRIO_PROCESS, 0, nice - READER_NICE))
		debug("the reader of events has no higher priority (it takes CAP_SYS_NICE)");
}

static void begin(struct run *r, struct loop *l)
{
	const struct tool *t = r->tool;
	int err;

	if (r->opt.cost || r->opt.max_cost > 0) {
		err = cost_start(&l->cost, &r->object.programs);
		l->cost_on = true;
		if (err)
			warn("the kernel does not count what its programs cost (%s; it takes "
			     "CAP_SYS_ADMIN): only this tool's own CPU time is known",
			     strerror(-err));
	}
	r->started_ns = clock_mono_ns();
	l->deadline = r->opt.duration_ns ? r->started_ns + r->opt.duration_ns : NEVER;
	l->next_sample = t->sample ? r->started_ns : NEVER;
	l->next_report = !t->sample && r->plan.report && r->plan.interval_ns
				 ? r->started_ns + r->plan.interval_ns
				 : NEVER;
	l->next_tick = t->tick ? r->started_ns + TICK_NS : NEVER;
	l->next_cost = r->opt.max_cost > 0 ? r->started_ns + NSEC_PER_SEC : NEVER;
	l->next_cost_told = r->opt.cost && msg_verbose && l->next_report == NEVER
				    ? r->started_ns + COST_TOLD_NS
				    : NEVER;
	l->next_loss = r->events ? r->started_ns + NSEC_PER_SEC : NEVER;
	if (r->plan.columns && !r->opt.json && !r->plan.no_header) {
		table_header(&r->out, r->plan.columns);
		if (out_flush(&r->out))
			r->stop = true;
	}
	if (t->started)
		t->started(r);
	debug("attached");
}

static void summary(struct run *r, struct loop *l)
{
	uint64_t lost = run_lost_total(r);

	if (l->cost_on)
		cost_read(&l->cost); /* the last report's CPU time, too */
	if (r->opt.json) {
		json_object(&r->json, NULL);
		json_str(&r->json, "type", "summary");
		json_u64(&r->json, "events", r->nr_events);
		json_u64(&r->json, "lost", lost);
		if (r->tool->summary_json)
			r->tool->summary_json(r, &r->json);
		if (l->cost_on)
			cost_json(&l->cost, &r->json);
		json_end_object(&r->json);
		out_flush(&r->out);
	}
	if (r->opt.cost)
		tell_cost(r, l);
}

static void detach(struct run *r)
{
	if (r->tool->detach)
		r->tool->detach(r);
	object_detach(&r->object);
}

/* A record that a program has not finished yet (its task was scheduled out meanwhile) holds up all
 * that follow it in its ring. */
static void drain_last(struct run *r, struct loop *l)
{
	uint64_t until = clock_mono_ns() + LAST_WAIT_NS;

	drain(r, l, 0);
	while (r->events && !r->stop && events_waiting(r->events) && clock_mono_ns() < until) {
		usleep(1000);
		drain(r, l, 0);
	}
	if (r->events && !r->stop && events_waiting(r->events))
		r->lost++; /* at least */
}

/* What came until the end is shown, unless nobody reads it or --events is reached. */
static int end(struct run *r, struct loop *l)
{
	bool full = r->opt.max_events && r->nr_events >= r->opt.max_events;

	if (l->cost_on)
		cost_read(&l->cost); /* detaching takes its time */
	detach(r);
	if (l->cost_on)
		cost_stop(&l->cost);
	r->missed = programs_missed(&r->object.programs);
	if (!l->hung_up && !r->out.error) {
		r->stop = full;
		drain_last(r, l);
		report(r);
		tell_losses(r, l);
		if (r->missed)
			warn("lost %llu events: the kernel left out runs of this tool's programs",
			     (unsigned long long)r->missed);
		if (r->tool->finish)
			r->tool->finish(r);
		summary(r, l);
	}
	if (r->out.error && r->out.error != EPIPE) {
		error("cannot write: %s", strerror(r->out.error));
		return STATUS_FAILED;
	}
	return r->failed ? STATUS_FAILED : l->too_costly ? STATUS_TOO_COSTLY : STATUS_OK;
}

/* Were one of these descriptors closed, the next file to be opened would get it, and with it what
 * is meant for stdout or stderr. To write to a stdout that was closed fails, as it should. */
static void hold_stdio(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			open("/dev/null", fd == STDERR_FILENO ? O_WRONLY : O_RDONLY);
}

/* Of open files; a machine with many CPUs takes some hundred. False after having said that it is
 * not granted. */
static bool raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= FILES_WANTED)
		return true;
	limit.rlim_cur = limit.rlim_max < FILES_WANTED ? limit.rlim_max : FILES_WANTED;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur >= FILES_NEEDED)
		return true;
	error("needs %d open files, and may have %llu: raise the limit (ulimit -n)", FILES_NEEDED,
	      (unsigned long long)limit.rlim_cur);
	return false;
}

static int run(struct run *r)
{
	struct loop l = { .epoll_fd = -1, .signal_fd = -1 };
	struct object_spec spec = {
		.image = r->plan.image,
		.probes = r->plan.probes,
		.facts = r->plan.facts,
		.targets = r->plan.targets,
		.btf = r->opt.btf,
		.configure = configure,
		.prepare = prepare,
		.ctx = r,
	};
	int err, status;

	if (!raise_limit())
		return STATUS_FAILED;
	pidns_check(&r->opt.filter); /* before loading, which takes its time */
	err = loop_open(r, &l);
	if (err)
		error("cannot set up: %s", strerror(-err));
	else
		err = object_start(&r->object, &spec);
	if (err)
		return STATUS_FAILED;
#ifdef __GLIBC__
	malloc_trim(0); /* libbpf's copy of the kernel's BTF: 10 MB that nobody needs now */
#endif
	if (r->events) {
		favour_reader();
		err = events_epoll_add(r->events, l.epoll_fd);
		if (err)
			error("cannot watch the event rings: %s", strerror(-err));
	}
	if (!err && r->tool->attach)
		err = r->tool->attach(r);
	if (!err)
		begin(r, &l);
	while (!err && !r->stop && !r->failed)
		look(r, &l);
	if (err || r->failed) {
		detach(r);
		status = STATUS_FAILED;
	} else {
		status = end(r, &l);
	}
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
	const struct options_spec spec = {
		.name = tool->name_from ? tool->name_from(argv[0]) : tool->name,
		.summary = tool->summary,
		.options = tool->options,
		.positional = tool->positional,
		.examples = tool->examples,
		.prints_rows = tool->columns,
	};
	int status;

	hold_stdio();
	advice_listen();
	if (argc == 3 && !strcmp(argv[1], "--list")) {
		msg_init(spec.name);
		return list_print(tool, argv[2]);
	}
	r.tool = tool;
	r.plan = plan_of(tool);
	out_init(&r.out, STDOUT_FILENO);
	json_init(&r.json, &r.out);
	status = options_parse(&spec, &r.opt, argc, argv);
	if (status == GO_ON && tool->setup)
		status = tool->setup(&r);
	return status == GO_ON ? run(&r) : status;
}
