/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * parse_stmt: statements.
 */
#ifndef BORESCOPE_SCRIPT_PARSE_STMT_H
#define BORESCOPE_SCRIPT_PARSE_STMT_H

#include "script/parser.h"

/* A block, an if or any other statement. After a mistake, the place is not known: see
 * parser_recover(). Never NULL. */
struct node *parse_stmt(struct parser *p);

/* From '{' to '}': a NODE_BLOCK. Mistakes were said, and recovered from, unless a brace is missing.
 */
struct node *parse_stmt_block(struct parser *p);

#endif
