/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "output/table.h"
#include "output/time.h"

bool table_show_clock, table_csv;

static bool is_end(const struct column *c)
{
	return !c->size;
}

static bool is_shown(const struct column *c)
{
	return c->title && (!c->show || *c->show);
}

/* Of those that are shown. */
static bool is_last(const struct column *c)
{
	for (c++; !is_end(c); c++)
		if (is_shown(c))
			return false;
	return true;
}

static uint64_t get_uint(const void *event, const struct column *c)
{
	const char *at = (const char *)event + c->offset;
	uint64_t v = 0;

	switch (c->size) {
	case 1:
		return *(const uint8_t *)at;
	case 2:
		return *(const uint16_t *)at;
	case 4:
		return *(const uint32_t *)at;
	default:
		memcpy(&v, at, sizeof(v));
		return v;
	}
}

static int64_t get_int(const void *event, const struct column *c)
{
	uint64_t v = get_uint(event, c);
	int unused = 64 - 8 * (int)c->size;

	return (int64_t)(v << unused) >> unused;
}

/* Seconds since the first event that was shown, which one of another CPU may be older than: BCC's
 * TIME(s). */
static void elapsed(struct out *o, uint64_t ts)
{
	static uint64_t first;

	if (!first)
		first = ts;
	if (ts < first)
		out_char(o, '-');
	out_fixed(o, ts < first ? first - ts : ts - first, 9);
}

/* A byte as \ooo, as BCC writes commas. */
static void octal(struct out *o, char c)
{
	out_char(o, '\\');
	out_octal(o, (unsigned char)c, 3);
}

void table_text(struct out *o, const char *s, size_t len)
{
	size_t n;

	len = strnlen(s, len);
	if (table_csv && len && strchr("=+-@", *s)) {
		octal(o, *s++);
		len--;
	}
	for (n = 0; table_csv && n < len; n++) {
		if (s[n] != ',' && s[n] != '"')
			continue;
		out_escaped(o, s, n);
		octal(o, s[n]);
		s += n + 1;
		len -= n + 1;
		n = -1;
	}
	out_escaped(o, s, len);
}

void table_ms(struct out *o, const void *ns)
{
	out_fixed(o, *(const uint64_t *)ns / (10 * NSEC_PER_USEC), 2);
}

void table_ms_us(struct out *o, const void *ns)
{
	out_fixed(o, *(const uint64_t *)ns / NSEC_PER_USEC, 3);
}

void table_kb(struct out *o, const void *bytes)
{
	out_u64(o, *(const uint64_t *)bytes / 1024);
}

/* Is it the number, or the name, of a task that is not known? */
static bool is_unknown(const struct column *c, const struct event_head *event)
{
	if (c->fmt == FMT_KNOWN)
		return get_int(event, c) == -1;
	return event->pid == EVENT_UNKNOWN && (c->offset == offsetof(struct event_head, pid) ||
					       c->offset == offsetof(struct event_head, tid) ||
					       c->offset == offsetof(struct event_head, comm));
}

static void cell(struct out *o, const struct column *c, const struct event_head *event)
{
	if (is_unknown(c, event)) {
		out_char(o, '?');
		return;
	}
	if (c->text) {
		c->text(o, (const char *)event + c->offset);
		return;
	}
	switch (c->fmt) {
	case FMT_UINT:
	case FMT_KNOWN:
		out_u64(o, get_uint(event, c));
		break;
	case FMT_INT:
		out_s64(o, get_int(event, c));
		break;
	case FMT_FD:
		out_s64(o, get_int(event, c) < 0 ? -1 : get_int(event, c));
		break;
	case FMT_ERRNO:
		out_s64(o, get_int(event, c) < 0 ? -get_int(event, c) : 0);
		break;
	case FMT_OCTAL:
		out_octal(o, get_uint(event, c), c->width);
		break;
	case FMT_STR:
		table_text(o, (const char *)event + c->offset, c->size);
		break;
	case FMT_TIME:
		time_of_day(o, clock_real_ns(event->ts), c->width > 9 ? c->width - 9 : 0);
		break;
	case FMT_ELAPSED:
		elapsed(o, event->ts);
		break;
	}
}

/* Pads what was written since @mark, and puts the space between columns. */
static void end_cell(struct out *o, const struct column *c, size_t mark)
{
	if (table_csv) {
		if (!is_last(c))
			out_char(o, ',');
		return;
	}
	if (c->width < 0)
		out_pad_left(o, mark, -c->width);
	if (is_last(c))
		return;
	if (c->width > 0)
		out_pad(o, mark, c->width);
	out_char(o, ' ');
}

void table_header(struct out *o, const struct column *columns)
{
	for (const struct column *c = columns; !is_end(c); c++) {
		size_t mark;

		if (!is_shown(c))
			continue;
		mark = out_mark(o);
		out_str(o, c->title);
		end_cell(o, c, mark);
	}
	out_char(o, '\n');
}

int table_width(const struct column *columns)
{
	int width = 0;

	for (const struct column *c = columns; !is_end(c); c++)
		if (is_shown(c))
			width += abs(c->width) + !is_last(c);
	return width;
}

void table_row(struct out *o, const struct column *columns, const struct event_head *event)
{
	for (const struct column *c = columns; !is_end(c); c++) {
		size_t mark;

		if (!is_shown(c))
			continue;
		mark = out_mark(o);
		cell(o, c, event);
		end_cell(o, c, mark);
	}
	out_char(o, '\n');
}

static void json_cell(struct json *j, const struct column *c, const struct event_head *event)
{
	if (c->json)
		c->json(j, event);
	if (!c->key)
		return;
	if (is_unknown(c, event)) {
		json_null(j, c->key);
		return;
	}
	switch (c->fmt) {
	case FMT_UINT:
	case FMT_KNOWN:
	case FMT_OCTAL:
		json_u64(j, c->key, get_uint(event, c));
		break;
	case FMT_INT:
		json_s64(j, c->key, get_int(event, c));
		break;
	case FMT_FD:
		json_s64(j, c->key, get_int(event, c) < 0 ? -1 : get_int(event, c));
		break;
	case FMT_ERRNO:
		json_errno(j, get_int(event, c));
		break;
	case FMT_STR:
		json_strn(j, c->key, (const char *)event + c->offset, c->size);
		break;
	case FMT_TIME:
	case FMT_ELAPSED:
		break; /* the time stands in every object */
	}
}

void table_json(struct out *o, const struct column *columns, const struct event_head *event)
{
	struct json j;

	json_init(&j, o);
	json_object(&j, NULL);
	json_time(&j, "time", clock_real_ns(event->ts));
	if (event->pid == EVENT_UNKNOWN) {
		json_null(&j, "pid");
		json_null(&j, "tid");
		json_u64_known(&j, "uid", event->uid != EVENT_UNKNOWN, event->uid);
		json_null(&j, "comm");
	} else {
		json_u64(&j, "pid", event->pid);
		json_u64(&j, "tid", event->tid);
		json_u64(&j, "uid", event->uid);
		json_strn(&j, "comm", event->comm, sizeof(event->comm));
	}
	for (const struct column *c = columns; !is_end(c); c++)
		json_cell(&j, c, event);
	json_end_object(&j);
}
