/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/errnos.h"
#include "base/number.h"
#include "base/syscalls.h"
#include "kernel/syscall_counts.h"
#include "kernel/syscall_start.h"
#include "run/offers.h"
#include "run/tool.h"
#include "syscount.shared.h"
#include "syscount.skel.h"

static uint64_t ppid, interval_ns, top;
static bool failed, latency, milliseconds, by_process, list;
static uint64_t only_errno;
static const char *only;
static int only_nr[SYSCALL_ABIS];

#define TOP_TEXT  10
#define NO_NUMBER INT_MIN

/* --- options ----------------------------------------------------------------------------- */

/* Any of the three tables has it: what another table calls so counts, too. */
static const char *parse_call(const char *arg, void *value)
{
	bool known = false;

	for (int abi = 0; abi < SYSCALL_ABIS; abi++) {
		int nr = syscall_number_in(abi, arg);

		known |= nr >= 0;
		only_nr[abi] = nr >= 0 ? nr : NO_NUMBER;
	}
	*(const char **)value = arg;
	return known ? NULL : "the name of a system call (-l lists them)";
}

/* As in BCC: a name, or a number whose sign does not matter. */
static const char *parse_errno(const char *arg, void *value)
{
	uint64_t *err = value;

	*err = errno_number(arg);
	if (*err || number_parse(arg + (*arg == '-'), 1, 4095, err))
		return NULL;
	return "an error's name or number: EPERM or 1";
}

/* -l */
static int list_calls(void)
{
	const char *const *names = syscall_names();

	for (int i = 0; names[i]; i++)
		printf((i + 1) % 3 && names[i + 1] ? "%-25s " : "%s\n", names[i]);
	if (!fflush(stdout))
		return STATUS_OK;
	error("cannot write: %s", strerror(errno));
	return STATUS_FAILED;
}

/* --- rows --------------------------------------------------------------------------------- */

static void print_name(struct out *o, const void *event)
{
	const struct syscall_counts_row *row = event;
	const char *name = syscall_name_in(row->id.abi, row->id.nr);

	if (name)
		out_str(o, name);
	else
		out_printf(o, "[unknown: %d]", row->id.nr);
	if (row->id.abi != SYSCALL_ABI_64)
		out_printf(o, ":%s", syscall_abi_name(row->id.abi));
}

/* A time of 0 is not known: see finish(). */
static void print_time(struct out *o, const void *event)
{
	const struct syscall_counts_row *row = event;

	if (!row->calls.ns)
		out_char(o, '?');
	else
		out_fixed(o, row->calls.ns, milliseconds ? 6 : 3);
}

static bool microseconds, show_milliseconds;
#define CALLS                                                                                      \
	COL(syscall_counts_row, calls.count, "COUNT", .width = -8),                                \
		COL_CUSTOM("TIME(us)", .width = -16, .text = print_time, .show = &microseconds),   \
		COL_CUSTOM("TIME(ms)", .width = -16, .text = print_time,                           \
			   .show = &show_milliseconds),                                            \
		COL_END
static const struct column syscall_columns[] = {
	COL_CUSTOM("SYSCALL", .width = 22, .text = print_name),
	CALLS,
};
static const struct column process_columns[] = {
	COL_HEAD(pid, "PID", .width = 7),
	COL_HEAD(comm, "COMM", .width = 16, .fmt = FMT_STR),
	CALLS,
};
static const struct view views[] = {
	{ .columns = syscall_columns },
	{ .columns = process_columns },
	{ "event", .keys = "time interval_ns syscall syscall_nr abi pid comm count sum_ns" },
	VIEW_END,
};

static void print_json(struct json *j, const struct syscall_counts_row *row, uint64_t real_ns,
		       uint64_t span_ns)
{
	json_object(j, NULL);
	json_time(j, "time", real_ns);
	json_u64(j, "interval_ns", span_ns);
	if (by_process) {
		json_u64(j, "pid", row->head.pid);
		json_strn(j, "comm", row->head.comm, sizeof(row->head.comm));
	} else {
		json_str(j, "syscall", syscall_name_in(row->id.abi, row->id.nr));
		json_s64(j, "syscall_nr", row->id.nr);
		json_str(j, "abi", syscall_abi_name(row->id.abi));
	}
	json_u64(j, "count", row->calls.count);
	if (latency)
		json_u64_known(j, "sum_ns", row->calls.ns, row->calls.ns);
	json_end_object(j);
}

/* The most first, with -L what took longest; then by name, so that equals do not jump about. */
static int compare_rows(const void *a, const void *b)
{
	const struct syscall_counts_row *x = a, *y = b;

	if (latency && x->calls.ns != y->calls.ns)
		return x->calls.ns < y->calls.ns ? 1 : -1;
	if (x->calls.count != y->calls.count)
		return x->calls.count < y->calls.count ? 1 : -1;
	if (x->id.abi != y->id.abi)
		return x->id.abi < y->id.abi ? -1 : 1;
	if (x->id.nr != y->id.nr)
		return x->id.nr < y->id.nr ? -1 : 1;
	return x->head.pid < y->head.pid ? -1 : x->head.pid > y->head.pid;
}

/* --- reports --------------------------------------------------------------------------------- */

static uint64_t stat_of(struct run *r, enum syscount_stat which)
{
	return programs_percpu_sum(&r->object.programs, "stats", which);
}

/* The most first; no more than the rows that were asked for. */
static void show(struct run *r, const struct syscall_counts_row *rows, size_t nr)
{
	const struct column *columns = by_process ? process_columns : syscall_columns;
	uint64_t most = top ? top : r->opt.json ? UINT64_MAX : TOP_TEXT;
	uint64_t mono = clock_mono_ns(), now = clock_real_ns(mono);
	uint64_t span_ns = run_interval(r, mono);

	run_report_clock(r, now, true);
	if (!r->opt.json)
		table_header(&r->out, columns);
	for (size_t i = 0; i < nr && i < most; i++) {
		if (r->opt.json)
			print_json(&r->json, &rows[i], now, span_ns);
		else
			table_row(&r->out, columns, &rows[i].head);
	}
	if (!r->opt.json)
		out_char(&r->out, '\n');
}

static void report(struct run *r)
{
	static uint64_t lost_before;
	uint64_t lost = syscall_counts_lost(&r->object.programs);
	size_t nr;
	struct syscall_counts_row *rows = syscall_counts_read(&r->object.programs, &nr);

	if (!rows) {
		error("no memory to read the counters");
		run_fail(r);
		return;
	}
	qsort(rows, nr, sizeof(*rows), compare_rows);
	show(r, rows, nr);
	for (size_t i = 0; i < nr; i++)
		run_count(r, rows[i].calls.count);
	free(rows);
	run_lost(r, lost - lost_before);
	lost_before = lost;
}

/* --- the tool ----------------------------------------------------------------------------- */

static bool at_begin, at_end, at_both;
static const struct probe probes[] = {
	{ .name = "calls",
	  .rungs = { "sys_enter", "raw_sys_enter", "tp_sys_enter" },
	  .when = &at_begin },
	{ .name = "ends of calls",
	  .rungs = { "sys_exit", "raw_sys_exit", "tp_sys_exit" },
	  .when = &at_end },
	{ .name = "calls and their ends",
	  .rungs = { "sys_enter sys_exit", "raw_sys_enter raw_sys_exit",
		     "tp_sys_enter tp_sys_exit" },
	  .when = &at_both },
	{ 0 },
};

static void offer_errnos(struct offers *o)
{
	for (int err = 1; err <= 4095; err++)
		if (errno_name(err))
			offers_add(o, errno_name(err), strerror(err));
}

static void offer_calls(struct offers *o)
{
	for (const char *const *name = syscall_names(); *name; name++)
		offers_add(o, *name, NULL);
}

static const struct opt options[] = {
	OPT_LETTER('t', "tid"),
	OPT('c', "ppid", .arg = "PID", .uint = &ppid, .min = 1, .max = 0x7fffffff,
	    .offer = offers_pids, .help = "only children of this process"),
	OPT('i', "interval", .arg = "SEC", .sec = &interval_ns,
	    .help = "a report at each interval (default: one at the end)"),
	OPT_LETTER('d', "duration"),
	OPT('T', "top", .arg = "N", .uint = &top, .min = 1,
	    .help = "this many rows (default: 10; all as JSON)"),
	OPT('x', "failed", .flag = &failed, .help = "only calls that failed"),
	OPT('e', "errno", .arg = "ERRNO", .parse = parse_errno, .value = &only_errno,
	    .offer = offer_errnos, .help = "only calls that failed so (EPERM or 1)"),
	OPT('L', "latency", .flag = &latency, .help = "the time that the calls took"),
	OPT('m', "milliseconds", .flag = &milliseconds, .help = "with -L: in milliseconds"),
	OPT('P', "process", .flag = &by_process, .help = "a row for each process"),
	OPT('l', "list-syscalls", .flag = &list, .help = "list the names of system calls"),
	OPT(0, "syscall", .arg = "SYSCALL", .parse = parse_call, .value = &only,
	    .offer = offer_calls, .help = "this system call only"),
	{ 0 },
};

static int setup(struct run *r)
{
	if (list)
		return list_calls();
	r->plan.interval_ns = interval_ns;
	failed |= only_errno > 0;
	at_both = latency;
	at_end = failed && !latency;
	at_begin = !failed && !latency;
	microseconds = latency && !milliseconds;
	show_milliseconds = latency && milliseconds;
	return GO_ON;
}

static void configure(struct run *r)
{
	struct syscount_bpf__rodata *ro = TOOL_RODATA(syscount, r);

	ro->timed = latency;
	ro->only_failed = failed;
	ro->only_errno = only_errno;
	ro->only_ppid = ppid;
	ro->only_one = only != NULL;
	for (int abi = 0; abi < SYSCALL_ABIS; abi++)
		ro->only_nr[abi] = only_nr[abi];
	syscall_counts_configure(&r->object, by_process, latency);
	if (latency)
		syscall_start_configure(&r->object);
}

static void started(struct run *r)
{
	const char *what = only ? only : "system calls";
	bool ends = interval_ns || r->opt.duration_ns;

	note("tracing %s%s%s", failed ? "failed " : "", what,
	     ends ? "" : ": Ctrl-C ends it and shows the counts");
}

static void finish(struct run *r)
{
	uint64_t untimed = stat_of(r, SYSCOUNT_UNTIMED);
	uint64_t interrupted = stat_of(r, SYSCOUNT_INTERRUPTED);

	if (untimed)
		note("calls without a time: %llu (they began before this tool, or when the task "
		     "was none of those wanted, or a seccomp filter refused them)",
		     (unsigned long long)untimed);
	if (interrupted)
		note("calls left out: %llu (a signal interrupted them; whether they failed or "
		     "began anew is not known)",
		     (unsigned long long)interrupted);
}

static void summary(struct run *r, struct json *j)
{
	if (latency)
		json_u64(j, "untimed", stat_of(r, SYSCOUNT_UNTIMED));
	if (failed)
		json_u64(j, "interrupted", stat_of(r, SYSCOUNT_INTERRUPTED));
}

static const char *const examples[] = { "syscount",
					"all calls of the machine, until Ctrl-C",
					"syscount -LPi 1",
					"each second: whose calls take long",
					"syscount -x -p 1234 -d 10",
					"failed calls of a process, for 10 s",
					"syscount -P -e ENOENT",
					"who looks for what is not there?",
					"syscount -P --syscall fsync",
					"who calls fsync?",
					NULL };

static const struct tool tool = {
	.name = "syscount",
	.summary = "counts system calls, by call or by process",
	.options = options,
	.examples = examples,
	.image = TOOL_IMAGE(syscount),
	.probes = probes,
	.setup = setup,
	.configure = configure,
	.started = started,
	.report = report,
	.finish = finish,
	.summary_json = summary,
	.summary_keys = "untimed interrupted",
	.views = views,
};

int main(int argc, char **argv)
{
	return tool_main(&tool, argc, argv);
}
