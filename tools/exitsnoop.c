/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/signals.h"
#include "base/util.h"
#include "run/tool.h"
#include "symbols/symbols.h"
#include "exitsnoop.shared.h"
#include "exitsnoop.skel.h"

#define CORE_DUMPED 0x80 /* in what wait(2) gives */

static bool show_time, utc, print_uid, failed, killed, per_thread, usage, labelled;
static const char *label;
static struct symbols *symbols; /* read with the first victim of the out-of-memory killer */

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

/* --- the out-of-memory killer ------------------------------------------------------------- */

static const char *cgroup_of(const struct exit_event *e)
{
	static char path[CGROUP_PATH_MAX + CGROUP_NAME_MAX + CGROUP_NAMES_MAX];

	cgroup_path_join(path, sizeof(path), e->cgroup, e->cgroup_len);
	return path;
}

/* Was it for want of memory in a cgroup or in the whole system? That is told by who has called the
 * killer; NULL: it is not known. */
static const char *oom_scope(const struct exit_event *e)
{
	bool inside = false; /* of the killer: the next frame has called it */

	if (!symbols)
		symbols = symbols_new();
	for (__u32 i = 0; symbols && i < e->oom.nr_frames && i < KILLER_FRAMES; i++) {
		struct frame_name name = {};

		symbols_kernel(symbols, e->oom.frames[i], &name);
		if (!name.function)
			return NULL;
		if (!strcmp(name.function, "mem_cgroup_out_of_memory"))
			return "cgroup";
		if (inside)
			return "system";
		inside = !strcmp(name.function, "out_of_memory");
	}
	return NULL;
}

static uint64_t bytes_of(uint64_t pages)
{
	return pages * sysconf(_SC_PAGESIZE);
}

static uint64_t victim_bytes(const struct exit_event *e)
{
	return bytes_of(e->oom.anon + e->oom.file + e->oom.shmem);
}

static void print_oom(struct out *o, const struct exit_event *e)
{
	const char *scope = oom_scope(e), *path = cgroup_of(e);

	out_printf(o, ", OOM in %s, ", scope ? scope : "?");
	if (e->head.flags & EXIT_OOM_SIZE)
		out_printf(o, "%llu KB, ", (unsigned long long)victim_bytes(e) / 1024);
	else
		out_str(o, "? KB, ");
	out_escaped(o, path, strlen(path));
}

static void json_oom(struct json *j, const struct exit_event *e)
{
	bool known = e->head.flags & EXIT_OOM_SIZE;

	json_str(j, "oom_scope", oom_scope(e));
	json_str(j, "oom_cgroup", cgroup_of(e));
	if (!known)
		return;
	json_u64(j, "oom_bytes", victim_bytes(e));
	json_u64(j, "oom_anon_bytes", bytes_of(e->oom.anon));
	json_u64(j, "oom_file_bytes", bytes_of(e->oom.file));
	json_u64(j, "oom_shmem_bytes", bytes_of(e->oom.shmem));
}

/* --- how it ended ------------------------------------------------------------------------- */

static void print_killer(struct out *o, const struct exit_event *e)
{
	const struct killer *k = &e->killer;

	if (k->kind == KILLER_UNKNOWN) {
		out_str(o, " from ?");
	} else if (k->kind == KILLER_KERNEL) {
		out_str(o, " from kernel");
	} else if (k->pid == e->head.pid) {
		out_str(o, " from itself");
	} else {
		out_printf(o, " from %u ", k->pid);
		out_escaped(o, k->comm, sizeof(k->comm));
	}
}

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
	if (e->head.flags & EXIT_OOM)
		print_oom(o, e);
	else
		print_killer(o, e);
}

static void json_known(struct json *j, const char *key, bool known, int64_t v)
{
	if (known)
		json_s64(j, key, v);
	else
		json_null(j, key);
}

static void json_end(struct json *j, const void *event)
{
	static const char *const kinds[] = { NULL, "process", "kernel" }; /* by KILLER_* */
	const struct exit_event *e = event;
	const struct killer *k = &e->killer;
	int signal = e->code & 0x7f;
	bool oom = e->head.flags & EXIT_OOM;

	if (labelled)
		json_str(j, "label", label);
	json_strn(j, "parent_comm", e->parent_comm, sizeof(e->parent_comm));
	json_known(j, "exit_status", !signal, e->code >> 8 & 0xff);
	json_known(j, "signal", signal, signal);
	json_str(j, "signal_name", signal_name(signal));
	json_bool(j, "core_dumped", e->code & CORE_DUMPED);
	json_str(j, "sender", kinds[k->kind]);
	json_known(j, "killer_pid", k->kind == KILLER_TASK, k->pid);
	json_known(j, "killer_uid", k->kind == KILLER_TASK, k->uid);
	if (k->kind == KILLER_TASK)
		json_strn(j, "killer_comm", k->comm, sizeof(k->comm));
	else
		json_null(j, "killer_comm");
	json_known(j, "signal_code", k->kind != KILLER_UNKNOWN, k->code);
	json_bool(j, "oom", oom);
	if (oom)
		json_oom(j, e);
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

/* @unit of those that are shown have three decimals. */
static void print_amount(struct out *o, uint64_t v, uint64_t unit, int decimals)
{
	if (v == UINT64_MAX)
		out_char(o, '?');
	else
		out_fixed(o, v / unit, decimals);
}

static void print_cpu(struct out *o, const void *cpu_ns)
{
	print_amount(o, *(const uint64_t *)cpu_ns, NSEC_PER_USEC, 3);
}

static void print_peak(struct out *o, const void *bytes)
{
	print_amount(o, *(const uint64_t *)bytes, 1024, 0);
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
	COL(exit_event, cpu_ns, "CPU(ms)", .width = -9, .fmt = FMT_KNOWN, .text = print_cpu,
	    .show = &usage, .key = "cpu_ns"),
	COL(exit_event, peak_bytes, "PEAK(KB)", .width = -8, .fmt = FMT_KNOWN, .text = print_peak,
	    .show = &usage, .key = "peak_bytes"),
	COL_CUSTOM("EXIT_CODE", .text = print_end, .json = json_end,
		   .keys = "label parent_comm exit_status signal signal_name core_dumped sender "
			   "killer_pid killer_uid killer_comm signal_code oom oom_scope oom_cgroup "
			   "oom_bytes oom_anon_bytes oom_file_bytes oom_shmem_bytes"),
	COL_END,
};

/* --- probes ------------------------------------------------------------------------------- */

static int64_t exit_args;
static const struct kernel_fact facts[] = {
	{ "btf_trace_sched_process_exit", BTF_TYPEDEF, &exit_args },
	{ 0 },
};

static const struct probe probes[] = {
	PROBE_LADDER("ends", "exited", "raw_exited"),
	PROBE_LADDER("signals", "signal_sent", "raw_signal_sent"),
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
	symbols_free(symbols);
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
