/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/util.h"
#include "script/btf_raw.h"

#define FINDS_MAX 16 /* without an index of names */

#define ENUM_KINDS (BTF_RAW_KIND(BTF_KIND_ENUM) | BTF_RAW_KIND(BTF_FILE_ENUM64))

/* Whose names are looked for. */
#define NAMED_KINDS                                                                                \
	(BTF_RAW_KIND(BTF_KIND_INT) | BTF_RAW_KIND(BTF_KIND_STRUCT) |                              \
	 BTF_RAW_KIND(BTF_KIND_UNION) | BTF_RAW_KIND(BTF_KIND_ENUM) |                              \
	 BTF_RAW_KIND(BTF_FILE_ENUM64) | BTF_RAW_KIND(BTF_KIND_TYPEDEF) |                          \
	 BTF_RAW_KIND(BTF_KIND_FUNC))

static size_t size_of(const struct btf_type *t)
{
	return btf_file_type_size(btf_raw_kind(t), btf_raw_vlen(t));
}

/* Bits that this version of the format leaves unused (16 to 23, 29 and 30) must be 0: what has come
 * to use them would be misread. */
static bool is_well_formed(const struct btf_type *t, size_t left)
{
	uint32_t kind;

	if (left < sizeof(*t) || t->info & 0x60ff0000)
		return false;
	kind = btf_raw_kind(t);
	return kind && kind < BTF_FILE_KINDS && size_of(t) <= left;
}

/* The index is as long as there may be types, in memory that exists once it is written to. */
static int make_index(struct btf_raw *r)
{
	size_t max = r->types_len / sizeof(struct btf_type) + 1, at;
	uint32_t *index;

	if (max > BTF_RAW_NR_MAX)
		max = BTF_RAW_NR_MAX;
	index = mmap(NULL, max * sizeof(*index), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (index == MAP_FAILED)
		return -ENOMEM;
	for (at = 0; at < r->types_len; r->nr++) {
		const struct btf_type *t = (const void *)(r->types + at);

		if (r->nr == max || !is_well_formed(t, r->types_len - at)) {
			munmap(index, max * sizeof(*index));
			return -EINVAL;
		}
		index[r->nr] = at;
		at += size_of(t);
	}
	r->index = index;
	return 0;
}

static size_t index_size(const struct btf_raw *r)
{
	size_t max = r->types_len / sizeof(struct btf_type) + 1;

	return (max > BTF_RAW_NR_MAX ? BTF_RAW_NR_MAX : max) * sizeof(*r->index);
}

int btf_raw_memory(struct btf_raw *r, const void *data, size_t size, const struct btf_raw *base)
{
	struct btf_parts parts;
	int err;

	*r = (struct btf_raw){ .base = base, .first = base ? base->first + base->nr : 1 };
	err = btf_file_parts(&parts, data, size, base);
	if (err)
		return err;
	r->types = parts.types;
	r->types_len = parts.types_len;
	r->strings = parts.strings;
	r->strings_len = parts.strings_len;
	return make_index(r);
}

int btf_raw_open(struct btf_raw *r, const char *path, const struct btf_raw *base)
{
	struct btf_file file;
	int err = btf_file_open(&file, AT_FDCWD, path);

	*r = (struct btf_raw){ 0 };
	if (err)
		return err;
	err = btf_raw_memory(r, file.data, file.len, base);
	if (err) {
		btf_file_close(&file);
		*r = (struct btf_raw){ 0 };
		return err;
	}
	r->file = file;
	return 0;
}

void btf_raw_close(struct btf_raw *r)
{
	if (r->index)
		munmap(r->index, index_size(r));
	free(r->names);
	free(r->enumerators);
	if (r->file.data)
		btf_file_close(&r->file);
	*r = (struct btf_raw){ 0 };
}

/* --- questions --- */

const struct btf_type *btf_raw_type(const struct btf_raw *r, uint32_t id)
{
	if (r->base && id < r->first)
		r = r->base;
	if (id < r->first || id - r->first >= r->nr)
		return NULL;
	return (const void *)(r->types + r->index[id - r->first]);
}

const char *btf_raw_string(const struct btf_raw *r, uint32_t offset)
{
	if (r->base) {
		if (offset < r->base->strings_len)
			return r->base->strings + offset;
		offset -= r->base->strings_len;
	}
	return offset < r->strings_len ? r->strings + offset : "";
}

/* The string begins behind another's NUL, so the search is for both NULs. */
static uint32_t find_string(const struct btf_raw *r, const char *name, size_t len)
{
	char text[256];
	const char *found;

	if (!len || len + 2 > sizeof(text))
		return 0;
	text[0] = '\0';
	memcpy(text + 1, name, len + 1);
	if (r->base && r->strings_len > len && !memcmp(r->strings, name, len + 1))
		return r->base->strings_len; /* a module's need not begin with "" */
	found = memmem(r->strings, r->strings_len, text, len + 2);
	if (!found)
		return 0;
	return found + 1 - r->strings + (r->base ? r->base->strings_len : 0);
}

/* Where the section, or its base, has this name, so that names need not be compared: BTF holds each
 * string once. 0: nowhere, so there is nothing of that name. */
static uint32_t string_offset(const struct btf_raw *r, const char *name)
{
	size_t len = strlen(name);
	uint32_t at = r->base ? find_string(r->base, name, len) : 0;

	return at ? at : find_string(r, name, len);
}

uint32_t btf_raw_next(const struct btf_raw *r, uint32_t kinds, uint32_t from)
{
	for (uint32_t i = from > r->first ? from - r->first : 0; i < r->nr; i++) {
		const struct btf_type *t = (const void *)(r->types + r->index[i]);

		if (kinds >> btf_raw_kind(t) & 1)
			return r->first + i;
	}
	return 0;
}

/* --- many names --- */

static uint32_t hash_of(const char *name)
{
	uint32_t hash = 2166136261;

	while (*name)
		hash = (hash ^ (unsigned char)*name++) * 16777619;
	return hash ^ hash >> 15;
}

/* Those of one name are found in the order of their ids, as they are put in. */
static bool make_names(struct btf_raw *r)
{
	uint32_t nr = 1024;

	while (nr < r->nr + r->nr / 2)
		nr *= 2;
	r->names = calloc(nr, sizeof(*r->names));
	if (!r->names)
		return false;
	r->nr_names = nr;
	for (uint32_t i = 0; i < r->nr; i++) {
		const struct btf_type *t = (const void *)(r->types + r->index[i]);
		const char *name = btf_raw_string(r, t->name_off);
		uint32_t at;

		if (!name[0] || !(NAMED_KINDS >> btf_raw_kind(t) & 1))
			continue;
		for (at = hash_of(name); r->names[at & (nr - 1)]; at++)
			;
		r->names[at & (nr - 1)] = r->first + i;
	}
	return true;
}

static uint32_t find_by_hash(const struct btf_raw *r, uint32_t kinds, const char *name)
{
	uint32_t id;

	for (uint32_t at = hash_of(name); (id = r->names[at & (r->nr_names - 1)]); at++) {
		const struct btf_type *t = btf_raw_type(r, id);

		if (kinds >> btf_raw_kind(t) & 1 && !strcmp(btf_raw_string(r, t->name_off), name))
			return id;
	}
	return 0;
}

static uint32_t find_by_string(const struct btf_raw *r, uint32_t kinds, const char *name)
{
	uint32_t at = string_offset(r, name);

	for (uint32_t i = 0; at && i < r->nr; i++) {
		const struct btf_type *t = (const void *)(r->types + r->index[i]);

		if (t->name_off == at && kinds >> btf_raw_kind(t) & 1)
			return r->first + i;
	}
	return 0;
}

uint32_t btf_raw_find(struct btf_raw *r, uint32_t kinds, const char *name)
{
	if (!name[0])
		return 0;
	if (r->names || (++r->finds > FINDS_MAX && make_names(r)))
		return find_by_hash(r, kinds, name);
	return find_by_string(r, kinds, name);
}

/* --- enumerators --- */

static const uint32_t *enumerator(const struct btf_type *t, uint32_t nth)
{
	return (const uint32_t *)(t + 1) +
	       (size_t)nth * (btf_raw_kind(t) == BTF_FILE_ENUM64 ? 3 : 2);
}

static bool make_enumerators(struct btf_raw *r)
{
	uint32_t nr = 1024, id, all = 0;

	for (id = 0; (id = btf_raw_next(r, ENUM_KINDS, id + 1));)
		all += btf_raw_vlen(btf_raw_type(r, id));
	while (nr < all + all / 2)
		nr *= 2;
	r->enumerators = calloc(nr, sizeof(*r->enumerators));
	if (!r->enumerators)
		return false;
	r->nr_enumerators = nr;
	for (id = 0; (id = btf_raw_next(r, ENUM_KINDS, id + 1));) {
		const struct btf_type *t = btf_raw_type(r, id);

		for (uint32_t i = 0; i < btf_raw_vlen(t); i++) {
			uint32_t at = hash_of(btf_raw_string(r, *enumerator(t, i)));

			while (r->enumerators[at & (nr - 1)].id)
				at++;
			r->enumerators[at & (nr - 1)] = (struct btf_enumerator){ id, i };
		}
	}
	return true;
}

static struct btf_enumerator enumerator_by_hash(const struct btf_raw *r, const char *name)
{
	for (uint32_t at = hash_of(name);; at++) {
		struct btf_enumerator e = r->enumerators[at & (r->nr_enumerators - 1)];

		if (!e.id ||
		    !strcmp(name, btf_raw_string(r, *enumerator(btf_raw_type(r, e.id), e.nth))))
			return e;
	}
}

static struct btf_enumerator enumerator_by_string(const struct btf_raw *r, const char *name)
{
	uint32_t at = string_offset(r, name);

	for (uint32_t id = 0; at && (id = btf_raw_next(r, ENUM_KINDS, id + 1));) {
		const struct btf_type *t = btf_raw_type(r, id);

		for (uint32_t i = 0; i < btf_raw_vlen(t); i++)
			if (*enumerator(t, i) == at)
				return (struct btf_enumerator){ id, i };
	}
	return (struct btf_enumerator){ 0 };
}

struct btf_enumerator btf_raw_enumerator(struct btf_raw *r, const char *name)
{
	if (!name[0])
		return (struct btf_enumerator){ 0 };
	if (r->enumerators || (++r->enumerator_finds > FINDS_MAX && make_enumerators(r)))
		return enumerator_by_hash(r, name);
	return enumerator_by_string(r, name);
}
