/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * parse_expr: expressions, by climbing C's precedences.
 */
#ifndef BORESCOPE_SCRIPT_PARSE_EXPR_H
#define BORESCOPE_SCRIPT_PARSE_EXPR_H

#include "script/parser.h"

/* Never NULL: after a mistake, it is a number in place of what could not be read. */
struct node *parse_expr(struct parser *p);

#endif
