/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * hists: hist() and lhist() out of the slots that the programs count in: rows as bpftrace has them,
 * and percentiles of the finer slots.
 */
#ifndef BORESCOPE_SCRIPT_HISTS_H
#define BORESCOPE_SCRIPT_HISTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "script/text.h"
#include "script/types.h"

/* The bytes of a value of TYPE_HIST (struct rt_hist) or TYPE_LHIST (u64 of RT_LHIST_SLOTS). */
size_t hists_size(const struct type *type);
/* Adds the counts of @from to those of @to. */
void hists_merge(const struct type *type, void *to, const void *from);
/* All counts. */
uint64_t hists_total(const struct type *type, const void *value);

/*
 * The rows from the first that has values to the last:
 *	[2, 4)                 1 |@@@@@@@                                             |
 * Counts are divided by @div. Nothing where there are no values.
 */
void hists_rows_text(struct text *to, const struct type *type, const void *value, uint64_t div);
/* [{"min": 2, "max": 3, "count": 1},...]: both bounds belong to the row. */
void hists_rows_json(struct text *to, const struct type *type, const void *value, uint64_t div);

/* "p50 2 p90 7 p99 20 p99.9 20 max 31" */
void hists_percentiles_text(struct text *to, const struct type *type, const void *value);
/* {"p50": 2, "p90": 7, "p99": 20, "p999": 20, "max": 31}; null for what is below 0. */
void hists_percentiles_json(struct text *to, const struct type *type, const void *value);

#endif
