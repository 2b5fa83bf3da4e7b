/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * source: the text of a script, places in it, what is said about them, and the memory of one
 * compilation.
 *
 * Everything that the compiler makes lives in the arena of its source and is freed with it, at
 * once: nobody frees a node, a type or a name.
 */
#ifndef BORESCOPE_SCRIPT_SOURCE_H
#define BORESCOPE_SCRIPT_SOURCE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* --- memory --- */

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *a); /* NULL: nothing */
/* Zeroed and aligned for anything. There is no NULL: where there is no memory left the program ends
 * with a message and status 1. */
void *arena_alloc(struct arena *a, size_t size);
/* Twice as much room, at least @min elements: for arrays that grow. The old one stays as it is. */
void *arena_grow(struct arena *a, const void *old, size_t *capacity, size_t min, size_t size);
char *arena_strndup(struct arena *a, const char *s, size_t len);
char *arena_strdup(struct arena *a, const char *s);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* --- the text --- */

/* From the byte @from up to, and without, the byte @to of the text. */
struct span {
	uint32_t from, to;
};

/* From the beginning of @a to the end of @b. */
static inline struct span span_join(struct span a, struct span b)
{
	return (struct span){ a.from, b.to };
}

#define SOURCE_MAX (8 << 20) /* bytes of a script */

struct source {
	const char *name; /* "stdin", "-e" is called "stdin" too, or the file's path */
	const char *text; /* with a NUL behind it, and perhaps others within */
	uint32_t size;
	struct arena *arena;
	FILE *messages;	  /* stderr; a test may have something else */
	bool no_warnings; /* --no-warnings */
	unsigned errors;
	const uint32_t *lines; /* where each line begins */
	size_t nr_lines;
};

/* @text is copied. Returns NULL where it is longer than SOURCE_MAX, after printing so. */
struct source *source_new(const char *name, const char *text, size_t size);
void source_free(struct source *src);

/* The line (from 1) and the column (from 1, in bytes) of a byte of the text. */
void source_place(const struct source *src, uint32_t at, unsigned *line, unsigned *column);

/*
 * Prints "NAME:1:9-21: ERROR: text" (of several lines: "NAME:1-3:"), the first line, and another
 * one that underlines the columns with '~', and counts it. The last column named is the first one
 * behind. What is not printable is escaped, so a terminal is safe. Of a very long line, what is
 * around the place is shown. After 20 errors, the rest is counted only. @fmt has no period and no
 * newline at its end.
 */
void source_error(struct source *src, struct span at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void source_verror(struct source *src, struct span at, const char *fmt, va_list ap);
void source_warning(struct source *src, struct span at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* A line "HINT: text" that belongs to the message before it. */
void source_hint(struct source *src, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* --- did you mean --- */

/* Of names that are tried one at a time the one nearest by edit distance, if one is near: a third
 * of its letters at most. {.name = what was written} to begin with. */
struct nearest {
	const char *name;
	const char *best; /* NULL: none yet */
	unsigned distance;
};
void nearest_try(struct nearest *n, const char *candidate);

#endif
