/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <string.h>

#include "base/errnos.h"
#include "net/flow.h"
#include "net/flow_counts.h"
#include "net/owner.h"
#include "run/tool.h"
#include "tcpretrans.shared.h"
#include "tcpretrans.skel.h"

static bool sequence, lossprobes, count, extended, time_of_day;
static struct flow_filter flow_filter;
static uint64_t interval_ns;

static const struct opt options[] = {
	OPT('s', "sequence", .flag = &sequence, .help = "a column SEQ: the first byte's number"),
	OPT('l', "lossprobe", .flag = &lossprobes,
	    .help = "tail loss probes: as L, and those with new data"),
	OPT('c', "count", .flag = &count, .help = "count by connection"),
	OPT(0, "interval", .arg = "SEC", .sec = &interval_ns,
	    .help = "with -c: a report every so many seconds"),
	FLOW_VERSION_OPTIONS,
	OPT('e', "extended", .flag = &extended,
	    .help = "size, cwnd, srtt, totals, namespace, cgroup"),
	FLOW_OPTIONS(flow_filter),
	{ 0 },
};

static const char *const why_names[WHYS] = {
	[WHY_RTO] = "RTO",	 [WHY_SLOWSTART] = "RTO+",  [WHY_FAST] = "FAST",
	[WHY_TLP] = "TLP",	 [WHY_SYN] = "SYN",	    [WHY_SYNACK] = "SYN-ACK",
	[WHY_WINDOW] = "WINDOW", [WHY_TLP_NEW] = "TLP-NEW",
};

static void print_type(struct out *o, const void *event)
{
	const struct retrans_event *e = event;
	bool probe = lossprobes && (e->why == WHY_TLP || e->why == WHY_TLP_NEW);

	out_str(o, probe ? "L>" : "R>");
}

static void print_why(struct out *o, const void *event)
{
	const struct retrans_event *e = event;

	out_str(o, why_names[e->why]);
}

/* A number above 0 is what the queueing discipline said; there is only one that is a failure. */
static void print_err(struct out *o, const void *event)
{
	const struct retrans_event *e = event;
	const char *name = e->err < 0 ? errno_name(-e->err) : "DROP";

	if (!e->err)
		out_char(o, '0');
	else if (name)
		out_str(o, name);
	else
		out_s64(o, -e->err);
}

static void json_retrans(struct json *j, const void *event)
{
	const struct retrans_event *e = event;

	flow_json(j, &e->flow);
	json_str(j, "state", flow_state_name(e->state));
	json_str(j, "why", why_names[e->why]);
	json_errno(j, e->err);
	json_bool(j, "sent", !e->err);
}

static const struct column columns[] = {
	COL_CLOCK,
	COL_TIME(&time_of_day),
	COL_HEAD(pid, "PID", .width = 7),
	COL(retrans_event, flow.version, "IP", .width = 2),
	COL(retrans_event, flow, "LADDR:LPORT", .width = 18, .text = flow_out_local),
	COL_CUSTOM("T>", .width = 2, .text = print_type, .json = json_retrans,
		   .keys = FLOW_KEYS " state why " JSON_ERRNO_KEYS " sent"),
	COL(retrans_event, flow, "RADDR:RPORT", .width = 18, .text = flow_out_remote),
	COL(retrans_event, state, "STATE", .width = 11, .text = flow_out_state),
	COL(retrans_event, seq, "SEQ", .width = 10, .show = &sequence, .key = "seq"),
	COL(retrans_event, segs, "SEGS", .width = -4, .show = &extended, .key = "segments"),
	COL(retrans_event, len, "LEN", .width = -6, .show = &extended, .key = "bytes"),
	COL(retrans_event, cwnd, "CWND", .width = -5, .fmt = FMT_KNOWN, .show = &extended,
	    .key = "cwnd_segments"),
	COL(retrans_event, srtt, "SRTT(us)", .width = -8, .fmt = FMT_KNOWN, .show = &extended,
	    .key = "srtt_us"),
	COL(retrans_event, total, "TOTAL", .width = -5, .show = &extended, .key = "total_segments"),
	COL_CUSTOM("ERR", .width = 3, .show = &extended, .text = print_err),
	COL(retrans_event, flow.netns, "NETNS", .width = 10, .show = &extended),
	COL(retrans_event, cgroup, "CGROUP", .width = 6, .show = &extended, .key = "cgroup_id"),
	COL_CUSTOM("WHY", .width = 7, .text = print_why),
	COL_HEAD(comm, "COMM", .fmt = FMT_STR),
	COL_END,
};

/* The owner may not be known yet: then it is looked for, and judged, here. */
static bool event(struct run *r, const void *event, size_t size)
{
	static struct retrans_event e;

	memcpy(&e, event, sizeof(e));
	r->shown = &e;
	return owner_passes(r, &e.owner, &e.head);
}

/* --- by connection, with -c --------------------------------------------------------------- */

static const struct column count_columns[] = {
	FLOW_COUNTS_ENDS("LADDR:LPORT"),
	COL(flow_row, n[0], "RETRANSMITS", .width = -11),
	COL_HEAD(pid, "PID", .width = 7),
	COL_CUSTOM("WHY", .width = 12, .text = flow_counts_kinds_text,
		   .json = flow_counts_kinds_json, .keys = "why"),
	COL_HEAD(comm, "COMM", .fmt = FMT_STR),
	COL(flow_row, n[0], NULL, .key = "segments"),
	COL(flow_row, report.interval_ns, NULL, .key = "interval_ns"),
	COL_END,
};

static const struct view views[] = { { "event", count_columns }, VIEW_END };

static const struct flow_counts_config counted = {
	.columns = count_columns,
	.kinds = why_names,
	.nr_kinds = WHYS,
	.kinds_key = "why",
};
static struct flow_counts *flows;

/* Probes with new data have no segments that count: they are counted themselves. */
static bool count_event(struct run *r, const void *raw, size_t size)
{
	const struct retrans_event *e;
	struct flow_row *row;

	if (!event(r, raw, size))
		return false;
	e = r->shown;
	row = flow_counts_row(flows, r, &e->head, &e->flow);
	if (row) {
		row->n[0] += e->segs;
		row->of_kind[e->why] += e->why == WHY_TLP_NEW ? 1 : e->segs;
	}
	return false;
}

static void report(struct run *r)
{
	flow_counts_report(flows, r, interval_ns);
}

/* --- probes ------------------------------------------------------------------------------- */

static int64_t retransmit_args;
static const struct kernel_fact facts[] = {
	{ "btf_trace_tcp_retransmit_skb", BTF_TYPEDEF, &retransmit_args },
	{ 0 },
};

static const struct probe probes[] = {
	PROBE_LADDER("retransmits", "retransmit", "retransmit_raw"),
	PROBE_LADDER("SYN-ACKs", "retransmit_synack", "retransmit_synack_raw"),
	OWNER_PROBES,
	{ .name = "probes with new data",
	  .rungs = { "fentry_loss_probe fexit_loss_probe",
		     "kprobe_loss_probe kretprobe_loss_probe" },
	  .when = &lossprobes,
	  .optional = true },
	{ 0 },
};

static void configure(struct run *r)
{
	/* void *, the socket, the buffer; and on newer kernels (6.18, not 6.12) the result */
	TOOL_RODATA(tcpretrans, r)->has_err = retransmit_args > 3;
	flow_configure(&r->object, &flow_filter);
}

static void started(struct run *r)
{
	if (lossprobes && !object_rung(&r->object, "probes with new data"))
		note("this kernel grants no probe that sees tail loss probes with new data: only "
		     "those that retransmit are shown");
}

static const char *const examples[] = { "tcpretrans",
					"retransmissions, as they happen",
					"tcpretrans -e --rport 443",
					"to HTTPS, with more about them",
					"tcpretrans -c --interval 10",
					"which connections do most of it",
					"tcpretrans -l --raddr 10.0.0.0/8",
					"to one network, with probes",
					NULL };

static int setup(struct run *r)
{
	if (interval_ns && !count) {
		error("--interval goes with -c: without it, rows are shown as they happen");
		return STATUS_USAGE;
	}
	sequence |= extended;
	time_of_day = !table_show_clock;
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
	.name = "tcpretrans",
	.summary = "shows TCP retransmissions, whose they are, and why",
	.options = options,
	.columns = columns,
	.event_size = sizeof(struct retrans_event),
	.views = views,
	.probes = probes,
	.facts = facts,
	.image = TOOL_IMAGE(tcpretrans),
	.examples = examples,
	.setup = setup,
	.configure = configure,
	.started = started,
	.event = event,
};

int main(int argc, char **argv)
{
	return tool_main(&tool, argc, argv);
}
