/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/errnos.h"
#include "base/msg.h"
#include "base/util.h"
#include "script.shared.h"
#include "script/format.h"
#include "script/run.h"
#include "script/session.h"
#include "script/shell.h"
#include "script/words.h"

#define CAT_BYTES 10240 /* of a file, as bpftrace has it */

/* --- rows --------------------------------------------------------------------------------- */

static void write_as(struct session *s, const char *type)
{
	if (s->opt->json)
		session_write_json(s, type);
	else
		session_write(s);
}

static void print_format(struct session *s, const struct statement *st, bool raw)
{
	format_print(s->formats[st->number], &s->values, &s->row, s->args, raw);
}

/* --time: in front of a row that begins a line. */
static void put_time(struct session *s, uint64_t ts)
{
	if (s->opt->time && !s->opt->json && !s->in_line)
		words_time(&s->row, "%H:%M:%S.%f ", clock_real_ns(ts));
}

static void do_printf(struct session *s, const struct statement *st, uint64_t ts)
{
	put_time(s, ts);
	print_format(s, st, s->opt->json);
	write_as(s, "printf");
	s->rows++;
}

static void do_value(struct session *s, const struct statement *st, uint64_t ts)
{
	put_time(s, ts);
	if (s->opt->json) {
		text_str(&s->row, "{\"type\": \"value\", \"data\": ");
		value_json(&s->values, &s->row, &s->args[0], 1);
		text_char(&s->row, '}');
	} else {
		value_text(&s->values, &s->row, &s->args[0], 1);
	}
	text_char(&s->row, '\n');
	session_write(s);
	s->rows++;
}

static void do_time(struct session *s, const struct statement *st, uint64_t ts)
{
	words_time(&s->row, st->format ? st->format : "%H:%M:%S\n", clock_real_ns(ts));
	write_as(s, "time");
}

static void do_join(struct session *s, const struct statement *st)
{
	const bool raw = s->opt->json || s->values.raw;
	int64_t nr = 0;

	value_number(&s->args[0], &nr);
	for (size_t i = 1; i < st->nr_args && (int64_t)i <= nr; i++) {
		if (i > 1)
			text_mem(&s->row, st->format ? st->format : " ",
				 st->format ? st->format_len : 1);
		if (raw)
			value_raw(&s->values, &s->row, &s->args[i]);
		else
			value_text(&s->values, &s->row, &s->args[i], 1);
	}
	if (!s->opt->json)
		text_char(&s->row, '\n');
	write_as(s, "join");
	s->rows++;
}

/* --- commands and files ------------------------------------------------------------------- */

/* What the format makes, with a NUL behind it, in .row. */
static const char *made(struct session *s, const struct statement *st)
{
	print_format(s, st, true);
	text_char(&s->row, '\0');
	return s->row.bytes;
}

/* Lines of somebody's: each is made safe for a terminal. */
static void put_lines(struct session *s, const struct text *lines)
{
	for (size_t i = 0; i < lines->len;) {
		const char *line = lines->bytes + i;
		size_t len = lines->len - i;
		const char *end = memchr(line, '\n', len);

		len = end ? (size_t)(end - line) : len;
		for (size_t k = 0; k < len;) {
			const char *tab = memchr(line + k, '\t', len - k);
			size_t part = tab ? (size_t)(tab - line) - k : len - k;

			text_escaped(&s->row, line + k, part);
			k += part;
			if (tab) {
				text_char(&s->row, '\t');
				k++;
			}
		}
		i += len;
		if (end) {
			text_char(&s->row, '\n');
			i++;
		}
	}
}

static void put_output(struct session *s, const struct text *output, const char *type)
{
	s->row.len = 0;
	if (s->opt->json || s->values.raw)
		text_mem(&s->row, output->bytes, output->len);
	else
		put_lines(s, output);
	write_as(s, type);
}

static void do_system(struct session *s, const struct statement *st)
{
	struct text output = { 0 };
	int err;

	out_flush(s->out); /* the command may write to the same place */
	err = shell_run(made(s, st), &output);
	if (err)
		warn("system(): cannot run '%s': %s", s->row.bytes, strerror(-err));
	else if (s->opt->compat && !s->opt->json)
		text_char(&output, '\n'); /* bpftrace's own */
	put_output(s, &output, "syscall");
	text_free(&output);
}

static void do_cat(struct session *s, const struct statement *st)
{
	const struct script_config *config = s->l->compiled->config;
	struct text content = { 0 };
	int err = shell_file(made(s, st),
			     config && config->max_cat_bytes ? config->max_cat_bytes : CAT_BYTES,
			     &content);

	if (err && s->opt->compat)
		fprintf(stderr, "ERROR: failed to open file '%s' (%s)\n", s->row.bytes,
			strerror(-err));
	else if (err)
		warn("cat(): cannot read '%s': %s", s->row.bytes, strerror(-err));
	put_output(s, &content, "cat");
	text_free(&content);
}

/* --- messages ----------------------------------------------------------------------------- */

static void message_json(struct session *s, const struct statement *st, const char *type)
{
	const struct source *src = s->l->compiled->source;
	struct text data = s->row;
	unsigned line, column;

	s->row = (struct text){ 0 };
	source_place(src, st->at.from, &line, &column);
	text_printf(&s->row, "{\"type\": \"%s\", \"msg\": ", type);
	text_json(&s->row, data.bytes ? data.bytes : "", data.len);
	text_str(&s->row, ", \"filename\": ");
	text_json(&s->row, src->name, strlen(src->name));
	text_printf(&s->row, ", \"line\": %u, \"col\": %u}\n", line, column);
	text_free(&data);
	session_write(s);
}

/* "NAME:1:9-62: ERROR: text" */
static void do_message(struct session *s, const struct statement *st, bool is_error)
{
	const struct source *src = s->l->compiled->source;
	unsigned line, column;

	if (!is_error && src->no_warnings)
		return;
	print_format(s, st, s->opt->json);
	if (s->opt->json) {
		message_json(s, st, is_error ? "errorf" : "warnf");
		return;
	}
	if (s->row.len && s->row.bytes[s->row.len - 1] == '\n')
		s->row.len--;
	out_flush(s->out);
	source_place(src, st->at.from, &line, &column);
	fprintf(stderr, "%s:%u:%u-%u: %s: %.*s\n", src->name, line, column,
		column + (st->at.to - st->at.from), is_error ? "ERROR" : "WARNING", (int)s->row.len,
		s->row.len ? s->row.bytes : "");
	s->row.len = 0;
}

/* --- maps --------------------------------------------------------------------------------- */

static uint64_t number_of(const struct session *s, const struct statement *st, size_t i)
{
	int64_t v = 0;

	if (i < st->nr_args)
		value_number(&s->args[i], &v);
	return v;
}

static void do_exit(struct session *s, const struct statement *st)
{
	if (!s->stop)
		s->status = (int)number_of(s, st, 0);
	s->stop = true;
}

static void act(struct session *s, const struct statement *st, const struct rt_record *r)
{
	switch (st->action) {
	case ACTION_PRINTF:
		do_printf(s, st, r->ts);
		break;
	case ACTION_ERRORF:
	case ACTION_WARNF:
		do_message(s, st, st->action == ACTION_ERRORF);
		break;
	case ACTION_SYSTEM:
		do_system(s, st);
		break;
	case ACTION_CAT:
		do_cat(s, st);
		break;
	case ACTION_PRINT_MAP:
		report_print(s, st, r->cpu, number_of(s, st, 0), number_of(s, st, 1));
		break;
	case ACTION_PRINT_VALUE:
		do_value(s, st, r->ts);
		break;
	case ACTION_PRINT_ENTRY:
		report_entry(s, st, s->args[0].data);
		break;
	case ACTION_CLEAR:
		report_clear(s, st, r->cpu);
		break;
	case ACTION_ZERO:
		report_zero(s, st, r->cpu);
		break;
	case ACTION_TIME:
		do_time(s, st, r->ts);
		break;
	case ACTION_JOIN:
		do_join(s, st);
		break;
	case ACTION_EXIT:
		do_exit(s, st);
		break;
	}
}

static bool is_map_action(enum action action)
{
	return action == ACTION_PRINT_MAP || action == ACTION_CLEAR || action == ACTION_ZERO;
}

void action_take(struct session *s, const void *record, size_t size)
{
	const struct compiled *c = s->l->compiled;
	const struct rt_record *r = record;
	const struct statement *st;

	if (r->statement == RT_BYTES) {
		if (size >= sizeof(struct rt_bytes))
			texts_add(s->values.texts, record, size);
		else
			s->broken++;
		return;
	}
	st = r->statement < c->nr_statements ? c->statements[r->statement] : NULL;
	if (!st || !value_record(st, record, size, s->args)) {
		s->broken++;
		return;
	}
	if (!is_map_action(st->action))
		report_settle(s, r->cpu);
	s->row.len = 0;
	act(s, st, r);
	s->shown++;
}
