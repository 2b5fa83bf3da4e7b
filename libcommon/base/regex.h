/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * regex: extended regular expressions that may not have been given.
 */
#ifndef BORESCOPE_BASE_REGEX_H
#define BORESCOPE_BASE_REGEX_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

/* All zero to begin with: not given. */
struct regex {
	bool set;
	regex_t compiled;
};

/* Takes @text in place of the expression that @r had. False: it is empty, or no extended regular
 * expression (man 7 regex); then none is given. */
bool regex_parse(const char *text, struct regex *r);

/* Does it match anywhere in @text, which ends at @len or at a NUL, whichever is first? True where
 * no expression was given (or no memory is left to tell). */
bool regex_matches(const struct regex *r, const char *text, size_t len);

#endif
