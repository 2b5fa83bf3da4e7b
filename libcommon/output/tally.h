/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * tally: rows by key, in user space: for counts that are made of events.
 */
#ifndef BORESCOPE_OUTPUT_TALLY_H
#define BORESCOPE_OUTPUT_TALLY_H

#include <stdbool.h>
#include <stddef.h>

struct tally;

/* Rows of @row_size bytes; a row's key is its @key_size bytes from @key_at on, compared as bytes.
 * At most @max rows. NULL: no memory. */
struct tally *tally_new(size_t row_size, size_t key_at, size_t key_size, size_t max);
void tally_free(struct tally *t);

/* The row of @key (a new one is zero but for its key); NULL: it would be one too many. It lives
 * until the next call with @t. */
void *tally_row(struct tally *t, const void *key);

/* Of a row, in bytes: what tally_new() was told. */
size_t tally_row_size(const struct tally *t);

/* All rows, @nr of them, in the order of @compare (as qsort(3) has it). They live until the next
 * call with @t. */
void *tally_sorted(struct tally *t, int (*compare)(const void *, const void *), size_t *nr);

void tally_clear(struct tally *t);

#endif
