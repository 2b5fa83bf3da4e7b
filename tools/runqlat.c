/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "hist/hist_maps.h"
#include "base/limits.h"
#include "base/number.h"
#include "base/util.h"
#include "run/tool.h"
#include "runqlat.shared.h"
#include "runqlat.skel.h"

static bool milliseconds, show_time, by_pid, by_tid, by_pidns;
static bool kept, not_kept;
static enum runqlat_split split;
static struct hist_maps hists;

#define MAX_KEYS 8192 /* 88 MB of kernel memory */

static const struct opt options[] = {
	OPT('T', "timestamp", .flag = &show_time, .help = "the time of day above each report"),
	OPT('m', "milliseconds", .flag = &milliseconds, .help = "in milliseconds"),
	OPT('P', "pids", .flag = &by_pid, .help = "a histogram for each process"),
	OPT('L', "tids", .flag = &by_tid, .help = "a histogram for each thread"),
	OPT(0, "pidnss", .flag = &by_pidns, .help = "a histogram for each PID namespace"),
	{ 0 },
};

#define BY_ACCOUNT "sched_info clock_stops clock_may_stop"
#define BY_PROBES  "switched wakeup wakeup_new"

static const struct probe probes[] = {
	{ .name = "waits", .rungs = { BY_ACCOUNT, BY_PROBES }, .when = &kept },
	{ .name = "waits", .rungs = { BY_PROBES }, .when = &not_kept },
	{ 0 },
};

static void title(struct out *o, const struct hist_key *key, const char *name)
{
	if (split == BY_PID_NAMESPACE && !key->k32) {
		out_str(o, "pidns = ?");
		return;
	}
	out_str(o, by_pid ? "pid = " : by_tid ? "tid = " : "pidns = ");
	out_u64(o, key->k32);
	if (split != BY_PID_NAMESPACE) {
		out_char(o, ' ');
		out_escaped(o, name, sizeof(((struct hist *)0)->name));
	}
}

static void members(struct json *j, const struct hist_key *key, const char *name)
{
	if (split == BY_PID_NAMESPACE) {
		json_u64_known(j, "pidns", key->k32, key->k32);
		return;
	}
	json_u64(j, "pid", split == BY_THREAD ? key->k64 : key->k32);
	if (split == BY_THREAD)
		json_u64(j, "tid", key->k32);
	json_strn(j, "comm", name, strnlen(name, sizeof(((struct hist *)0)->name)));
}

static const struct view views[] = { HIST_VIEWS("pid tid comm pidns", "pid tid pidns comm"),
				     VIEW_END };

/* How many histograms there may be: one for each thread; less if a filter says so. */
static uint32_t max_keys(const struct filter *f)
{
	uint64_t most = limits_threads(MAX_KEYS);

	if (by_pid && f->nr_pids)
		most = f->nr_pids;
	if (by_tid && f->nr_tids)
		most = f->nr_tids;
	return most;
}

static int setup(struct run *r)
{
	uint64_t switches = 0;

	if (by_pid + by_tid + by_pidns > 1) {
		error("-P, -L and --pidnss: a wait is in one histogram; give only one of them");
		return STATUS_USAGE;
	}
	split = by_pid ? BY_PROCESS : by_tid ? BY_THREAD : by_pidns ? BY_PID_NAMESPACE : BY_NOTHING;
	/* how often we came to a CPU: 0 where that is not counted (before 5.13 it can be off) */
	number_read("/proc/self/schedstat", 3, &switches);
	kept = switches && !probe_avoids("sched_info");
	not_kept = !kept;
	hist_maps_setup(r);
	hists = (struct hist_maps){
		.keyed = split != BY_NOTHING,
		.max_keys = max_keys(&r->opt.filter),
		.unit_ns = milliseconds ? NSEC_PER_MSEC : NSEC_PER_USEC,
		.clock = show_time,
		.title = title,
		.members = members,
	};
	return GO_ON;
}

static void configure(struct run *r)
{
	struct runqlat_bpf__rodata *ro = TOOL_RODATA(runqlat, r);

	ro->split = split;
	object_resize_map(&r->object, "waiting", limits_threads(WAITING_MAX));
	object_resize_map(&r->object, "stopped", libbpf_num_possible_cpus());
	hist_maps_configure(&hists, r);
}

/* The megabyte of zeros that the bases began with: libbpf keeps it in our memory. */
static void drop_zeros(const struct object *o)
{
	size_t size;
	void *zeros = object_find_section(o, ".bss", &size);

	if (zeros)
		madvise(zeros, size, MADV_REMOVE);
}

static void started(struct run *r)
{
	drop_zeros(&r->object);
	if (not_kept)
		note("the kernel does not keep how long tasks wait: timing them by probes on "
		     "wake-ups and switches");
	hist_maps_started(r, "the wait for a CPU");
}

static void report(struct run *r)
{
	hist_maps_report(&hists, r);
}

static void finish(struct run *r)
{
	hist_maps_finish(r, "waits");
}

static const char *const examples[] = { "runqlat",
					"the wait for a CPU, until Ctrl-C",
					"runqlat -m 5 3",
					"in ms: three reports, one every 5 s",
					"runqlat -P --cgroup system.slice",
					"one for each process of these services",
					"runqlat -Lj -p 1234 1",
					"one process by threads, as JSON",
					NULL };

static const struct tool tool = {
	.name = "runqlat",
	.summary = "the wait for a CPU as histograms",
	.options = options,
	.positional = hist_maps_positional,
	.examples = examples,
	.image = TOOL_IMAGE(runqlat),
	.probes = probes,
	.setup = setup,
	.configure = configure,
	.started = started,
	.report = report,
	.finish = finish,
	.views = views,
};

int main(int argc, char **argv)
{
	return tool_main(&tool, argc, argv);
}
