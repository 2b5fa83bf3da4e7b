/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * text: a text that grows while it is made: a row, a value, a line of JSON. What is shown goes
 * through one of these and then, at once, into an out buffer: so JSON can escape a whole row, and a
 * field can be padded when its length is known.
 *
 * Where there is no memory left the program ends with a message and status 1.
 */
#ifndef BORESCOPE_SCRIPT_TEXT_H
#define BORESCOPE_SCRIPT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zeros: an empty one. */
struct text {
	char *bytes;
	size_t len, room;
};

void text_free(struct text *t);

void text_char(struct text *t, char c);
void text_mem(struct text *t, const void *bytes, size_t len); /* as they are */
void text_str(struct text *t, const char *s);
void text_u64(struct text *t, uint64_t v);
void text_s64(struct text *t, int64_t v);
void text_hex(struct text *t, uint64_t v); /* without 0x */
void text_printf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The @len bytes at @s, whatever they are, so that a terminal is safe: as out_escaped() does it,
 * but a NUL is escaped, too. */
void text_escaped(struct text *t, const char *s, size_t len);
/* The same as a string of JSON, with its quotation marks. It is valid UTF-8, and pure text for a
 * terminal. */
void text_json(struct text *t, const char *s, size_t len);

/* Pads with @fill what was written since @from (an earlier .len) to @width columns, which are code
 * points: behind it with @left, else before it. */
void text_pad(struct text *t, size_t from, size_t width, bool left, char fill);

#endif
