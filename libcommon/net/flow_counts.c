/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "net/flow_counts.h"
#include "output/tally.h"

#define ROWS_MAX 16384

struct flow_counts {
	const struct flow_counts_config *config;
	struct tally *rows;
};

void flow_counts_arrow_text(struct out *o, const void *row)
{
	out_str(o, "<->");
}

void flow_counts_ends_json(struct json *j, const void *row)
{
	flow_json(j, &((const struct flow_row *)row)->key.flow);
}

void flow_counts_kinds_text(struct out *o, const void *row)
{
	const struct flow_row *f = row;
	const char *comma = "";

	for (unsigned int i = 0; i < f->config->nr_kinds; i++) {
		if (!f->of_kind[i])
			continue;
		out_printf(o, "%s%s:%llu", comma, f->config->kinds[i],
			   (unsigned long long)f->of_kind[i]);
		comma = ",";
	}
}

void flow_counts_kinds_json(struct json *j, const void *row)
{
	const struct flow_row *f = row;

	json_object(j, f->config->kinds_key);
	for (unsigned int i = 0; i < f->config->nr_kinds; i++)
		if (f->of_kind[i])
			json_u64(j, f->config->kinds[i], f->of_kind[i]);
	json_end_object(j);
}

struct flow_counts *flow_counts_new(const struct flow_counts_config *config)
{
	struct flow_counts *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->config = config;
	f->rows = tally_new(sizeof(struct flow_row), offsetof(struct flow_row, key),
			    sizeof(struct flow_key), ROWS_MAX);
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

struct flow_row *flow_counts_row(struct flow_counts *f, struct run *r,
				 const struct event_head *task, const struct flow *flow)
{
	struct flow_key key = { .pid = f->config->by_process ? task->pid : 0 };
	struct flow_row *row;

	memcpy(&key.flow, flow, sizeof(*flow)); /* with what lies between its members */
	if (f->config->any_local_port)
		key.flow.lport = 0;
	row = tally_row(f->rows, &key);
	if (!row) {
		run_lost(r, 1);
		return NULL;
	}
	row->config = f->config;
	if (!row->report.head.ts || task->pid != EVENT_UNKNOWN)
		row->report.head = *task;
	run_count(r, 1);
	return row;
}

static __u64 sum(const struct flow_row *row)
{
	__u64 all = 0;

	for (int i = 0; i < FLOW_COUNTS_MAX; i++)
		all += row->n[i];
	return all;
}

/* The most first; then as the addresses have it, so that equals do not jump about. */
static int by_count(const void *a, const void *b)
{
	const struct flow_row *x = a, *y = b;

	if (sum(x) != sum(y))
		return sum(x) < sum(y) ? 1 : -1;
	return memcmp(&x->key, &y->key, sizeof(x->key));
}

void flow_counts_report(struct flow_counts *f, struct run *r, bool clock)
{
	run_show_tally(r, f->rows, f->config->columns, by_count, clock);
}
