/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "script.shared.h"
#include "script/hists.h"

#define BAR   52
#define LABEL 24

/* A row takes in the values from @from on, up to and without @to. */
struct row {
	bool from_open, to_open; /* there is no bound */
	int64_t from, to;
	char from_text[LABEL], to_text[LABEL];
	bool plain; /* both bounds are shown as they are, without a K or M */
	uint64_t count;
};

size_t hists_size(const struct type *type)
{
	if (type->kind == TYPE_HIST)
		return RT_HIST_SIZE(type->count);
	return 8 * RT_LHIST_SLOTS(type->lhist.min, type->lhist.max, type->lhist.step);
}

void hists_merge(const struct type *type, void *to, const void *from)
{
	const uint64_t *add = from;
	uint64_t *all = to;

	for (size_t i = 0; i < hists_size(type) / 8; i++)
		all[i] += add[i];
}

uint64_t hists_total(const struct type *type, const void *value)
{
	const uint64_t *slots = value;
	uint64_t all = 0;

	for (size_t i = 0; i < hists_size(type) / 8; i++)
		all += slots[i];
	return all;
}

/* --- slots and rows ----------------------------------------------------------------------- */

/* The least value of slot @slot; that of the slot behind the last one is 2^63. */
static uint64_t slot_from(uint64_t slot, uint32_t bits)
{
	uint64_t each = 1ull << bits, power;

	if (slot < each)
		return slot;
	power = slot / each - 1;
	return (each + slot % each) << power;
}

/* A bound as bpftrace writes it: from the row of 2^(bits + 1) on in K, M ... of 1024. */
static bool hist_label(uint64_t row, uint32_t bits, char text[LABEL])
{
	uint64_t each = 1ull << bits, power, unit;

	if (row <= each << 1) {
		snprintf(text, LABEL, "%" PRIu64, row);
		return true;
	}
	power = row / each - 1;
	unit = power / 10;
	snprintf(text, LABEL, "%" PRIu64, (each + row % each) << (power - 10 * unit));
	if (unit)
		snprintf(text + strlen(text), LABEL - strlen(text), "%c", " KMGTPE"[unit]);
	return false;
}

/* Row 0 is what is below 0. */
static void hist_bounds(const struct type *type, size_t i, struct row *row)
{
	uint32_t bits = type->depth;
	bool from_plain, to_plain;

	*row = (struct row){ .from_open = !i };
	if (!i) {
		strcpy(row->to_text, "0");
		return;
	}
	row->from = slot_from(i - 1, bits);
	row->to_open = i == RT_HIST_SLOTS(bits);
	row->to = row->to_open ? INT64_MAX : (int64_t)slot_from(i, bits);
	from_plain = hist_label(i - 1, bits, row->from_text);
	to_plain = hist_label(i, bits, row->to_text);
	row->plain = from_plain && to_plain;
}

static bool lhist_label(int64_t v, int64_t step, char text[LABEL])
{
	const int64_t kilo = 1024, mega = kilo * kilo;

	if (step % kilo || !v || v % kilo)
		snprintf(text, LABEL, "%" PRId64, v);
	else if (v % mega)
		snprintf(text, LABEL, "%" PRId64 "K", v / kilo);
	else
		snprintf(text, LABEL, "%" PRId64 "M", v / mega);
	return step % kilo;
}

static void lhist_bounds(const struct type *type, size_t i, struct row *row)
{
	const int64_t min = type->lhist.min, max = type->lhist.max, step = type->lhist.step;
	const size_t last = RT_LHIST_SLOTS(min, max, step) - 1;

	*row = (struct row){ .from_open = !i, .to_open = i == last };
	row->from = i == last ? max : (int64_t)((uint64_t)min + (i - 1) * (uint64_t)step);
	row->to = i + 1 >= last ? max : (int64_t)((uint64_t)min + i * (uint64_t)step);
	row->plain = lhist_label(row->from, step, row->from_text);
	lhist_label(row->to, step, row->to_text);
}

static size_t row_count(const struct type *type)
{
	return type->kind == TYPE_HIST ? RT_HIST_SLOTS((uint32_t)type->depth) + 1
				       : hists_size(type) / 8;
}

static size_t row_of_slot(const struct type *type, size_t i)
{
	uint64_t from;

	if (type->kind != TYPE_HIST || !i)
		return i;
	from = slot_from(i - 1, type->count);
	if (from >> 63) /* rt_hist_slot() takes less: twice as much is a power further on */
		return 1 + rt_hist_slot(from >> 1, type->depth) + (1u << type->depth);
	return 1 + rt_hist_slot(from, type->depth);
}

/* The counts of rows @first up to @last, those that are not 0 at both ends. */
struct rows {
	const struct type *type;
	const uint64_t *slots;
	size_t nr_slots;
	size_t first, last;
	uint64_t most;
	uint64_t div;
	size_t at; /* the next slot */
};

static bool rows_begin(struct rows *r, const struct type *type, const void *value, uint64_t div)
{
	uint64_t count = 0;
	size_t row = 0;

	*r = (struct rows){ .type = type, .slots = value, .div = div ? div : 1 };
	r->nr_slots = hists_size(type) / 8;
	r->first = row_count(type);
	for (size_t i = 0; i < r->nr_slots; i++) {
		size_t of = row_of_slot(type, i);

		count = of == row ? count + r->slots[i] : r->slots[i];
		row = of;
		if (!r->slots[i])
			continue;
		r->first = of < r->first ? of : r->first;
		r->last = of;
		r->most = count / r->div > r->most ? count / r->div : r->most;
	}
	while (r->at < r->nr_slots && row_of_slot(type, r->at) < r->first)
		r->at++;
	return r->first < row_count(type);
}

/* Rows in their order, each once. */
static void rows_next(struct rows *r, size_t i, struct row *row)
{
	if (r->type->kind == TYPE_HIST)
		hist_bounds(r->type, i, row);
	else
		lhist_bounds(r->type, i, row);
	for (; r->at < r->nr_slots && row_of_slot(r->type, r->at) == i; r->at++)
		row->count += r->slots[r->at];
	row->count /= r->div;
}

/* --- rows as text and JSON ---------------------------------------------------------------- */

static void put_label(struct text *to, const struct row *row)
{
	if (row->from_open)
		text_printf(to, "(..., %s)", row->to_text);
	else if (row->to_open)
		text_printf(to, "[%s, ...)", row->from_text);
	else if (row->plain && (uint64_t)row->to == (uint64_t)row->from + 1)
		text_printf(to, "[%s]", row->from_text);
	else
		text_printf(to, "[%s, %s)", row->from_text, row->to_text);
}

void hists_rows_text(struct text *to, const struct type *type, const void *value, uint64_t div)
{
	static const char bar[] = "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@";
	struct rows rows;

	if (!rows_begin(&rows, type, value, div))
		return;
	for (size_t i = rows.first; i <= rows.last; i++) {
		size_t begin = to->len;
		struct row row;
		int width;

		rows_next(&rows, i, &row);
		/* in float, as bpftrace: it makes a difference at the ends */
		width = rows.most ? (int)((float)row.count / (float)rows.most * BAR) : 0;
		put_label(to, &row);
		text_pad(to, begin, 16, true, ' ');
		text_printf(to, "%8" PRIu64 " |%-*.*s|\n", row.count, BAR, width, bar);
	}
}

void hists_rows_json(struct text *to, const struct type *type, const void *value, uint64_t div)
{
	struct rows rows;
	bool any = rows_begin(&rows, type, value, div);

	text_char(to, '[');
	for (size_t i = rows.first; any && i <= rows.last; i++) {
		struct row row;

		rows_next(&rows, i, &row);
		text_str(to, i == rows.first ? "{" : ",{");
		if (!row.from_open)
			text_printf(to, "\"min\": %" PRId64 ", ", row.from);
		if (!row.to_open)
			text_printf(to, "\"max\": %" PRId64 ", ", (int64_t)((uint64_t)row.to - 1));
		text_printf(to, "\"count\": %" PRIu64 "}", row.count);
	}
	text_char(to, ']');
}

/* --- percentiles -------------------------------------------------------------------------- */

/* The one that lies nearest: the middle of its slot, and for 1000 the end of the last one. */
struct percentile {
	bool negative; /* it is below 0: its value is not known */
	uint64_t value;
};

static struct percentile find(const struct type *type, const void *value, unsigned permille)
{
	const struct rt_hist *h = value;
	const uint32_t nr = RT_HIST_SLOTS(type->count);
	uint64_t total = hists_total(type, value), seen = h->negative, rank, from, to;
	uint32_t slot = 0;

	rank = total / 1000 * permille + (total % 1000 * permille + 999) / 1000;
	rank = rank ? rank : 1;
	if (seen >= rank)
		return (struct percentile){ .negative = true };
	for (slot = 0; slot < nr; slot++) {
		seen += h->slots[slot];
		if (seen >= rank)
			break;
	}
	from = slot_from(slot, type->count);
	to = slot_from(slot + 1, type->count);
	if (permille >= 1000)
		return (struct percentile){ .value = to - 1 };
	return (struct percentile){ .value = from + (to - from) / 2 };
}

static const struct {
	const char *name, *key;
	unsigned permille;
} percentiles[] = {
	{ "p50", "p50", 500 },	  { "p90", "p90", 900 },  { "p99", "p99", 990 },
	{ "p99.9", "p999", 999 }, { "max", "max", 1000 },
};

void hists_percentiles_text(struct text *to, const struct type *type, const void *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(percentiles); i++) {
		struct percentile p = find(type, value, percentiles[i].permille);

		text_printf(to, "%s%s ", i ? " " : "", percentiles[i].name);
		if (p.negative)
			text_str(to, "<0");
		else
			text_u64(to, p.value);
	}
}

void hists_percentiles_json(struct text *to, const struct type *type, const void *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(percentiles); i++) {
		struct percentile p = find(type, value, percentiles[i].permille);

		text_printf(to, "%s\"%s\": ", i ? ", " : "{", percentiles[i].key);
		if (p.negative)
			text_str(to, "null");
		else
			text_u64(to, p.value);
	}
	text_char(to, '}');
}
