/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/msg.h"
#include "base/regex.h"
#include "base/status.h"
#include "base/util.h"
#include "kernel/programs.h"
#include "kernel/rings.h"
#include "output/json.h"
#include "run/cost.h"
#include "run/guard.h"
#include "run/timers.h"
#include "run/watch.h"
#include "script.shared.h"
#include "script/format.h"
#include "script/run.h"
#include "script/session.h"
#include "script/sweep.h"
#include "symbols/symbols.h"

/* As the tools have it: see run/tool.c. */
#define IDLE_POLL_NS 50000000ULL
#define BUSY_POLL_NS 10000000ULL
#define HOLD_NS	     40000000ULL
#define HOLD_BUSY_NS 80000000ULL
#define SETTLE_NS    NSEC_PER_MSEC
#define LAST_WAIT_NS 200000000ULL
#define READER_NICE  10

/* One of interval's probes. */
struct ticker {
	size_t program;
	uint64_t every, at; /* ns, CLOCK_MONOTONIC */
};

enum { TIMER_LOSSES, TIMER_COST, TIMER_DEADLINE, TIMER_COST_CHECK, TIMER_COST_TOLD, TIMERS };

struct loop {
	struct session s;
	struct watch watch;
	struct ring ring[32];
	struct rings rings;
	struct attached *attached;
	struct ticker *tickers;
	size_t nr_tickers;
	int timer_fd, signal_fd, process_fd; /* -1: none */
	bool has_signals;		     /* there are probes of self */
	struct timer timers[TIMERS];
	struct programs programs;
	struct cost cost;
	bool cost_on, too_costly;
	uint64_t last_cost_ns, last_cost_at;
	int costly_samples; /* in a row */
	uint64_t told;	    /* losses */
	uint64_t drained_ns;
	bool drained; /* the last look at the rings found something */
	bool full;    /* --events is reached, or nobody reads: nothing more is shown */
};

/* --- what there is to run ----------------------------------------------------------------- */

/* A filter of probes is none for begin and end. */
static bool is_wanted(const struct script_run_options *opt, const struct target *t)
{
	return !opt->only || t->point->provider <= PROVIDER_END ||
	       regex_matches(opt->only, t->name, strlen(t->name));
}

/* Calls @fn for each target of this provider that is run from here. */
static int each_target(struct loop *l, enum provider provider,
		       int (*fn)(struct loop *l, size_t program, const struct target *t))
{
	const struct compiled *c = l->s.l->compiled;
	int err = 0;

	for (size_t i = 0; i < c->nr_programs && !err; i++)
		for (size_t k = 0; k < c->programs[i]->nr_targets && !err; k++) {
			const struct target *t = c->programs[i]->targets[k];

			if (t->attach == ATTACH_RUN && t->point->provider == provider &&
			    is_wanted(l->s.opt, t))
				err = fn(l, i, t);
		}
	return err;
}

static int run_program(struct loop *l, size_t program, const struct target *t)
{
	int err = loaded_run(l->s.l, program);

	if (err)
		error("cannot run %s: %s", t->name, strerror(-err));
	return err;
}

static int run_signal(struct loop *l, size_t program, const struct target *t)
{
	return t->signal == SIGUSR1 ? run_program(l, program, t) : 0;
}

static int add_ticker(struct loop *l, size_t program, const struct target *t)
{
	struct ticker *all = reallocarray(l->tickers, l->nr_tickers + 1, sizeof(*all));

	if (!all)
		return -ENOMEM;
	l->tickers = all;
	all[l->nr_tickers++] = (struct ticker){ .program = program, .every = t->interval_ns };
	return 0;
}

static int has_signal(struct loop *l, size_t program, const struct target *t)
{
	l->has_signals = true;
	return 0;
}

static size_t count_run(const struct compiled *c, const struct script_run_options *opt, bool *waits)
{
	size_t nr = 0;

	for (size_t i = 0; i < c->nr_programs; i++)
		for (size_t k = 0; k < c->programs[i]->nr_targets; k++) {
			const struct target *t = c->programs[i]->targets[k];
			enum provider p = t->point ? t->point->provider : PROVIDERS;

			if (!is_wanted(opt, t))
				continue;
			nr += t->attach == ATTACH_RUN;
			*waits |= p != PROVIDER_BEGIN && p != PROVIDER_END;
		}
	return nr;
}

/* --- the rings ---------------------------------------------------------------------------- */

static void take(void *ctx, const void *record, size_t size)
{
	struct loop *l = ctx;
	const struct script_run_options *opt = l->s.opt;

	action_take(&l->s, record, size);
	if (opt->max_events && l->s.rows >= opt->max_events)
		l->full = l->s.stop = true;
	if (l->s.out->error)
		l->full = l->s.stop = true;
}

static void flush(struct loop *l)
{
	if (out_flush(l->s.out))
		l->full = l->s.stop = true;
}

/* What is younger waits for the next look. */
static void drain(struct loop *l, uint64_t hold_ns, uint64_t hold_busy_ns)
{
	uint64_t now = clock_mono_ns();
	const struct rings_until until = { now - hold_ns, now - hold_busy_ns };

	clock_sync();
	l->drained = rings_drain(&l->rings, &until, sizeof(struct rt_record), take, l, &l->full);
	l->drained_ns = now;
	report_looked(&l->s, &l->rings, false);
	if (!l->s.opt->full_buffered)
		flush(l);
}

static void expect(void *ctx, const void *record, size_t size)
{
	const struct rt_bytes *bytes = record;

	if (bytes->record.statement == RT_BYTES && size >= sizeof(*bytes))
		texts_expect(((struct loop *)ctx)->s.values.texts, bytes);
}

static bool pressing(const struct loop *l)
{
	for (size_t i = 0; i < l->rings.nr; i++)
		if (ring_waiting(&l->ring[i]) >= l->ring[i].size / 4)
			return true;
	return false;
}

/* All that is there, also what a program has not finished yet. */
static void drain_last(struct loop *l)
{
	uint64_t until = clock_mono_ns() + LAST_WAIT_NS;

	drain(l, 0, HOLD_BUSY_NS);
	while (!l->full && rings_waiting(&l->rings) && clock_mono_ns() < until) {
		usleep(1000);
		drain(l, 0, HOLD_BUSY_NS);
	}
	drain(l, 0, 0);
	report_looked(&l->s, &l->rings, true);
}

static int open_rings(struct loop *l)
{
	const struct loaded *loaded = l->s.l;
	int err = 0;

	l->rings = (struct rings){ l->ring, 0, &l->s.broken };
	while (!err && l->rings.nr < loaded->nr_rings) {
		struct epoll_event ev = { .events = EPOLLIN | EPOLLET, .data.fd = -1 };
		int fd = loaded->rings[l->rings.nr];

		err = ring_open(&l->ring[l->rings.nr++], fd);
		if (!err && epoll_ctl(l->watch.epoll_fd, EPOLL_CTL_ADD, fd, &ev))
			err = -errno;
	}
	if (err)
		error("cannot map the rings: %s", strerror(-err));
	return err;
}

/* --- what the time brings ----------------------------------------------------------------- */

static void on_losses(void *ctx, struct timer *t)
{
	struct loop *l = ctx;

	losses_tell(&l->s, &l->told);
	sweep_latencies(l->s.l);
}

static void on_deadline(void *ctx, struct timer *t)
{
	struct loop *l = ctx;

	l->s.stop = true;
}

static void on_cost(void *ctx, struct timer *t)
{
	struct loop *l = ctx;

	cost_tick(&l->cost);
	t->at = l->cost.next_ns;
}

/* Above the promise for two samples in a row: stop. */
static void on_cost_check(void *ctx, struct timer *t)
{
	struct loop *l = ctx;
	char text[COST_NUMBER_LEN];
	uint64_t spent, wall;
	double percent;

	cost_read(&l->cost);
	spent = l->cost.kernel_ns + l->cost.tool_ns - l->last_cost_ns;
	wall = l->cost.wall_ns - l->last_cost_at;
	percent = wall ? 100.0 * (double)spent / (double)wall : 0;
	l->last_cost_ns += spent;
	l->last_cost_at += wall;
	l->costly_samples = percent > l->s.opt->max_cost ? l->costly_samples + 1 : 0;
	if (l->costly_samples < 2)
		return;
	l->too_costly = l->s.stop = true;
	guard_ending();
	warn("stopped: it cost %s %% of one CPU, more than --max-cost %g",
	     cost_number(percent, text), l->s.opt->max_cost);
}

static void tell_cost(struct loop *l)
{
	char text[COST_TEXT_LEN];

	note("cost: %s",
	     cost_text(&l->cost, msg_tool(), l->s.shown, losses_events(&l->s), text, sizeof(text)));
}

#define COST_TOLD_NS 5000000000ULL /* with --cost -v, as the other tools do */

static void on_cost_told(void *ctx, struct timer *t)
{
	struct loop *l = ctx;

	cost_read(&l->cost);
	tell_cost(l);
}

static void start_timers(struct loop *l)
{
	const struct script_run_options *opt = l->s.opt;
	const uint64_t now = clock_mono_ns();

	l->timers[TIMER_LOSSES] = (struct timer){ on_losses, .every = NSEC_PER_SEC };
	l->timers[TIMER_COST] =
		(struct timer){ on_cost, .at = l->cost_on ? l->cost.next_ns : TIMER_NEVER };
	l->timers[TIMER_DEADLINE] = (struct timer){ on_deadline, .every = opt->duration_ns };
	l->timers[TIMER_COST_CHECK] =
		(struct timer){ on_cost_check, .every = opt->max_cost > 0 ? NSEC_PER_SEC : 0 };
	l->timers[TIMER_COST_TOLD] =
		(struct timer){ on_cost_told,
				.every = opt->cost && msg_verbose ? COST_TOLD_NS : 0 };
	timers_start(l->timers, TIMERS, now);
	if (opt->duration_ns)
		guard_deadline(now + opt->duration_ns);
	for (size_t i = 0; i < l->nr_tickers; i++)
		l->tickers[i].at = now + l->tickers[i].every;
}

/* exit() closes the gate at once; the record that says so comes later. */
static bool is_open(const struct loop *l)
{
	return __atomic_load_n(&l->s.l->globals->gate, __ATOMIC_SEQ_CST) == RT_GATE_OPEN;
}

/* The probes of interval that are due, each once, also if it is late. */
static void run_tickers(struct loop *l)
{
	for (size_t i = 0; i < l->nr_tickers && !l->s.stop && is_open(l); i++) {
		struct ticker *t = &l->tickers[i];
		uint64_t now = clock_mono_ns();
		int err;

		if (now < t->at)
			continue;
		t->at += (now - t->at) / t->every * t->every + t->every;
		err = loaded_run(l->s.l, t->program);
		if (err) {
			error("cannot run a probe of interval: %s", strerror(-err));
			l->s.status = STATUS_FAILED;
			l->s.stop = true;
		}
	}
}

/* watch_wait() knows ms only. */
static void arm_tickers(struct loop *l)
{
	struct itimerspec spec = { 0 };
	uint64_t at = TIMER_NEVER;

	for (size_t i = 0; i < l->nr_tickers; i++)
		at = min_u64(at, l->tickers[i].at);
	if (at == TIMER_NEVER || l->timer_fd < 0)
		return;
	spec.it_value.tv_sec = at / NSEC_PER_SEC;
	spec.it_value.tv_nsec = at % NSEC_PER_SEC;
	timerfd_settime(l->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

/* --- what comes from outside -------------------------------------------------------------- */

static int watch_fd(struct loop *l, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = -1 };

	if (fd < 0)
		return -errno;
	return epoll_ctl(l->watch.epoll_fd, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

/* The process of -c or -p. */
static int watch_process(struct loop *l)
{
	const struct script_run_options *opt = l->s.opt;
	pid_t pid = opt->child ? opt->child : opt->pid;
	int err;

	if (!pid)
		return 0;
	l->process_fd = syscall(SYS_pidfd_open, pid, 0);
	/* one of -p that is not there has been told of; as with all tools, others go on */
	if (l->process_fd < 0 && errno == ESRCH && !opt->child && !opt->compat)
		return 0;
	err = watch_fd(l, l->process_fd);
	if (err)
		error("cannot watch process %d: %s", pid, strerror(-err));
	return err;
}

/* SIGUSR1 is taken in the loop. Blocked before there are threads: they inherit it. */
static sigset_t block_user_signal(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return set;
}

static int open_watches(struct loop *l)
{
	sigset_t set = block_user_signal();
	int err = watch_open(&l->watch, l->s.out->fd);

	if (!err) {
		l->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
		err = watch_fd(l, l->signal_fd);
	}
	if (!err && l->nr_tickers) {
		l->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
		err = watch_fd(l, l->timer_fd);
	}
	if (err) {
		error("cannot set up: %s", strerror(-err));
		return err;
	}
	return watch_process(l);
}

static bool is_ready(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return fd >= 0 && poll(&p, 1, 0) > 0;
}

static void take_user_signals(struct loop *l)
{
	struct signalfd_siginfo info;

	if (l->signal_fd < 0 || read(l->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (l->has_signals && is_open(l))
		each_target(l, PROVIDER_SELF, run_signal);
	else if (!l->has_signals)
		report_now(&l->s);
}

/* --- the loop ----------------------------------------------------------------------------- */

static uint64_t next_look(const struct loop *l, uint64_t now)
{
	uint64_t oldest = rings_oldest(&l->rings), soon = now + BUSY_POLL_NS;

	if (l->drained || l->s.nr_pending)
		return soon;
	if (oldest && oldest + HOLD_NS < now + IDLE_POLL_NS)
		return oldest + HOLD_NS > soon ? oldest + HOLD_NS : soon;
	return now + IDLE_POLL_NS;
}

static void look(struct loop *l)
{
	uint64_t now = clock_mono_ns(), wake = timers_next(l->timers, TIMERS), ticks;

	wake = min_u64(wake, next_look(l, l->drained_ns > now ? now : l->drained_ns));
	arm_tickers(l);
	watch_wait(&l->watch, now, wake);
	if (l->timer_fd >= 0 && read(l->timer_fd, &ticks, sizeof(ticks)) < 0)
		ticks = 0;
	l->s.stop |= l->watch.signalled || l->watch.hung_up || is_ready(l->process_fd);
	run_tickers(l);
	take_user_signals(l);
	/* what processes have mapped is looked at as soon as there is a stack of them: the records
	 * themselves wait for those of other CPUs */
	if (l->s.l->compiled->user_stacks)
		rings_ahead(&l->rings, sizeof(struct rt_record), expect, l);
	now = clock_mono_ns();
	if (pressing(l))
		drain(l, SETTLE_NS, 0);
	else if (now >= l->drained_ns + BUSY_POLL_NS)
		drain(l, HOLD_NS, HOLD_BUSY_NS);
	timers_run(l->timers, TIMERS, clock_mono_ns(), l, &l->s.stop);
}

static void set_gate(struct loop *l, enum rt_gate gate)
{
	__atomic_store_n(&l->s.l->globals->gate, gate, __ATOMIC_SEQ_CST);
}

/* Unless begin has closed it for good. */
static void open_gate(struct loop *l)
{
	__u64 waits = RT_GATE_WAITS;

	__atomic_compare_exchange_n(&l->s.l->globals->gate, &waits, RT_GATE_OPEN, false,
				    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* --- begin -------------------------------------------------------------------------------- */

/* Who waits for this line begins at once, so the gate is open by then; what begin has sent is shown
 * behind it. */
static void say_attached(struct loop *l, size_t nr)
{
	const struct script_run_options *opt = l->s.opt;

	if (!opt->quiet && opt->json && opt->compat) {
		text_printf(&l->s.row,
			    "{\"type\": \"attached_probes\", \"count\": %zu, \"data\": "
			    "{\"probes\": %zu}}\n",
			    nr, nr);
		session_write(&l->s);
	} else if (!opt->quiet) {
		fprintf(stderr, "Attached %zu probe%s\n", nr, nr == 1 ? "" : "s");
	}
	flush(l);
	if (opt->notify) {
		printf("__BPFTRACE_NOTIFY_PROBES_ATTACHED\n");
		fflush(stdout);
	}
}

/* A reader that waits for its turn loses what comes meanwhile: see run/tool.c. */
static void favour_reader(void)
{
	if (setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) - READER_NICE))
		debug("the reader of events has no higher priority (it takes CAP_SYS_NICE)");
}

static void start_cost(struct loop *l)
{
	const struct loaded *loaded = l->s.l;
	int err = 0;

	for (size_t i = 0; i < loaded->compiled->nr_programs; i++)
		programs_add(&l->programs, loaded->programs[i], false);
	if (!l->s.opt->cost && l->s.opt->max_cost <= 0)
		return;
	err = cost_start(&l->cost, &l->programs);
	l->cost_on = true;
	if (err)
		warn("the kernel does not count what its programs cost (%s; it takes "
		     "CAP_SYS_ADMIN): only this tool's own CPU time is known",
		     strerror(-err));
}

/* Returns 0 or -errno. With all attached: begin, then the gate opens, unless begin has ended it,
 * and then it is said. */
static int begin(struct loop *l)
{
	const struct script_run_options *opt = l->s.opt;
	const struct compiled *c = l->s.l->compiled;
	bool waits = opt->child || opt->pid;
	size_t nr = 0, run = count_run(c, opt, &waits);
	int err = script_attach(&l->attached, l->s.l, opt->only, &nr);

	if (err)
		return err;
	if (!(nr + run)) {
		error("no probe could be attached");
		return -ENOENT;
	}
	start_cost(l);
	favour_reader();
	l->s.l->globals->started = clock_mono_ns();
	l->s.l->globals->child = opt->child;
	set_gate(l, RT_GATE_WAITS);
	err = each_target(l, PROVIDER_BEGIN, run_program);
	if (err)
		return err;
	if (waits)
		open_gate(l);
	say_attached(l, nr + run);
	start_timers(l);
	drain(l, 0, 0);
	l->s.stop |= !waits;
	if (opt->child && write(opt->child_go, "", 1) != 1) {
		error("the command cannot go on: %s", strerror(errno));
		return -EPIPE;
	}
	debug("attached"); /* from here on what happens is seen */
	return 0;
}

/* --- the end ------------------------------------------------------------------------------ */

static void summary(struct loop *l)
{
	const struct script_run_options *opt = l->s.opt;
	struct json j;

	if (l->cost_on)
		cost_read(&l->cost);
	if (opt->json && !opt->compat) {
		json_init(&j, l->s.out);
		json_object(&j, NULL);
		json_str(&j, "type", "summary");
		losses_json(&l->s, &j);
		json_u64(&j, "missed_runs", programs_missed(&l->programs));
		if (l->cost_on)
			cost_json(&l->cost, &j);
		json_end_object(&j);
		out_flush(l->s.out);
	}
	if (opt->cost)
		tell_cost(l);
}

static void tell_missed(struct loop *l)
{
	uint64_t missed = programs_missed(&l->programs);

	if (missed && !l->s.opt->compat)
		warn("the kernel left out %llu runs of the script's programs: what they would have "
		     "seen is not shown, and not among the lost events",
		     (unsigned long long)missed);
}

/* What the child had is passed on when it was killed by our end, not by its own. */
static void end_child(struct loop *l)
{
	pid_t child = l->s.opt->child;

	if (!child)
		return;
	if (!is_ready(l->process_fd))
		kill(child, SIGTERM);
	waitpid(child, NULL, 0);
}

static int output_failed(struct loop *l)
{
	if (l->s.out->error == ETIMEDOUT)
		error("cannot write: nobody reads the output: gave up %zu lines or more",
		      l->s.out->unwritten);
	else
		error("cannot write: %s", strerror(l->s.out->error));
	return l->too_costly ? STATUS_TOO_COSTLY : STATUS_FAILED;
}

/* Nothing is counted any more from when the gate closes; the probes go when all is shown, for that
 * may take a while. */
static int end(struct loop *l)
{
	int status;

	guard_ending();
	set_gate(l, RT_GATE_CLOSED);
	programs_wait(l->s.l->globals_fd);
	if (l->cost_on)
		cost_stop(&l->cost);
	if (!l->watch.hung_up && !l->s.out->error) {
		drain_last(l);
		each_target(l, PROVIDER_END, run_program);
		drain_last(l);
		report_all(&l->s);
		flush(l);
		losses_report(&l->s);
		tell_missed(l);
		if (l->s.symbols)
			symbols_remarks(l->s.symbols);
		summary(l);
	}
	status = l->s.status;
	if (l->s.out->error && l->s.out->error != EPIPE)
		status = output_failed(l);
	else if (l->too_costly)
		status = STATUS_TOO_COSTLY;
	return status;
}

/* --- all of it ---------------------------------------------------------------------------- */

static void *need(void *memory)
{
	if (memory)
		return memory;
	error("not enough memory");
	exit(STATUS_FAILED);
}

static void open_session(struct session *s, struct loaded *loaded,
			 const struct script_run_options *opt)
{
	const struct compiled *c = loaded->compiled;
	size_t most = 1;

	*s = (struct session){
		.l = loaded, .opt = opt, .out = opt->out, .unbuffered = opt->unbuffered
	};
	if (c->user_stacks || c->kernel_stacks || c->symbols)
		s->symbols = need(symbols_new());
	s->values = (struct values){
		.texts = texts_new(s->symbols, 0),
		.compiled = c,
		.raw = opt->raw,
		.compat = opt->compat,
	};
	s->zeroed = need(calloc(c->nr_maps + 1, sizeof(*s->zeroed)));
	s->formats = need(calloc(c->nr_statements + 1, sizeof(struct format *)));
	for (size_t i = 0; i < c->nr_statements; i++) {
		const struct statement *st = c->statements[i];

		most = st->nr_args > most ? st->nr_args : most;
		s->formats[i] = format_new(st->format ? st->format : "", st->format_len);
		/* a format that wants more than there is would read beyond it */
		if (format_args(s->formats[i]) > most)
			most = format_args(s->formats[i]);
	}
	s->args = need(calloc(most, sizeof(*s->args)));
	for (size_t i = 0; i < c->nr_literals; i++) {
		struct rt_id id;

		loaded_text_id(loaded, c->literals[i].text, c->literals[i].len, &id);
		texts_add_text(s->values.texts, &id, c->literals[i].text, c->literals[i].len);
	}
}

static void close_session(struct session *s)
{
	for (size_t i = 0; i < s->l->compiled->nr_statements; i++)
		format_free(s->formats[i]);
	free(s->formats);
	free(s->args);
	free(s->zeroed);
	text_free(&s->row);
	texts_free(s->values.texts);
	symbols_free(s->symbols);
}

static void close_loop(struct loop *l)
{
	for (size_t i = 0; i < l->rings.nr; i++)
		ring_close(&l->ring[i]);
	programs_free(&l->programs);
	free(l->tickers);
	close_session(&l->s);
}

int script_run(struct loaded *loaded, const struct script_run_options *options)
{
	struct loop *l = need(calloc(1, sizeof(*l)));
	int err, status = STATUS_FAILED;

	l->timer_fd = l->signal_fd = l->process_fd = -1;
	open_session(&l->s, loaded, options);
	err = each_target(l, PROVIDER_INTERVAL, add_ticker);
	if (!err)
		err = each_target(l, PROVIDER_SELF, has_signal);
	if (!err)
		err = open_watches(l);
	if (!err)
		err = open_rings(l);
	if (!err)
		err = begin(l);
	while (!err && !l->s.stop)
		look(l);
	if (!err)
		status = end(l);
	script_detach(l->attached);
	end_child(l);
	close_loop(l);
	free(l);
	return status;
}
