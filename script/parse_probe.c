/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <fnmatch.h>
#include <string.h>

#include "base/util.h"
#include "script/parse_probe.h"

/* How the parts behind the provider are read. */
enum form {
	FORM_NAMES,
	FORM_TIME,     /* a unit and a number, or a duration */
	FORM_COUNT,    /* a name, and perhaps a number */
	FORM_FUNCTION, /* the last one is a function, function+offset or an address */
};

static const struct provider_form {
	const char *spellings; /* with a blank around each; the first is the name */
	enum form form;
	unsigned min, max; /* parts */
	bool kernel, user; /* a wildcard in the place of the provider may mean it */
	bool no_offset;
	const char *usage;
} forms[PROVIDERS] = {
	[PROVIDER_BEGIN] = { " begin BEGIN ", FORM_NAMES, 0, 0, .usage = "begin" },
	[PROVIDER_END] = { " end END ", FORM_NAMES, 0, 0, .usage = "end" },
	[PROVIDER_INTERVAL] = { " interval i ", FORM_TIME, 1, 2,
				.usage = "interval:s:1 or interval:1s" },
	[PROVIDER_PROFILE] = { " profile p ", FORM_TIME, 1, 2,
			       .usage = "profile:hz:99 or profile:10ms" },
	[PROVIDER_TRACEPOINT] = { " tracepoint t ", FORM_NAMES, 2, 2, .kernel = true,
				  .usage = "tracepoint:CATEGORY:EVENT" },
	[PROVIDER_RAWTRACEPOINT] = { " rawtracepoint rt ", FORM_NAMES, 1, 2, .kernel = true,
				     .usage = "rawtracepoint:EVENT or rawtracepoint:MODULE:EVENT" },
	[PROVIDER_KPROBE] = { " kprobe k ", FORM_FUNCTION, 1, 2, .kernel = true,
			      .usage = "kprobe:FUNCTION or kprobe:MODULE:FUNCTION" },
	[PROVIDER_KRETPROBE] = { " kretprobe kr ", FORM_FUNCTION, 1, 2, .kernel = true,
				 .no_offset = true,
				 .usage = "kretprobe:FUNCTION or kretprobe:MODULE:FUNCTION" },
	[PROVIDER_FENTRY] = { " fentry f kfunc ", FORM_NAMES, 1, 3, .kernel = true,
			      .usage = "fentry:FUNCTION or fentry:MODULE:FUNCTION" },
	[PROVIDER_FEXIT] = { " fexit fr kretfunc ", FORM_NAMES, 1, 3, .kernel = true,
			     .usage = "fexit:FUNCTION or fexit:MODULE:FUNCTION" },
	[PROVIDER_UPROBE] = { " uprobe u ", FORM_FUNCTION, 1, 3, .user = true,
			      .usage = "uprobe:FILE:FUNCTION or uprobe:FILE:cpp:\"FUNCTION\"" },
	[PROVIDER_URETPROBE] = { " uretprobe ur ", FORM_FUNCTION, 1, 3, .user = true,
				 .no_offset = true,
				 .usage = "uretprobe:FILE:FUNCTION or "
					  "uretprobe:FILE:cpp:\"FUNCTION\"" },
	[PROVIDER_USDT] = { " usdt U ", FORM_NAMES, 1, 3, .user = true,
			    .usage = "usdt:FILE:NAME or usdt:FILE:PROVIDER:NAME" },
	[PROVIDER_SOFTWARE] = { " software s ", FORM_COUNT, 1, 2, .kernel = true,
				.usage = "software:EVENT or software:EVENT:COUNT" },
	[PROVIDER_HARDWARE] = { " hardware h ", FORM_COUNT, 1, 2, .kernel = true,
				.usage = "hardware:EVENT or hardware:EVENT:COUNT" },
	[PROVIDER_SELF] = { " self ", FORM_NAMES, 2, 2, .usage = "self:signal:SIGUSR1" },
	[PROVIDER_WATCHPOINT] = { " watchpoint w asyncwatchpoint aw ", FORM_NAMES, 3, 4,
				  .usage = "watchpoint:ADDRESS:LENGTH:MODE" },
	[PROVIDER_ITER] = { " iter it ", FORM_NAMES, 1, 2, .usage = "iter:NAME or iter:NAME:PIN" },
	[PROVIDER_TEST] = { " test TEST ", FORM_NAMES, 1, 1, .usage = "test:NAME" },
	[PROVIDER_BENCH] = { " bench BENCH ", FORM_NAMES, 1, 1, .usage = "bench:NAME" },
};

/* Parts of a name while it is read. */
#define PARTS_MAX 8
struct parts {
	const char *text[PARTS_MAX];
	bool quoted[PARTS_MAX];	       /* none of its signs means anything, but for what stands */
	const char *behind[PARTS_MAX]; /* here, behind the quotation mark at its end */
	size_t nr;
	char *at; /* where the next byte goes */
};

/* --- the parts --- */

static void end_part(struct parts *parts)
{
	*parts->at++ = 0;
	if (parts->nr < PARTS_MAX)
		parts->nr++;
	if (parts->nr < PARTS_MAX) {
		parts->text[parts->nr] = parts->at;
		parts->quoted[parts->nr] = false;
	}
}

/* Bytes of a parameter. A ':' divides there, too: kprobe:$1 may be given module:function. */
static void put_parameter(struct parts *parts, const char *text)
{
	for (; *text; text++) {
		if (*text == ':')
			end_part(parts);
		else
			*parts->at++ = *text;
	}
}

/* The number behind '$', from *@at on; 0: there is none. */
static size_t parameter_number(const struct parser *p, uint32_t *at, uint32_t end)
{
	size_t number = 0;

	while (*at < end && lex_is_digit(p->lx.text[*at]) && number < 1000000)
		number = number * 10 + p->lx.text[(*at)++] - '0';
	return number;
}

static const char *parameter(const struct parser *p, size_t number)
{
	const struct positional *args = p->positional;

	return args && number <= args->nr ? args->args[number - 1] : "";
}

static bool parameter_is_there(struct parser *p, size_t number, struct span at)
{
	size_t nr = p->positional ? p->positional->nr : 0;

	if (!number)
		source_error(p->src, at,
			     "the number of a parameter is missing; in quotation marks, a "
			     "'$' means itself");
	else if (number > nr)
		source_error(p->src, at, "parameter $%zu is missing: the script was given %zu",
			     number, nr);
	return number && number <= nr;
}

/* How many bytes the parts may have at most, all together. */
static size_t room_for(const struct parser *p, struct span span)
{
	size_t room = span.to - span.from + 2;

	for (uint32_t at = span.from; at < span.to;) {
		size_t number = p->lx.text[at++] == '$' ? parameter_number(p, &at, span.to) : 0;

		room += number ? strlen(parameter(p, number)) + 1 : 0;
	}
	return room;
}

static bool split(struct parser *p, struct span span, struct parts *parts)
{
	const char *text = p->lx.text;
	bool quotes = false;

	*parts = (struct parts){ 0 };
	parts->text[0] = parts->at = arena_alloc(p->arena, room_for(p, span));
	for (uint32_t at = span.from; at < span.to;) {
		char c = text[at++];

		if (c == '"') {
			quotes = !quotes;
			if (parts->nr < PARTS_MAX) {
				parts->quoted[parts->nr] = true;
				parts->behind[parts->nr] = parts->at;
			}
		} else if (quotes && c == '\\' && at < span.to) {
			*parts->at++ = text[at++];
		} else if (!quotes && c == ':') {
			end_part(parts);
		} else if (!quotes && c == '$') {
			uint32_t from = at - 1;
			size_t number = parameter_number(p, &at, span.to);

			if (!parameter_is_there(p, number, (struct span){ from, at }))
				return false;
			put_parameter(parts, parameter(p, number));
		} else if (!c) {
			source_error(p->src, (struct span){ at - 1, at },
				     "a NUL can't be part of a name");
			return false;
		} else {
			*parts->at++ = c;
		}
	}
	if (quotes) {
		source_error(p->src, span, "a '\"' is missing in this name");
		return false;
	}
	end_part(parts);
	if (parts->nr > 1 && !*parts->text[parts->nr - 1])
		parts->nr--; /* "hardware:cache-misses:" */
	return true;
}

/* --- providers --- */

static bool has_wildcard(const char *s)
{
	return strpbrk(s, "*?[") != NULL;
}

static bool find_provider(const char *name, enum provider *provider)
{
	size_t len = strlen(name);

	if (!len || strchr(name, ' '))
		return false;
	for (int i = 0; i < PROVIDERS; i++) {
		const char *at = strstr(forms[i].spellings, name);

		for (; at; at = strstr(at + 1, name)) {
			if (at > forms[i].spellings && at[-1] == ' ' && at[len] == ' ') {
				*provider = i;
				return true;
			}
		}
	}
	return false;
}

static void say_unknown(struct parser *p, struct span span, const char *name)
{
	struct nearest nearest = { .name = name };

	for (int i = 0; i < PROVIDERS; i++)
		nearest_try(&nearest, ast_provider_name(i));
	nearest_try(&nearest, "latency");
	nearest_try(&nearest, "kfunc");
	nearest_try(&nearest, "kretfunc");
	span.to = span.from + strcspn(p->lx.text + span.from, ":{,/ \t\n");
	span.to += span.to == span.from;
	source_error(p->src, span, "there is no probe type %s", *name ? name : "of an empty name");
	if (nearest.best)
		source_hint(p->src, "did you mean %s?", nearest.best);
}

/* --- what the parts are --- */

struct reading {
	struct parser *p;
	struct point *point;
	struct parts *parts;
	bool quiet; /* what does not fit is left out: the provider was a wildcard */
};

__attribute__((format(printf, 2, 3))) static bool wrong(struct reading *r, const char *fmt, ...)
{
	va_list args;

	if (r->quiet)
		return false;
	va_start(args, fmt);
	source_verror(r->p->src, r->point->span, fmt, args);
	va_end(args);
	return false;
}

static bool take_number(struct reading *r, size_t part, bool with_unit)
{
	const char *text = r->parts->text[part];
	size_t len = strlen(text);
	bool is_unsigned;
	const char *bad = lex_number(text, len, &r->point->number, &is_unsigned, NULL);

	if (bad)
		return wrong(r, "%s: %s", *text ? text : "''", bad);
	if (!with_unit && !lex_is_digit(text[len - 1]) && strncasecmp(text, "0x", 2))
		return wrong(r, "%s: this is a number without a unit", text);
	if (with_unit && lex_is_digit(text[len - 1]))
		return wrong(r, "a unit is missing: %s", forms[r->point->provider].usage);
	if (!r->point->number)
		return wrong(r, "%s: this must be greater than 0", text);
	r->point->has_number = true;
	return true;
}

static bool read_time(struct reading *r)
{
	static const char *const units[] = { "s", "ms", "us", "hz", NULL };
	const char *unit = r->parts->text[1];

	if (r->parts->nr == 2) {
		r->point->nr_parts = 0;
		return take_number(r, 1, true);
	}
	r->point->nr_parts = 1;
	for (size_t i = 0; units[i]; i++)
		if (!strcmp(unit, units[i]))
			return take_number(r, 2, false);
	return wrong(r, "there is no unit %s; these are s, ms, us, hz", unit);
}

/* function+offset, or an address */
static bool read_function(struct reading *r)
{
	const struct provider_form *form = &forms[r->point->provider];
	size_t last = r->parts->nr - 1;
	char *function = (char *)r->parts->text[last];
	char *plus = strrchr(r->parts->quoted[last] ? r->parts->behind[last] : function, '+');
	bool is_unsigned;
	const char *bad;

	if (plus) {
		if (form->no_offset)
			return wrong(r, "a %s is at the end of a function: it can't have an offset",
				     ast_provider_name(r->point->provider));
		if (r->point->latency)
			return wrong(r, "latency is that of a function as a whole: it can't have "
					"an offset");
		bad = lex_number(plus + 1, strlen(plus + 1), &r->point->offset, &is_unsigned, NULL);
		if (bad)
			return wrong(r, "%s: %s", plus, bad);
		r->point->has_offset = true;
		*plus = 0;
		if (!*function)
			return wrong(r, "a function is missing in front of the offset");
	} else if (!r->parts->quoted[last] && lex_is_digit(*function)) {
		bad = lex_number(function, strlen(function), &r->point->number, &is_unsigned, NULL);
		if (bad && form->kernel)
			return wrong(r, "%s: %s", function, bad);
		if (!bad) {
			r->point->has_number = true;
			r->point->nr_parts--;
		}
	}
	return true;
}

/* uprobe:FILE@SOURCE:LINE */
static bool is_source_line(const struct reading *r)
{
	const char *line = r->parts->text[2];

	return r->parts->nr > 2 && !r->parts->quoted[1] && strchr(r->parts->text[1], '@') &&
	       *line && strspn(line, "0123456789") == strlen(line);
}

static bool read_user(struct reading *r)
{
	enum provider provider = r->point->provider;

	if (provider != PROVIDER_UPROBE && provider != PROVIDER_URETPROBE)
		return true;
	if (is_source_line(r))
		return wrong(r, "lines of a source need DWARF, which is not read; give a function, "
				"or function+offset");
	if (r->parts->nr == 4 && strcmp(r->parts->text[2], "cpp"))
		return wrong(r, "there is no language %s; this is %s", r->parts->text[2],
			     forms[provider].usage);
	return true;
}

static bool has_empty(const struct reading *r)
{
	for (size_t i = 1; i < r->parts->nr; i++)
		if (!*r->parts->text[i] && r->point->provider != PROVIDER_USDT)
			return true;
	return false;
}

static bool read_parts(struct reading *r)
{
	const struct provider_form *form = &forms[r->point->provider];
	struct parts *parts = r->parts;

	if (!form->max && parts->nr == 2 && !strcmp(parts->text[1], "*"))
		parts->nr = 1;
	if (r->point->provider == PROVIDER_TRACEPOINT && parts->nr == 2 &&
	    !strcmp(parts->text[1], "*"))
		parts->text[parts->nr++] = "*";
	if (parts->nr - 1 < form->min || parts->nr - 1 > form->max || has_empty(r))
		return wrong(r, "this is written: %s", form->usage);
	r->point->nr_parts = parts->nr - 1;
	switch (form->form) {
	case FORM_TIME:
		if (!read_time(r))
			return false;
		break;
	case FORM_COUNT:
		r->point->nr_parts = 1;
		if (parts->nr == 3 && !take_number(r, 2, false))
			return false;
		break;
	case FORM_FUNCTION:
		if (!read_user(r) || !read_function(r))
			return false;
		break;
	case FORM_NAMES:
		break;
	}
	r->point->parts = arena_alloc(r->p->arena, (PARTS_MAX + 1) * sizeof(*r->point->parts));
	for (size_t i = 0; i < r->point->nr_parts; i++)
		r->point->parts[i] = parts->text[i + 1];
	return true;
}

/* --- lists --- */

#define POINTS_MAX 65536 /* of one list */

struct point_list {
	struct point *points;
	size_t nr, capacity;
};

static void add_point(struct parser *p, struct point_list *list, const struct point *point)
{
	if (list->nr == POINTS_MAX) {
		source_error(p->src, point->span, "this list has more than %d probes", POINTS_MAX);
		p->lx.at = p->lx.end;
	}
	if (list->nr == list->capacity)
		list->points = arena_grow(p->arena, list->points, &list->capacity, 4,
					  sizeof(*list->points));
	list->points[list->nr++] = *point;
}

/* t*point:sched:sched_switch, *:/bin/sh:* */
static void add_matching(struct parser *p, struct point_list *list, const struct point *point,
			 struct parts *parts)
{
	bool user = parts->nr > 1 && strchr(parts->text[1], '/');
	size_t before = list->nr;

	for (int i = 0; i < PROVIDERS; i++) {
		struct point each = *point;
		struct parts copy = *parts;
		struct reading r = { p, &each, &copy, true };

		each.provider = i;
		if (!(user ? forms[i].user : forms[i].kernel) ||
		    fnmatch(parts->text[0], ast_provider_name(i), 0))
			continue;
		if (read_parts(&r))
			add_point(p, list, &each);
	}
	if (list->nr == before)
		source_error(p->src, point->span, "no probe type is like %s", parts->text[0]);
}

#define LATENCY_USAGE                                                                              \
	"latency:FUNCTION, latency:FILE:FUNCTION, latency:syscall:NAME or latency:"                \
	"tracepoint:CATEGORY:EVENT"

/*
 * latency:vfs_read, latency:/bin/bash:readline, latency:syscall:read, or with the entry's provider:
 * latency:kprobe:MODULE:FUNCTION. Leaves in @parts what the probe of the entry is.
 */
static bool read_latency(struct parser *p, struct point *point, struct parts *parts)
{
	const char *kind = parts->nr > 2 ? parts->text[1] : "";
	enum provider provider = parts->nr > 2 ? PROVIDER_UPROBE : PROVIDER_KPROBE;
	bool named = !parts->quoted[1] && find_provider(kind, &provider);

	point->latency = true;
	if (!parts->quoted[1] && !strcmp(kind, "syscall") && parts->nr == 3) {
		provider = PROVIDER_TRACEPOINT;
		parts->text[1] = "syscalls";
		parts->text[2] = arena_printf(p->arena, "sys_enter_%s", parts->text[2]);
	} else if (named) {
		parts->nr--;
		memmove(&parts->text[1], &parts->text[2], parts->nr * sizeof(parts->text[0]));
		memmove(&parts->quoted[1], &parts->quoted[2], parts->nr);
	}
	point->provider = provider;
	if (parts->nr > 1 && (provider == PROVIDER_KPROBE || provider == PROVIDER_FENTRY ||
			      provider == PROVIDER_UPROBE || provider == PROVIDER_TRACEPOINT))
		return true;
	if (named)
		source_error(p->src, point->span,
			     "latency goes with functions, system calls and tracepoints, not with "
			     "%s: " LATENCY_USAGE,
			     ast_provider_name(provider));
	else
		source_error(p->src, point->span, "this is written: " LATENCY_USAGE);
	return false;
}

static void read_point(struct parser *p, struct point_list *list, struct span span)
{
	struct point point = { .span = span };
	struct parts parts;
	struct reading r = { p, &point, &parts };
	const char *name;

	point.text = arena_strndup(p->arena, p->lx.text + span.from, span.to - span.from);
	if (!split(p, span, &parts))
		return;
	if (!parts.quoted[0] && strchr(parts.text[0], '=')) /* NAME=kprobe:f */
		parts.text[0] = strchr(parts.text[0], '=') + 1;
	name = parts.text[0];
	if (!strcmp(name, "latency") && !read_latency(p, &point, &parts))
		return;
	if (!point.latency && has_wildcard(name))
		add_matching(p, list, &point, &parts);
	else if (!point.latency && !find_provider(name, &point.provider))
		say_unknown(p, span, name);
	else if (read_parts(&r))
		add_point(p, list, &point);
}

static char next_char(struct parser *p)
{
	lex_blank(&p->lx);
	return p->lx.at < p->lx.end ? p->lx.text[p->lx.at] : 0;
}

bool parse_probe_list(struct parser *p, struct clause *clause)
{
	struct point_list list = { 0 };
	unsigned errors = p->src->errors;
	struct span span;
	bool first = true;
	char c;

	do {
		next_char(p);
		span.from = p->lx.at;
		span.to = p->lx.at = lex_probe_end(p->lx.text, span.from, p->lx.end);
		if (first)
			clause->span = span;
		if (span.to > span.from) {
			read_point(p, &list, span);
			clause->span.to = span.to;
		} else if (first) {
			span.to++;
			source_error(p->src, span, "expected a probe, such as kprobe:vfs_read");
		} /* behind the last one a comma may stand */
		first = false;
		c = next_char(p);
		p->lx.at += c == ',';
	} while (c == ',');
	clause->points = list.points;
	clause->nr_points = list.nr;
	if (c == '{' || c == '/')
		return true;
	span.from = p->lx.at;
	span.to = lex_probe_end(p->lx.text, p->lx.at, p->lx.end);
	if (c || p->src->errors == errors) /* else a '"' is missing, and all is part of the name */
		source_error(p->src, span, "expected '{'");
	return false;
}
