/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A text read as a script, and what came of it as one line. */
#ifndef BORESCOPE_TESTS_UNIT_SCRIPT_TREES_H
#define BORESCOPE_TESTS_UNIT_SCRIPT_TREES_H

#include "script/ast.h"

/*
 * What script_dump() shows of the script, in one line: what is below a line stands in brackets
 * behind it, lines of the same depth have a comma between them. The messages are in
 * *trees_messages. Both are valid up to the next call.
 */
const char *trees_read(const char *text, size_t size, const char *const *args, size_t nr_args);
extern char *trees_messages;
/* Of the messages, these lines only that say something: without the script's. */
const char *trees_errors(void);

/* Of the statements of "begin { TEXT }". */
const char *trees_of_statements(const char *text);

#endif
