/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * flames: maps that have stacks among their keys, as a flame graph, folded lines or a table of the
 * hottest functions, in place of the maps at the end.
 */
#ifndef BORESCOPE_SCRIPT_FLAMES_H
#define BORESCOPE_SCRIPT_FLAMES_H

#include <stdbool.h>

#include "script/program.h"

struct session;

/* Is there such a map? Its values have to be numbers. */
bool flames_possible(const struct compiled *c);

/* Shows them as the options say. */
void flames_show(struct session *s);

#endif
