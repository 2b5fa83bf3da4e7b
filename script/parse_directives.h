/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * parse_directives: the lines of a script that begin with '#'. There is no preprocessor of C:
 * #include is dropped (BTF and our constants are in its place), #if and its like choose what is
 * read, #define gives a name to an expression.
 */
#ifndef BORESCOPE_SCRIPT_PARSE_DIRECTIVES_H
#define BORESCOPE_SCRIPT_PARSE_DIRECTIVES_H

#include "script/parser.h"

struct directives {
	/* That of the source, with blanks in the place of directives and of what they left out: as
	 * long as it, and places are the same. */
	const char *text;
	struct names *defines;	    /* of struct define */
	const char *define_text;    /* where their .body is */
	struct constant *constants; /* those that are integers, in their order */
};

/* Mistakes are said. */
void parse_directives(struct directives *d, struct source *src);

#endif
