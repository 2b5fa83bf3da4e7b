/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdio.h>

#include "base/util.h"
#include "kernel/pidns.h"
#include "run/tool.h"
#include "stacks/samples.h"
#include "tasks/offcpu.h"
#include "tasks/thread.h"
#include "offcputime.skel.h"

static uint64_t min_us = 1, max_us = UINT64_MAX / 1000, duration_ns;
static bool user_threads, kernel_threads, preempted, with_user, by_thread;
static struct offcpu_states wanted_states;
static struct offcpu offcpu;
static int looker; /* its program; -ENOENT: this kernel has none */
static struct stack_samples samples;
static uint64_t unfinished; /* waits */
static uint64_t preempted_frame, moved_frame;
static char title[100]; /* of the flame graph */

static const struct opt options[] = {
	OPT_LETTER('t', "tid"),
	OPT('u', "user-threads-only", .flag = &user_threads, .help = "no threads of the kernel"),
	OPT('k', "kernel-threads-only", .flag = &kernel_threads,
	    .help = "threads of the kernel only"),
	OPT('m', "min-block-time", .arg = "US", .uint = &min_us, .min = 1, .max = UINT64_MAX / 1000,
	    .help = "only waits of so many microseconds or more (1)"),
	OPT('M', "max-block-time", .arg = "US", .uint = &max_us, .min = 1, .max = UINT64_MAX / 1000,
	    .help = "only waits of so many or less"),
	OPT(0, "state", .arg = "S[,S...]", .parse = offcpu_parse_states, .value = &wanted_states,
	    .choices = THREAD_STATES, .help = "only waits in these states: D,S; or a mask"),
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
	{ "btf_trace_sched_switch", BTF_TYPEDEF, &switch_args },
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
	const __u32 runnable = 1U << TASK_IS_RUNNABLE;
	const struct offcpu_config config = {
		.min_ns = min_us * NSEC_PER_USEC,
		.max_ns = max_us * NSEC_PER_USEC,
		.states = (wanted_states.letters ? wanted_states.letters : ~runnable) |
			  (preempted ? runnable : 0),
		.state_bits = wanted_states.bits,
		.state_is_told = switch_args > 4, /* with the void * */
		.by_thread = by_thread,
		.without_user = kernel_threads,
		.without_kernel = user_threads,
	};

	with_user = copy_helper && !stacks_options.kernel_only && !probe_avoids("iter.s");
	offcpu_configure(&r->object, &config);
}

static void take(void *ctx, const struct stack_sum *sum, size_t size)
{
	const __u32 in = sum->label & OFFCPU_STATE_MASK;
	const char letter[2] = { in < OFFCPU_STATE_UNKNOWN ? TASK_STATES[in] : '?' };
	struct run *r = ctx;
	const struct stack_samples_sum more = {
		.count = sum->count,
		.weight = sum->sum,
		.by_thread = by_thread,
		.label = r->opt.json ? stacks_text(samples.stacks, letter) : 0,
		.leaf = sum->label & OFFCPU_MOVED ? moved_frame
			: in == TASK_IS_RUNNABLE  ? preempted_frame
						  : 0,
	};

	if (!stack_samples_add_sum(&samples, &sum->stack, size - offsetof(struct stack_sum, stack),
				   &more))
		return;
	run_count(r, sum->count);
	unfinished += sum->label & OFFCPU_UNFINISHED ? sum->count : 0;
}

static bool take_event(struct run *r, const void *event, size_t size)
{
	take(r, event, size);
	return false;
}

static int attach(struct run *r)
{
	looker = object_program(&r->object, "sleepable");
	if (looker < 0) {
		with_user = false;
		looker = object_program(&r->object, "plain");
	}
	return offcpu_begin(&offcpu, r, looker, take);
}

static void count_losses(struct run *r)
{
	offcpu_count_losses(&offcpu, r);
}

static void detach(struct run *r)
{
	offcpu_end(&offcpu, r);
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
	     (double)offcpu_traced_ns(&offcpu) / NSEC_PER_SEC);
	stack_samples_remarks(&samples);
}

static void summary_json(struct run *r, struct json *j)
{
	struct stacks_stats st;

	stacks_stats(samples.stacks, &st);
	json_u64(j, "total_ns", st.weight);
	json_u64(j, "unfinished", unfinished);
	json_u64(j, "traced_ns", offcpu_traced_ns(&offcpu));
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
