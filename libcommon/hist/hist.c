/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hist/hist.h"

#define LAST_SLOT (HIST_SLOTS - 1)
#define COLUMNS	  80

uint64_t hist_slot_from(unsigned int slot)
{
	unsigned int shift = slot / HIST_SUB - 1, sub = HIST_SUB + slot % HIST_SUB;

	if (slot < HIST_SUB)
		return slot;
	if (sub == HIST_MS_SUB)
		return HIST_MS_FROM(shift);
	if (sub == HIST_US_SUB)
		return HIST_US_FROM(shift);
	return (uint64_t)sub << shift;
}

uint64_t hist_slot_to(unsigned int slot)
{
	return slot < LAST_SLOT ? hist_slot_from(slot + 1) : UINT64_MAX;
}

void hist_add(struct hist *h, uint64_t value)
{
	h->slots[hist_slot(value)]++;
	h->sum += value;
	hist_widen(&h->extremes, value, ~value);
}

void hist_merge(struct hist *into, const struct hist *from)
{
	unsigned int i;

	for (i = 0; i < HIST_SLOTS; i++)
		into->slots[i] += from->slots[i];
	into->sum += from->sum;
	hist_widen(&into->extremes, from->extremes.max, from->extremes.not_min);
}

uint64_t hist_count(const struct hist *h)
{
	uint64_t count = 0;
	unsigned int i;

	for (i = 0; i < HIST_SLOTS; i++)
		count += h->slots[i];
	return count;
}

uint64_t hist_min(const struct hist *h)
{
	unsigned int i;

	if (h->extremes.not_min)
		return ~h->extremes.not_min;
	for (i = 0; i < HIST_SLOTS; i++)
		if (h->slots[i])
			return hist_slot_from(i);
	return 0;
}

uint64_t hist_max(const struct hist *h)
{
	unsigned int i;

	if (h->extremes.max)
		return h->extremes.max;
	if (h->slots[LAST_SLOT])
		return hist_slot_from(LAST_SLOT);
	for (i = LAST_SLOT; i > 0; i--)
		if (h->slots[i - 1])
			return hist_slot_to(i - 1) - 1;
	return 0;
}

static uint64_t slot_middle(unsigned int slot)
{
	uint64_t from = hist_slot_from(slot);

	return slot < LAST_SLOT ? from + (hist_slot_to(slot) - from) / 2 : from;
}

uint64_t hist_percentile(const struct hist *h, unsigned int permille)
{
	uint64_t count = hist_count(h), min = hist_min(h), max = hist_max(h), rank, seen = 0, v;
	unsigned int i;

	if (!count)
		return 0;
	if (!permille)
		return min;
	if (permille >= 1000)
		return max;
	rank = count / 1000 * permille + (count % 1000 * permille + 999) / 1000;
	if (rank == count && h->extremes.max)
		return max;
	for (i = 0; i < HIST_SLOTS; i++) {
		seen += h->slots[i];
		if (seen >= rank)
			break;
	}
	v = slot_middle(i);
	if (i == LAST_SLOT && max > v)
		v += (max - v) / 2;
	if (v < min)
		v = min;
	return v < max ? v : max;
}

static unsigned int row_of(uint64_t v)
{
	return v < 2 ? 0 : hist_log2(v);
}

static unsigned int bar_length(uint64_t v, uint64_t most, unsigned int width)
{
	uint64_t stars;

	if (most <= UINT64_MAX / width)
		return v * width / most;
	stars = v / (most / width);
	return stars < width ? stars : width;
}

static void print_rows(struct out *o, const struct hist *h, uint64_t unit_ns, const char *unit)
{
	static const char stars[] = "****************************************";
	uint64_t rows[HIST_MAX_BITS + 1] = { 0 }, most = 0;
	unsigned int i, row, last = 0, bound, count, bar;

	for (i = 0; i < HIST_SLOTS; i++) {
		if (!h->slots[i])
			continue;
		row = row_of(hist_slot_from(i) / unit_ns); /* no slot is in two */
		rows[row] += h->slots[i];
		if (rows[row] > most)
			most = rows[row];
		last = row;
	}

	/* As BCC has it: wide columns and a short bar from 2^32 on. A long count takes from the
	 * bar. */
	bound = last < 32 ? 10 : 20;
	count = snprintf(NULL, 0, "%" PRIu64, most);
	if (count < 8)
		count = 8;
	bar = last < 32 ? 40 : 20;
	if (2 * bound + 4 + 3 + count + 2 + bar + 1 > COLUMNS)
		bar = COLUMNS - (2 * bound + 4 + 3 + count + 2 + 1);

	out_printf(o, "%*s%-*s : %-*s  distribution\n", bound == 10 ? 5 : 15, "",
		   bound == 10 ? 19 : 29, unit, count, "count");
	for (row = 0; row <= last; row++) {
		unsigned int filled = bar_length(rows[row], most, bar);
		char to[24] = "inf";

		if (row < last || !h->slots[LAST_SLOT])
			snprintf(to, sizeof(to), "%" PRIu64, (UINT64_C(2) << row) - 1);
		out_printf(o, "%*" PRIu64 " -> %-*s : %-*" PRIu64 " |%-*.*s|\n", bound,
			   row ? UINT64_C(1) << row : 0, bound, to, count, rows[row], bar, filled,
			   stars);
	}
}

/* Three significant digits where the value has a fraction: 1.23, 12.3, 123, 1234. */
static void format_value(char *buf, size_t size, uint64_t v, uint64_t unit_ns)
{
	uint64_t whole = v / unit_ns, rest = v % unit_ns, scaled;

	if (unit_ns > 1 && whole < 10) {
		scaled = (v * 100 + unit_ns / 2) / unit_ns;
		if (scaled < 1000) {
			snprintf(buf, size, "%u.%02u", (unsigned int)scaled / 100,
				 (unsigned int)scaled % 100);
			return;
		}
	}
	if (unit_ns > 1 && whole < 100) {
		scaled = (v * 10 + unit_ns / 2) / unit_ns;
		if (scaled < 1000) {
			snprintf(buf, size, "%u.%u", (unsigned int)scaled / 10,
				 (unsigned int)scaled % 10);
			return;
		}
	}
	snprintf(buf, size, "%" PRIu64, whole + (unit_ns > 1 && rest >= unit_ns - rest));
}

static void print_summary(struct out *o, const struct hist *h, uint64_t unit_ns, const char *unit,
			  bool total)
{
	const struct {
		const char *name;
		uint64_t value;
	} items[] = { { "avg", h->sum / hist_count(h) },
		      { "p50", hist_percentile(h, 500) },
		      { "p90", hist_percentile(h, 900) },
		      { "p99", hist_percentile(h, 990) },
		      { "p99.9", hist_percentile(h, 999) },
		      { "max", hist_max(h) },
		      { "total", h->sum } };
	unsigned int nr = total ? 7 : 6, column = 0, i;

	for (i = 0; i < nr; i++) {
		char text[64], value[32];
		unsigned int len;

		format_value(value, sizeof(value), items[i].value, unit_ns);
		if (i < nr - 1)
			len = snprintf(text, sizeof(text), " %s %s", items[i].name, value);
		else
			len = snprintf(text, sizeof(text), " %s %s (%s)", items[i].name, value,
				       unit);
		if (!column || column + len > COLUMNS) {
			out_str(o, column ? "\n   " : "   ");
			column = 3;
		}
		out_str(o, text);
		column += len;
	}
	if (total)
		out_printf(o, "%s count %" PRIu64, column + 26 > COLUMNS ? "\n   " : "",
			   hist_count(h));
	out_char(o, '\n');
}

void hist_print(struct out *o, const struct hist *h, uint64_t unit_ns, const char *unit, bool total)
{
	if (!hist_count(h))
		return;
	print_rows(o, h, unit_ns, unit);
	print_summary(o, h, unit_ns, unit, total);
}

void hist_json(struct json *j, const struct hist *h)
{
	uint64_t max = hist_max(h);
	unsigned int i;

	json_u64(j, "count", hist_count(h));
	json_u64(j, "sum_ns", h->sum);
	json_u64(j, "min_ns", hist_min(h));
	json_u64(j, "max_ns", max);
	json_u64(j, "p50_ns", hist_percentile(h, 500));
	json_u64(j, "p90_ns", hist_percentile(h, 900));
	json_u64(j, "p99_ns", hist_percentile(h, 990));
	json_u64(j, "p999_ns", hist_percentile(h, 999));
	json_array(j, "buckets");
	for (i = 0; i < HIST_SLOTS; i++) {
		uint64_t from = hist_slot_from(i), to = hist_slot_to(i);

		if (!h->slots[i])
			continue;
		if (i == LAST_SLOT && max >= from && max < UINT64_MAX)
			to = max + 1;
		json_object(j, NULL);
		json_u64(j, "from_ns", from);
		json_u64(j, "to_ns", to);
		json_u64(j, "count", h->slots[i]);
		json_end_object(j);
	}
	json_end_array(j);
}
