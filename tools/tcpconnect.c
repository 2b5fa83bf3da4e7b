/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <string.h>

#include "base/errnos.h"
#include "base/util.h"
#include "net/flow.h"
#include "net/flow_counts.h"
#include "net/names.h"
#include "run/tool.h"
#include "tcpconnect.shared.h"
#include "tcpconnect.skel.h"

static bool count, elapsed, ipv4, ipv6, local_port, print_uid, names;
static struct flow_filter flow_filter;
static uint64_t interval_ns, trying_ns;

static const struct opt options[] = {
	OPT('c', "count", .flag = &count, .help = "count by process, addresses and remote port"),
	OPT(0, "interval", .arg = "SEC", .sec = &interval_ns,
	    .help = "with -c: a report every so many seconds"),
	OPT('t', "timestamp", .flag = &elapsed,
	    .help = "a column TIME(s): seconds since the first row"),
	OPT_LETTER('P', "rport"),
	OPT('4', "ipv4", .flag = &ipv4, .help = "IPv4 only"),
	OPT('6', "ipv6", .flag = &ipv6, .help = "IPv6 only"),
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

/* --- what became of it --------------------------------------------------------------------- */

enum result {
	RESULT_ESTABLISHED,
	RESULT_REFUSED,
	RESULT_RESET,
	RESULT_TIMEOUT,
	RESULT_UNREACHABLE,
	RESULT_FAILED,
	RESULT_ABANDONED,
	RESULT_TRYING,
	RESULT_UNKNOWN,
	RESULTS,
};
static const char *const result_names[RESULTS] = {
	[RESULT_ESTABLISHED] = "established",
	[RESULT_REFUSED] = "refused",
	[RESULT_RESET] = "reset",
	[RESULT_TIMEOUT] = "timeout",
	[RESULT_UNREACHABLE] = "unreachable",
	[RESULT_FAILED] = "failed",
	[RESULT_ABANDONED] = "abandoned",
	[RESULT_TRYING] = "trying",
	[RESULT_UNKNOWN] = "?",
};

static enum result failure(int err)
{
	switch (err) {
	case -ECONNREFUSED:
		return RESULT_REFUSED;
	case -ECONNRESET:
		return RESULT_RESET;
	case -ETIMEDOUT:
		return RESULT_TIMEOUT;
	case -ENETUNREACH:
	case -EHOSTUNREACH:
	case -ENETDOWN:
	case -EHOSTDOWN:
	case -ENONET:
		return RESULT_UNREACHABLE;
	default:
		return RESULT_FAILED;
	}
}

static enum result result(const struct connect_event *e)
{
	switch (e->end) {
	case CONNECT_ESTABLISHED:
		return RESULT_ESTABLISHED;
	case CONNECT_FAILED:
		return failure(e->err);
	case CONNECT_ABANDONED:
		return RESULT_ABANDONED;
	case CONNECT_TRYING:
		return RESULT_TRYING;
	default:
		return RESULT_UNKNOWN;
	}
}

/* --- columns ------------------------------------------------------------------------------- */

static void print_lport(struct out *o, const void *event)
{
	const struct connect_event *e = event;

	if (e->flow.lport)
		out_u64(o, e->flow.lport);
	else
		out_char(o, '?');
}

static void print_ms(struct out *o, const void *latency)
{
	__u64 ns = *(const __u64 *)latency;

	if (ns == ~0ULL)
		out_char(o, '?');
	else
		out_fixed(o, ns / 10000, 2);
}

/* A failure without a word of its own by the error's name. */
static void print_result(struct out *o, const void *event)
{
	const struct connect_event *e = event;
	enum result r = result(e);
	const char *error = r == RESULT_FAILED && e->err ? errno_name(-e->err) : NULL;

	out_str(o, error ? error : result_names[r]);
	if (e->head.flags & CONNECT_MPTCP)
		out_str(o, ",mptcp");
	if (e->head.flags & (CONNECT_FAST_OPEN | CONNECT_SYN_DATA))
		out_str(o, ",fastopen");
}

static void json_flow(struct json *j, const void *event)
{
	flow_json(j, &((const struct connect_event *)event)->flow);
}

static void json_result(struct json *j, const void *event)
{
	const struct connect_event *e = event;
	enum result r = result(e);

	json_str(j, "result", r == RESULT_UNKNOWN ? NULL : result_names[r]);
	if (r == RESULT_UNKNOWN || (e->end == CONNECT_FAILED && !e->err))
		json_null(j, "errno");
	else
		json_errno(j, e->err);
	if (e->head.flags & CONNECT_MPTCP)
		json_bool(j, "mptcp", true);
	if (e->head.flags & (CONNECT_FAST_OPEN | CONNECT_SYN_DATA))
		json_str(j, "fast_open", e->head.flags & CONNECT_SYN_DATA ? "data" : "cookie");
}

static const struct names_entry *named(const struct connect_event *e)
{
	return names ? names_find(e->head.pid, e->born, &e->flow.raddr) : NULL;
}

/* From the answer to the call. */
static uint64_t name_age(const struct connect_event *e, const struct names_entry *n)
{
	uint64_t called = e->head.ts - (e->latency == ~0ULL ? 0 : e->latency);

	return called > n->ts ? called - n->ts : 0;
}

static void print_query(struct out *o, const void *event)
{
	const struct connect_event *e = event;
	const struct names_entry *n = named(e);

	if (!n) {
		out_char(o, '?');
		return;
	}
	out_str(o, n->name); /* of signs that are safe */
	if (name_age(e, n) > 100 * NSEC_PER_MSEC) {
		out_str(o, " (");
		out_fixed(o, name_age(e, n) / NSEC_PER_USEC, 3);
		out_str(o, "ms)");
	}
}

static void json_query(struct json *j, const void *event)
{
	const struct names_entry *n = named(event);

	if (!names)
		return;
	json_str(j, "query", n ? n->name : NULL);
	if (n)
		json_u64(j, "query_age_ns", name_age(event, n));
}

static const struct column columns[] = {
	COL_CLOCK,
	COL_ELAPSED(&elapsed),
	COL_HEAD(uid, "UID", .width = 6, .show = &print_uid),
	COL_HEAD(pid, "PID", .width = 7),
	COL_HEAD(comm, "COMM", .width = 10, .fmt = FMT_STR),
	COL(connect_event, flow.version, "IP", .width = 2),
	COL(connect_event, flow.laddr, "SADDR", .width = 15, .text = flow_out_addr),
	COL_CUSTOM("LPORT", .width = 5, .show = &local_port, .text = print_lport),
	COL(connect_event, flow.raddr, "DADDR", .width = 15, .text = flow_out_addr),
	COL(connect_event, flow.rport, "DPORT", .width = 5),
	COL(connect_event, latency, "LAT(ms)", .width = -7, .fmt = FMT_KNOWN, .text = print_ms,
	    .json = json_flow, .keys = FLOW_KEYS, .key = "latency_ns"),
	COL_CUSTOM("RESULT", .width = 11, .text = print_result, .json = json_result,
		   .keys = "result " JSON_ERRNO_KEYS " mptcp fast_open"),
	COL_CUSTOM("QUERY", .show = &names, .text = print_query, .json = json_query,
		   .keys = "query query_age_ns"),
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
	.kinds = result_names,
	.nr_kinds = RESULTS,
	.kinds_key = "results",
};
static struct flow_counts *flows;

static bool count_event(struct run *r, const void *raw, size_t size)
{
	const struct connect_event *e = raw;
	struct flow_row *row = flow_counts_row(flows, r, &e->head, &e->flow);

	if (row) {
		row->n[0]++;
		row->of_kind[result(e)]++;
	}
	return false;
}

static void report(struct run *r)
{
	flow_counts_report(flows, r, interval_ns);
}

/* --- probes and hooks ---------------------------------------------------------------------- */

static const struct kernel_fact facts[] = { NAMES_FACTS, { 0 } };

static const struct probe probes[] = {
	PROBE_LADDER("connects", "connect_states", "connect_states_raw"),
	{ .name = "calls that fail",
	  .rungs = { "fexit_tcp_v4_connect fexit_tcp_v6_connect" },
	  .optional = true },
	{ .name = "connects under way",
	  .rungs = { "connects_look" },
	  .optional = true,
	  .later = true },
	NAMES_PROBES(&names),
	{ 0 },
};

static struct connect_control control;

/* At those that try, and at those whose result the kernel has kept from our programs. */
static void look(struct run *r)
{
	int err = object_iterate_map(&r->object, "connects under way", "connects");

	if (err && err != -ENOTSUP)
		debug("connects under way can't be looked at: %s", strerror(-err));
}

static void tell(struct run *r)
{
	programs_write(&r->object.programs, ".data.connect", &control);
}

static void configure(struct run *r)
{
	TOOL_RODATA(tcpconnect, r)->want_names = names;
	flow_configure(&r->object, &flow_filter);
	names_configure(&r->object);
}

static void started(struct run *r)
{
	control.calls = !!object_rung(&r->object, "calls that fail");
	control.trying_ns = trying_ns;
	tell(r);
	if (!control.calls)
		note("tracing without connects that fail before anything is sent (no route, no "
		     "free port): this kernel grants no probe that sees why");
	if (!object_rung(&r->object, "connects under way"))
		note("tracing only connects that have a result: this kernel grants no iterator "
		     "that sees the others");
	if (names)
		names_started(r);
}

/* A second pass, since the first takes out what it shows. */
static void detach(struct run *r)
{
	control.ending = true;
	tell(r);
	look(r);
	look(r);
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
	if (ipv4 != ipv6)
		flow_filter.version = ipv4 ? 4 : 6;
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
	.count_losses = look,
	.detach = detach,
	.finish = finish,
};

int main(int argc, char **argv)
{
	return tool_main(&tool, argc, argv);
}
