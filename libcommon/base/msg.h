/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * msg: messages on stderr. All that a tool prints and that is not data goes through here, one line
 * per message, with the tool's name in front.
 *
 * A text may hold bytes that somebody else has chosen, such as the name of a file: what is no
 * printable UTF-8 is escaped here (base/escape.h), so that no caller has to. That goes for a
 * newline too: a message is one line.
 */
#ifndef BORESCOPE_BASE_MSG_H
#define BORESCOPE_BASE_MSG_H

#include <stdbool.h>

extern bool msg_verbose; /* -v: debug() prints, and libbpf's own messages are shown */

/* The name that stands in front of messages; the string is kept, not copied. */
void msg_init(const char *tool);
const char *msg_tool(void);

/*
 * "NAME: text": something failed, and the tool ends with status 1, or 2 if its arguments are wrong.
 */
void error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* "NAME: text": the numbers are not complete (events were lost), or not what one might expect. */
void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* "NAME: text": worth knowing, such as what is being traced, or that another probe was chosen. */
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* "NAME: text", only with -v. */
void debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Prints lines of another's making (libbpf's) as they are, but escaped: of what is not printable,
 * only newlines and tabs stay. */
void msg_foreign(const char *text);

/*
 * Shows how far long work has come, if stderr is a terminal: the next call overwrites it, and
 * progress_end() or any other message wipes it out.
 */
void progress(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void progress_end(void);

#endif
