/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * listing: -l, the probes of a script, or those like a pattern, on stdout.
 */
#ifndef BORESCOPE_SCRIPT_LISTING_H
#define BORESCOPE_SCRIPT_LISTING_H

#include "script/ast.h"
#include "script/probes.h"

struct listing {
	struct probe_options probes;
	const char *btf; /* --btf; NULL: the kernel's */
	bool verbose;	 /* -v: what each has */
	bool compat;	 /* that there is none is no error */
};

/* Warns of a pattern that looks like a file's name. */
void listing_check_pattern(const char *pattern);
/* Those of @script. Returns false after printing what is wrong. */
bool listing_script(const struct listing *l, const struct script *script);
/* Those like @pattern; NULL: all. */
bool listing_pattern(const struct listing *l, const char *pattern);

#endif
