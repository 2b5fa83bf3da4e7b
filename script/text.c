/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/msg.h"
#include "base/status.h"
#include "script/text.h"

#define FIRST_ROOM 256

void text_free(struct text *t)
{
	free(t->bytes);
	*t = (struct text){ 0 };
}

/* Makes room for @len bytes more, and returns where they go. */
static char *reserve(struct text *t, size_t len)
{
	size_t room = t->room ? t->room : FIRST_ROOM;

	if (t->room - t->len >= len)
		return t->bytes + t->len;
	while (room - t->len < len)
		room *= 2;
	t->bytes = realloc(t->bytes, room);
	if (!t->bytes) {
		error("not enough memory for what is to be printed");
		exit(STATUS_FAILED);
	}
	t->room = room;
	return t->bytes + t->len;
}

void text_char(struct text *t, char c)
{
	*reserve(t, 1) = c;
	t->len++;
}

void text_mem(struct text *t, const void *bytes, size_t len)
{
	if (!len)
		return;
	memcpy(reserve(t, len), bytes, len);
	t->len += len;
}

void text_str(struct text *t, const char *s)
{
	text_mem(t, s, strlen(s));
}

void text_u64(struct text *t, uint64_t v)
{
	char digits[20], *s = digits + sizeof(digits);

	do {
		*--s = '0' + v % 10;
		v /= 10;
	} while (v);
	text_mem(t, s, digits + sizeof(digits) - s);
}

void text_s64(struct text *t, int64_t v)
{
	if (v < 0)
		text_char(t, '-');
	text_u64(t, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

void text_hex(struct text *t, uint64_t v)
{
	char digits[16], *s = digits + sizeof(digits);

	do {
		*--s = "0123456789abcdef"[v & 15];
		v >>= 4;
	} while (v);
	text_mem(t, s, digits + sizeof(digits) - s);
}

void text_printf(struct text *t, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len <= 0)
		return;
	reserve(t, len + 1);
	va_start(args, fmt);
	vsnprintf(t->bytes + t->len, len + 1, fmt, args);
	va_end(args);
	t->len += len;
}

/* How many of the @len bytes at @s are a character that may stand as it is; 0: none. @quote: one
 * that may not. */
static int plain_at(const char *s, size_t len, char quote)
{
	unsigned char c = *s;
	uint32_t cp;
	int n;

	if (c < 0x80)
		return c >= 0x20 && c < 0x7f && c != '\\' && c != quote;
	n = escape_utf8_decode(s, len, &cp);
	return n && !escape_utf8_is_control(cp) ? n : 0;
}

/* Copies what may stand as it is up to what may not. Returns how many bytes. */
static size_t copy_plain(struct text *t, const char *s, size_t len, char quote)
{
	size_t i = 0;
	int n;

	while (i < len && (n = plain_at(s + i, len - i, quote)) > 0)
		i += n;
	text_mem(t, s, i);
	return i;
}

void text_escaped(struct text *t, const char *s, size_t len)
{
	char escaped[ESCAPE_MAX];

	for (size_t i = 0; i < len; i++) {
		uint32_t cp;
		int n;

		i += copy_plain(t, s + i, len - i, '\0');
		if (i == len)
			break;
		n = escape_utf8_decode(s + i, len - i, &cp);
		for (int k = 0; k < (n ? n : 1); k++)
			text_mem(t, escaped, escape_byte(escaped, s[i + k]));
		i += n ? n - 1 : 0;
	}
}

static void json_unit(struct text *t, uint32_t unit)
{
	text_printf(t, "\\u%04x", unit);
}

/* A character that does not stand as it is. */
static void json_escape(struct text *t, uint32_t cp)
{
	static const char letters[] = { ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
					['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\' };

	if (cp < sizeof(letters) && letters[cp]) {
		text_char(t, '\\');
		text_char(t, letters[cp]);
	} else if (cp >= 0x10000) {
		json_unit(t, 0xd800 + ((cp - 0x10000) >> 10));
		json_unit(t, 0xdc00 + ((cp - 0x10000) & 0x3ff));
	} else {
		json_unit(t, cp);
	}
}

void text_json(struct text *t, const char *s, size_t len)
{
	text_char(t, '"');
	for (size_t i = 0; i < len;) {
		uint32_t cp;
		int n;

		i += copy_plain(t, s + i, len - i, '"');
		if (i == len)
			break;
		n = escape_utf8_decode(s + i, len - i, &cp);
		if (n)
			json_escape(t, cp);
		else
			text_str(t, "\xef\xbf\xbd"); /* U+FFFD */
		i += n ? n : 1;
	}
	text_char(t, '"');
}

void text_pad(struct text *t, size_t from, size_t width, bool left, char fill)
{
	size_t columns = 0, pad, len = t->len - from;

	for (size_t i = from; i < t->len; i++)
		columns += (t->bytes[i] & 0xc0) != 0x80;
	if (columns >= width)
		return;
	pad = width - columns;
	reserve(t, pad);
	if (!left)
		memmove(t->bytes + from + pad, t->bytes + from, len);
	memset(t->bytes + from + (left ? len : 0), fill, pad);
	t->len += pad;
}
