/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * msg: what a tool says on stderr. Everything that is not data goes through here: one line each,
 * in front of it the tool's name.
 */
#ifndef BORESCOPE_BASE_MSG_H
#define BORESCOPE_BASE_MSG_H

#include <stdbool.h>

extern bool msg_verbose; /* -v: debug() speaks, and libbpf's own messages are shown */

void msg_init(const char *tool);
const char *msg_tool(void);

/* "NAME: text": something failed; the caller ends with status 1. */
void error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* "NAME: text": the numbers are not complete (lost events), or will not be what one might expect.
 */
void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* "NAME: text": worth knowing: another probe was chosen, what is being traced. */
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same, only with -v. */
void debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* What is going on, on a terminal only: overwrites itself, and goes away before any other message.
 */
void progress(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void progress_end(void);

#endif
