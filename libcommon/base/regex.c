/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "base/regex.h"

bool regex_parse(const char *text, struct regex *r)
{
	if (r->set)
		regfree(&r->compiled);
	r->set = *text && !regcomp(&r->compiled, text, REG_EXTENDED | REG_NOSUB);
	return r->set;
}

bool regex_matches(const struct regex *r, const char *text, size_t len)
{
	char *copy; /* REG_STARTEND would do without, but musl lacks it */
	bool found;

	if (!r->set)
		return true;
	copy = strndup(text, len);
	found = !copy || !regexec(&r->compiled, copy, 0, NULL, 0);
	free(copy);
	return found;
}
