/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * store: what a map of the script holds, read out of the kernel: the CPUs' parts merged, in the
 * order in which it is shown, and shown.
 */
#ifndef BORESCOPE_SCRIPT_STORE_H
#define BORESCOPE_SCRIPT_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "script/program.h"
#include "script/text.h"
#include "script/values.h"

/* All zeros: empty. */
struct store {
	const struct script_map *map;
	size_t *entries; /* where each begins in .bytes, in the order in which they are shown */
	size_t nr, room;
	size_t key_size, value_size; /* bytes of a key, a multiple of 8, and of a merged value */
	bool assigned;		     /* of a map without keys: something was */
	char *bytes;
	size_t used, bytes_room;
};

/* Of entry number @i. Both are good until more is added. */
const void *store_key(const struct store *s, size_t i);
const void *store_value(const struct store *s, size_t i);

/* Makes it empty, for values of @map. */
void store_begin(struct store *s, const struct script_map *map);
void store_end(struct store *s);

/* Adds an entry. @values: one, or one for each of @cpus, @stride bytes apart. @key: NULL of a map
 * without keys. */
void store_add(struct store *s, const void *key, const void *values, size_t stride, unsigned cpus);

/* Reads the map that is open as @fd into @s, which has to be all zeros or is begun anew. Returns 0
 * or -errno. The value of a map without keys is always there in the kernel: one that nothing was
 * ever written to is no entry, unless @always. */
int store_read(struct store *s, const struct script_map *map, int fd, bool always);
/* The one value of @key (NULL: of a map without keys). Returns 0; -ENOENT: there is none. */
int store_read_one(struct store *s, const struct script_map *map, int fd, const void *key);

/* For JSON, in which no key may be there twice: what stands under keys that are written alike, as
 * those of two processes' stacks, is added up where it is an aggregate; else the second of them
 * is numbered, "key (2)", and so on. */
void store_distinguish(struct store *s, const struct values *v);

/* By value, if that is a number (histograms: by how many), else by key. */
void store_sort(struct store *s, const struct values *v);

/* Shows @s as print(@x, top, div) does: the last @top entries (0: all), numbers divided by @div (0:
 * not), in text or as a line of JSON. An empty map shows nothing, unless it has no keys and
 * @zeros: then it is 0. */
void store_text(const struct store *s, const struct values *v, struct text *to, size_t top,
		uint64_t div, bool zeros);
void store_json(const struct store *s, const struct values *v, struct text *to, size_t top,
		uint64_t div, bool zeros);

/* Removes all entries of the map that is open as @fd, or sets all its values to 0. These, too,
 * return 0 or -errno. */
int store_clear(const struct script_map *map, int fd);
int store_zero(const struct script_map *map, int fd);
/* The keys of @from_fd come to be in @to_fd, of the same kind, with a value of 0 where they are not
 * there. */
int store_keep_keys(const struct script_map *map, int from_fd, int to_fd);

#endif
