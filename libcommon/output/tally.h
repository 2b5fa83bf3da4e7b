/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * tally: rows that are found by a key, in memory: for a tool that counts events in user space.
 */
#ifndef BORESCOPE_OUTPUT_TALLY_H
#define BORESCOPE_OUTPUT_TALLY_H

#include <stdbool.h>
#include <stddef.h>

struct tally;

/* Makes an empty tally of at most @max rows of @row_size bytes. A row's key is its @key_size bytes
 * from @key_at on, and is compared as bytes. NULL: there is no memory. */
struct tally *tally_new(size_t row_size, size_t key_at, size_t key_size, size_t max);
void tally_free(struct tally *t);

/* Returns the row of @key; a new one is zero but for its key. It lives until the next call with @t.
 * NULL: it would be one too many, or there is no memory for it. */
void *tally_row(struct tally *t, const void *key);

/* The size of a row in bytes, as it was given to tally_new(). */
size_t tally_row_size(const struct tally *t);

/* Returns all rows, @nr of them, in the order of @compare (as qsort(3) has it). They live until the
 * next call with @t. */
void *tally_sorted(struct tally *t, int (*compare)(const void *, const void *), size_t *nr);

/* Forgets the rows of which @keep returns false. It is called once for each row, in no order, and
 * may change it; its key, too, if no two become equal. Returns how many are left. */
size_t tally_keep(struct tally *t, bool (*keep)(void *row, void *ctx), void *ctx);

/* Forgets all rows; their memory stays for the next ones. */
void tally_clear(struct tally *t);

#endif
