/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * intern: byte strings to small numbers. The same bytes give the same number: 0 for the first, 1
 * for the next one that is different, and so on, so that what belongs to them stands in an array of
 * the caller's. The hash has a seed of its own, for the bytes come from people who may want it to
 * be slow.
 */
#ifndef BORESCOPE_BASE_INTERN_H
#define BORESCOPE_BASE_INTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INTERN_NONE UINT32_MAX

struct intern_item {
	size_t at;
	uint32_t len;
	uint32_t hash;
};

struct intern_slot {
	uint32_t hash;
	uint32_t item; /* its number + 1; 0: free */
};

/* All zero is an empty one without bounds. */
struct intern {
	uint32_t max_items; /* 0: as many as there is memory for */
	size_t max_bytes;   /* of all strings; 0: the same */
	uint32_t nr;
	/* the rest is intern.c's */
	char *bytes;
	size_t used, size;
	struct intern_item *items;
	uint32_t nr_alloc;
	struct intern_slot *slots;
	uint32_t nr_slots; /* a power of two, or 0 */
	uint64_t seed;
};

/* The number of these @len bytes (less than 4 GiB), which are copied if they are new. INTERN_NONE:
 * they are new, and beyond the bounds or there is no memory. */
uint32_t intern(struct intern *t, const void *data, size_t len);

/* The bytes of a number (aligned to 8), until the next intern() or intern_clear(). @len may be
 * NULL. */
const void *intern_get(const struct intern *t, uint32_t number, size_t *len);

/* Makes room in an array of @size bytes an element for number @number: the array, which may have
 * moved, or NULL (the old one stays good). What is added is zero. @nr is how many it has room for.
 */
void *intern_grow(void *array, size_t size, uint32_t number, uint32_t *nr);

size_t intern_bytes(const struct intern *t); /* that it takes of memory */
void intern_clear(struct intern *t); /* forgets all; the bounds stay. Frees the memory, too */

#endif
