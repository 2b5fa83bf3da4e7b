/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * attach: the programs of a script to their places, and off again.
 */
#ifndef BORESCOPE_SCRIPT_ATTACH_H
#define BORESCOPE_SCRIPT_ATTACH_H

#include "script/load.h"

struct attached;
struct regex;

/* Attaches all but those of ATTACH_RUN, with the gate closed; only those whose names match @only
 * (NULL: all). Returns 0, or -errno after one line on stderr that says which probe and why; nothing
 * is attached then. @nr: how many places. */
int script_attach(struct attached **a, struct loaded *l, const struct regex *only, size_t *nr);
/* Nothing runs in the kernel any more when this returns. */
void script_detach(struct attached *a);

#endif
