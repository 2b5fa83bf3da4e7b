/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <string.h>

#include "files/paths.h"

size_t paths_join(char *to, const char *base, size_t base_len, const char *name, size_t len)
{
	char *at = to;

	if (!len) {
		*at = '?';
		return 1;
	}
	if (base) {
		memcpy(at, base, base_len);
		at += base_len;
		if (name[0] != '/')
			*at++ = '/';
	}
	memcpy(at, name, len);
	return at + len - to;
}
