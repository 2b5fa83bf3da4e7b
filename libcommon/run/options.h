/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * options: a tool's options as a table; parsing and --help both come from it.
 *
 *	static const struct opt options[] = {
 *		OPT('x', "failed", .flag = &failed, .help = "only opens that failed"),
 *		OPT('F', "frequency", .arg = "HZ", .uint = &hz, .min = 1, .max = 1000,
 *		    .help = "samples a second (1)"),
 *		OPT_LETTER('t', "tid"),
 *		{ 0 },
 *	};
 *
 * The common options (every tool has them, spelt and meaning the same) stand in options.c and come
 * behind the tool's own. A letter that the tool uses for something else is the tool's: the common
 * option then has its long name only.
 */
#ifndef BORESCOPE_RUN_OPTIONS_H
#define BORESCOPE_RUN_OPTIONS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/filter.shared.h"
#include "run/opt.h"

/* What the common options say. */
struct common_options {
	struct filter filter; /* goes to the kernel as it is */
	uint64_t duration_ns; /* 0: until a signal */
	uint64_t max_events;  /* 0: no bound */
	double max_cost;      /* percent of one CPU; 0: no bound */
	bool json;
	bool cost;
	const char *btf; /* a BTF file in place of the kernel's; NULL: the kernel's */
};

/* What parsing and --help need to know of a tool; the members are those of struct tool. */
struct options_spec {
	const char *name, *summary;
	const char *called; /* what --help and messages call it (base/called.h) */
	const struct opt *options, *positional;
	const char *const *examples;
	bool prints_rows; /* it has --events */
	/* Where the positional arguments begin in argv goes here, and they are not looked at: they
	 * are the business of whoever asks; .positional is for --help. NULL: they are parsed by
	 * that. */
	int *rest;
	/* For a tool that passes for another one: what --version prints, and what stands above
	 * --help. NULL: as every tool has it. */
	const char *version, *usage;
};

/*
 * Parses argv by the tables of @spec. Returns GO_ON, or the status to exit with: STATUS_OK after
 * --help or --version, STATUS_USAGE after printing which argument is wrong, and what is right.
 */
int options_parse(const struct options_spec *spec, struct common_options *common, int argc,
		  char **argv);

#endif
