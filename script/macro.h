/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * macro: macros of the language, which are trees put into trees.
 */
#ifndef BORESCOPE_SCRIPT_MACRO_H
#define BORESCOPE_SCRIPT_MACRO_H

#include "script/names.h"
#include "script/node.h"

/* macro NAME($x, @m, y) { ... } */
struct macro {
	const char *name;
	struct span span;     /* from "macro" to ')' */
	struct node **params; /* NODE_VAR, NODE_MAP, or NODE_NAME for any expression */
	size_t nr_params;
	struct node *body;   /* NODE_BLOCK */
	struct macro *other; /* of the same name, with another number of parameters */
	bool open;	     /* being expanded, so that it can't be part of itself */
};

/* Says which variables the body reads without having made them: it knows no others. */
void macro_check(struct source *src, const struct macro *m);

/*
 * Puts the bodies of @macros (of struct macro) where they are called. Variables that a body makes
 * have names of their own each time; it knows no others but its parameters. Mistakes are said.
 */
void macro_expand(struct script *script, const struct names *macros);

#endif
