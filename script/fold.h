/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fold: the value of an expression of constants: of #if, #define, sizes of arrays, enumerators.
 */
#ifndef BORESCOPE_SCRIPT_FOLD_H
#define BORESCOPE_SCRIPT_FOLD_H

#include "script/ast.h"

struct fold {
	/* The value of a name; false: it has none. */
	bool (*name)(void *ctx, const char *name, int64_t *value);
	/* The size of a type by its name; NULL: sizeof is no constant here. */
	bool (*size)(void *ctx, const char *type_name, int64_t *value);
	void *ctx;
};

/* False: it is not constant. Arithmetic is that of int64_t and wraps around; division by 0 is not
 * constant. *@is_unsigned, if not NULL: the value is beyond int64_t. */
bool fold(const struct node *n, const struct fold *f, int64_t *value, bool *is_unsigned);

#endif
