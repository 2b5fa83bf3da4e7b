/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * cdecl_scalar: types that are words: those of the language, of C and of its headers.
 */
#ifndef BORESCOPE_SCRIPT_CDECL_SCALAR_H
#define BORESCOPE_SCRIPT_CDECL_SCALAR_H

#include "script/types.h"

/* "unsigned long", "uint64", "size_t", with one blank between words. NULL: there is none. */
const struct type *cdecl_scalar(struct types *types, const char *words);

/* The words of C that make a type together, in whatever order, while they are read. */
struct cdecl_words {
	unsigned longs, shorts, chars, ints, has_sign, has_no_sign, floats, doubles, all;
};
/* False: it is no such word. */
bool cdecl_scalar_add(struct cdecl_words *w, const char *word);
/* NULL: they make none. */
const struct type *cdecl_scalar_of(struct types *types, const struct cdecl_words *w);

#endif
