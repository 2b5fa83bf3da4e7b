/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/signals.h"
#include "base/util.h"
#include "run/tool.h"
#include "tasks/killer.h"
#include "exitsnoop.shared.h"
#include "exitsnoop.skel.h"

#define CORE_DUMPED 0x80 /* in what wait(2) gives */

static bool show_time, utc, print_uid, failed, killed, per_thread, usage, labelled;
static const char *label;

/* BCC's --label takes an empty one for the default. */
static const char *parse_label(const char *arg, void *value)
{
	labelled = true;
	label = *arg ? arg : "exit";
	return NULL;
}

static const struct opt options[] = {
	OPT('t', "timestamp", .flag = &show_time, .help = "a column TIME: the time of day"),
	OPT(0, "utc", .flag = &utc, .help = "a column TIME-UTC: the time of day in UTC"),
	OPT('x', "failed", .flag = &failed, .help = "only ends other than exit(0)"),
	OPT(0, "killed", .flag = &killed, .help = "only ends by a signal"),
	OPT('U', "print-uid", .flag = &print_uid, .help = "a column UID"),
	OPT_LETTER('u', "uid"),
	OPT(0, "resources", .flag = &usage, .help = "columns CPU(ms) and PEAK(KB): what was used"),
	OPT(0, "label", .arg = "LABEL", .parse = parse_label,
	    .help = "a column LABEL with this text (\"\": exit)"),
	OPT(0, "per-thread", .flag = &per_thread, .help = "a row for each thread that ends"),
	{ 0 },
};

/* --- how it ended ------------------------------------------------------------------------- */

/* As BCC does, and then who sent the signal. */
static void print_end(struct out *o, const void *event)
{
	const struct exit_event *e = event;
	int signal = e->code & 0x7f;

	if (!signal) {
		out_printf(o, e->code >> 8 ? "code %u" : "%u", e->code >> 8 & 0xff);
		return;
	}
	out_printf(o, "signal %d (%s)", signal, signal_name(signal) ? signal_name(signal) : "?");
	if (e->code & CORE_DUMPED)
		out_str(o, ", core dumped");
	if (e->head.flags & EXIT_OOM) {
		out_str(o, ", ");
		killer_oom_text(o, &e->oom, e->cgroup, e->cgroup_len);
	} else {
		out_char(o, ' ');
		killer_text(o, &e->killer, e->head.pid);
	}
}

static void json_end(struct json *j, const void *event)
{
	const struct exit_event *e = event;
	int signal = e->code & 0x7f;
	bool oom = e->head.flags & EXIT_OOM;

	if (labelled)
		json_str(j, "label", label);
	json_strn(j, "parent_comm", e->parent_comm, sizeof(e->parent_comm));
	json_u64_known(j, "exit_status", !signal, e->code >> 8 & 0xff);
	json_u64_known(j, "signal", signal, signal);
	json_str(j, "signal_name", signal_name(signal));
	json_bool(j, "core_dumped", e->code & CORE_DUMPED);
	killer_json(j, &e->killer);
	json_bool(j, "oom", oom);
	if (oom)
		killer_oom_json(j, &e->oom, e->cgroup, e->cgroup_len);
}

/* --- columns ------------------------------------------------------------------------------ */

static void print_label(struct out *o, const void *event)
{
	out_escaped(o, label, strlen(label));
}

static void print_age(struct out *o, const void *age)
{
	uint64_t ns = *(const uint64_t *)age;

	out_fixed(o, (ns + 5 * NSEC_PER_MSEC) / (10 * NSEC_PER_MSEC), 2);
}

static const struct column columns[] = {
	COL_CLOCK,
	COL_HEAD(ts, "TIME", .width = 12, .fmt = FMT_TIME, .show = &show_time),
	COL_HEAD(ts, "TIME-UTC", .width = 12, .fmt = FMT_TIME, .show = &utc),
	COL_CUSTOM("LABEL", .width = 5, .text = print_label, .show = &labelled),
	COL_HEAD(uid, "UID", .width = 6, .show = &print_uid),
	COL_HEAD(comm, "PCOMM", .width = 16, .fmt = FMT_STR),
	COL_HEAD(pid, "PID", .width = 7),
	COL(exit_event, ppid, "PPID", .width = 7, .key = "ppid"),
	COL_HEAD(tid, "TID", .width = 7),
	COL(exit_event, age_ns, "AGE(s)", .width = 7, .text = print_age, .key = "age_ns"),
	COL(exit_event, cpu_ns, "CPU(ms)", .width = -9, .fmt = FMT_KNOWN, .text = table_ms_us,
	    .show = &usage, .key = "cpu_ns"),
	COL(exit_event, peak_bytes, "PEAK(KB)", .width = -8, .fmt = FMT_KNOWN, .text = table_kb,
	    .show = &usage, .key = "peak_bytes"),
	COL_CUSTOM(
		"EXIT_CODE", .text = print_end, .json = json_end,
		.keys = "label parent_comm exit_status signal signal_name core_dumped " KILLER_KEYS
			" oom " KILLER_OOM_KEYS),
	COL_END,
};

/* --- probes ------------------------------------------------------------------------------- */

static int64_t exit_args;
static const struct kernel_fact facts[] = {
	{ "btf_trace_sched_process_exit", BTF_TYPEDEF, &exit_args },
	{ 0 },
};

/* They are attached in this order: so who has sent what ends a process in between is known. */
static const struct probe probes[] = {
	PROBE_LADDER("signals", "signal_sent", "raw_signal_sent"),
	PROBE_LADDER("ends", "exited", "raw_exited"),
	{ 0 },
};

static void configure(struct run *r)
{
	struct exitsnoop_bpf__rodata *ro = TOOL_RODATA(exitsnoop, r);

	ro->only_failed = failed;
	ro->only_killed = killed;
	ro->per_thread = per_thread;
	ro->page_size = sysconf(_SC_PAGESIZE);
	/* void *, the task; and from 6.16 on whether it is the last thread */
	ro->has_group_dead = exit_args > 2;
}

/* --utc is about the clock of text: JSON's is always UTC. */
static int setup(struct run *r)
{
	if (utc) {
		show_time = false;
		setenv("TZ", "UTC0", 1);
	}
	return GO_ON;
}

static void finish(struct run *r)
{
	killer_free();
}

static const char *const examples[] = { "exitsnoop",
					"every process that ends, and how",
					"exitsnoop --killed",
					"what is killed, and by whom",
					"exitsnoop -xt --cgroup /system.slice",
					"what fails in services, with the time",
					"exitsnoop --resources --comm cc1plus",
					"how long each took, CPU time and memory",
					NULL };

static const struct tool tool = {
	.name = "exitsnoop",
	.summary = "shows processes ending: how, by whose signal, and what they used",
	.options = options,
	.columns = columns,
	.event_size = offsetof(struct exit_event, oom),
	.probes = probes,
	.facts = facts,
	.image = TOOL_IMAGE(exitsnoop),
	.examples = examples,
	.setup = setup,
	.configure = configure,
	.finish = finish,
};

int main(int argc, char **argv)
{
	return tool_main(&tool, argc, argv);
}
