/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * out: one buffer between a tool and a file descriptor.
 *
 * Rows are formatted by hand into 64 KiB and leave in one write(2) per flush: printf and localtime
 * per event cost ten times as much CPU as the event itself. The buffer also knows the two ways in
 * which output ends early: a reader that went away (closed pipe: quiet) and a disk that is full
 * (an error to report).
 */
#ifndef BORESCOPE_OUTPUT_OUT_H
#define BORESCOPE_OUTPUT_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OUT_SIZE 65536

struct out {
	int fd; /* where flushes go; not owned */
	/* 0, or the errno of the first failed write; EPIPE: the reader left; ETIMEDOUT: it does not
	 * read, and the output was given up (base/patience.h). */
	int error;
	size_t unwritten; /* lines that were dropped after an error */
	size_t len;	  /* bytes waiting in buf */
	size_t base;	  /* bytes that have left buf: where buf begins in the whole output */
	char buf[OUT_SIZE];
};

void out_init(struct out *o, int fd);

/* Writes what waits. Returns 0, or -errno of the first failure, also from then on: once a write has
 * failed, all output is dropped, so that the caller needs to look at one place only. */
int out_flush(struct out *o);

/* Makes room for @need bytes (at most OUT_SIZE): whole lines leave the buffer, and the current one
 * stays unless it would not fit. Every function below does so by itself. */
void out_reserve(struct out *o, size_t need);

void out_char(struct out *o, char c);
void out_mem(struct out *o, const char *s, size_t len); /* as it is; any length */
void out_str(struct out *o, const char *s);		/* as it is, NUL-terminated */
void out_u64(struct out *o, uint64_t v);
void out_s64(struct out *o, int64_t v);
void out_octal(struct out *o, uint64_t v, int digits); /* with leading zeros up to @digits */
/* Writes @v with leading zeros up to @digits, for the parts of a time of day. */
void out_u64_pad(struct out *o, uint64_t v, int digits);
/* Writes @v / 10^@decimals with that many digits behind the point: 1234567 and 3 are "1234.567". */
void out_fixed(struct out *o, uint64_t v, int decimals);
/* For what is written seldom: headers, histograms. The text may have any length. */
void out_printf(struct out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Writes a string from the traced side (comm, argv, path) so that it is safe for a terminal: what
 * escape_utf8_is_control() names and invalid UTF-8 become octal bytes, \ooo (\n, \t and the like
 * become their C escapes), and a backslash becomes \\. Other valid UTF-8 stays. The string ends at
 * @len bytes or at a NUL, whichever is first.
 */
void out_escaped(struct out *o, const char *s, size_t len);
/* Does the same, and escapes " too, for output between quotation marks. */
void out_escaped_quoted(struct out *o, const char *s, size_t len);

/*
 * Pads with spaces so that what was written since @mark (from out_mark) takes at least @width
 * columns (code points, not bytes); out_pad_left shifts it right instead. A value wider than @width
 * is never cut. A mark holds while its line is being written; when the line had to leave early
 * (out_flush, or a line longer than the buffer) nothing is padded.
 */
size_t out_mark(struct out *o);
void out_pad(struct out *o, size_t mark, int width);
void out_pad_left(struct out *o, size_t mark, int width);

/*
 * The loop that all escaping shares: copies @s up to @len bytes or to a NUL. In place of a
 * backslash, of @quote (0: none) and of what escape_utf8_is_control() names, it calls @escape with
 * the @n bytes at @s that are the code point @cp; and with each byte that is not valid UTF-8, where
 * @cp is NOT_UTF8.
 */
void out_escape(struct out *o, const char *s, size_t len, char quote,
		void (*escape)(struct out *o, const char *s, int n, uint32_t cp));
#define NOT_UTF8 UINT32_MAX

#endif
