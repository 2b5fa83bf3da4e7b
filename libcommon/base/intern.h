/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * intern: from byte strings to small numbers. The same bytes give the same number: 0 for the first
 * string, 1 for the next one that is different, and so on, so that the caller keeps what belongs to
 * a string in an array. The hash has a random seed, because the bytes come from people who may want
 * it to be slow.
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

/* One whose members are all zero is empty and has no bounds. Ends with intern_clear(). */
struct intern {
	uint32_t max_items; /* 0: no bound */
	size_t max_bytes;   /* of all strings together; 0: no bound */
	uint32_t nr;
	/* what follows is intern.c's */
	char *bytes;
	size_t used, size;
	struct intern_item *items;
	uint32_t nr_alloc;
	struct intern_slot *slots;
	uint32_t nr_slots; /* a power of two, or 0 */
	uint64_t seed;
	bool no_memory; /* there was none once: nothing new is taken until intern_clear() */
};

/*
 * Returns the number of these @len bytes (less than 4 GiB). New bytes are copied; INTERN_NONE if
 * that would go beyond the bounds, or if there is no memory.
 */
uint32_t intern(struct intern *t, const void *data, size_t len);

/*
 * Returns the bytes of a number that intern() has returned, aligned to 8, and their length in @len
 * (which may be NULL). They stay where they are until the next intern() or intern_clear().
 */
const void *intern_get(const struct intern *t, uint32_t number, size_t *len);

/*
 * Makes room for element @number in an array of the caller's, whose elements have @size bytes and
 * which has room for @nr of them (updated). What is added is zero. Returns the array, which may
 * have moved, or NULL without memory: then the old one stays as it was.
 */
void *intern_grow(void *array, size_t size, uint32_t number, uint32_t *nr);

/* The bytes of memory that it uses. */
size_t intern_bytes(const struct intern *t);
/* Forgets all strings and frees their memory; the bounds stay. */
void intern_clear(struct intern *t);

#endif
