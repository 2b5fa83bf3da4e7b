/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stddef.h>

#include "net/connect.h"
#include "net/flow.h"
#include "net/flow_counts.h"
#include "net/names.h"
#include "run/tool.h"
#include "tcpconnect.skel.h"

static bool count, elapsed, local_port, print_uid, names;
static struct flow_filter flow_filter;
static uint64_t interval_ns, trying_ns;

static const struct opt options[] = {
	OPT('c', "count", .flag = &count, .help = "count by process, addresses and remote port"),
	OPT(0, "interval", .arg = "SEC", .sec = &interval_ns,
	    .help = "with -c: a report every so many seconds"),
	OPT('t', "timestamp", .flag = &elapsed,
	    .help = "a column TIME(s): seconds since the first row"),
	OPT_LETTER('P', "rport"),
	FLOW_VERSION_OPTIONS,
	OPT('L', "lport-column", .flag = &local_port, .help = "a column LPORT"),
	OPT('U', "print-uid", .flag = &print_uid, .help = "a column UID"),
	OPT_LETTER('u', "uid"),
	OPT('d', "dns", .flag = &names,
	    .help = "a column QUERY: the name that the DNS was asked for"),
	OPT(0, "trying", .arg = "SEC", .sec = &trying_ns,
	    .help = "show those without a result after so long, too"),
	FLOW_OPTIONS(flow_filter),
	{ 0 },
};

/* --- columns ------------------------------------------------------------------------------- */

static void json_flow(struct json *j, const void *event)
{
	flow_json(j, &((const struct connect_event *)event)->flow);
}

/* When connect() was called; or, where that is not known, when its result was seen. */
static uint64_t called(const struct connect_event *e)
{
	return e->head.ts - (e->latency == CONNECT_LATENCY_UNKNOWN ? 0 : e->latency);
}

static const struct names_entry *named(const struct connect_event *e)
{
	return names ? names_find(e->head.pid, e->born, &e->flow.raddr, called(e)) : NULL;
}

static void print_query(struct out *o, const void *event)
{
	names_out(o, named(event), called(event));
}

static void json_query(struct json *j, const void *event)
{
	if (names)
		names_json(j, named(event), called(event));
}

static const struct column columns[] = {
	COL_CLOCK,
	COL_ELAPSED(&elapsed),
	COL_HEAD(uid, "UID", .width = 6, .show = &print_uid),
	COL_HEAD(pid, "PID", .width = 7),
	COL_HEAD(comm, "COMM", .width = 10, .fmt = FMT_STR),
	COL(connect_event, flow.version, "IP", .width = 2),
	COL(connect_event, flow.laddr, "SADDR", .width = 15, .text = flow_out_addr),
	COL(connect_event, flow.lport, "LPORT", .width = 5, .show = &local_port,
	    .text = flow_out_port),
	COL(connect_event, flow.raddr, "DADDR", .width = 15, .text = flow_out_addr),
	COL(connect_event, flow.rport, "DPORT", .width = 5),
	COL(connect_event, latency, "LAT(ms)", .width = -7, .fmt = FMT_KNOWN, .text = table_ms,
	    .json = json_flow, .keys = FLOW_KEYS, .key = "latency_ns"),
	COL_CUSTOM("RESULT", .width = 11, .text = connect_out_result, .json = connect_json_result,
		   .keys = CONNECT_RESULT_KEYS),
	COL_CUSTOM("QUERY", .show = &names, .text = print_query, .json = json_query,
		   .keys = NAMES_KEYS),
	COL_END,
};

static bool event(struct run *r, const void *event, size_t size)
{
	return !names || !names_event(event, size);
}

/* --- by addresses, with -c ----------------------------------------------------------------- */

static const struct column count_columns[] = {
	COL(flow_row, key.flow.laddr, "LADDR", .width = 15, .text = flow_out_addr),
	COL(flow_row, key.flow.raddr, "RADDR", .width = 15, .text = flow_out_addr),
	COL(flow_row, key.flow.rport, "RPORT", .width = 5, .json = flow_counts_ends_json,
	    .keys = FLOW_KEYS),
	COL(flow_row, n[0], "CONNECTS", .width = 8, .key = "connects"),
	COL_HEAD(pid, "PID", .width = 7),
	COL_HEAD(comm, "COMM", .width = 10, .fmt = FMT_STR),
	COL_CUSTOM("RESULTS", .text = flow_counts_kinds_text, .json = flow_counts_kinds_json,
		   .keys = "results"),
	COL(flow_row, report.interval_ns, NULL, .key = "interval_ns"),
	COL_END,
};

static const struct view views[] = { { "event", count_columns }, VIEW_END };

static const struct flow_counts_config counted = {
	.columns = count_columns,
	.any_local_port = true,
	.by_process = true,
	.kinds = connect_result_names,
	.nr_kinds = CONNECT_RESULTS,
	.kinds_key = "results",
};
static struct flow_counts *flows;

static bool count_event(struct run *r, const void *raw, size_t size)
{
	const struct connect_event *e = raw;
	struct flow_row *row = flow_counts_row(flows, r, &e->head, &e->flow);

	if (row) {
		row->n[0]++;
		row->of_kind[connect_result(e)]++;
	}
	return false;
}

static void report(struct run *r)
{
	flow_counts_report(flows, r, interval_ns);
}

/* --- probes and hooks ---------------------------------------------------------------------- */

static const struct kernel_fact facts[] = { NAMES_FACTS, { 0 } };

static const struct probe probes[] = { CONNECT_PROBES, NAMES_PROBES(&names), { 0 } };

static void configure(struct run *r)
{
	flow_configure(&r->object, &flow_filter);
	connect_configure(&r->object, names);
	names_configure(&r->object);
}

static void started(struct run *r)
{
	connect_started(r, trying_ns);
	if (names)
		names_started(r);
}

static void finish(struct run *r)
{
	names_free();
}

static const char *const examples[] = { "tcpconnect",
					"who connects where, and how it ends",
					"tcpconnect -P 443,8443 --trying 1",
					"to these ports; also what hangs",
					"tcpconnect -d -p 1234",
					"of a process, with names",
					"tcpconnect -c --interval 10",
					"counts by process and address",
					NULL };

static int setup(struct run *r)
{
	if (interval_ns && !count) {
		error("--interval goes with -c: without it, rows are shown as they happen");
		return STATUS_USAGE;
	}
	if (names && count) {
		error("-d does not go with -c: rows that count have no names");
		return STATUS_USAGE;
	}
	if (trying_ns && count) {
		error("--trying does not go with -c: each connect counts once");
		return STATUS_USAGE;
	}
	if (names)
		r->plan.event_size = offsetof(struct names_answer, message);
	if (!count)
		return GO_ON;
	r->plan.columns = NULL;
	r->plan.event = count_event;
	r->plan.report = report;
	r->plan.interval_ns = interval_ns;
	flows = flow_counts_new(&counted);
	if (!flows)
		error("no memory");
	return flows ? GO_ON : STATUS_FAILED;
}

static const struct tool tool = {
	.name = "tcpconnect",
	.summary = "shows TCP connections being made, by whom, and what becomes of them",
	.options = options,
	.columns = columns,
	.event_size = sizeof(struct connect_event),
	.views = views,
	.probes = probes,
	.facts = facts,
	.image = TOOL_IMAGE(tcpconnect),
	.examples = examples,
	.setup = setup,
	.configure = configure,
	.started = started,
	.event = event,
	.count_losses = connect_look,
	.detach = connect_detach,
	.finish = finish,
};

int main(int argc, char **argv)
{
	return tool_main(&tool, argc, argv);
}
