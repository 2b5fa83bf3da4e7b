/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "output/tally.h"

/* The rows lie side by side; the places say where a key's row is: its number + 1, 0 for a free
 * place. There are at least twice as many places as rows, so that a search soon ends. */
struct tally {
	size_t row_size, key_at, key_size, max;
	size_t nr, room;   /* rows */
	size_t place_mask; /* places - 1, a power of two */
	uint32_t *places;
	char *rows;
	bool moved; /* the rows: the places are of no use any more */
};

#define FIRST_ROOM 64

static char *row_at(const struct tally *t, size_t i)
{
	return t->rows + i * t->row_size;
}

/* FNV-1a */
static size_t hash(const struct tally *t, const char *key)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < t->key_size; i++)
		h = (h ^ (unsigned char)key[i]) * 0x100000001b3ULL;
	return h ^ h >> 32;
}

/* The place of @key, or the free one where it belongs. */
static uint32_t *find(const struct tally *t, const char *key)
{
	for (size_t i = hash(t, key);; i++) {
		uint32_t *place = &t->places[i & t->place_mask];

		if (!*place || !memcmp(row_at(t, *place - 1) + t->key_at, key, t->key_size))
			return place;
	}
}

static void index_rows(struct tally *t)
{
	memset(t->places, 0, (t->place_mask + 1) * sizeof(*t->places));
	for (size_t i = 0; i < t->nr; i++)
		*find(t, row_at(t, i) + t->key_at) = i + 1;
	t->moved = false;
}

static bool grow(struct tally *t)
{
	size_t room = t->room ? t->room * 2 : FIRST_ROOM;
	uint32_t *places = malloc(room * 2 * sizeof(*places));
	char *rows = places ? realloc(t->rows, room * t->row_size) : NULL;

	if (!rows) {
		free(places);
		return false;
	}
	free(t->places);
	t->places = places;
	t->place_mask = room * 2 - 1;
	t->rows = rows;
	t->room = room;
	index_rows(t);
	return true;
}

struct tally *tally_new(size_t row_size, size_t key_at, size_t key_size, size_t max)
{
	struct tally *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->row_size = row_size;
	t->key_at = key_at;
	t->key_size = key_size;
	t->max = max < UINT32_MAX ? max : UINT32_MAX - 1;
	if (!grow(t)) {
		free(t);
		return NULL;
	}
	return t;
}

void tally_free(struct tally *t)
{
	if (!t)
		return;
	free(t->places);
	free(t->rows);
	free(t);
}

void *tally_row(struct tally *t, const void *key)
{
	uint32_t *place;
	char *row;

	if (t->moved)
		index_rows(t);
	place = find(t, key);
	if (*place)
		return row_at(t, *place - 1);
	if (t->nr == t->max)
		return NULL;
	if (t->nr == t->room) {
		if (!grow(t))
			return NULL;
		place = find(t, key);
	}
	row = row_at(t, t->nr);
	memset(row, 0, t->row_size);
	memcpy(row + t->key_at, key, t->key_size);
	*place = ++t->nr;
	return row;
}

size_t tally_row_size(const struct tally *t)
{
	return t->row_size;
}

void *tally_sorted(struct tally *t, int (*compare)(const void *, const void *), size_t *nr)
{
	qsort(t->rows, t->nr, t->row_size, compare);
	t->moved = true;
	*nr = t->nr;
	return t->rows;
}

size_t tally_keep(struct tally *t, bool (*keep)(void *row, void *ctx), void *ctx)
{
	size_t nr = 0;

	for (size_t i = 0; i < t->nr; i++) {
		if (!keep(row_at(t, i), ctx))
			continue;
		if (nr != i)
			memcpy(row_at(t, nr), row_at(t, i), t->row_size);
		nr++;
	}
	t->nr = nr;
	t->moved = true;
	return nr;
}

void tally_clear(struct tally *t)
{
	t->nr = 0;
	index_rows(t);
}
