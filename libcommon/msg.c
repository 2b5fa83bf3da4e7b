/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <bpf/libbpf.h>

#include "msg.h"

bool msg_verbose;

static const char *tool_name = "borescope";
static char failed_program[64];

void msg_init(const char *tool)
{
	tool_name = tool;
}

const char *msg_tool(void)
{
	return tool_name;
}

/* One write per line, so that lines of a tool and of what runs beside it don't mix. */
static void say(const char *fmt, va_list args)
{
	char line[1024];
	int head = snprintf(line, sizeof(line), "%s: ", tool_name);
	int len = vsnprintf(line + head, sizeof(line) - head - 1, fmt, args);
	ssize_t n;

	len = len < 0 ? head : head + len;
	if (len > (int)sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len++] = '\n';
	n = write(STDERR_FILENO, line, len);
	(void)n; /* there is nowhere left to say that stderr is gone */
}

#define SAY(when)                                                                                  \
	do {                                                                                       \
		va_list args;                                                                      \
		if (!(when))                                                                       \
			break;                                                                     \
		va_start(args, fmt);                                                               \
		say(fmt, args);                                                                    \
		va_end(args);                                                                      \
	} while (0)

void error(const char *fmt, ...)
{
	SAY(true);
}

void warn(const char *fmt, ...)
{
	SAY(true);
}

void note(const char *fmt, ...)
{
	SAY(true);
}

void debug(const char *fmt, ...)
{
	SAY(msg_verbose);
}

static int print_libbpf(enum libbpf_print_level level, const char *fmt, va_list args)
{
	if (level == LIBBPF_WARN) {
		char line[256];
		const char *at, *end;
		va_list copy;

		/* "prog 'NAME': BPF program load failed: ..." */
		va_copy(copy, args);
		vsnprintf(line, sizeof(line), fmt, copy);
		va_end(copy);
		at = strstr(line, "prog '");
		end = at ? strchr(at + 6, '\'') : NULL;
		if (end && strstr(end, "fail"))
			snprintf(failed_program, sizeof(failed_program), "%.*s",
				 (int)(end - at - 6), at + 6);
	}
	return msg_verbose && level != LIBBPF_DEBUG ? vfprintf(stderr, fmt, args) : 0;
}

void msg_capture_libbpf(void)
{
	failed_program[0] = '\0';
	libbpf_set_print(print_libbpf);
}

const char *msg_failed_program(void)
{
	return failed_program;
}
