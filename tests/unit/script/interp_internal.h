/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Between interp.c, which has the instructions, and interp_helpers.c, which has the kernel. */
#ifndef BORESCOPE_TESTS_SCRIPT_INTERP_INTERNAL_H
#define BORESCOPE_TESTS_SCRIPT_INTERP_INTERNAL_H

#include "script/interp.h"

struct interp_entry {
	struct interp_entry *next;
	char *key, *value; /* each by itself, so that ASAN sees what lies outside */
};

struct interp_map {
	uint32_t key_size, value_size, max, nr;
	bool is_array, is_lru;
	struct interp_map *inner;     /* of an array of maps */
	struct interp_map *outer;     /* of copies for loops: that of the loop around */
	struct interp_entry *entries; /* the youngest first */
};

struct interp_outside {
	struct interp_outside *next;
	enum interp_space space;
	const char *bytes;
	size_t size;
};

/* May @size bytes there be read (or written) by the program itself? */
bool interp_may(struct interp *i, uint64_t address, size_t size, bool write);
/* The program did what it must not; the first fault stays. */
void interp_fail(struct interp *i, const char *what);

void interp_map_init(struct interp_map *m, uint32_t key, uint32_t value, uint32_t max);
void interp_map_clear(struct interp_map *m);
char *interp_map_lookup(struct interp_map *m, const void *key);
/* Copies the map that an argument stands for; false after a fault. */
bool interp_map_copy(struct interp *i, uint64_t map, struct interp_map *copy);
/* Is the place inside of a value, or of a key? */
bool interp_map_has(const struct interp_map *m, uint64_t address, size_t size);

/* Calls a function of the kernel: r1 to r5 in @args. */
uint64_t interp_helper(struct interp *i, int number, const uint64_t args[5]);

#endif
