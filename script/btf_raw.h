/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * btf_raw: a section of BTF as it is, vmlinux's or a module's, with an index of where each type
 * begins. What is in it may be anything: every read stays inside of the section.
 */
#ifndef BORESCOPE_SCRIPT_BTF_RAW_H
#define BORESCOPE_SCRIPT_BTF_RAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/btf.h>

#include "kernel/btf_file.h"

#define BTF_RAW_NR_MAX (4u << 20) /* types of one section */

struct btf_enumerator {
	uint32_t id; /* of the enum; 0: a free place */
	uint32_t nth;
};

struct btf_raw {
	const struct btf_raw *base; /* of a module: vmlinux, whose types and strings come first */
	const char *types, *strings;
	uint32_t types_len, strings_len;
	uint32_t first;	   /* the id of the first type: 1, or behind those of base */
	uint32_t nr;	   /* how many types there are here */
	uint32_t *index;   /* of each: its offset in .types */
	uint32_t *names;   /* ids by the hash of their names, 0: free; NULL: not made yet */
	uint32_t nr_names; /* a power of two */
	unsigned int finds;
	/* The same of enumerators: which one of which enum. */
	struct btf_enumerator *enumerators;
	uint32_t nr_enumerators;
	unsigned int enumerator_finds;
	struct btf_file file; /* what btf_raw_open() has; .data NULL: it is the caller's memory */
};

/* Reads the file @path, or the memory (aligned to 4 bytes, which stays the caller's and has to stay
 * until btf_raw_close()). @base: NULL, or of a module, vmlinux's. Returns 0, or -errno with nothing
 * to close; -EINVAL: it is malformed. */
int btf_raw_open(struct btf_raw *r, const char *path, const struct btf_raw *base);
int btf_raw_memory(struct btf_raw *r, const void *data, size_t size, const struct btf_raw *base);
void btf_raw_close(struct btf_raw *r);

/* Type @id, of this section or of base; NULL: there is none. Its members are inside the section. */
const struct btf_type *btf_raw_type(const struct btf_raw *r, uint32_t id);

/* With the bits that older formats leave 0: as of 7.2 they belong to kind and vlen. */
static inline uint32_t btf_raw_kind(const struct btf_type *t)
{
	return t->info >> 24 & 0x7f;
}
static inline uint32_t btf_raw_vlen(const struct btf_type *t)
{
	return t->info & 0xffffff;
}
static inline bool btf_raw_flag(const struct btf_type *t)
{
	return t->info >> 31;
}

/* "" where there is no such string. */
const char *btf_raw_string(const struct btf_raw *r, uint32_t offset);

/*
 * The id of the first type of this section (not of base) whose kind is in @kinds (a bit for each)
 * and that has this name. 0: there is none. The first of these questions cost a look through all
 * types (about 1 ms for vmlinux); when there are many, an index of names is made (10 ms, once).
 */
uint32_t btf_raw_find(struct btf_raw *r, uint32_t kinds, const char *name);
#define BTF_RAW_KIND(kind) (1u << (kind))

/* The first enumerator of this section that has this name; .id of 0: there is none. As above, many
 * questions are answered by an index. */
struct btf_enumerator btf_raw_enumerator(struct btf_raw *r, const char *name);

/* The next type of one of these kinds, from @from on; for (id = 0; (id = btf_raw_next(r, kinds,
 * id + 1));) sees all of this section. */
uint32_t btf_raw_next(const struct btf_raw *r, uint32_t kinds, uint32_t from);

#endif
