/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * options: those that a tool with stacks has, for its table and for all who ask what they say.
 */
#ifndef BORESCOPE_STACKS_OPTIONS_H
#define BORESCOPE_STACKS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "run/options.h"

struct stacks_options {
	bool folded, delimited, annotated, top;
	bool offsets;		     /* in functions, in the listing */
	bool user_only, kernel_only; /* then a tool need not read the other stack */
	const char *svg;
	uint64_t max; /* how many different stacks are kept */
	/* Bytes of each user stack that are copied, to unwind it by tables. 0: user stacks are
	 * walked by frame pointers. */
	uint64_t unwind;
};
extern struct stacks_options stacks_options;

#define STACKS_MAX_DEFAULT 262144

/* clang-format off */
/* For a tool's table of options; BCC's profile has a letter for --annotations: OPT_LETTER(). */
#define STACKS_OPTIONS										   \
	OPT('U', "user-stacks-only", .flag = &stacks_options.user_only,				   \
	    .help = "user stacks only, without the kernel's part"),				   \
	OPT('K', "kernel-stacks-only", .flag = &stacks_options.kernel_only,			   \
	    .help = "kernel stacks only"),							   \
	OPT(0, "top", .flag = &stacks_options.top,						   \
	    .help = "a table of the hottest functions"),					   \
	OPT('f', "folded", .flag = &stacks_options.folded,					   \
	    .help = "a line for each stack, as flamegraph.pl reads it"),			   \
	OPT(0, "svg", .arg = "FILE", .str = &stacks_options.svg,				   \
	    .help = "a flame graph for a web browser, into FILE"),				   \
	OPT('d', "delimited", .flag = &stacks_options.delimited,				   \
	    .help = "a mark between kernel and user frames"),					   \
	OPT(0, "annotations", .flag = &stacks_options.annotated,				   \
	    .help = "_[k] behind the names of kernel functions"),				   \
	OPT(0, "stack-storage-size", .arg = "COUNT", .uint = &stacks_options.max,		   \
	    .min = 1, .max = 100000000,								   \
	    .help = "keep this many different stacks (default 262144)")
/* clang-format on */

/* Beside these, for a tool that BCC has -s for. */
#define STACKS_OFFSETS_OPTION                                                                      \
	OPT('s', "offset", .flag = &stacks_options.offsets,                                        \
	    .help = "places in functions, too, in the listing")

/* Beside these, for a tool that uses bpf/lib/stacks/stacks.bpf.h. */
#define STACKS_UNWIND_OPTION                                                                       \
	OPT(0, "unwind", .arg = "HOW", .parse = stacks_parse_unwind,                               \
	    .value = &stacks_options.unwind, .choices = "fp dwarf",                                \
	    .help = "user stacks by fp (default) or dwarf[,BYTES]")
const char *stacks_parse_unwind(const char *arg, void *value);

#endif
