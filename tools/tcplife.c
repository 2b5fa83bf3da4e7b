/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <string.h>

#include "net/flow.h"
#include "net/session.h"
#include "run/filter.h"
#include "run/tool.h"
#include "tcplife.shared.h"
#include "tcplife.skel.h"

static bool time_of_day, elapsed, wide, csv, extended, version;
static struct flow_filter flow_filter;

static const struct opt options[] = {
	OPT('T', "clock", .flag = &time_of_day, .help = "a column TIME: the time of day"),
	OPT('t', "timestamp", .flag = &elapsed,
	    .help = "a column TIME(s): seconds since the first row"),
	OPT('w', "wide", .flag = &wide, .help = "wide columns, for IPv6, and a column IP"),
	OPT('s', "csv", .flag = &csv, .help = "comma-separated values"),
	FLOW_VERSION_OPTIONS,
	OPT('e', "extended", .flag = &extended,
	    .help = "retransmits, srtt, bytes, namespace, cgroup"),
	OPT_LETTER('L', "lport"),
	OPT_LETTER('D', "rport"),
	FLOW_OPTIONS(flow_filter),
	{ 0 },
};

/* --- columns ------------------------------------------------------------------------------ */

static uint64_t duration(const struct life_event *e)
{
	bool sane = e->session.began && e->session.began < e->head.ts;

	return sane ? e->head.ts - e->session.began : 0;
}

static void print_ms(struct out *o, const void *event)
{
	const struct life_event *e = event;

	if (!(e->session.flags & SESSION_BEGAN))
		out_str(o, ">=");
	out_fixed(o, duration(e) / 10000, 2);
}

static void print_end(struct out *o, const void *event)
{
	out_str(o, session_end_name(&((const struct life_event *)event)->session));
}

static void json_life(struct json *j, const void *event)
{
	const struct life_event *e = event;

	flow_json(j, &e->flow);
	json_str(j, "role", e->session.flags & SESSION_ACTIVE ? "client" : "server");
	json_u64(j, "duration_ns", duration(e));
	if (!(e->session.flags & SESSION_BEGAN))
		json_bool(j, "duration_at_least", true);
	json_str(j, "closed", session_end_name(&e->session));
	json_str(j, "state", flow_state_name(e->session.state));
	json_bool(j, "fin_sent", e->session.flags & SESSION_FIN_SENT);
	json_bool(j, "fin_received", e->session.flags & SESSION_FIN_RECEIVED);
	json_errno(j, -(int64_t)e->session.err);
}

#define COLUMNS(comm_width, addr_width, kb_width)                                                  \
	COL_CLOCK, COL_TIME(&time_of_day), COL_ELAPSED(&elapsed),                                  \
		COL_HEAD(pid, "PID", .width = 7),                                                  \
		COL_HEAD(comm, "COMM", .width = (comm_width), .fmt = FMT_STR),                     \
		COL(life_event, flow.version, "IP", .width = 2, .show = &version),                 \
		COL(life_event, flow.laddr, "LADDR", .width = (addr_width),                        \
		    .text = flow_out_addr),                                                        \
		COL(life_event, flow.lport, "LPORT", .width = 5),                                  \
		COL(life_event, flow.raddr, "RADDR", .width = (addr_width),                        \
		    .text = flow_out_addr),                                                        \
		COL(life_event, flow.rport, "RPORT", .width = 5),                                  \
		COL(life_event, session.sent, "TX_KB", .width = -(kb_width), .text = table_kb),    \
		COL(life_event, session.received, "RX_KB", .width = -(kb_width),                   \
		    .text = table_kb),                                                             \
		COL_CUSTOM("MS", .width = 7, .text = print_ms, .json = json_life,                  \
			   .keys = FLOW_KEYS " role duration_ns duration_at_least closed state "   \
					     "fin_sent fin_received " JSON_ERRNO_KEYS),            \
		COL(life_event, session.retransmits, "RETR", .width = -4, .show = &extended,       \
		    .key = "retransmits"),                                                         \
		COL(life_event, session.srtt, "SRTT(us)", .width = -8, .fmt = FMT_KNOWN,           \
		    .show = &extended, .key = "srtt_us"),                                          \
		COL(life_event, session.sent, "TX", .width = -9, .show = &extended,                \
		    .key = "sent_bytes"),                                                          \
		COL(life_event, session.received, "RX", .width = -9, .show = &extended,            \
		    .key = "received_bytes"),                                                      \
		COL(life_event, flow.netns, "NETNS", .width = 10, .show = &extended),              \
		COL(life_event, cgroup, "CGROUP", .width = 6, .show = &extended,                   \
		    .key = "cgroup_id"),                                                           \
		COL_CUSTOM("CLOSED", .text = print_end),                                           \
		COL(life_event, session.acked, NULL, .key = "acked_bytes"),                        \
		COL(life_event, session.unread, NULL, .key = "unread_bytes"),                      \
		COL(life_event, session.resent, NULL, .key = "retransmitted_bytes"),               \
		COL(life_event, session.segs_out, NULL, .key = "sent_segments"),                   \
		COL(life_event, session.segs_in, NULL, .key = "received_segments"), COL_END

static const struct column columns[] = { COLUMNS(10, 15, 5) };
static const struct column wide_columns[] = { COLUMNS(16, 39, 6) };

/* --- hooks -------------------------------------------------------------------------------- */

/* The owner may not be known yet: then it is looked for, and judged, here. */
static bool event(struct run *r, const void *event, size_t size)
{
	static struct life_event e;

	memcpy(&e, event, sizeof(e));
	r->shown = &e;
	return owner_passes(r, &e.owner, &e.head);
}

static const struct probe probes[] = { SESSION_PROBES, SESSION_START_PROBE, { 0 } };

static void configure(struct run *r)
{
	TOOL_RODATA(tcplife, r)->filtered =
		flow_is_filtered(&flow_filter) || filter_is_set(&r->opt.filter);
	flow_configure(&r->object, &flow_filter);
	owner_make_room(&r->object, SESSION_STARTS_LEAST);
}

static void started(struct run *r)
{
	if (object_iterate(&r->object, "older sessions"))
		debug("cannot look at the sessions that there are: they may be longer than shown");
}

static int setup(struct run *r)
{
	if (csv && r->opt.json) {
		error("-s (CSV) and --json: it is one or the other");
		return STATUS_USAGE;
	}
	table_csv = csv;
	version = wide || csv;
	if (wide)
		r->plan.columns = wide_columns;
	return GO_ON;
}

static const char *const examples[] = { "tcplife",
					"sessions, as they end",
					"tcplife -e -p 1234",
					"those of one process, with more about them",
					"tcplife -L 80,443 -T",
					"to a web server here, with the time of day",
					"tcplife -s --raddr 10.0.0.0/8",
					"with one network, for a spreadsheet",
					NULL };

static const struct tool tool = {
	.name = "tcplife",
	.summary = "shows TCP sessions that ended, what they carried, and whose they were",
	.options = options,
	.columns = columns,
	.event_size = sizeof(struct life_event),
	.probes = probes,
	.image = TOOL_IMAGE(tcplife),
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
