/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <ctype.h>
#include <string.h>

#include "base/called.h"

bool called_as(const char *program, const char *name)
{
	const char *slash = strrchr(program, '/'), *last = slash ? slash + 1 : program, *p = last;
	size_t len = strlen(name);

	for (; (p = strstr(p, name)); p++)
		if ((p == last || !isalnum((unsigned char)p[-1])) &&
		    !isalnum((unsigned char)p[len]))
			return true;
	return false;
}
