/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <string.h>

#include "script/consts.h"
#include "script/parse_directives.h"
#include "script/fold.h"
#include "script/parse_expr.h"

#define NESTED_MAX 64 /* #if in #if */

struct condition {
	struct span at;
	bool outside; /* what is around it is read */
	bool taken;   /* one of its parts was */
	bool last;    /* there was an #else */
};

struct reader {
	struct directives *d;
	struct source *src;
	char *text;	   /* d->text */
	char *define_text; /* d->define_text */
	uint32_t at;
	uint32_t word_end; /* of the word that was looked at */
	unsigned depth;	   /* of braces */
	bool off;	   /* this part is left out */
	struct condition conditions[NESTED_MAX];
	size_t nr_conditions;
	struct constant **last;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static void blank_out(struct reader *r, uint32_t from, uint32_t to)
{
	for (; from < to; from++)
		if (r->text[from] != '\n')
			r->text[from] = ' ';
}

/* --- the end of things --- */

static uint32_t line_end(const struct reader *r, uint32_t at)
{
	const char *end = memchr(r->src->text + at, '\n', r->src->size - at);

	return end ? (uint32_t)(end - r->src->text) : r->src->size;
}

static uint32_t comment_end(const struct reader *r, uint32_t at)
{
	const char *end;

	if (r->src->text[at + 1] == '/')
		return line_end(r, at);
	end = memmem(r->src->text + at + 2, r->src->size - at - 2, "*/", 2);
	return end ? (uint32_t)(end + 2 - r->src->text) : r->src->size;
}

static bool is_comment(const struct reader *r, uint32_t at)
{
	const char *s = r->src->text + at; /* there is a NUL behind the last byte */

	return s[0] == '/' && (s[1] == '/' || s[1] == '*') && at + 1 < r->src->size;
}

/* Behind the '"' that closes, or at the end of the line. */
static uint32_t string_end(const struct reader *r, uint32_t at)
{
	uint32_t end = r->src->size;

	for (at++; at < end && r->src->text[at] != '\n'; at++) {
		if (r->src->text[at] == '"')
			return at + 1;
		if (r->src->text[at] == '\\' && at + 1 < end && r->src->text[at + 1] != '\n')
			at++;
	}
	return at;
}

/* A directive goes on in the next line behind a '\', or in a comment. Where it does, blanks come in
 * the place of both: lexers know neither. */
static uint32_t directive_end(struct reader *r, uint32_t at)
{
	const char *text = r->src->text;
	uint32_t end = r->src->size;

	while (at < end && text[at] != '\n') {
		if (is_comment(r, at)) {
			at = comment_end(r, at);
		} else if (text[at] == '"') {
			at = string_end(r, at);
		} else if (text[at] == '\\' && at + 1 < end &&
			   (text[at + 1] == '\n' ||
			    (text[at + 1] == '\r' && at + 2 < end && text[at + 2] == '\n'))) {
			uint32_t next = at + (text[at + 1] == '\n' ? 2 : 3);

			memset(r->define_text + at, ' ', next - at);
			at = next;
		} else {
			at++;
		}
	}
	return at;
}

/* --- what is in a directive --- */

/* The next word of names' letters, from *@at on; an empty one: there is none. */
static const char *take_word(struct reader *r, uint32_t *at, uint32_t end, struct span *span)
{
	const char *text = r->define_text;

	while (*at < end && is_blank(text[*at]))
		++*at;
	span->from = *at;
	if (*at < end && lex_is_name_start(text[*at]))
		while (*at < end && lex_is_name(text[*at]))
			++*at;
	span->to = *at;
	return arena_strndup(r->src->arena, text + span->from, span->to - span->from);
}

static bool name_value(void *ctx, const char *name, int64_t *value)
{
	const struct directives *d = ctx;
	const struct define *define = names_get(d->defines, name);

	if (define && define->is_constant) {
		*value = define->value;
		return true;
	}
	return !define && constant_find(name, value);
}

/* The value of the text of a #define; false: it is no constant. */
static bool constant_value(struct reader *r, struct span body, int64_t *value)
{
	struct fold names = { .name = name_value, .ctx = r->d };
	bool is_unsigned;
	struct parser p;
	struct node *n;

	parser_init(&p, r->src, r->define_text, body);
	p.lx.quiet = true;
	n = parse_expr(&p); /* names stay names: of these, constants only have a value */
	return !p.panic && parser_kind(&p) == TOKEN_END && fold(n, &names, value, &is_unsigned) &&
	       !is_unsigned;
}

static void add_constant(struct reader *r, const char *name, int64_t value)
{
	struct constant *c = arena_alloc(r->src->arena, sizeof(*c));

	c->name = name;
	c->value = value;
	*r->last = c;
	r->last = &c->next;
}

static struct span trimmed(const struct reader *r, uint32_t from, uint32_t to)
{
	while (from < to && is_blank(r->define_text[from]))
		from++;
	while (to > from && (is_blank(r->define_text[to - 1]) || r->define_text[to - 1] == '\n'))
		to--;
	return (struct span){ from, to };
}

static void read_define(struct reader *r, uint32_t at, uint32_t end)
{
	struct define *d = arena_alloc(r->src->arena, sizeof(*d));

	d->name = take_word(r, &at, end, &d->at);
	if (!*d->name) {
		source_error(r->src, d->at, "the name of this #define is missing");
		return;
	}
	d->has_arguments = at < end && r->define_text[at] == '(';
	d->body = trimmed(r, at, end);
	if (!d->has_arguments && d->body.from < d->body.to)
		d->is_constant = constant_value(r, d->body, &d->value);
	if (d->is_constant)
		add_constant(r, d->name, d->value);
	names_put(r->d->defines, d->name, d);
}

/* --- conditions --- */

/* Puts 1 or 0 in the place of defined(NAME) and of defined NAME. */
static void resolve_defined(struct reader *r, uint32_t at, uint32_t end)
{
	char *text = r->define_text;

	while (at < end) {
		uint32_t from = at, to;
		struct span span, name;
		bool open;

		if (!lex_is_name_start(text[at])) {
			at++;
			continue;
		}
		if (strcmp(take_word(r, &at, end, &span), "defined"))
			continue;
		while (at < end && is_blank(text[at]))
			at++;
		open = at < end && text[at] == '(';
		at += open;
		if (!*take_word(r, &at, end, &name))
			continue;
		to = at;
		while (open && to < end && is_blank(text[to]))
			to++;
		if (open && (to >= end || text[to] != ')'))
			continue;
		at = to += open;
		open = names_get(r->d->defines, arena_strndup(r->src->arena, text + name.from,
							      name.to - name.from));
		memset(text + from, ' ', to - from);
		text[from] = open ? '1' : '0';
	}
}

/* What is not defined is 0, as C has it. */
static bool condition_name(void *ctx, const char *name, int64_t *value)
{
	if (!name_value(ctx, name, value))
		*value = 0;
	return true;
}

static bool read_condition(struct reader *r, uint32_t at, uint32_t end)
{
	struct fold names = { .name = condition_name, .ctx = r->d };
	struct span span = trimmed(r, at, end);
	int64_t value = 0;
	struct parser p;
	struct node *n;

	resolve_defined(r, span.from, span.to);
	parser_init(&p, r->src, r->define_text, span);
	n = parse_expr(&p);
	if (!p.panic && parser_kind(&p) != TOKEN_END)
		parser_unexpected(&p, "the end of the line");
	if (!p.panic && !fold(n, &names, &value, NULL))
		source_error(r->src, span, "this is no constant");
	return value;
}

static void push_condition(struct reader *r, struct span at, bool holds)
{
	struct condition *c;

	if (r->nr_conditions == NESTED_MAX) {
		source_error(r->src, at, "#if is nested more than %d levels deep", NESTED_MAX);
		r->at = r->src->size;
		r->nr_conditions = 0;
		return;
	}
	c = &r->conditions[r->nr_conditions++];
	*c = (struct condition){ .at = at, .outside = !r->off, .taken = holds };
	r->off |= !holds;
}

static void read_else(struct reader *r, struct span at, const char *name, uint32_t from,
		      uint32_t end)
{
	struct condition *c = r->nr_conditions ? &r->conditions[r->nr_conditions - 1] : NULL;
	bool holds = true;

	if (!c || c->last) {
		source_error(r->src, at, "there is no #if in front of this #%s", name);
		return;
	}
	if (!strcmp(name, "elif"))
		holds = c->outside && !c->taken && read_condition(r, from, end);
	else
		c->last = true;
	r->off = !c->outside || c->taken || !holds;
	c->taken |= holds;
}

static void read_endif(struct reader *r, struct span at)
{
	if (!r->nr_conditions) {
		source_error(r->src, at, "there is no #if in front of this #endif");
		return;
	}
	r->off = !r->conditions[--r->nr_conditions].outside;
}

/* --- all --- */

static bool read_if(struct reader *r, struct span at, const char *name, uint32_t from, uint32_t end)
{
	struct span span;
	bool defined;

	if (!strcmp(name, "if")) {
		push_condition(r, at, r->off || read_condition(r, from, end));
		return true;
	}
	if (strcmp(name, "ifdef") && strcmp(name, "ifndef"))
		return false;
	name = strcmp(name, "ifdef") ? "!" : "";
	defined = names_get(r->d->defines, take_word(r, &from, end, &span));
	if (span.from == span.to && !r->off)
		source_error(r->src, at, "a name is missing behind this");
	push_condition(r, at, defined == !*name);
	return true;
}

static bool is_ignored(const char *name)
{
	return !*name || !strcmp(name, "include") || !strcmp(name, "pragma") ||
	       !strcmp(name, "include_next");
}

static void read_directive(struct reader *r, uint32_t end)
{
	struct span at, word, rest;
	uint32_t from = r->at + 1;
	const char *name;

	name = take_word(r, &from, end, &word);
	at = (struct span){ r->at, word.to };
	r->at = end;
	if (read_if(r, at, name, from, end))
		return;
	if (!strcmp(name, "else") || !strcmp(name, "elif")) {
		read_else(r, at, name, from, end);
	} else if (!strcmp(name, "endif")) {
		read_endif(r, at);
	} else if (!r->off && !is_ignored(name)) {
		rest = trimmed(r, from, end);
		if (!strcmp(name, "define"))
			read_define(r, from, end);
		else if (!strcmp(name, "undef"))
			names_put(r->d->defines, take_word(r, &from, end, &word), NULL);
		else if (!strcmp(name, "error"))
			source_error(r->src, at, "%.*s", (int)(rest.to - rest.from),
				     r->define_text + rest.from);
		else if (!strcmp(name, "warning"))
			source_warning(r->src, at, "%.*s", (int)(rest.to - rest.from),
				       r->define_text + rest.from);
		else
			source_error(r->src, at, "there is no directive #%s", name);
	}
}

/* Goes over what a '#' may stand in without beginning a directive: a comment, a text, the name of a
 * probe, in which there are no comments. False: it is something else. */
static bool skip_whole(struct reader *r)
{
	const char *text = r->src->text;
	char c = text[r->at];

	if (is_comment(r, r->at)) {
		r->at = comment_end(r, r->at);
		return true;
	}
	if (!r->depth && r->at >= r->word_end && (lex_is_name_start(c) || c == '*' || c == '[')) {
		r->word_end = lex_probe_end(text, r->at, r->src->size);
		if (memchr(text + r->at, ':', r->word_end - r->at)) {
			r->at = r->word_end;
			return true;
		}
	}
	if (c != '"')
		return false;
	r->at = string_end(r, r->at);
	return true;
}

static void read_text(struct reader *r)
{
	const char *text = r->src->text;
	bool begin = true; /* of a line: nothing but blanks so far */

	while (r->at < r->src->size) {
		char c = text[r->at];
		uint32_t from = r->at;

		if (begin && c == '#') {
			read_directive(r, directive_end(r, r->at));
			blank_out(r, from, r->at);
			continue;
		}
		begin = c == '\n' || (begin && is_blank(c));
		if (r->off) {
			r->at = begin ? r->at + 1 : line_end(r, r->at);
			blank_out(r, from, r->at);
			continue;
		}
		if (!skip_whole(r)) {
			r->depth += c == '{';
			r->depth -= c == '}' && r->depth;
			r->at++;
		}
	}
	if (r->nr_conditions)
		source_error(r->src, r->conditions[r->nr_conditions - 1].at, "this has no #endif");
}

static void predefine(struct directives *d, struct source *src, const char *name)
{
	struct define *define = arena_alloc(src->arena, sizeof(*define));

	define->name = name;
	define->is_constant = true;
	define->value = 1;
	names_put(d->defines, name, define);
}

void parse_directives(struct directives *d, struct source *src)
{
	struct reader r = { .d = d, .src = src, .last = &d->constants };

	d->constants = NULL;
	d->defines = names_new(src->arena);
	d->text = r.text = arena_strndup(src->arena, src->text, src->size);
	d->define_text = r.define_text = arena_strndup(src->arena, src->text, src->size);
	predefine(d, src, "BPFTRACE_HAVE_BTF");
	if (src->size > 1 && src->text[0] == '#' && src->text[1] == '!') {
		r.at = line_end(&r, 0);
		blank_out(&r, 0, r.at);
	}
	read_text(&r);
}
