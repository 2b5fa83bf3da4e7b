/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/util.h"
#include "kernel/perf.h"
#include "stacks/samples.h"
#include "run/tool.h"
#include "profile.shared.h"
#include "profile.skel.h"

static struct perf_sampling_config sampled = { .only_cpu = -1 };
static uint64_t only_cpu = UINT64_MAX, duration_ns;
static bool with_idle, no_cycles;

static struct perf_sampling *sampling;
static struct stack_samples samples;
static uint64_t stopped_ns;
static struct perf_ticks ticks;
static char title[100]; /* of the flame graph */

static const char *parse_source(const char *arg, void *value)
{
	enum perf_source *s = value;

	*s = !strcmp(arg, "cycles")	 ? PERF_CYCLES
	     : !strcmp(arg, "cpu-clock") ? PERF_CLOCK
					 : PERF_BEST;
	return *s == PERF_BEST ? "cycles or cpu-clock" : NULL;
}

static const struct opt options[] = {
	OPT('F', "frequency", .arg = "HZ", .uint = &sampled.frequency, .min = 1,
	    .max = PERF_RATE_MAX, .help = "samples a second on each CPU (default 49)"),
	OPT('c', "count", .arg = "N", .uint = &sampled.period, .min = PERF_PERIOD_MIN_CLOCK,
	    .max = 1000000000000, .help = "a sample every N cycles (ns, by the CPU clock)"),
	OPT(0, "source", .arg = "NAME", .parse = parse_source, .value = &sampled.source,
	    .choices = "cycles cpu-clock",
	    .help = "cycles (default, if there are any) or cpu-clock"),
	OPT_LETTER('L', "tid"),
	OPT('C', "cpu", .arg = "CPU", .uint = &only_cpu, .max = 1000000, .help = "this CPU only"),
	OPT('I', "include-idle", .flag = &with_idle, .help = "CPUs that have nothing to do, too"),
	STACKS_OPTIONS,
	OPT_LETTER('a', "annotations"),
	STACKS_UNWIND_OPTION,
	{ 0 },
};
static const struct opt positional[] = {
	OPT(0, "duration", .arg = "SEC", .sec = &duration_ns,
	    .help = "seconds (default: until Ctrl-C)"),
	{ 0 },
};

static const struct probe probes[] = {
	{ .name = "samples", .rungs = { "sample" }, .later = true },
	{ 0 },
};

static void take_mapped(void *arg, const struct mapped *m)
{
	struct stack_samples *e = arg;

	if (m)
		symbols_mapped(e->symbols, m->pid, m->ts, m->start, m->end);
	else
		symbols_mapped_lost(e->symbols);
}

static int setup(struct run *r)
{
	const struct stacks_config config = { .unit = "samples",
					      .title = title,
					      .can_unwind = true };
	int status = stacks_setup(&r->opt);

	if (only_cpu != UINT64_MAX)
		sampled.only_cpu = (int)only_cpu;
	no_cycles = sampled.source == PERF_BEST;
	if (status == GO_ON)
		status = perf_sampling_setup(&sampled);
	no_cycles = no_cycles && sampled.source == PERF_CLOCK;
	if (!stacks_options.kernel_only) /* names of a process's code depend on it */
		sampled.mapped = take_mapped;
	sampled.mapped_arg = &samples;
	if (duration_ns)
		r->opt.duration_ns = duration_ns;
	if (status == GO_ON && !stack_samples_init(&samples, &config))
		status = STATUS_FAILED;
	return status;
}

static void configure(struct run *r)
{
	struct profile_bpf__rodata *ro = TOOL_RODATA(profile, r);

	ro->with_idle = with_idle;
	ro->period = sampled.period;
	ro->by_clock = sampled.source == PERF_CLOCK;
	stacks_configure(&r->object);
}

static void drain_sampling(void *unused)
{
	(void)unused;
	if (sampling)
		perf_sampling_drain(sampling);
}

static int attach(struct run *r)
{
	symbols_set_drain(samples.symbols, drain_sampling, NULL);
	return perf_sampling_start(&sampling, &sampled, object_program(&r->object, "sample"));
}

static int try_attach(struct run *r)
{
	return perf_sampling_try(&sampled);
}

static uint64_t counted(struct run *r, enum sample_count what)
{
	return programs_percpu_sum(&r->object.programs, "sample_counts", what);
}

/* Adds the ticks that were due on each CPU after the last run of the program. Why they did not come
 * nothing tells; so the reason of most of that CPU's others is taken to be theirs, too. A CPU that
 * had no run at all had no interrupts, as the timer of a virtual CPU may give none. */
static void add_last_ticks(const struct programs *programs)
{
	int nr; /* the same for all */
	uint64_t *last = programs_percpu(programs, "sample_last", 0, &nr);
	uint64_t *skipped = programs_percpu(programs, "sample_counts", SAMPLE_SKIPPED, &nr);
	uint64_t *late = programs_percpu(programs, "sample_counts", SAMPLE_LATE, &nr);

	for (int cpu = 0; last && skipped && late && cpu < nr; cpu++) {
		uint64_t more = perf_sampling_since(sampling, cpu, last[cpu]);

		if (skipped[cpu] > late[cpu] && more < SAMPLE_MAX_SKIPPED && last[cpu] &&
		    !(last[cpu] & 1))
			ticks.skipped += more;
		else
			ticks.late += more;
	}
	free(last);
	free(skipped);
	free(late);
}

/* What the kernel did not take is known when the events have ended. */
static void detach(struct run *r)
{
	perf_sampling_stop(sampling);
	stopped_ns = clock_mono_ns();
	ticks = (struct perf_ticks){
		.run = counted(r, SAMPLE_TICKS),
		.skipped = counted(r, SAMPLE_SKIPPED),
		.late = counted(r, SAMPLE_LATE),
	};
	add_last_ticks(&r->object.programs);
}

static void started(struct run *r)
{
	if (no_cycles)
		note("a counter of cycles is not available here: using the CPU clock");
	note("sampling %s%s", perf_sampling_text(&sampled),
	     r->opt.duration_ns ? "" : ": Ctrl-C ends it and shows the stacks");
}

/* What processes have mapped comes before the samples that are younger. */
static void drain_mapped(const struct event_head *sample)
{
	static uint64_t drained_ns;

	if (sample->ts < drained_ns)
		return;
	drained_ns = clock_mono_ns();
	perf_sampling_drain(sampling);
}

static bool add_sample(struct run *r, const void *event, size_t size)
{
	drain_mapped(event);
	if (stack_samples_add(&samples, event, size, 1))
		run_count(r, 1);
	return false;
}

static void tick(struct run *r)
{
	static uint64_t told_at;
	uint64_t now = clock_mono_ns();
	struct stacks_stats st;

	perf_sampling_follow(sampling);
	if (now - told_at < NSEC_PER_SEC)
		return;
	told_at = now;
	stacks_stats(samples.stacks, &st);
	progress("%llu s, %llu samples, %llu different stacks",
		 (unsigned long long)((now - r->started_ns) / NSEC_PER_SEC),
		 (unsigned long long)st.added, (unsigned long long)st.different);
}

static void report(struct run *r)
{
	struct stacks_stats st;

	stacks_stats(samples.stacks, &st);
	snprintf(title, sizeof(title), "CPU time: %llu samples %s", (unsigned long long)st.added,
		 perf_sampling_text(&sampled));
	progress("looking for the names of functions");
	stacks_report(samples.stacks, r);
	progress_end();
}

static void finish(struct run *r)
{
	struct perf_sampling_stats st;
	struct stacks_stats sst;

	perf_sampling_stats(sampling, &st);
	stacks_stats(samples.stacks, &sst);
	run_lost(r, sst.left_out + ticks.skipped);
	note("%llu samples, %llu lost, of %u CPUs in %.1f s", (unsigned long long)sst.added,
	     (unsigned long long)run_lost_total(r), st.cpus,
	     (double)(stopped_ns - r->started_ns) / 1e9);
	perf_sampling_check(sampling, &ticks);
	stack_samples_remarks(&samples);
}

static void summary_json(struct run *r, struct json *j)
{
	struct perf_sampling_stats st;

	perf_sampling_stats(sampling, &st);
	json_str(j, "sampled_by", sampled.source == PERF_CYCLES ? "cycles" : "cpu-clock");
	json_u64(j, "period", sampled.period);
	json_u64(j, "ticks", ticks.run);
	json_u64(j, "idle", counted(r, SAMPLE_IDLE));
	json_u64(j, "taken", counted(r, SAMPLE_TAKEN));
	json_u64(j, "skipped", ticks.skipped);
	json_u64(j, "late", ticks.late);
	json_u64(j, "cpus", st.cpus);
	json_u64(j, "cpu_time_ns", st.cpu_ns);
	stack_samples_summary_json(&samples, j);
}

#define SUMMARY_KEYS "sampled_by period ticks idle taken skipped late cpus cpu_time_ns"

static const struct view views[] = { STACK_VIEWS(""), VIEW_END };

static const char *const examples[] = { "profile --top 10",
					"the hottest functions of 10 s",
					"profile --svg cpu.svg -F 99 30",
					"a flame graph of 30 s",
					"profile -p 1234",
					"the stacks of a process, until Ctrl-C",
					"profile -af 10 | flamegraph.pl",
					"folded stacks, for other programs",
					"profile -K -I -C 1 5",
					"CPU 1's kernel stacks, idle ones too",
					NULL };

static const struct tool tool = {
	.name = "profile",
	.summary = "where CPU time goes, by stacks sampled at regular times",
	.options = options,
	.positional = positional,
	.examples = examples,
	.image = TOOL_IMAGE(profile),
	.probes = probes,
	.setup = setup,
	.configure = configure,
	.attach = attach,
	.try_attach = try_attach,
	.detach = detach,
	.started = started,
	.event_size = sizeof(struct stack_event),
	.event = add_sample,
	.report = report,
	.tick = tick,
	.finish = finish,
	.summary_json = summary_json,
	.summary_keys = SUMMARY_KEYS " " STACK_SAMPLES_SUMMARY_KEYS " " STACK_SAMPLES_UNWIND_KEYS,
	.views = views,
};

int main(int argc, char **argv)
{
	int status = tool_main(&tool, argc, argv);

	perf_sampling_free(sampling);
	return status;
}
