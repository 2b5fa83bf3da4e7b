/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * top: reports that are refreshed: a line with the load of the machine, then the rows that matter
 * most. On a terminal they take the place of those before, and there are no more than it has room
 * for; elsewhere, and with -C, they follow each other, and all are there.
 */
#ifndef BORESCOPE_RUN_TOP_H
#define BORESCOPE_RUN_TOP_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "output/table.h"
#include "run/options.h"
#include "run/run.h"

struct top_options {
	bool no_clear, no_load;
	uint64_t rows; /* 0: no bound but the terminal's */
};
extern struct top_options top_options;

/* For a tool's table of options, and its positional arguments: [interval [count]]. */
#define TOP_OPTIONS                                                                                \
	OPT('C', "noclear", .flag = &top_options.no_clear,                                         \
	    .help = "no clearing of the screen: reports follow each other"),                       \
		OPT('S', "nosummary", .flag = &top_options.no_load,                                \
		    .help = "no line with the time and the load"),                                 \
		OPT('r', "rows", .arg = "N", .uint = &top_options.rows, .min = 1,                  \
		    .help = "at most so many rows (a terminal: what fits)")
extern const struct opt top_positional[];

/* In the setup hook: a report each second, if nothing else was given. */
void top_setup(struct run *r);

/*
 * In the report hook: prints the first of the @nr @rows, which lie side by side, @row_size bytes
 * each, in their order. They begin with a struct report_row, which is completed here. Each one that
 * is printed counts as an event. In JSON there is no line above them.
 */
void top_report(struct run *r, const struct column *columns, void *rows, size_t nr,
		size_t row_size);

#endif
