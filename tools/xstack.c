/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <string.h>

#include "base/worker.h"
#include "base/util.h"
#include "kernel/task_iter.h"
#include "kernel/pidns.h"
#include "stacks/stacks.h"
#include "symbols/symbols.h"
#include "tasks/thread.h"
#include "run/tool.h"
#include "tasks/waits.h"
#include "xstack.shared.h"
#include "xstack.skel.h"

static bool all, quiet, root_first, short_time, with_user, without_user, summarised;
static uint64_t hz = 1, count;
static __u32 states;
static struct task_iter iter;
static struct symbols *symbols;
static struct xstack_state state;
static struct wait_idle_counts idle;

static const struct opt options[] = {
	OPT('a', "all", .flag = &all, .help = "threads that wait for work, too"),
	OPT_LETTER('t', "tid"),
	OPT('F', "frequency", .arg = "HZ", .uint = &hz, .min = 1, .max = 1000,
	    .help = "samples a second (1)"),
	OPT('i', "iterations", .arg = "N", .uint = &count, .min = 1,
	    .help = "stop after this many samples"),
	OPT(0, "state", .arg = "S[,S...]", .parse = thread_parse_states, .value = &states,
	    .choices = THREAD_STATES, .help = "only threads in these states: R,D"),
	OPT('q', "quiet", .flag = &quiet, .help = "no header, no notes"),
	OPT('r', "reverse", .flag = &root_first, .help = "rows with the outermost function first"),
	STACKS_OPTIONS,
	{ 0 },
};

static const struct column columns[] = {
	COL_CLOCK,
	COL_TIME(&short_time),
	COL_HEAD(pid, "PID", .width = 7),
	COL_HEAD(tid, "TID", .width = 7),
	COL_HEAD(comm, "COMM", .width = 15, .fmt = FMT_STR),
	THREAD_COLUMNS,
	COL_END,
};

static int64_t copy_helper;
static const struct kernel_fact facts[] = {
	{ "BPF_FUNC_copy_from_user_task", BTF_ENUMERATOR, &copy_helper },
	{ 0 },
};
static const struct probe probes[] = {
	{ .name = "threads", .rungs = { "sleepable" }, .when = &with_user, .later = true },
	{ .name = "threads without user stacks",
	  .rungs = { "plain" },
	  .when = &without_user,
	  .later = true },
	{ 0 },
};

static int setup(struct run *r)
{
	int status = stacks_setup(&r->opt);

	if (status != GO_ON)
		return status;
	r->plan.interval_ns = NSEC_PER_SEC / hz;
	r->plan.count = count;
	short_time = !table_show_clock;
	summarised = stacks_options.folded || stacks_options.top || stacks_options.svg;
	r->plan.no_header = quiet || summarised;
	return GO_ON;
}

static void configure(struct run *r)
{
	struct xstack_config *c = object_section(&r->object, ".rodata.xstack", NULL);

	with_user = copy_helper && !probe_avoids("iter.s");
	without_user = !with_user;
	c->states = states;
	c->skip_user = stacks_options.kernel_only;
	c->skip_kernel = stacks_options.user_only && summarised;
	c->idle = all || r->opt.filter.nr_tids;
	waits_configure(&r->object);
}

static int attach(struct run *r)
{
	struct thread_config config = { .root_first = root_first, .without_user = without_user };
	int prog = object_program(&r->object, with_user ? "sleepable" : "plain");
	struct frame_name name;
	int err = task_iter_open(&iter, prog, &r->opt.filter);

	if (err) {
		error("cannot attach the task iterator: %s", strerror(-err));
		return err;
	}
	config.symbols = symbols = symbols_new();
	if (!symbols)
		return -ENOMEM;
	symbols_kernel(symbols, 0, &name); /* reads kallsyms now, not in the first sample */
	return thread_init(&config);
}

static void detach(struct run *r)
{
	task_iter_close(&iter);
}

static void started(struct run *r)
{
	if (without_user && !quiet)
		note("kernel stacks only: reading user stacks takes Linux 5.18");
	if (!quiet && !pidns_is_initial())
		note("only threads of this pid namespace are seen: the kernel visits no others");
	if (summarised && !quiet && !count && !r->opt.duration_ns)
		note("tracing threads: Ctrl-C ends it and shows their stacks");
}

static void take(void *ctx, void *record, size_t size)
{
	struct thread_sample *t = record;
	struct run *r = ctx;

	if (r->stop || worker_is_ours(t->head.pid))
		return;
	if (!thread_take(t, size))
		run_lost(r, 1);
	else if (!summarised)
		run_show(r, t, size);
	else if (!thread_add(t))
		run_lost(r, 1);
	else
		run_count(r, 1);
}

/* One look at all tasks, or at one process or thread. */
static int pass(struct run *r, size_t nr)
{
	int err;

	state.visited = state.threads = 0;
	err = programs_write(&r->object.programs, ".data.xstack", &state);
	if (!err)
		err = task_iter_read(&iter, nr, offsetof(struct thread_sample, size), take, r);
	if (!err)
		err = programs_read(&r->object.programs, ".data.xstack", &state);
	/* a process's walk ends early when a thread ends just as it is visited */
	if (!err && iter.narrow && !r->opt.filter.nr_tids && state.visited < state.threads)
		run_lost(r, state.threads - state.visited);
	return err;
}

static void sample(struct run *r)
{
	int err = 0;

	state.ts = 0;
	symbols_hold(symbols, true);
	for (size_t i = 0; i < iter.nr && !r->stop && !err; i++)
		err = pass(r, i);
	symbols_hold(symbols, false);
	if (!err)
		return;
	error("cannot read the threads: %s", strerror(-err));
	run_fail(r);
}

static void report(struct run *r)
{
	if (summarised)
		stacks_report(thread_stack_set(), r);
}

static void finish(struct run *r)
{
	char text[WAITS_TEXT_LEN];

	waits_idle(&r->object.programs, &idle);
	if (r->late_samples)
		warn("%llu samples were left out: reading the threads took longer than 1/%llu s",
		     (unsigned long long)r->late_samples, (unsigned long long)hz);
	if (quiet)
		return;
	thread_remarks();
	symbols_remarks(symbols);
	if (waits_idle_total(&idle))
		note("not shown, as they wait for work: %s; -a shows them",
		     waits_idle_text(&idle, text, sizeof(text)));
}

static void summary_json(struct run *r, struct json *j)
{
	struct stacks_stats st;

	stacks_stats(thread_stack_set(), &st);
	json_u64(j, "samples", r->samples);
	json_u64(j, "late_samples", r->late_samples);
	json_u64(j, "idle_hidden", waits_idle_total(&idle));
	thread_summary_json(j);
	if (summarised)
		json_u64(j, "stacks_left_out", st.left_out);
}

#define SUMMARY_KEYS "samples late_samples idle_hidden stacks_left_out"

static const struct view views[] = { STACK_VIEWS("state syscall"), VIEW_END };

/* clang-format off */
static const char *const examples[] = {
	"xstack", "each second, what threads do",
	"xstack -p 1234 -a -i 1", "all threads of process 1234, once",
	"xstack --state D", "who waits uninterruptibly, and for what",
	"xstack -F 20 --svg waits.svg", "until Ctrl-C, as a flame graph",
	"xstack -F 20 --duration 9 --top -K", "where in the kernel threads wait",
	NULL
};
/* clang-format on */

static const struct tool tool = {
	.name = "xstack",
	.summary = "shows what threads wait for, and their stacks, without touching them",
	.options = options,
	.columns = columns,
	.event_size = sizeof(struct thread_sample),
	.probes = probes,
	.facts = facts,
	.image = TOOL_IMAGE(xstack),
	.examples = examples,
	.setup = setup,
	.configure = configure,
	.attach = attach,
	.detach = detach,
	.started = started,
	.sample = sample,
	.report = report,
	.finish = finish,
	.summary_json = summary_json,
	.summary_keys = SUMMARY_KEYS " " THREAD_SUMMARY_KEYS,
	.views = views,
};

int main(int argc, char **argv)
{
	return tool_main(&tool, argc, argv);
}
