/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "net/flow_counts.h"
#include "net/flow.h"
#include "output/tally.h"
#include "run/run.h"

#define FLOW_COUNTS_MAX 16384

struct flow_row {
	struct event_head head;
	struct flow flow;
	const struct flow_counts_view *shown;
	__u64 n;
	__u64 of_kind[FLOW_KINDS_MAX];
};

#define NR_COLUMNS 7

struct flow_counts {
	const struct flow_counts_view *shown;
	struct tally *rows;
	struct column columns[NR_COLUMNS + 1];
};

static void print_arrow(struct out *o, const void *row)
{
	out_str(o, "<->");
}

static void print_kinds(struct out *o, const void *row)
{
	const struct flow_row *f = row;
	const char *comma = "";

	for (unsigned int i = 0; i < f->shown->nr_kinds; i++) {
		if (!f->of_kind[i])
			continue;
		out_printf(o, "%s%s:%llu", comma, f->shown->kinds[i],
			   (unsigned long long)f->of_kind[i]);
		comma = ",";
	}
}

static void json_row(struct json *j, const void *row)
{
	const struct flow_row *f = row;

	flow_json(j, &f->flow);
	json_object(j, f->shown->kinds_key);
	for (unsigned int i = 0; i < f->shown->nr_kinds; i++)
		if (f->of_kind[i])
			json_u64(j, f->shown->kinds[i], f->of_kind[i]);
	json_end_object(j);
}

struct flow_counts *flow_counts_new(const struct flow_counts_view *shown)
{
	const struct column columns[NR_COLUMNS + 1] = {
		COL(flow_row, flow, "LADDR:LPORT", .width = 18, .text = flow_out_local),
		COL_CUSTOM("<->", .width = 3, .text = print_arrow, .json = json_row),
		COL(flow_row, flow, "RADDR:RPORT", .width = 18, .text = flow_out_remote),
		COL(flow_row, n, shown->title, .width = -11, .key = shown->key),
		COL_HEAD(pid, "PID", .width = 7),
		COL_CUSTOM(shown->kinds_title, .width = 12, .text = print_kinds),
		COL_HEAD(comm, "COMM", .fmt = FMT_STR),
	};
	struct flow_counts *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->shown = shown;
	memcpy(f->columns, columns, sizeof(columns));
	f->rows = tally_new(sizeof(struct flow_row), offsetof(struct flow_row, flow),
			    sizeof(struct flow), FLOW_COUNTS_MAX);
	if (!f->rows) {
		free(f);
		return NULL;
	}
	return f;
}

void flow_counts_free(struct flow_counts *f)
{
	if (!f)
		return;
	tally_free(f->rows);
	free(f);
}

void flow_counts_add(struct flow_counts *f, struct run *r, const struct event_head *task,
		     const struct flow *flow, __u64 n, unsigned int kind, __u64 of_kind)
{
	struct flow_row *row = tally_row(f->rows, flow);

	if (!row) {
		run_lost(r, 1);
		return;
	}
	row->shown = f->shown;
	if (!row->head.ts || task->pid != EVENT_UNKNOWN)
		row->head = *task;
	row->n += n;
	row->of_kind[kind] += of_kind;
	run_count(r, 1);
}

/* The most first; then as the addresses have it, so that equals do not jump about. */
static int by_count(const void *a, const void *b)
{
	const struct flow_row *x = a, *y = b;

	if (x->n != y->n)
		return x->n < y->n ? 1 : -1;
	return memcmp(&x->flow, &y->flow, sizeof(x->flow));
}

void flow_counts_report(struct flow_counts *f, struct run *r, bool clock)
{
	run_show_tally(r, f->rows, f->columns, by_count, clock);
}
