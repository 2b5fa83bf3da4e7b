/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <ctype.h>
#include <string.h>

#include "base/called.h"

/* Longer ones are nobody's choice for a program to be typed. */
#define CALLED_MAX 64

static const char *last_part(const char *program)
{
	const char *slash = strrchr(program, '/');

	return slash ? slash + 1 : program;
}

bool called_as(const char *program, const char *name)
{
	const char *last = last_part(program), *p = last;
	size_t len = strlen(name);

	for (; (p = strstr(p, name)); p++)
		if ((p == last || !isalnum((unsigned char)p[-1])) &&
		    !isalnum((unsigned char)p[len]))
			return true;
	return false;
}

const char *called(const char *program, const char *name)
{
	const char *last = program ? last_part(program) : "";

	if (strlen(last) > CALLED_MAX || !called_as(last, name))
		return name;
	/* argv[0] may be anything */
	for (const char *p = last; *p; p++)
		if (*p < ' ' || *p > '~')
			return name;
	return last;
}
