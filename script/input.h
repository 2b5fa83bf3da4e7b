/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * input: the text of a script, wherever it is.
 */
#ifndef BORESCOPE_SCRIPT_INPUT_H
#define BORESCOPE_SCRIPT_INPUT_H

#include "script/source.h"

/* The program of -e, or where that is NULL the file @path, "-" being stdin. NULL after printing why
 * not; @compat: in bpftrace's words. */
struct source *input_read(const char *program, const char *path, bool compat);

#endif
