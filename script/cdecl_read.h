/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * cdecl_read: the declarations of C that a script holds, to types laid out as this architecture's C
 * does it.
 */
#ifndef BORESCOPE_SCRIPT_CDECL_READ_H
#define BORESCOPE_SCRIPT_CDECL_READ_H

#include "script/ast.h"
#include "script/btf.h"
#include "script/names.h"

struct cdecl {
	struct script *script;
	struct types *types;
	struct btf_types *btf;
	struct arena *arena;
	struct names *tags;	 /* "struct foo", "enum bar": of struct tag */
	struct names *typedefs;	 /* of const struct type */
	struct names *constants; /* of struct constant: the script's */
	struct constant **last;	 /* where the next one of these goes */
	unsigned depth;
	/* Of any name of a type, for sizeof: what is built on this knows more of them. */
	const struct type *(*find)(struct cdecl *c, const char *name, enum space space);
};

/* Reads all declarations of the script. Mistakes are said. */
void cdecl_read_all(struct cdecl *c);

/* The script's own struct, union or enum ("struct foo"), or typedef ("foo"). NULL: there is none.
 */
const struct type *cdecl_read_own(struct cdecl *c, const char *name);

/* The value of one of the script's constants, or of the headers'. */
bool cdecl_read_constant(struct cdecl *c, const char *name, int64_t *value);

#endif
