/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * hist_maps: reads, sorts and prints the histograms that bpf/lib/hist/hist.bpf.h has filled.
 */
#ifndef BORESCOPE_HIST_HIST_MAPS_H
#define BORESCOPE_HIST_HIST_MAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "hist/hist.h"
#include "run/run.h"

/* How a tool shows them. */
struct hist_maps {
	bool keyed; /* there is a histogram for each key; otherwise there is one */
	/* With keyed: there is room for at least this many keys between two reports. */
	uint32_t max_keys;
	uint64_t unit_ns; /* of the text: 1000 or 1000000; JSON is in ns */
	bool total;	  /* the line under the histogram has the sum, too */
	bool clock;	  /* the time of day stands above each report */
	/* With keyed: write what stands above the histogram ("disk = vda", without a newline), and
	 * the same as members of the JSON object. @name is what the tool's program wrote into the
	 * histogram: raw bytes, all zero if nothing. */
	void (*title)(struct out *o, const struct hist_key *key, const char name[16]);
	void (*members)(struct json *j, const struct hist_key *key, const char name[16]);
};

/* For a tool's .views; @titles_ and @keys_: the words that its title() and members() write, and
 * "total" if it has that. */
#define HIST_VIEWS(titles_, keys_)                                                                 \
	{ .kind = "histogram",                                                                     \
	  .titles = HIST_TITLES " " titles_,                                                       \
	  .keys = "time interval_ns " keys_ " " HIST_KEYS },                                       \
	{                                                                                          \
		.kind = "bucket", .keys = HIST_BUCKET_KEYS                                         \
	}

/* [interval [count]]: a tool's .positional; and, in its setup hook, the plan that they ask for. */
extern const struct opt hist_maps_positional[];
void hist_maps_setup(struct run *r);

/* In a tool's configure hook: sets the size of the maps, and which of them are filled. */
void hist_maps_configure(const struct hist_maps *hs, struct run *r);

/* In a tool's started hook: prints that it traces @what, and how to get the histogram. */
void hist_maps_started(const struct run *r, const char *what);

/* In a tool's finish hook: prints a note if no @what ("requests") were counted. */
void hist_maps_finish(const struct run *r, const char *what);

/* In a tool's report hook: prints what was counted since the last report, the histogram with the
 * highest count last. */
void hist_maps_report(const struct hist_maps *hs, struct run *r);

#endif
