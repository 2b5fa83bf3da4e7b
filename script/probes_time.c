/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include <linux/perf_event.h>

#include "base/util.h"
#include "script/probes_internal.h"

#define RATE_MAX   1000000 /* hz */
#define PERIOD_MIN 100 /* ns: the kernel's clocks go no faster than some us, whatever is asked */

/* --- begin, end, self --- */

static int add_simple(struct expansion *e)
{
	struct target *t;

	if (e->point->nr_parts)
		return probes_error(e, "begin/end probes should not have a target");
	t = probes_add(e);
	t->attach = ATTACH_RUN;
	t->name = ast_provider_name(e->point->provider);
	return 0;
}

static int add_signal(struct expansion *e)
{
	const struct point *point = e->point;
	struct target *t;

	if (point->nr_parts != 2 || strcmp(point->parts[0], "signal"))
		return probes_error(e, "%s is not a supported trigger (it is self:signal:SIGUSR1)",
				    point->nr_parts ? point->parts[0] : "nothing");
	if (strcmp(point->parts[1], "SIGUSR1"))
		return probes_error(e, "%s is not a supported signal (it is SIGUSR1)",
				    point->parts[1]);
	t = probes_add(e);
	t->attach = ATTACH_RUN;
	t->name = "self:signal:SIGUSR1";
	t->signal = SIGUSR1;
	return 0;
}

/* --- interval, profile --- */

static const struct {
	const char *name;
	uint64_t ns;
} units[] = {
	{ "s", NSEC_PER_SEC },
	{ "ms", NSEC_PER_MSEC },
	{ "us", NSEC_PER_USEC },
	{ "hz", 0 },
};

/* "interval:1s" and "interval:1000000000" are what the script calls interval:s:1. */
static const char *time_name(struct expansion *e, const char *unit, uint64_t number)
{
	const char *provider = ast_provider_name(e->point->provider);

	for (size_t i = 0; !unit && i < ARRAY_SIZE(units); i++) {
		if (!units[i].ns || number % units[i].ns)
			continue;
		unit = units[i].name;
		number /= units[i].ns;
	}
	return arena_printf(e->p->arena, unit ? "%s:%s:%llu" : "%s:%s%llu", provider,
			    unit ? unit : "", (unsigned long long)number);
}

/* How long it is from one to the next; of hz, *@rate says. */
static int read_time(struct expansion *e, uint64_t *ns, uint64_t *rate)
{
	const char *provider = ast_provider_name(e->point->provider);
	uint64_t number = e->point->number, scale = 1;
	size_t i;

	if (e->point->nr_parts > 1 || !e->point->has_number)
		return probes_error(e, "%s takes a unit of time and a number: %s:hz:99, %s:s:1",
				    provider, provider, provider);
	*rate = 0;
	if (e->point->nr_parts) {
		for (i = 0; i < ARRAY_SIZE(units); i++)
			if (!strcmp(units[i].name, e->point->parts[0]))
				break;
		if (i == ARRAY_SIZE(units))
			return probes_error(e, "%s is not an accepted unit of time (hz, s, ms, us)",
					    e->point->parts[0]);
		scale = units[i].ns;
	}
	if (!number)
		return probes_error(e, "%s frequency should be a positive integer", provider);
	if (!scale) {
		if (number > RATE_MAX)
			return probes_error(e, "%llu times a second are too many (at most %d)",
					    (unsigned long long)number, RATE_MAX);
		*rate = number;
		*ns = NSEC_PER_SEC / number;
		return 0;
	}
	if (number > INT64_MAX / scale)
		return probes_error(e, "%s: so long a time is not understood", provider);
	*ns = number * scale;
	return 0;
}

static int add_timed(struct expansion *e)
{
	uint64_t ns = 0, rate = 0;
	struct target *t;
	int err = read_time(e, &ns, &rate);

	if (err)
		return err;
	if (ns < PERIOD_MIN)
		return probes_error(e, "%s: %llu ns are too short a time (at least %d)",
				    ast_provider_name(e->point->provider), (unsigned long long)ns,
				    PERIOD_MIN);
	t = probes_add(e);
	t->name = time_name(e, e->point->nr_parts ? e->point->parts[0] : NULL, e->point->number);
	if (e->point->provider == PROVIDER_INTERVAL) {
		t->attach = ATTACH_RUN;
		t->interval_ns = ns;
		return 0;
	}
	t->attach = ATTACH_PERF;
	t->pid = e->p->options.pid;
	t->perf_type = PERF_TYPE_SOFTWARE;
	t->perf_config = PERF_COUNT_SW_CPU_CLOCK;
	if (rate)
		t->perf_frequency = rate;
	else
		t->perf_period = ns;
	return 0;
}

int probes_time(struct expansion *e)
{
	switch (e->point->provider) {
	case PROVIDER_BEGIN:
	case PROVIDER_END:
		return add_simple(e);
	case PROVIDER_SELF:
		return add_signal(e);
	default:
		return add_timed(e);
	}
}

/* --- events that the kernel or the processor counts --- */

static const struct perf_event_name software[] = {
	{ "alignment-faults", NULL, PERF_COUNT_SW_ALIGNMENT_FAULTS, 1 },
	{ "bpf-output", NULL, PERF_COUNT_SW_BPF_OUTPUT, 1 },
	{ "context-switches", "cs", PERF_COUNT_SW_CONTEXT_SWITCHES, 1000 },
	{ "cpu-clock", "cpu", PERF_COUNT_SW_CPU_CLOCK, 1000000 },
	{ "cpu-migrations", NULL, PERF_COUNT_SW_CPU_MIGRATIONS, 1 },
	{ "dummy", NULL, PERF_COUNT_SW_DUMMY, 1 },
	{ "emulation-faults", NULL, PERF_COUNT_SW_EMULATION_FAULTS, 1 },
	{ "major-faults", NULL, PERF_COUNT_SW_PAGE_FAULTS_MAJ, 1 },
	{ "minor-faults", NULL, PERF_COUNT_SW_PAGE_FAULTS_MIN, 100 },
	{ "page-faults", "faults", PERF_COUNT_SW_PAGE_FAULTS, 100 },
	{ "task-clock", NULL, PERF_COUNT_SW_TASK_CLOCK, 1 },
};

static const struct perf_event_name hardware[] = {
	{ "backend-stalls", NULL, PERF_COUNT_HW_STALLED_CYCLES_BACKEND, 1000000 },
	{ "branch-instructions", "branches", PERF_COUNT_HW_BRANCH_INSTRUCTIONS, 100000 },
	{ "branch-misses", NULL, PERF_COUNT_HW_BRANCH_MISSES, 100000 },
	{ "bus-cycles", NULL, PERF_COUNT_HW_BUS_CYCLES, 100000 },
	{ "cache-misses", NULL, PERF_COUNT_HW_CACHE_MISSES, 1000000 },
	{ "cache-references", NULL, PERF_COUNT_HW_CACHE_REFERENCES, 1000000 },
	{ "cpu-cycles", "cycles", PERF_COUNT_HW_CPU_CYCLES, 1000000 },
	{ "frontend-stalls", NULL, PERF_COUNT_HW_STALLED_CYCLES_FRONTEND, 1000000 },
	{ "instructions", NULL, PERF_COUNT_HW_INSTRUCTIONS, 1000000 },
	{ "ref-cycles", NULL, PERF_COUNT_HW_REF_CPU_CYCLES, 1000000 },
};

const struct perf_event_name *probes_event_names(enum provider provider, size_t *nr)
{
	if (provider == PROVIDER_SOFTWARE) {
		*nr = ARRAY_SIZE(software);
		return software;
	}
	*nr = ARRAY_SIZE(hardware);
	return hardware;
}

static const struct perf_event_name *find_event(enum provider provider, const char *name,
						struct nearest *near)
{
	size_t nr;
	const struct perf_event_name *list = probes_event_names(provider, &nr);

	for (size_t i = 0; i < nr; i++) {
		if (!strcmp(list[i].name, name) || (list[i].alias && !strcmp(list[i].alias, name)))
			return &list[i];
		nearest_try(near, list[i].name);
		if (list[i].alias)
			nearest_try(near, list[i].alias);
	}
	return NULL;
}

static int no_event(struct expansion *e, const char *name, const char *best)
{
	const char *provider = ast_provider_name(e->point->provider);

	if (probes_is_pattern(name))
		return probes_error(e, "wildcards are not allowed for %s probe type", provider);
	probes_error(e, "%s is not a %s probe", name, provider);
	if (best)
		source_hint(e->src, "did you mean %s?", best);
	return -EINVAL;
}

/* A task clock counts in nanoseconds: a period of one would be a storm. */
int probes_event(struct expansion *e)
{
	const struct point *point = e->point;
	const char *provider = ast_provider_name(point->provider);
	const struct perf_event_name *event;
	struct nearest near = { 0 };
	struct target *t;

	if (point->nr_parts != 1 || !point->parts[0][0])
		return probes_error(e, "%s probe must have a %s event name", provider, provider);
	near.name = point->parts[0];
	event = find_event(point->provider, point->parts[0], &near);
	if (!event)
		return no_event(e, point->parts[0], near.best);
	t = probes_add(e);
	t->attach = ATTACH_PERF;
	t->pid = e->p->options.pid;
	t->perf_type =
		point->provider == PROVIDER_SOFTWARE ? PERF_TYPE_SOFTWARE : PERF_TYPE_HARDWARE;
	t->perf_config = event->config;
	t->perf_period = point->number ? point->number : event->period;
	t->name = arena_printf(e->p->arena, "%s:%s:%llu", provider, point->parts[0],
			       (unsigned long long)t->perf_period);
	if (event->config == PERF_COUNT_SW_TASK_CLOCK && t->perf_type == PERF_TYPE_SOFTWARE &&
	    !point->number)
		t->perf_period = NSEC_PER_MSEC;
	return 0;
}
