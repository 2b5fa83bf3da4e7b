/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/msg.h"
#include "script/source.h"

/* --- memory --- */

#define CHUNK_MIN (64 << 10)
#define ALIGNMENT 16

struct chunk {
	struct chunk *next;
	size_t used, size;
	_Alignas(ALIGNMENT) char bytes[];
};

struct arena {
	struct chunk *chunks; /* the first is the one in use */
};

static void *need(size_t size)
{
	void *p = calloc(1, size);

	if (!p) {
		error("out of memory");
		exit(1);
	}
	return p;
}

struct arena *arena_new(void)
{
	return need(sizeof(struct arena));
}

void arena_free(struct arena *a)
{
	struct chunk *next;

	if (!a)
		return;
	for (struct chunk *c = a->chunks; c; c = next) {
		next = c->next;
		free(c);
	}
	free(a);
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct chunk *c = a->chunks;
	void *p;

	if (size > SIZE_MAX / 2) {
		error("out of memory");
		exit(1);
	}
	size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	if (!c || c->size - c->used < size) {
		size_t room = size > CHUNK_MIN / 4 ? size : CHUNK_MIN;
		struct chunk *fresh = need(sizeof(*fresh) + room);

		fresh->size = room;
		if (c &&
		    room != CHUNK_MIN) { /* a big one has its own, and the old one stays in use */
			fresh->next = c->next;
			c->next = fresh;
		} else {
			fresh->next = c;
			a->chunks = fresh;
		}
		c = fresh;
	}
	p = c->bytes + c->used;
	c->used += size;
	return p;
}

void *arena_grow(struct arena *a, const void *old, size_t *capacity, size_t min, size_t size)
{
	size_t had = *capacity, room = had ? 2 * had : 8;
	void *fresh;

	if (room < min)
		room = min;
	if (room > SIZE_MAX / 2 / size) {
		error("out of memory");
		exit(1);
	}
	fresh = arena_alloc(a, room * size);
	if (had)
		memcpy(fresh, old, had * size);
	*capacity = room;
	return fresh;
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
	char *copy = arena_alloc(a, len + 1);

	if (len)
		memcpy(copy, s, len);
	return copy;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len < 0)
		return arena_strdup(a, "?");
	text = arena_alloc(a, (size_t)len + 1);
	va_start(args, fmt);
	vsnprintf(text, (size_t)len + 1, fmt, args);
	va_end(args);
	return text;
}

/* --- the text --- */

static void find_lines(struct source *src)
{
	const char *end = src->text + src->size;
	uint32_t *lines;
	size_t nr = 1;

	for (const char *p = src->text; (p = memchr(p, '\n', end - p)); p++)
		nr++;
	lines = arena_alloc(src->arena, nr * sizeof(*lines));
	src->lines = lines;
	src->nr_lines = nr;
	nr = 1;
	for (const char *p = src->text; (p = memchr(p, '\n', end - p)); p++)
		lines[nr++] = p + 1 - src->text;
}

struct source *source_new(const char *name, const char *text, size_t size)
{
	struct source *src;
	struct arena *arena;

	if (size > SOURCE_MAX) {
		error("%s is longer than %d MiB", name, SOURCE_MAX >> 20);
		return NULL;
	}
	arena = arena_new();
	src = arena_alloc(arena, sizeof(*src));
	src->arena = arena;
	src->name = arena_strdup(arena, name);
	src->text = arena_strndup(arena, text, size);
	src->size = size;
	src->messages = stderr;
	find_lines(src);
	return src;
}

void source_free(struct source *src)
{
	if (src)
		arena_free(src->arena);
}

void source_place(const struct source *src, uint32_t at, unsigned *line, unsigned *column)
{
	size_t low = 0, high = src->nr_lines; /* the line is at low or behind, and before high */

	if (at > src->size)
		at = src->size;
	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (src->lines[mid] <= at)
			low = mid;
		else
			high = mid;
	}
	*line = low + 1;
	*column = at - src->lines[low] + 1;
}

/* --- messages --- */

#define ERRORS_SHOWN 20
#define LINE_SHOWN   160 /* bytes of a line, of those that are too long */
#define LINE_BEFORE  60	 /* of these, so many before the place */
#define TAB	     4	 /* columns: as bpftrace shows them */

/* The bytes of the script that are shown and underlined: all in one line. */
struct excerpt {
	uint32_t from, to, end; /* .end: of the line */
	struct span marked;
};

/* Writes one character of the script into *@line, escaped, and as many of @mark into *@below.
 * Returns how many bytes of the script it was. */
static uint32_t excerpt_char(const char *s, uint32_t len, char mark, char **line, char **below)
{
	uint32_t cp, bytes = 1;
	int n;

	if (*s == '\t') {
		memset(*line, ' ', TAB);
		memset(*below, mark, TAB);
		*line += TAB;
		*below += TAB;
		return 1;
	}
	n = escape_utf8_decode(s, len, &cp);
	if (n > 0 && !escape_utf8_is_control(cp)) {
		memcpy(*line, s, n);
		*line += n;
		*(*below)++ = mark; /* wide characters are two columns: that is not worth a table */
		return n;
	}
	n = escape_byte(*line, *s);
	memset(*below, mark, n);
	*line += n;
	*below += n;
	return bytes;
}

static void excerpt_print(const struct source *src, const struct excerpt *e)
{
	char line[(LINE_SHOWN + 8) * ESCAPE_MAX + 8], below[sizeof(line)];
	char *l = line, *b = below;
	uint32_t at = e->from;
	bool cut_before = at && src->text[at - 1] != '\n';

	if (cut_before) {
		l = stpcpy(l, "..");
		b = stpcpy(b, "  ");
	}
	while (at < e->to) {
		char mark = at >= e->marked.from && at < e->marked.to ? '~' : ' ';

		at += excerpt_char(src->text + at, e->to - at, mark, &l, &b);
	}
	if (e->marked.from >= e->to)
		*b++ = '~'; /* what is missing at the end of the line */
	if (e->to < e->end)
		l = stpcpy(l, "..");
	while (b > below && b[-1] == ' ')
		b--;
	fprintf(src->messages, "%.*s\n%.*s\n", (int)(l - line), line, (int)(b - below), below);
}

static void show_place(const struct source *src, struct span at, unsigned line)
{
	uint32_t from = src->lines[line - 1];
	uint32_t to = line < src->nr_lines ? src->lines[line] - 1 : src->size;
	struct excerpt e = { from, to, to, at };

	if (to > from && src->text[to - 1] == '\r')
		e.end = --e.to;
	if (e.to - from > LINE_SHOWN) {
		if (at.from - from > LINE_BEFORE)
			e.from = at.from - LINE_BEFORE;
		if (e.to - e.from > LINE_SHOWN)
			e.to = e.from + LINE_SHOWN;
		/* not in the middle of a character */
		while (e.from > from && (src->text[e.from] & 0xc0) == 0x80 &&
		       at.from - e.from < LINE_BEFORE + 3)
			e.from--;
	}
	excerpt_print(src, &e);
}

/* The texts of messages hold names of the script, which may be long, and hold anything. */
static void print_escaped(FILE *out, const char *fmt, va_list args)
{
	char plain[2048], escaped[sizeof(plain) * 2];
	int len = vsnprintf(plain, sizeof(plain), fmt, args);
	bool cut = len >= (int)sizeof(plain);
	size_t n;

	if (len < 0)
		len = 0;
	if (cut)
		len = sizeof(plain) - 1;
	n = escape_line(escaped, sizeof(escaped), plain, len);
	fprintf(out, "%.*s%s\n", (int)n, escaped, cut ? ".." : "");
}

static void print_name(const struct source *src)
{
	char escaped[4096];
	size_t n = escape_line(escaped, sizeof(escaped), src->name, strlen(src->name));

	fprintf(src->messages, "%.*s:", (int)n, escaped);
}

static void message(struct source *src, struct span at, const char *kind, const char *fmt,
		    va_list args)
{
	unsigned line, column, last_line, last_column;

	if (at.from > src->size)
		at.from = src->size;
	if (at.to > src->size)
		at.to = src->size;
	if (at.to < at.from)
		at.to = at.from;
	source_place(src, at.from, &line, &column);
	source_place(src, at.to, &last_line, &last_column);
	if (at.to == at.from) { /* something is marked in any case */
		last_column++;
		at.to++;
	}
	print_name(src);
	if (line != last_line)
		fprintf(src->messages, "%u-%u: %s: ", line, last_line, kind);
	else
		fprintf(src->messages, "%u:%u-%u: %s: ", line, column, last_column, kind);
	print_escaped(src->messages, fmt, args);
	show_place(src, at, line);
}

void source_verror(struct source *src, struct span at, const char *fmt, va_list args)
{
	if (src->errors++ >= ERRORS_SHOWN)
		return;
	message(src, at, "ERROR", fmt, args);
	if (src->errors == ERRORS_SHOWN)
		fputs("There may be more; they are not shown\n", src->messages);
}

void source_error(struct source *src, struct span at, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	source_verror(src, at, fmt, args);
	va_end(args);
}

void source_warning(struct source *src, struct span at, const char *fmt, ...)
{
	va_list args;

	if (src->no_warnings)
		return;
	va_start(args, fmt);
	message(src, at, "WARNING", fmt, args);
	va_end(args);
}

void source_hint(struct source *src, const char *fmt, ...)
{
	va_list args;

	if (src->errors > ERRORS_SHOWN)
		return;
	fputs("HINT: ", src->messages);
	va_start(args, fmt);
	print_escaped(src->messages, fmt, args);
	va_end(args);
}

/* --- did you mean --- */

#define NAME_COMPARED 64 /* a longer name is not a slip of the pen */

/* How many letters must be changed, put in, left out or exchanged with the next one to make @b of
 * @a; more than @most: @most + 1. */
static unsigned distance(const char *a, const char *b, unsigned most)
{
	unsigned rows[3][NAME_COMPARED + 1];
	size_t la = strlen(a), lb = strlen(b);
	unsigned *before = rows[0], *last = rows[1], *row = rows[2];

	if (la > NAME_COMPARED || lb > NAME_COMPARED || (la > lb ? la - lb : lb - la) > most)
		return most + 1;
	for (size_t j = 0; j <= lb; j++)
		last[j] = j;
	for (size_t i = 1; i <= la; i++) {
		unsigned least = i, *spare;

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			unsigned d = last[j - 1] + (a[i - 1] != b[j - 1]);

			if (last[j] + 1 < d)
				d = last[j] + 1;
			if (row[j - 1] + 1 < d)
				d = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < d)
				d = before[j - 2] + 1;
			row[j] = d;
			if (d < least)
				least = d;
		}
		if (least > most)
			return most + 1;
		spare = before;
		before = last;
		last = row;
		row = spare;
	}
	return last[lb];
}

void nearest_try(struct nearest *n, const char *candidate)
{
	size_t len = strlen(n->name);
	unsigned most = len < 3 ? len / 2 : len / 3, d;

	if (n->best) {
		if (!n->distance)
			return;
		most = n->distance - 1;
	}
	d = distance(n->name, candidate, most);
	if (d > most)
		return;
	n->best = candidate;
	n->distance = d;
}
