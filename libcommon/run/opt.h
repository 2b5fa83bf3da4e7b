/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * opt: an option of a tool, an entry of its table of options (run/options.h).
 */
#ifndef BORESCOPE_RUN_OPT_H
#define BORESCOPE_RUN_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct filter;
struct offers;
struct regex;

struct opt {
	char letter;	  /* 0: none */
	const char *name; /* the long name; in a table of positional arguments what it is called */
	const char *arg;  /* what the argument is called; NULL: a flag */
	const char *help; /* one line; NULL: --help does not show it */

	/* One of these is set: where the value goes, which says what it is. */
	bool *flag;	  /* becomes true */
	uint64_t *uint;	  /* a whole number of at least .min, and at most .max if that is not 0 */
	uint64_t *sec;	  /* ns: given as seconds, more than 0; decimal fractions are allowed */
	uint64_t *ms;	  /* ns: given as milliseconds, in the same way, or 0 */
	const char **str; /* a text that is not empty; it points into argv */
	struct regex *regex; /* an extended regular expression that is not empty */
	/* Anything else: returns NULL, or what would be right ("a disk from /sys/block"), for the
	 * error line. .parse is given .value, .filter the filter of the common options. */
	const char *(*parse)(const char *arg, void *value);
	const char *(*filter)(const char *arg, struct filter *f);

	void *value;
	uint64_t min, max;

	/*
	 * What a shell offers for the value (run/complete.h): words with a space between two, or
	 * what this function offers (run/offers.h). What is called FILE or DIR the shell knows by
	 * itself. Of one that is called "X[,X...]" each item is offered.
	 */
	const char *choices;
	void (*offer)(struct offers *o);
};
#define OPT(letter_, name_, ...)                                                                   \
	{                                                                                          \
		.letter = (letter_), .name = (name_), __VA_ARGS__                                  \
	}
/*
 * A letter for the option of this long name that stands elsewhere: among the common ones, which
 * --help then shows here, or in the same table, where it came from a macro such as FLOW_OPTIONS.
 * A .help takes the place of its words.
 */
#define OPT_LETTER(letter_, name_, ...) OPT(letter_, name_, __VA_ARGS__)

#endif
