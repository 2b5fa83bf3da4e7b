/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * flow_counts: what events count, by connection: a row for each, until the next report.
 *
 *	static const struct column columns[] = {	how a row looks: a table of columns of
 *		FLOW_COUNTS_ENDS,			struct flow_row
 *		COL(flow_row, n[0], "TIMES", .width = -11, .key = "times"),
 *		COL_END,
 *	};
 *	row = flow_counts_row(f, r, task, flow);	in the event hook
 *	if (row)
 *		row->n[0]++;
 *	flow_counts_report(f, r, false);		in the report hook
 */
#ifndef BORESCOPE_NET_FLOW_COUNTS_H
#define BORESCOPE_NET_FLOW_COUNTS_H

#include <linux/types.h>
#include <stdbool.h>

#include "lib/core/events.shared.h"
#include "lib/net/flow.shared.h"
#include "net/flow.h"
#include "output/table.h"
#include "run/run.h"

struct flow_counts;

#define FLOW_COUNTS_MAX 2  /* in one row */
#define FLOW_KINDS_MAX	16 /* that one row tells apart */

struct flow_counts_config {
	const struct column *columns; /* of struct flow_row */
	/* What counts as one: a connection; or, with these, all from one address to the same peer,
	 * and only those of one process. */
	bool any_local_port, by_process;
	/*
	 * The names of kinds, at most FLOW_KINDS_MAX, and their key in JSON. NULL: there are none.
	 */
	const char *const *kinds;
	unsigned int nr_kinds;
	const char *kinds_key;
};

struct flow_row {
	struct report_row report; /* its head: of the last event whose task is known */
	struct flow_key {
		struct flow flow;  /* lport is 0 with any_local_port */
		__u32 pid, unused; /* 0, or with by_process that of the row */
	} key;
	const struct flow_counts_config *config;
	/* The tool adds to these: to what it counts, and to the parts of it by kind. */
	__u64 n[FLOW_COUNTS_MAX];
	__u64 of_kind[FLOW_KINDS_MAX];
};

/* For a table of columns: both ends of the connection, with @local_ as the title of the first. */
#define FLOW_COUNTS_ENDS(local_)                                                                   \
	COL(flow_row, key.flow, local_, .width = 18, .text = flow_out_local),                      \
		COL_CUSTOM("<->", .width = 3, .text = flow_counts_arrow_text,                      \
			   .json = flow_counts_ends_json, .keys = FLOW_KEYS),                      \
		COL(flow_row, key.flow, "RADDR:RPORT", .width = 18, .text = flow_out_remote)
void flow_counts_arrow_text(struct out *o, const void *row);
void flow_counts_ends_json(struct json *j, const void *row);

/* "RTO:3,TLP:1", in JSON {"RTO":3,"TLP":1}: the kinds of which there is something. */
void flow_counts_kinds_text(struct out *o, const void *row);
void flow_counts_kinds_json(struct json *j, const void *row);

/* For at most 16384 rows. @config and what it points to stay the caller's, and are used until
 * flow_counts_free(). NULL: no memory. */
struct flow_counts *flow_counts_new(const struct flow_counts_config *config);
void flow_counts_free(struct flow_counts *f);

/*
 * In an event hook: the row of this @flow and @task, for the tool to add to; it lives until the
 * next call. NULL: it would be one too many, which is counted as a lost event.
 */
struct flow_row *flow_counts_row(struct flow_counts *f, struct run *r,
				 const struct event_head *task, const struct flow *flow);

/* In a report hook: prints the rows, those that count the most first, and begins anew. With @clock
 * (or --time), the time of day stands above the text. */
void flow_counts_report(struct flow_counts *f, struct run *r, bool clock);

#endif
