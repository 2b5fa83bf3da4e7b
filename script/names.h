/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * names: from a name to what it stands for. A hash table in an arena; nothing is taken out of it.
 */
#ifndef BORESCOPE_SCRIPT_NAMES_H
#define BORESCOPE_SCRIPT_NAMES_H

#include "script/source.h"

struct names;

struct names *names_new(struct arena *arena);
/* NULL: there is none, or it stands for NULL. */
void *names_get(const struct names *n, const char *name);
/* @name is kept, not copied. What it stood for before is gone. */
void names_put(struct names *n, const char *name, void *value);
/* Tries each name for did-you-mean. */
void names_nearest(const struct names *n, struct nearest *nearest);

#endif
