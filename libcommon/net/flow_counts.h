/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * flow_counts: events counted by connection, and by kind: a tool's -c.
 */
#ifndef BORESCOPE_NET_FLOW_COUNTS_H
#define BORESCOPE_NET_FLOW_COUNTS_H

#include <linux/types.h>
#include <stdbool.h>

#include "lib/core/events.shared.h"
#include "lib/net/flow.shared.h"

struct run;
struct flow_counts;

#define FLOW_KINDS_MAX 16

/* How the rows are shown: the columns after both ends of the connection. */
struct flow_counts_view {
	const char *title, *key; /* of the count: in text (at least 11 wide) and in JSON */
	const char *kinds_title, *kinds_key;
	const char *const *kinds; /* their names: at most FLOW_KINDS_MAX */
	unsigned int nr_kinds;
};

/* Of at most 16384 connections. @shown and what it points to stay the caller's, and are used until
 * flow_counts_free(). NULL: no memory. */
struct flow_counts *flow_counts_new(const struct flow_counts_view *shown);
void flow_counts_free(struct flow_counts *f);

/* In the event hook of a tool without columns: adds @n to the connection's count and @of_kind to
 * that of its @kind. The row has the last @task that is known. A connection too many is counted as
 * a lost event. */
void flow_counts_add(struct flow_counts *f, struct run *r, const struct event_head *task,
		     const struct flow *flow, __u64 n, unsigned int kind, __u64 of_kind);

/* In its report hook: prints them, those with the most first, and begins anew. With @clock (or
 * --time), the time of day stands above the text. */
void flow_counts_report(struct flow_counts *f, struct run *r, bool clock);

#endif
