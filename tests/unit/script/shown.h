/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the tests of values, formats and maps need to show something. */
#ifndef BORESCOPE_TESTS_UNIT_SCRIPT_SHOWN_H
#define BORESCOPE_TESTS_UNIT_SCRIPT_SHOWN_H

#include "script/values.h"

extern struct arena *arena;
extern struct types *types;
extern struct compiled compiled;
extern struct script_config config;
extern struct values values;
extern struct text made;

/* For a group of cmocka tests. */
int shown_setup(void **state);
int shown_teardown(void **state);

#endif
