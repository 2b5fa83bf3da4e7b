/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "output/out.h"

#define U64_DIGITS 20

void out_init(struct out *o, int fd)
{
	o->fd = fd;
	o->error = 0;
	o->len = 0;
	o->base = 0;
}

/* The first @n bytes leave the buffer: to the file, or nowhere once a write has failed. */
static void drain(struct out *o, size_t n)
{
	size_t done = 0;

	while (done < n && !o->error) {
		ssize_t w = write(o->fd, o->buf + done, n - done);

		if (w > 0) {
			done += w;
		} else if (w < 0 && errno == EAGAIN) {
			struct pollfd p = { .fd = o->fd, .events = POLLOUT };

			poll(&p, 1, -1);
		} else if (w == 0) {
			o->error = EIO;
		} else if (errno != EINTR) {
			o->error = errno;
		}
	}
	o->len -= n;
	o->base += n;
	memmove(o->buf, o->buf + n, o->len);
}

int out_flush(struct out *o)
{
	drain(o, o->len);
	return -o->error;
}

void out_reserve(struct out *o, size_t need)
{
	const char *newline;

	if (OUT_SIZE - o->len >= need)
		return;
	newline = memrchr(o->buf, '\n', o->len);
	if (newline)
		drain(o, newline + 1 - o->buf);
	if (OUT_SIZE - o->len < need)
		drain(o, o->len);
}

void out_char(struct out *o, char c)
{
	out_reserve(o, 1);
	o->buf[o->len++] = c;
}

void out_mem(struct out *o, const char *s, size_t len)
{
	while (len) {
		size_t n = len < OUT_SIZE ? len : OUT_SIZE;

		out_reserve(o, n);
		memcpy(o->buf + o->len, s, n);
		o->len += n;
		s += n;
		len -= n;
	}
}

void out_str(struct out *o, const char *s)
{
	out_mem(o, s, strlen(s));
}

/* Writes @v so that it ends before @end; returns where it begins. */
static char *u64_digits(char *end, uint64_t v)
{
	do {
		*--end = '0' + v % 10;
		v /= 10;
	} while (v);
	return end;
}

void out_u64(struct out *o, uint64_t v)
{
	char digits[U64_DIGITS], *end = digits + sizeof(digits), *s = u64_digits(end, v);

	out_mem(o, s, end - s);
}

void out_s64(struct out *o, int64_t v)
{
	if (v < 0)
		out_char(o, '-');
	out_u64(o, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

void out_octal(struct out *o, uint64_t v, int digits)
{
	char text[22], *end = text + sizeof(text), *s = end;

	for (; v || (digits > 0 && s > text); digits--, v >>= 3)
		*--s = '0' + (v & 7);
	out_mem(o, s, end - s);
}

void out_u64_pad(struct out *o, uint64_t v, int digits)
{
	char text[U64_DIGITS], *end = text + sizeof(text), *s = u64_digits(end, v);

	while (s > text && end - s < digits)
		*--s = '0';
	out_mem(o, s, end - s);
}

void out_fixed(struct out *o, uint64_t v, int decimals)
{
	uint64_t unit = 1;
	int i;

	for (i = 0; i < decimals; i++)
		unit *= 10;
	out_u64(o, v / unit);
	if (decimals > 0) {
		out_char(o, '.');
		out_u64_pad(o, v % unit, decimals);
	}
}

void out_printf(struct out *o, const char *fmt, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0) {
		if (!o->error)
			o->error = ENOMEM;
		return;
	}
	out_mem(o, text, len);
	free(text);
}

static void escape_bytes(struct out *o, const char *s, int n, uint32_t cp)
{
	char text[ESCAPE_MAX];

	for (int i = 0; i < n; i++)
		out_mem(o, text, escape_byte(text, s[i]));
}

void out_escape(struct out *o, const char *s, size_t len, char quote,
		void (*escape)(struct out *o, const char *s, int n, uint32_t cp))
{
	size_t plain = 0, i = 0; /* s[plain..i) can be copied as it is */

	while (i < len && s[i]) {
		unsigned char c = s[i];
		uint32_t cp = c;
		int n = 1;

		if (c < 0x80) {
			if (c >= 0x20 && c < 0x7f && c != '\\' && c != quote) {
				i++;
				continue;
			}
		} else {
			n = utf8_decode(s + i, len - i, &cp);
			if (n && !utf8_is_control(cp)) {
				i += n;
				continue;
			}
			if (!n) {
				n = 1;
				cp = NOT_UTF8;
			}
		}
		out_mem(o, s + plain, i - plain);
		escape(o, s + i, n, cp);
		i += n;
		plain = i;
	}
	out_mem(o, s + plain, i - plain);
}

void out_escaped(struct out *o, const char *s, size_t len)
{
	out_escape(o, s, len, '\0', escape_bytes);
}

void out_escaped_quoted(struct out *o, const char *s, size_t len)
{
	out_escape(o, s, len, '"', escape_bytes);
}

size_t out_mark(struct out *o)
{
	return o->base + o->len;
}

/* The spaces that bring what stands since @mark to @width columns, with room made for them. */
static size_t padding(struct out *o, size_t mark, int width)
{
	int pad = width < OUT_SIZE ? width : OUT_SIZE;
	size_t i;

	for (i = mark - o->base; i < o->len && pad > 0; i++)
		pad -= (o->buf[i] & 0xc0) != 0x80;
	if (pad <= 0)
		return 0;
	out_reserve(o, pad);
	return mark - o->base <= o->len ? pad : 0; /* the mark may have left */
}

void out_pad(struct out *o, size_t mark, int width)
{
	size_t pad = padding(o, mark, width);

	memset(o->buf + o->len, ' ', pad);
	o->len += pad;
}

void out_pad_left(struct out *o, size_t mark, int width)
{
	size_t pad = padding(o, mark, width), start = mark - o->base;

	if (!pad)
		return;
	memmove(o->buf + start + pad, o->buf + start, o->len - start);
	memset(o->buf + start, ' ', pad);
	o->len += pad;
}
