/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * options: a tool's options as a table; parsing and --help both come from it.
 *
 * The common options (every tool has them, spelt and meaning the same) stand in options.c. A tool's
 * table comes first: an entry with the long name of a common option and OPT_COMMON gives that
 * option another short letter in this tool ({ 't', "tid", .type = OPT_COMMON }), and a short letter
 * that the tool uses for something else is the tool's: the common option keeps its long name.
 */
#ifndef BORESCOPE_RUN_OPTIONS_H
#define BORESCOPE_RUN_OPTIONS_H

#include <linux/types.h>
#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/filter.shared.h"

enum opt_type {
	OPT_FLAG, /* bool: becomes true */
	OPT_UINT, /* uint64_t, a whole number of at least opt.min (and at most opt.max, if not 0) */
	OPT_SEC,  /* uint64_t ns: seconds, a decimal fraction is allowed, more than 0 */
	OPT_STR,  /* const char *: not empty; points into argv */
	OPT_REGEX,  /* struct regex: an extended regular expression, not empty; owned by it */
	OPT_PARSE,  /* opt.parse(argument, opt.value) decides; a value of NULL: the common filter */
	OPT_COMMON, /* the common option of this long name */
};

struct opt {
	char letter; /* 0: none */
	const char
		*name; /* long name; NULL: none (in a tool's positional table: what it is called) */
	const char *arg; /* what the argument is called; NULL: a flag */
	enum opt_type type;
	void *value;
	const char *help;
	uint64_t min, max;
	/* Returns NULL, or what would be right ("a disk from /sys/block"), for the error line. */
	const char *(*parse)(const char *arg, void *value);
};

/* An OPT_REGEX's value, zeroed to begin with. */
struct regex {
	bool set;
	regex_t compiled;
};

/* Does it match anywhere in @text, which ends at @len or at a NUL, whichever is first? True where
 * no expression was given (or no memory is left to tell). */
bool regex_matches(const struct regex *r, const char *text, size_t len);

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
	const struct opt *options, *positional;
	const char *const *examples;
	bool prints_rows; /* it has --events */
};

/*
 * Parses argv by the tables of @spec. Returns GO_ON, or the status to exit with: STATUS_OK after
 * --help or --version, STATUS_USAGE after printing which argument is wrong, and what is right.
 */
int options_parse(const struct options_spec *spec, struct common_options *common, int argc,
		  char **argv);

/* For a tool's OPT_PARSE without a value: a part of the process's name (BCC's -n). */
const char *parse_comm_part(const char *arg, void *filter);

/* For OPT_PARSE into a struct flag_filters: one more filter of open(2)'s flags, "O_WRONLY|O_TRUNC".
 */
const char *parse_open_flags(const char *arg, void *filters);

/* Does it keep any task out (beside the tool itself)? */
bool filter_is_set(const struct filter *f);

struct event_head;

/* Do -p, --tid, --comm (and a part of it) let this task through? For events whose task the kernel
 * side does not know yet. One that is not known (EVENT_UNKNOWN) passes only where none is given. */
bool filter_passes(const struct filter *f, const struct event_head *task);

/* A whole decimal number and nothing else; false: it is not one, or not within the bounds. */
bool parse_uint(const char *text, uint64_t min, uint64_t max, uint64_t *value);

#endif
