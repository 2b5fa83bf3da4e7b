/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <string.h>

#include "base/util.h"
#include "net/flow.h"
#include "net/session_growth.h"
#include "run/tool.h"
#include "run/top.h"
#include "tcptop.skel.h"

enum sort { SORT_ALL, SORT_SENT, SORT_RECEIVED, SORT_RETRANSMITS };

static bool extended;
static enum sort sort;
static struct flow_filter flow_filter;

static const char *parse_sort(const char *arg, void *value)
{
	static const char *const names[] = { "all", "sent", "received", "retransmits" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(arg, names[i]))
			continue;
		*(enum sort *)value = i;
		return NULL;
	}
	return "all, sent, received or retransmits";
}

static const struct opt options[] = {
	TOP_OPTIONS,
	OPT('s', "sort", .arg = "KEY", .parse = parse_sort, .value = &sort,
	    .choices = "all sent received retransmits",
	    .help = "by all (bytes), sent, received or retransmits"),
	FLOW_VERSION_OPTIONS,
	OPT('e', "extended", .flag = &extended, .help = "retransmits, srtt, state, namespace"),
	FLOW_OPTIONS(flow_filter),
	{ 0 },
};

/* --- rows --------------------------------------------------------------------------------- */

static __u64 weight(const struct session_growth *s)
{
	switch (sort) {
	case SORT_SENT:
		return s->sent;
	case SORT_RECEIVED:
		return s->received;
	case SORT_RETRANSMITS:
		return s->retransmits;
	case SORT_ALL:
		break;
	}
	return s->sent + s->received;
}

/* Equals as the addresses have it, so that they do not jump about. */
static int by_weight(const void *a, const void *b)
{
	const struct session_growth *x = a, *y = b;

	if (weight(x) != weight(y))
		return weight(x) < weight(y) ? 1 : -1;
	return memcmp(&x->key.flow, &y->key.flow, sizeof(x->key.flow));
}

static void json_session(struct json *j, const void *row)
{
	const struct session_growth *s = row;

	flow_json(j, &s->key.flow);
	json_str(j, "state", flow_state_name(s->session.state));
}

enum { COMM = 1, LADDR, RADDR }; /* of the columns, those that widen() looks at */

static struct column columns[] = {
	COL_HEAD(pid, "PID", .width = 7),
	COL_HEAD(comm, "COMM", .width = 12, .fmt = FMT_STR),
	COL(session_growth, key.flow, "LADDR", .width = 18, .text = flow_out_local),
	COL(session_growth, key.flow, "RADDR", .width = 18, .text = flow_out_remote),
	COL(session_growth, received, "RX_KB", .width = -6, .text = table_kb),
	COL(session_growth, sent, "TX_KB", .width = -6, .text = table_kb),
	COL(session_growth, retransmits, "RETR", .width = -4, .show = &extended,
	    .key = "retransmits"),
	COL(session_growth, session.srtt, "SRTT(us)", .width = -8, .fmt = FMT_KNOWN,
	    .show = &extended, .key = "srtt_us"),
	COL(session_growth, session.state, "STATE", .width = 11, .show = &extended,
	    .text = flow_out_state),
	COL(session_growth, key.flow.netns, "NETNS", .width = 10, .show = &extended),
	COL_CUSTOM(NULL, .json = json_session, .keys = FLOW_KEYS " state"),
	COL(session_growth, received, NULL, .key = "received_bytes"),
	COL(session_growth, sent, NULL, .key = "sent_bytes"),
	COL(session_growth, session.received, NULL, .key = "total_received_bytes"),
	COL(session_growth, session.sent, NULL, .key = "total_sent_bytes"),
	COL(session_growth, session.retransmits, NULL, .key = "total_retransmits"),
	COL(session_growth, report.interval_ns, NULL, .key = "interval_ns"),
	COL_END,
};

static void widen(int column, int width)
{
	if (columns[column].width < width)
		columns[column].width = width;
}

/* Columns are as wide as what was in them so far, that IPv6 and IPv4 make one table. */
static void fit(const struct session_growth *rows, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		widen(COMM, strnlen(rows[i].report.head.comm, sizeof(rows[i].report.head.comm)));
		widen(LADDR, flow_width(&rows[i].key.flow.laddr, rows[i].key.flow.lport));
		widen(RADDR, flow_width(&rows[i].key.flow.raddr, rows[i].key.flow.rport));
	}
}

static const struct view views[] = { { "event", columns }, VIEW_END };

static void report(struct run *r)
{
	size_t nr;
	struct session_growth *rows = session_growth_rows(r, by_weight, &nr);

	if (!rows) {
		run_fail(r);
		return;
	}
	fit(rows, nr);
	top_report(r, columns, rows, nr, sizeof(*rows));
	session_growth_renew(r);
}

/* --- the run ------------------------------------------------------------------------------ */

static const struct probe probes[] = { SESSION_GROWTH_PROBES, { 0 } };

static int setup(struct run *r)
{
	top_setup(r);
	return GO_ON;
}

static void configure(struct run *r)
{
	flow_configure(&r->object, &flow_filter);
	session_growth_configure(r, flow_filter.netns);
}

static void started(struct run *r)
{
	note("tracing TCP sessions: a report every %g s", (double)r->plan.interval_ns / 1e9);
	if (netns_refused())
		note("only some network namespaces are seen: to enter the others (%u) takes "
		     "CAP_SYS_ADMIN",
		     netns_refused());
}

static const char *const examples[] = { "tcptop",
					"who sends and receives, each second",
					"tcptop -C 5 3",
					"three reports, each of 5 s, in a row",
					"tcptop -p 181 -s sent",
					"one process, what sends most first",
					"tcptop -e --netns blue",
					"one network namespace, with retransmits",
					NULL };

static const struct tool tool = {
	.name = "tcptop",
	.summary = "shows how much TCP sessions carry, and whose they are, refreshed",
	.options = options,
	.positional = top_positional,
	.event_size = sizeof(struct session_seen),
	.views = views,
	.probes = probes,
	.image = TOOL_IMAGE(tcptop),
	.examples = examples,
	.setup = setup,
	.configure = configure,
	.attach = session_growth_attach,
	.detach = session_growth_detach,
	.started = started,
	.event = session_growth_event,
	.report = report,
};

int main(int argc, char **argv)
{
	return tool_main(&tool, argc, argv);
}
