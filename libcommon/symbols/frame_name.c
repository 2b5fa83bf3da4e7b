/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "symbols/frame_name.h"

static bool is_bracketed(const char *module)
{
	size_t len = strlen(module);

	return len > 2 && module[0] == '[' && module[len - 1] == ']';
}

bool frame_name_has_offset(const struct frame_name *name)
{
	return name->module && (name->module_offset || strcmp(name->module, "[kernel]"));
}

const char *frame_name_text(const struct frame_name *name, char *buf, size_t size)
{
	size_t brackets;

	if (name->function) {
		snprintf(buf, size, "%s", name->function);
	} else if (frame_name_has_offset(name)) {
		brackets = is_bracketed(name->module);
		snprintf(buf, size, "[%.*s+0x%" PRIx64 "]",
			 (int)(strlen(name->module) - 2 * brackets), name->module + brackets,
			 name->module_offset);
	} else {
		snprintf(buf, size, "%s", name->module ? name->module : "[unknown]");
	}
	return buf;
}
