/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * cdecl: the C that a script may hold: structs, unions and enums of its own, and the names of types
 * in casts, sizeof and offsetof.
 */
#ifndef BORESCOPE_SCRIPT_CDECL_H
#define BORESCOPE_SCRIPT_CDECL_H

#include "script/ast.h"
#include "script/btf.h"
#include "script/consts.h"

struct cdecl;

/* Reads the script's declarations; its enumerators go to script->constants. Errors are printed.
 * Never NULL. */
struct cdecl *cdecl_new(struct script *script, struct types *types, struct btf_types *btf);

/* The type of a name as struct node has it in .type_name ("struct sock *", "uint64", "unsigned
 * long", "int32[4]", "string[64]"). The script's own come first, then the language's (int8 ...
 * uint64, bool, string, buffer), those of C and <stdint.h>, then BTF. Pointers are of @space. NULL:
 * there is none, which is said at @at, with the nearest name. */
const struct type *cdecl_type(struct cdecl *c, const char *name, enum space space, struct span at);
/* The same, and says nothing. */
const struct type *cdecl_find(struct cdecl *c, const char *name, enum space space);

#endif
