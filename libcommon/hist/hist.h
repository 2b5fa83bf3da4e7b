/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * hist: what to do with a log-linear histogram that came out of the kernel: merge the CPUs' parts,
 * take percentiles, draw it as BCC does, write it as JSON.
 */
#ifndef BORESCOPE_HIST_HIST_H
#define BORESCOPE_HIST_HIST_H

#include <linux/types.h>
#include <stdint.h>

#include "lib/hist/hist.shared.h"
#include "output/json.h"
#include "output/out.h"

/* The bounds of a slot: from is inclusive, to is exclusive (UINT64_MAX for the last slot).
 * hist_slot() is in bpf/lib/hist/hist.shared.h, which both sides include. */
uint64_t hist_slot_from(unsigned int slot);
uint64_t hist_slot_to(unsigned int slot);

void hist_add(struct hist *h, uint64_t value);
void hist_merge(struct hist *into, const struct hist *from);

uint64_t hist_count(const struct hist *h);
/* 0 when empty. Where not_min or max is not known (0), they are taken from the slots. */
uint64_t hist_min(const struct hist *h);
uint64_t hist_max(const struct hist *h);
/*
 * The value below which @permille (0 to 1000) of all values lie: the nearest-rank percentile. It is
 * given as the middle of its slot, but not beyond min and max, and is within 3.2 % of the true one
 * (below 2^44). For 0 it is the minimum, for 1000 the maximum. Returns 0 when empty.
 */
uint64_t hist_percentile(const struct hist *h, unsigned int permille);

/*
 * Draws @h: BCC's power-of-two look ("     usecs               : count     distribution"), from the
 * row "0 -> 1" to the last one that has values, rows in units of @unit_ns (1, 1000, 1000000: for
 * others, slots would lie in two rows) called @unit ("usecs", "msecs"), then one line
 *     avg 12.3 p50 8.25 p90 25.0 p99 101 p99.9 230 max 512 (usecs)
 * with three significant digits where the value has a fraction. With @total, "total 1234 (usecs)
 * count 56" follows max. A bar is 40 wide at most, a line 80 columns. Draws nothing when empty.
 */
void hist_print(struct out *o, const struct hist *h, uint64_t unit_ns, const char *unit,
		bool total);
#define HIST_TITLES "usecs msecs count distribution avg p50 p90 p99 p99.9 max"

/* Writes the members of a histogram object into one that is open: count, sum_ns, min_ns, max_ns,
 * p50_ns, p90_ns, p99_ns, p999_ns, buckets [{from_ns, to_ns, count}] (the log-linear slots that
 * have values; to_ns is exclusive; that of the last, unbounded slot is max_ns + 1). */
void hist_json(struct json *j, const struct hist *h);
#define HIST_KEYS	 "count sum_ns min_ns max_ns p50_ns p90_ns p99_ns p999_ns buckets"
#define HIST_BUCKET_KEYS "from_ns to_ns count"

#endif
