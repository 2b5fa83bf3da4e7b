/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * btf_internal: what btf.c (types), btf_find.c (names) and btf_print.c (text) have of one another.
 */
#ifndef BORESCOPE_SCRIPT_BTF_INTERNAL_H
#define BORESCOPE_SCRIPT_BTF_INTERNAL_H

#include "script/btf.h"
#include "script/btf_raw.h"

#define BTF_RECORD_KINDS (BTF_RAW_KIND(BTF_KIND_STRUCT) | BTF_RAW_KIND(BTF_KIND_UNION))
#define BTF_ENUM_KINDS	 (BTF_RAW_KIND(BTF_KIND_ENUM) | BTF_RAW_KIND(BTF_FILE_ENUM64))
#define BTF_DEPTH_MAX	 32 /* types in one another: more are malformed, or nobody's */

/* vmlinux's BTF, or a module's, with what was made of it. */
struct btf_section {
	struct btf_raw raw;
	const char *module;	  /* "vmlinux", or the module's name */
	const struct type **made; /* of each type of raw; NULL: not yet */
	uint8_t *aligns;	  /* of each record; 0: not known yet */
	int fd;			  /* of a module, for the kernel; -1: not asked for yet */
	struct btf_section *next;
};

/* A record whose fields are not known yet: type.btf_id is its number, from 1 on. */
struct btf_record {
	struct type *type;
	struct btf_section *section; /* NULL: only its name is known */
	uint32_t id;
};

struct btf_types {
	struct types *types;
	struct arena *arena;
	const char *path; /* NULL: the kernel's own */
	int state;	  /* 1: not tried yet; 0: there is BTF; or -errno */
	struct btf_section vmlinux;
	struct btf_section *modules;
	bool modules_read;
	struct btf_raw own; /* the kernel's own, where path is another; its ids are for programs */
	int own_state;	    /* as state */
	struct btf_record *records;
	size_t nr_records, records_capacity;
	size_t nr_named; /* records of which only the name was known when they were made */
};

/* The modules' sections, read when this is called first; NULL: there is none. */
struct btf_section *btf_modules(struct btf_types *b);

/* The type with this id in @s; void where there is none. */
const struct type *btf_make(struct btf_types *b, struct btf_section *s, uint32_t id);

/* What @id is without typedef, const and the like; NULL: void, or nothing. */
const struct btf_type *btf_strip(const struct btf_raw *r, uint32_t *id);

/* What a function of this type takes, without the first @skip, and gives: see btf_print_function().
 */
void btf_print_params(const struct btf_raw *raw, const struct btf_type *proto, uint32_t skip,
		      bool retval, const char *indent, FILE *out);
/* A record or an enum with what is in it. */
void btf_print_type(const struct btf_raw *raw, const struct btf_type *t, FILE *out);

#endif
