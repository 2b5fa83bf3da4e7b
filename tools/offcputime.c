/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/util.h"
#include "kernel/pidns.h"
#include "kernel/task_iter.h"
#include "stacks/samples.h"
#include "stacks/sums.h"
#include "run/tool.h"
#include "tasks/thread.h"
#include "offcputime.shared.h"
#include "offcputime.skel.h"

#define THREADS_MAX 65536 /* 71 MB of kernel memory */
#define SETTLE_US   1000  /* for a program that runs to its end */

static uint64_t min_us = 1, max_us = UINT64_MAX / 1000, duration_ns;
static bool user_threads, kernel_threads, preempted, with_user, by_thread;
static struct wanted_states {
	__u32 letters; /* 1 << enum task_state; 0: any */
	__u32 bits;    /* as the kernel has them: 0: any */
} wanted_states;

static struct offcputime_state state;
static struct task_iter iter;
static int looker; /* its program; -ENOENT: this kernel has none */
static struct stack_samples samples;
static uint64_t unfinished; /* waits */
static uint64_t preempted_frame, moved_frame;
static char title[100]; /* of the flame graph */

/* BCC's page has the kernel's numbers. */
static const char *parse_states(const char *arg, void *value)
{
	struct wanted_states *s = value;
	char *end;
	unsigned long bits;

	*s = (struct wanted_states){ 0 };
	if (!isdigit((unsigned char)*arg))
		return thread_parse_states(arg, &s->letters);
	errno = 0;
	bits = strtoul(arg, &end, 0);
	s->bits = bits;
	if (!bits)
		s->letters = 1 << TASK_IS_RUNNABLE;
	return !errno && !*end && bits <= UINT32_MAX ? NULL
						     : "letters as ps(1) shows them, or a "
						       "number as the kernel has them";
}

static const struct opt options[] = {
	OPT_LETTER('t', "tid"),
	OPT('u', "user-threads-only", .flag = &user_threads, .help = "no threads of the kernel"),
	OPT('k', "kernel-threads-only", .flag = &kernel_threads,
	    .help = "threads of the kernel only"),
	OPT('m', "min-block-time", .arg = "US", .uint = &min_us, .min = 1, .max = UINT64_MAX / 1000,
	    .help = "only waits of so many microseconds or more (1)"),
	OPT('M', "max-block-time", .arg = "US", .uint = &max_us, .min = 1, .max = UINT64_MAX / 1000,
	    .help = "only waits of so many or less"),
	OPT(0, "state", .arg = "S[,S...]", .parse = parse_states, .value = &wanted_states,
	    .help = "only waits in these states: D,S; or a mask"),
	OPT(0, "preempted", .flag = &preempted,
	    .help = "also the time that threads wait for a CPU"),
	STACKS_OPTIONS,
	STACKS_OFFSETS_OPTION,
	{ 0 },
};
static const struct opt positional[] = {
	OPT(0, "duration", .arg = "SEC", .sec = &duration_ns,
	    .help = "seconds (default: until Ctrl-C)"),
	{ 0 },
};

static int64_t copy_helper, switch_args;
static const struct kernel_fact facts[] = {
	{ "BPF_FUNC_copy_from_user_task", BTF_ENUMERATOR, &copy_helper },
	{ "btf_trace_sched_switch", BTF_FUNCTION, &switch_args },
	{ 0 },
};
static const struct probe probes[] = {
	PROBE_LADDER("switches", "switched", "raw_switched"),
	{ .name = "threads",
	  .rungs = { "sleepable" },
	  .when = &with_user,
	  .optional = true,
	  .later = true },
	{ .name = "threads without user stacks",
	  .rungs = { "plain" },
	  .unless = "sleepable",
	  .optional = true,
	  .later = true },
	{ 0 },
};

static int setup(struct run *r)
{
	const struct stacks_config config = { .labels = { "state" },
					      .labels_in_json = true,
					      .unit = "us",
					      .scale = NSEC_PER_USEC,
					      .column = "TIME(us)",
					      .weight_key = "total_ns",
					      .self_key = "self_ns",
					      .title = title };
	int status = stacks_setup(&r->opt);

	if (status != GO_ON)
		return status;
	if (kernel_threads && (user_threads || stacks_options.user_only)) {
		error("-k and %s: it is one or the other", user_threads ? "-u" : "-U");
		return STATUS_USAGE;
	}
	if (min_us > max_us) {
		error("-m and -M: no wait is as long as %llu us and as short as %llu",
		      (unsigned long long)min_us, (unsigned long long)max_us);
		return STATUS_USAGE;
	}
	if (duration_ns)
		r->opt.duration_ns = duration_ns;
	/* where only the sums over all threads are seen, they need not be told apart */
	by_thread = r->opt.json || !(stacks_options.folded || stacks_options.svg);
	by_thread = by_thread && !stacks_options.top;
	if (!stack_samples_init(&samples, &config))
		return STATUS_FAILED;
	preempted_frame = stacks_named_frame(samples.stacks, "[preempted]");
	moved_frame = stacks_named_frame(samples.stacks, "[it moved: no stack]");
	return GO_ON;
}

static void configure(struct run *r)
{
	struct offcputime_bpf__rodata *ro = TOOL_RODATA(offcputime, r);
	const __u32 runnable = 1U << TASK_IS_RUNNABLE;

	with_user = copy_helper && !stacks_options.kernel_only && !probe_avoids("iter.s");
	ro->min_ns = min_us * NSEC_PER_USEC;
	ro->max_ns = max_us * NSEC_PER_USEC;
	ro->states = (wanted_states.letters ? wanted_states.letters : ~runnable) |
		     (preempted ? runnable : 0);
	ro->state_bits = wanted_states.bits;
	ro->state_is_told = switch_args > 4; /* with the void * */
	ro->by_thread = by_thread;
	ro->without_kernel_threads = user_threads;
	ro->without_user_threads = kernel_threads;
	object_resize_map(&r->object, "waits", limits_threads(THREADS_MAX));
	stacks_configure(&r->object);
	stack_sums_configure(&r->object);
}

static void take(void *ctx, const struct stack_sum *sum, size_t size)
{
	const __u32 in = sum->label & WAIT_STATE_MASK;
	const char letter[2] = { in < WAIT_STATE_UNKNOWN ? TASK_STATES[in] : '?' };
	struct run *r = ctx;
	const struct stack_samples_sum more = {
		.count = sum->count,
		.weight = sum->sum,
		.by_thread = by_thread,
		.label = r->opt.json ? stacks_text(samples.stacks, letter) : 0,
		.leaf = sum->label & WAIT_MOVED	 ? moved_frame
			: in == TASK_IS_RUNNABLE ? preempted_frame
						 : 0,
	};

	if (!stack_samples_add_sum(&samples, &sum->stack, size - offsetof(struct stack_sum, stack),
				   &more))
		return;
	run_count(r, sum->count);
	unfinished += sum->label & WAIT_UNFINISHED ? sum->count : 0;
}

static void take_record(void *ctx, void *record, size_t size)
{
	take(ctx, record, size);
}

static bool take_event(struct run *r, const void *event, size_t size)
{
	take(r, event, size);
	return false;
}

/* Looks at the threads that there are: when it begins and when it ends. */
static int look(struct run *r)
{
	int err = programs_write(&r->object.programs, ".data.offcputime", &state);

	for (size_t i = 0; i < iter.nr && !err; i++)
		err = task_iter_read(&iter, i, offsetof(struct stack_sum, size), take_record, r);
	return err;
}

static int attach(struct run *r)
{
	int err = 0;

	looker = object_program(&r->object, "sleepable");
	if (looker < 0) {
		with_user = false;
		looker = object_program(&r->object, "plain");
	}
	if (looker >= 0)
		err = task_iter_open(&iter, looker, &r->opt.filter);
	state.began = clock_mono_ns(); /* the switches are seen already */
	err = err ?: look(r);
	if (!err)
		return 0;
	error("cannot look at the threads: %s", strerror(-err));
	state.began = 0;
	return err;
}

/* Waits whose end the kernel did not run the program for. */
static void count_losses(struct run *r)
{
	static uint64_t known;
	uint64_t unseen = known;

	programs_read(&r->object.programs, ".data.unseen", &unseen);
	run_lost(r, unseen - known);
	known = unseen;
}

static void detach(struct run *r)
{
	int err;

	if (!state.began)
		return;
	state.ended = clock_mono_ns();
	err = programs_write(&r->object.programs, ".data.offcputime", &state);
	usleep(SETTLE_US);
	err = err ?: look(r);
	err = err ?: stack_sums_read(&r->object.programs, take, r);
	task_iter_close(&iter);
	if (!err)
		return;
	error("cannot read the waits: %s", strerror(-err));
	run_fail(r);
}

static void started(struct run *r)
{
	if (looker < 0)
		note("only waits that begin and end meanwhile are seen: this kernel has no task "
		     "iterators");
	else if (!pidns_is_initial())
		note("waits that began before, or do not end, are seen in this pid namespace "
		     "only: the kernel visits no others");
	else if (!with_user && !stacks_options.kernel_only)
		note("waits that began before have kernel stacks only: reading user stacks of "
		     "threads that sleep takes Linux 5.18");
	note("tracing off-CPU time%s",
	     r->opt.duration_ns ? "" : ": Ctrl-C ends it and shows the stacks");
}

static void report(struct run *r)
{
	struct stacks_stats st;

	stacks_stats(samples.stacks, &st);
	snprintf(title, sizeof(title), "Off-CPU time: %.3f s in %llu waits",
		 (double)st.weight / NSEC_PER_SEC, (unsigned long long)st.added);
	progress("looking for the names of functions");
	stacks_report(samples.stacks, r);
	progress_end();
}

static void finish(struct run *r)
{
	struct stacks_stats st;

	stacks_stats(samples.stacks, &st);
	run_lost(r, st.left_out);
	note("%llu waits, %.3f s in all, %llu of them unfinished; %llu lost; in %.1f s",
	     (unsigned long long)st.added, (double)st.weight / NSEC_PER_SEC,
	     (unsigned long long)unfinished, (unsigned long long)run_lost_total(r),
	     (double)(state.ended - state.began) / NSEC_PER_SEC);
	stack_samples_remarks(&samples);
}

static void summary_json(struct run *r, struct json *j)
{
	struct stacks_stats st;

	stacks_stats(samples.stacks, &st);
	json_u64(j, "total_ns", st.weight);
	json_u64(j, "unfinished", unfinished);
	json_u64(j, "traced_ns", state.ended - state.began);
	stack_samples_summary_json(&samples, j);
}

#define SUMMARY_KEYS "total_ns unfinished traced_ns"

static const struct view views[] = {
	STACK_VIEWS_BY("tid state count total_ns", "TIME(us)", "self_ns total_ns"), VIEW_END
};

static const char *const examples[] = { "offcputime 5",
					"where threads were blocked, for 5 s",
					"offcputime -p 1234 -m 1000",
					"a process's waits of 1 ms or more",
					"offcputime --svg off.svg -u 30",
					"a flame graph of the programs' waits",
					"offcputime --state D --top 10",
					"uninterruptible waits, by function",
					"offcputime -f -K 10 | flamegraph.pl",
					"folded stacks, for other programs",
					NULL };

static const struct tool tool = {
	.name = "offcputime",
	.summary = "where threads wait, by the stacks that they are blocked in",
	.options = options,
	.positional = positional,
	.examples = examples,
	.image = TOOL_IMAGE(offcputime),
	.probes = probes,
	.facts = facts,
	.setup = setup,
	.configure = configure,
	.attach = attach,
	.detach = detach,
	.started = started,
	.count_losses = count_losses,
	.event_size = sizeof(struct stack_sum),
	.event = take_event,
	.report = report,
	.finish = finish,
	.summary_json = summary_json,
	.summary_keys = SUMMARY_KEYS " " STACK_SAMPLES_SUMMARY_KEYS,
	.views = views,
};

int main(int argc, char **argv)
{
	return tool_main(&tool, argc, argv);
}
