/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "script/shown.h"

struct arena *arena;
struct types *types;
struct compiled compiled;
struct script_config config = { .str_trunc_trailer = ".." };
struct values values = { .compiled = &compiled };
struct text made;

int shown_setup(void **state)
{
	(void)state;
	arena = arena_new();
	types = types_new(arena);
	compiled.config = &config;
	values.texts = texts_new(NULL, 0);
	return 0;
}

int shown_teardown(void **state)
{
	(void)state;
	texts_free(values.texts);
	text_free(&made);
	arena_free(arena);
	return 0;
}
