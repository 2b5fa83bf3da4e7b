/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * check: what every name of a script is, and of which type every expression; what its maps are.
 */
#ifndef BORESCOPE_SCRIPT_CHECK_H
#define BORESCOPE_SCRIPT_CHECK_H

#include "script/cdecl.h"
#include "script/program.h"

struct compile_options {
	struct probe_options probes;
	const char *btf;		     /* --btf; NULL: the kernel's */
	const struct positional *positional; /* getopt()'s; NULL: none */
	bool unsafe;			     /* system(), signal() and the like are granted */
	bool compat;			     /* as bpftrace does it, where the two differ */
	const struct filter *filter;	     /* of the common options; NULL: none */
	bool by_name; /* which probes are attached, their names decide: each is one of its own */
};

/*
 * Expands the probes of @script, checks it and makes its programs. Returns what was compiled,
 * for script_compiled_free(), or NULL after printing what is wrong.
 */
struct compiled *script_compile(struct script *script, const struct compile_options *options,
				struct script_config *config);
/* Closes its files; the rest goes with the source. NULL: nothing. */
void script_compiled_free(struct compiled *c);

/* Applies BPFTRACE_* of the environment and the script's config block. Errors are printed. */
void script_configure(struct script *script, struct script_config *config);

/* The names of all builtins, for did-you-mean; ends with NULL. */
const char *const *script_builtin_names(void);

#endif
