/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * parse_type: names of types in casts, sizeof, offsetof and let.
 */
#ifndef BORESCOPE_SCRIPT_PARSE_TYPE_H
#define BORESCOPE_SCRIPT_PARSE_TYPE_H

#include "script/parser.h"

/*
 * Reads a type, and returns its name as struct node has it in .type_name; NULL: what comes next
 * can't be one, and nothing was said. *@certain: it can be nothing else than a type.
 */
const char *parse_type(struct parser *p, bool *certain);

#endif
