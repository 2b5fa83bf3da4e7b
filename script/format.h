/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * format: the formats of printf() and its like, as bpftrace has them: flags - 0 + # and blank,
 * width, precision, the length modifiers of C, and d i u o x X p c s r rx rh gr. What is no
 * conversion stands as it is.
 */
#ifndef BORESCOPE_SCRIPT_FORMAT_H
#define BORESCOPE_SCRIPT_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

#include "script/source.h"
#include "script/text.h"
#include "script/values.h"

struct format;

/* Never NULL. format_free(NULL) does nothing. */
struct format *format_new(const char *format, size_t len);
void format_free(struct format *f);

/* How many values it takes. */
size_t format_args(const struct format *f);

/* Do these types suit? If not, says what does not, at @at, and returns false. */
bool format_check(struct source *src, struct span at, const char *format, size_t len,
		  const struct type *const *types, size_t nr);

/* Writes the format with its values, format_args() of them. @raw: nothing is escaped, since it is
 * escaped as a whole, or goes to a shell; else texts are safe for a terminal, unless @v->raw, and
 * but for %r. */
void format_print(const struct format *f, const struct values *v, struct text *to,
		  const struct value *values, bool raw);

#endif
