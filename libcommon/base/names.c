/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>

#include "base/names.h"

int uid_parse(const char *user, uint32_t *uid)
{
	unsigned long long v;
	struct passwd *pw;
	char *end;

	if (isdigit((unsigned char)user[0])) {
		errno = 0;
		v = strtoull(user, &end, 10);
		if (!*end) {
			if (errno || v >= UINT32_MAX) /* (uid_t)-1 is nobody's */
				return -ENOENT;
			*uid = v;
			return 0;
		}
	}
	pw = getpwnam(user);
	if (!pw)
		return -ENOENT;
	*uid = pw->pw_uid;
	return 0;
}
