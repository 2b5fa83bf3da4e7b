/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/msg.h"
#include "base/patience.h"

bool msg_verbose;

static const char *tool_name = "borescope";
static int progress_width; /* of what stands there; 0: nothing */

void msg_init(const char *tool)
{
	tool_name = tool;
}

const char *msg_tool(void)
{
	return tool_name;
}

static void put(const char *text, int len)
{
	ssize_t n = patience_write(STDERR_FILENO, text, len);

	(void)n; /* there is nowhere left to say that stderr is gone */
}

void progress_end(void)
{
	char blank[128];
	int len;

	if (!progress_width)
		return;
	len = snprintf(blank, sizeof(blank), "\r%*s\r", progress_width, "");
	put(blank, len < (int)sizeof(blank) ? len : (int)sizeof(blank) - 1);
	progress_width = 0;
}

void progress(const char *fmt, ...)
{
	char text[80], safe[80], line[200];
	va_list args;
	int len;

	if (!isatty(STDERR_FILENO))
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	len = escape_line(safe, sizeof(safe), text, strlen(text));
	len = snprintf(line, sizeof(line), "\r%s: %.*s", tool_name, len, safe);
	if (len > 79)
		len = 79;
	/* the end of a longer one before it is wiped out */
	for (int width = len - 1; width < progress_width; width++)
		line[len++] = ' ';
	put(line, len);
	progress_width = len - 1;
}

/* One write per line, so that lines of a tool and of what runs beside it don't mix. All of the text
 * is escaped: any part of it may be a name that somebody else has chosen. */
static void say(const char *fmt, va_list args)
{
	char text[1024], line[1024];
	int len = vsnprintf(text, sizeof(text), fmt, args);
	size_t at = snprintf(line, sizeof(line), "%s: ", tool_name);

	if (len >= (int)sizeof(text))
		len = sizeof(text) - 1;
	progress_end();
	at += escape_line(line + at, sizeof(line) - 1 - at, text, len < 0 ? 0 : len);
	line[at++] = '\n';
	put(line, at);
}

void msg_foreign(const char *text)
{
	const char *end;
	size_t size = strlen(text) * ESCAPE_MAX, at = 0;
	char *safe = malloc(size + 1);

	for (const char *part = text; safe && *part; part = end) {
		end = part + strcspn(part, "\n\t");
		at += escape_line(safe + at, size - at, part, end - part);
		if (*end)
			safe[at++] = *end++;
	}
	progress_end();
	if (safe)
		put(safe, at);
	free(safe);
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
