/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/types.h>

#include "lib/stacks/stacks.shared.h"
#include "stacks/options.h"

#define UNWIND_BYTES_MIN 512

struct stacks_options stacks_options = { .max = STACKS_MAX_DEFAULT };

const char *stacks_parse_unwind(const char *arg, void *value)
{
	uint64_t *bytes = value;
	char *end;

	*bytes = 0;
	if (!strcmp(arg, "fp"))
		return NULL;
	*bytes = STACK_COPY_MAX;
	if (!strcmp(arg, "dwarf"))
		return NULL;
	if (!strncmp(arg, "dwarf,", 6) && arg[6] >= '0' && arg[6] <= '9') {
		errno = 0;
		*bytes = strtoull(arg + 6, &end, 10);
		if (!errno && !*end && *bytes >= UNWIND_BYTES_MIN && *bytes <= STACK_COPY_MAX)
			return NULL;
	}
	return "fp, dwarf, or dwarf,BYTES with 512 to 16384";
}
