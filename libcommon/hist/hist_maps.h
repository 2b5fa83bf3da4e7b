/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * hist_maps: the histograms of bpf/lib/hist/hist.bpf.h, read, sorted and printed.
 */
#ifndef BORESCOPE_HIST_HIST_MAPS_H
#define BORESCOPE_HIST_HIST_MAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "hist/hist.h"
#include "run/run.h"

/* How a tool shows them. */
struct hist_maps {
	bool keyed;	   /* one per key, else one in all */
	uint32_t max_keys; /* so many find room between two reports, at least */
	uint64_t unit_ns;  /* of the text: 1000 or 1000000; JSON is in ns */
	bool total;	   /* the sum stands in the line under the histogram, too */
	bool clock;	   /* the time of day stands above each report */
	/* "disk = vda", without a newline; and the same as members of the JSON object. Only with
	 * keyed. @name is what the tool's program wrote into the histogram: raw bytes, maybe none.
	 */
	void (*title)(struct out *o, const struct hist_key *key, const char name[16]);
	void (*members)(struct json *j, const struct hist_key *key, const char name[16]);
};

/* For a tool's .views; @titles_ and @keys_: the words that its title() and members() write, and
 * "total" if it has that. */
#define HIST_VIEWS(titles_, keys_)                                                                 \
	{ .kind = "histogram",                                                                     \
	  .titles = HIST_TITLES " " titles_,                                                       \
	  .keys = "time " keys_ " " HIST_KEYS },                                                   \
	{                                                                                          \
		.kind = "bucket", .keys = HIST_BUCKET_KEYS                                         \
	}

/* [interval [count]]: a tool's .positional; and, in its setup hook, the plan that they ask for. */
extern const struct opt hist_maps_positional[];
void hist_maps_setup(struct run *r);

/* In a tool's configure hook: sizes and switches the maps. */
void hist_maps_configure(const struct hist_maps *hs, struct run *r);

/* In a tool's started hook: says that it traces @what, and how the histogram is to be had. */
void hist_maps_started(const struct run *r, const char *what);

/* In a tool's finish hook: says so if no @what ("requests") were counted. */
void hist_maps_finish(const struct run *r, const char *what);

/* In a tool's report hook: prints what was counted since the last report, the fullest histogram
 * last. */
void hist_maps_report(const struct hist_maps *hs, struct run *r);

#endif
