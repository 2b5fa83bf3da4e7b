/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * nameless: what to do about code that has no names, as a compiler made it in memory and wrote no
 * perf map.
 */
#ifndef BORESCOPE_STACKS_NAMELESS_H
#define BORESCOPE_STACKS_NAMELESS_H

#include "stacks/stacks.h"

/* One note, about the process with the most samples in such code, if these are most of its samples.
 * @s must have names (stacks_name()). */
void nameless_remark(const struct stacks *s);

#endif
