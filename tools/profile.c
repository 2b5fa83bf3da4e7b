/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "perf.h"
#include "stacks.h"
#include "symbols.h"
#include "tool.h"
#include "profile.h"
#include "profile.skel.h"

#define FREQUENCY   49 /* Hz; not 50: not in step with what happens 100 times a second */
#define REMEMBER_NS 1000000000ULL
/* Of hardware cycles: a period shorter than this, at 1 Hz, is one that is still being found. */
#define MIN_PERIOD 1000000

static struct perf_sampling_config sampled = { .only_cpu = -1 };
static uint64_t only_cpu = UINT64_MAX, duration_ns;
static bool with_idle, no_cycles;

static struct perf_sampling *sampling;
static struct symbols *symbols;
static struct stacks *stacks;
static char title[100]; /* of the flame graph */
static uint64_t truncated, unread, cut_frame, unread_frame, told_at, stopped_ns;

static const char *parse_source(const char *arg, void *value)
{
	enum perf_source *s = value;

	*s = !strcmp(arg, "cycles")	 ? PERF_CYCLES
	     : !strcmp(arg, "cpu-clock") ? PERF_CLOCK
					 : PERF_BEST;
	return *s == PERF_BEST ? "cycles or cpu-clock" : NULL;
}

static const struct opt options[] = {
	{ 'F', "frequency", "HZ", OPT_UINT, &sampled.frequency,
	  "samples a second on each CPU (default 49)", .min = 1, .max = PERF_RATE_MAX },
	{ 'c', "count", "N", OPT_UINT, &sampled.period,
	  "a sample every N cycles (ns, by the CPU clock)", .min = PERF_PERIOD_MIN_CLOCK,
	  .max = 1000000000000 },
	{ 0, "source", "NAME", OPT_PARSE, &sampled.source,
	  "cycles (default, if there are any) or cpu-clock", .parse = parse_source },
	{ 'L', "tid", .type = OPT_COMMON },
	{ 'C', "cpu", "CPU", OPT_UINT, &only_cpu, "this CPU only", .max = 1000000 },
	{ 'I', "include-idle", NULL, OPT_FLAG, &with_idle, "CPUs that have nothing to do, too" },
	STACKS_OPTIONS('a'),
	{ 0 },
};
static const struct opt positional[] = {
	{ 0, "duration", "SEC", OPT_SEC, &duration_ns, "seconds (default: until Ctrl-C)" },
	{ 0 },
};

static const struct probe probes[] = {
	{ .name = "samples", .rungs = { "sample" }, .later = true },
	{ 0 },
};

static int setup(struct run *r)
{
	struct stacks_config config = { .unit = "samples", .title = title };
	const char *problem;
	int status = stacks_setup(&r->opt);

	if (status >= 0)
		return status;
	if (sampled.frequency && sampled.period) {
		error("-F and -c: it is one or the other");
		return 2;
	}
	if (!sampled.frequency && !sampled.period)
		sampled.frequency = FREQUENCY;
	if (only_cpu != UINT64_MAX)
		sampled.only_cpu = (int)only_cpu;
	no_cycles = sampled.source == PERF_BEST;
	sampled.source = perf_source_of(sampled.source);
	no_cycles = no_cycles && sampled.source == PERF_CLOCK;
	problem = perf_rate_problem(&sampled);
	if (problem) {
		error("-c %llu: it takes %s", (unsigned long long)sampled.period, problem);
		return 2;
	}
	if (duration_ns)
		r->opt.duration_ns = duration_ns;
	config.symbols = symbols = symbols_new();
	stacks = symbols ? stacks_new(&config) : NULL;
	if (!stacks)
		return 1;
	cut_frame = stacks_named_frame(stacks, "[truncated]");
	unread_frame = stacks_named_frame(stacks, "[unreadable user stack]");
	return -1;
}

static void configure(struct run *r, struct bpf_object *obj)
{
	struct profile_bpf__rodata *ro = TOOL_RODATA(profile, obj);
	ro->with_idle = with_idle;
	ro->min_period = sampled.source == PERF_CYCLES && sampled.frequency
				 ? MIN_PERIOD / sampled.frequency
				 : 0;
	stacks_configure(obj);
}

static int attach(struct run *r)
{
	struct bpf_program *sample = bpf_object__find_program_by_name(r->object.bpf, "sample");

	return perf_sampling_start(&sampling, &sampled, bpf_program__fd(sample));
}

static void detach(struct run *r)
{
	perf_sampling_stop(sampling);
	stopped_ns = clock_mono_ns();
}

/* "at 49 Hz by cycles", in static memory. */
static const char *rate(void)
{
	static char text[60];
	const char *by = sampled.source == PERF_CYCLES ? "cycles" : "the CPU clock";

	if (sampled.frequency)
		snprintf(text, sizeof(text), "at %llu Hz by %s",
			 (unsigned long long)sampled.frequency, by);
	else
		snprintf(text, sizeof(text), "every %llu %s", (unsigned long long)sampled.period,
			 sampled.source == PERF_CYCLES ? "cycles" : "ns");
	return text;
}

static void started(struct run *r)
{
	if (no_cycles)
		note("a counter of cycles is not available here: using the CPU clock");
	note("sampling %s%s", rate(),
	     r->opt.duration_ns ? "" : ": Ctrl-C ends it and shows the stacks");
}

/* While it lives, and again now and then for what it has mapped since. */
static void remember(const struct event_head *head)
{
	static struct {
		__u32 pid;
		__u64 ts;
	} last[1024];
	size_t i = head->pid % 1024;

	if (!(head->flags & STACK_NEW_PROCESS) && last[i].pid == head->pid &&
	    head->ts - last[i].ts < REMEMBER_NS)
		return;
	last[i].pid = head->pid;
	last[i].ts = head->ts;
	symbols_remember(symbols, head->pid);
}

static bool add_sample(struct run *r, const void *event, size_t size)
{
	static uint64_t frames[2 * STACK_FRAMES_MAX + 2];
	const struct stack_event *e = event;
	uint32_t nr_kernel = e->nr_kernel, nr_user = e->nr_user;
	struct stack_key key = { .pid = e->head.pid };

	if (nr_kernel > STACK_FRAMES_MAX || nr_user > STACK_FRAMES_MAX ||
	    sizeof(*e) + (nr_kernel + nr_user) * sizeof(__u64) > size)
		return false;
	if (nr_user)
		remember(&e->head);
	memcpy(key.comm, e->head.comm, sizeof(key.comm));
	memcpy(frames, e->frames, nr_kernel * sizeof(__u64));
	if (e->head.flags & STACK_KERNEL_CUT)
		frames[nr_kernel++] = cut_frame;
	memcpy(frames + nr_kernel, e->frames + e->nr_kernel, nr_user * sizeof(__u64));
	if (e->head.flags & STACK_USER_CUT)
		frames[nr_kernel + nr_user++] = cut_frame;
	if (e->head.flags & STACK_NO_USER)
		frames[nr_kernel + nr_user++] = unread_frame;
	truncated += !!(e->head.flags & (STACK_KERNEL_CUT | STACK_USER_CUT));
	unread += !!(e->head.flags & STACK_NO_USER);
	r->nr_events += stacks_add(stacks, &key, frames, nr_kernel, frames + nr_kernel, nr_user, 1);
	return false;
}

static void tick(struct run *r)
{
	uint64_t now = clock_mono_ns();
	struct stacks_stats st;

	perf_sampling_follow(sampling);
	if (now - told_at < 1000000000ULL)
		return;
	told_at = now;
	stacks_stats(stacks, &st);
	progress("%llu s, %llu samples, %llu different stacks",
		 (unsigned long long)((now - r->started_ns) / 1000000000),
		 (unsigned long long)st.added, (unsigned long long)st.different);
}

static void report(struct run *r)
{
	struct stacks_stats st;

	stacks_stats(stacks, &st);
	snprintf(title, sizeof(title), "CPU time: %llu samples %s", (unsigned long long)st.added,
		 rate());
	progress("looking for the names of functions");
	stacks_report(stacks, r);
	progress_end();
}

static uint64_t counted(struct run *r, enum sample_count what)
{
	return object_percpu_sum(r->object.bpf, "sample_counts", what);
}

/* The clock ticks on idle CPUs too, so that it is known how often it should have. */
static void check_ticks(struct run *r, const struct perf_sampling_stats *st)
{
	double due = sampled.frequency ? (double)st->cpu_ns / 1e9 * (double)sampled.frequency
				       : (double)st->cpu_ns / (double)sampled.period;
	double ticks = (double)counted(r, SAMPLE_TICKS);

	if (sampled.source == PERF_CLOCK && due >= 100 && ticks < due * 0.9)
		warn("only %.0f %% of the samples that were due came: the kernel throttles them "
		     "(sysctl kernel.perf_cpu_time_max_percent), or the host has this machine wait",
		     100 * ticks / due);
}

static void finish(struct run *r)
{
	struct perf_sampling_stats st;
	struct stacks_stats sst;

	perf_sampling_stats(sampling, &st);
	stacks_stats(stacks, &sst);
	r->lost += sst.left_out;
	note("%llu samples, %llu lost, of %u CPUs in %.1f s", (unsigned long long)sst.added,
	     (unsigned long long)(r->lost + events_lost(r->events)), st.cpus,
	     (double)(stopped_ns - r->started_ns) / 1e9);
	check_ticks(r, &st);
	if (truncated)
		note("%llu samples have a stack that is deeper than the kernel walks (sysctl "
		     "kernel.perf_event_max_stack): [truncated] stands at its root",
		     (unsigned long long)truncated);
	stacks_remarks(stacks);
}

static void summary_json(struct run *r, struct json *j)
{
	struct perf_sampling_stats st;

	perf_sampling_stats(sampling, &st);
	json_str(j, "sampled_by", sampled.source == PERF_CYCLES ? "cycles" : "cpu-clock");
	json_u64(j, "ticks", counted(r, SAMPLE_TICKS));
	json_u64(j, "idle", counted(r, SAMPLE_IDLE));
	json_u64(j, "cpus", st.cpus);
	json_u64(j, "cpu_time_ns", st.cpu_ns);
	json_u64(j, "truncated", truncated);
	json_u64(j, "user_stacks_unreadable", unread);
	stacks_summary_json(stacks, j);
}

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
	.detach = detach,
	.started = started,
	.event_size = sizeof(struct stack_event),
	.event = add_sample,
	.report = report,
	.tick = tick,
	.finish = finish,
	.summary_json = summary_json,
};

int main(int argc, char **argv)
{
	return tool_main(&tool, argc, argv);
}
