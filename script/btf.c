/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/advice.h"
#include "kernel/btf.h"
#include "script/btf_internal.h"

#define MEMBERS_MAX 16384 /* of one record */

struct btf_types *btf_types_new(struct types *types, struct arena *arena, const char *path)
{
	struct btf_types *b = arena_alloc(arena, sizeof(*b));

	*b = (struct btf_types){ .types = types,
				 .arena = arena,
				 .path = path,
				 .state = 1,
				 .own_state = 1,
				 .vmlinux = { .module = "vmlinux", .fd = -1 } };
	return b;
}

int btf_types_error(struct btf_types *b)
{
	if (b->state <= 0)
		return b->state;
	b->state = btf_raw_open(&b->vmlinux.raw, b->path ? b->path : BTF_KERNEL, NULL);
	if (b->state && b->path) /* what was asked for by name, and is of no use */
		advice_btf(b->path, b->state);
	return b->state;
}

static void close_section(struct btf_section *s)
{
	btf_raw_close(&s->raw);
	free(s->made);
	free(s->aligns);
	if (s->fd >= 0)
		close(s->fd);
}

void btf_types_free(struct btf_types *b)
{
	if (!b)
		return;
	for (struct btf_section *s = b->modules; s; s = s->next)
		close_section(s);
	close_section(&b->vmlinux);
	btf_raw_close(&b->own);
}

/* --- ids --- */

static struct btf_section *owner_of(struct btf_types *b, struct btf_section *s, uint32_t id)
{
	return s->raw.base && id < s->raw.first ? &b->vmlinux : s;
}

/* Where what was made of type @id is kept. NULL: there is no such type. */
static const struct type **place_of(struct btf_types *b, struct btf_section *s, uint32_t id)
{
	s = owner_of(b, s, id);
	if (id < s->raw.first || id - s->raw.first >= s->raw.nr)
		return NULL;
	if (!s->made)
		s->made = calloc(s->raw.nr, sizeof(*s->made));
	return s->made ? &s->made[id - s->raw.first] : NULL;
}

static bool is_modifier(uint32_t kind)
{
	return kind == BTF_KIND_CONST || kind == BTF_KIND_VOLATILE || kind == BTF_KIND_RESTRICT ||
	       kind == BTF_FILE_TYPE_TAG;
}

const struct btf_type *btf_strip(const struct btf_raw *r, uint32_t *id)
{
	const struct btf_type *t = btf_raw_type(r, *id);

	for (int depth = BTF_DEPTH_MAX; t; depth--) {
		uint32_t kind = btf_raw_kind(t);

		if (!is_modifier(kind) && kind != BTF_KIND_TYPEDEF)
			return t;
		if (!depth)
			return NULL;
		*id = t->type;
		t = btf_raw_type(r, *id);
	}
	return NULL;
}

/* --- how records are aligned --- */

static uint32_t align_of(struct btf_types *b, struct btf_section *s, uint32_t id, int depth);

static uint32_t scalar_align(uint32_t size)
{
	return size == 2 || size == 4 || size == 8 ? size : size > 8 && !(size % 8) ? 8 : 1;
}

static uint32_t member_offset(const struct btf_type *t, const struct btf_member *m)
{
	return btf_raw_flag(t) ? m->offset & 0xffffff : m->offset;
}

static uint32_t member_bits(const struct btf_type *t, const struct btf_member *m)
{
	return btf_raw_flag(t) ? m->offset >> 24 : 0;
}

/* As C has it: the most that a member needs; 1 where one stands elsewhere, for the record is packed
 * then. */
static uint32_t record_align(struct btf_types *b, struct btf_section *s, const struct btf_type *t,
			     int depth)
{
	const struct btf_member *m = (const void *)(t + 1);
	uint32_t most = 1;

	for (uint32_t i = 0; i < btf_raw_vlen(t); i++) {
		uint32_t align = align_of(b, s, m[i].type, depth - 1);

		if (align <= most && member_bits(t, &m[i]))
			continue;
		if (!member_bits(t, &m[i]) && member_offset(t, &m[i]) % (align * 8))
			return 1;
		if (align > most)
			most = align;
	}
	return t->size % most ? 1 : most;
}

static uint32_t remembered_align(struct btf_types *b, struct btf_section *s,
				 const struct btf_type *t, uint32_t id, int depth)
{
	uint8_t *known;

	s = owner_of(b, s, id);
	if (!s->aligns)
		s->aligns = calloc(s->raw.nr, 1);
	if (!s->aligns)
		return 1;
	known = &s->aligns[id - s->raw.first];
	if (!*known) {
		*known = 1; /* should it come back to itself, which is malformed */
		*known = record_align(b, s, t, depth);
	}
	return *known;
}

static uint32_t align_of(struct btf_types *b, struct btf_section *s, uint32_t id, int depth)
{
	const struct btf_type *t = btf_strip(&s->raw, &id);

	if (!t || depth <= 0)
		return 1;
	switch (btf_raw_kind(t)) {
	case BTF_KIND_INT:
	case BTF_KIND_ENUM:
	case BTF_FILE_ENUM64:
	case BTF_FILE_FLOAT:
		return scalar_align(t->size);
	case BTF_KIND_PTR:
		return 8;
	case BTF_KIND_ARRAY:
		return align_of(b, s, ((const struct btf_array *)(t + 1))->type, depth - 1);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return remembered_align(b, s, t, id, depth);
	default:
		return 1;
	}
}

/* --- records --- */

static struct btf_record *add_record(struct btf_types *b, const struct type *wanted)
{
	struct btf_record *r;
	struct type record = *wanted;

	if (b->nr_records == b->records_capacity)
		b->records = arena_grow(b->arena, b->records, &b->records_capacity, 64,
					sizeof(*b->records));
	r = &b->records[b->nr_records++];
	record.kind = TYPE_RECORD;
	record.btf = b;
	record.btf_id = b->nr_records;
	r->type = (struct type *)type_intern(b->types, &record);
	return r;
}

/* The first of this name that was made, whether it is complete or not. */
static struct btf_record *record_named(struct btf_types *b, bool is_union, const char *name)
{
	for (size_t i = 0; i < b->nr_records; i++) {
		struct btf_record *r = &b->records[i];

		if (r->type->name && r->type->is_union == is_union && !strcmp(r->type->name, name))
			return r;
	}
	return NULL;
}

static void bind_record(struct btf_types *b, struct btf_record *r, struct btf_section *s,
			uint32_t id)
{
	const struct btf_type *t = btf_raw_type(&s->raw, id);

	r->section = owner_of(b, s, id);
	r->id = id;
	r->type->size = t->size;
	r->type->align = align_of(b, s, id, BTF_DEPTH_MAX);
}

static const struct type *make_record(struct btf_types *b, struct btf_section *s,
				      const struct btf_type *t, uint32_t id)
{
	const char *name = btf_raw_string(&s->raw, t->name_off);
	struct type record = { .is_union = btf_raw_kind(t) == BTF_KIND_UNION };
	struct btf_record *r = NULL;

	if (name[0] && b->nr_named) {
		r = record_named(b, record.is_union, name);
		if (r && r->section)
			r = NULL; /* another one of the same name */
	}
	if (!r) {
		record.name = name[0] ? name : NULL;
		r = add_record(b, &record);
	}
	bind_record(b, r, s, id);
	return r->type;
}

const struct type *btf_type_later(struct btf_types *b, const char *keyword, const char *name)
{
	bool is_union = !strcmp(keyword, "union");
	struct btf_record *r = record_named(b, is_union, name);

	if (!r) {
		r = add_record(b, &(struct type){ .name = name, .is_union = is_union });
		b->nr_named++;
	}
	return r->type;
}

static uint32_t record_kind(bool is_union)
{
	return BTF_RAW_KIND(is_union ? BTF_KIND_UNION : BTF_KIND_STRUCT);
}

/* A record of which the name was known: from now on it is what stands at this id. */
static void bind_found(struct btf_types *b, struct btf_record *r, struct btf_section *s,
		       uint32_t id)
{
	const struct type **place = place_of(b, s, id);

	bind_record(b, r, s, id);
	if (place && !*place)
		*place = r->type;
}

/* Finds out where a record is of which the name is known. */
static void find_record(struct btf_types *b, struct btf_record *r)
{
	uint32_t kind = record_kind(r->type->is_union), id;

	if (btf_types_error(b))
		return;
	id = btf_raw_find(&b->vmlinux.raw, kind, r->type->name);
	if (id) {
		bind_found(b, r, &b->vmlinux, id);
		return;
	}
	for (struct btf_section *s = btf_modules(b); s; s = s->next) {
		id = btf_raw_find(&s->raw, kind, r->type->name);
		if (id) {
			bind_found(b, r, s, id);
			return;
		}
	}
}

/* --- other types --- */

static const struct type *bytes(struct btf_types *b, uint32_t size)
{
	return type_array(b->types, type_int(b->types, 1, false), size);
}

/* BTF of GCC's does not say that char is signed; to the language it is int8, everywhere. */
static bool is_char(const struct btf_section *s, const struct btf_type *t)
{
	return btf_raw_kind(t) == BTF_KIND_INT && t->size == 1 &&
	       !strcmp(btf_raw_string(&s->raw, t->name_off), "char");
}

static const struct type *make_int(struct btf_types *b, const struct btf_section *s,
				   const struct btf_type *t)
{
	uint32_t encoding = BTF_INT_ENCODING(*(const uint32_t *)(t + 1));

	if (encoding & BTF_INT_BOOL && t->size == 1)
		return type_bool(b->types);
	if (t->size != 1 && t->size != 2 && t->size != 4 && t->size != 8)
		return bytes(b, t->size);
	return type_int(b->types, t->size, encoding & BTF_INT_SIGNED || is_char(s, t));
}

static const struct type *make_enum(struct btf_types *b, struct btf_section *s,
				    const struct btf_type *t)
{
	const char *name = btf_raw_string(&s->raw, t->name_off);
	const uint32_t *m = (const void *)(t + 1);
	bool is_64 = btf_raw_kind(t) == BTF_FILE_ENUM64;
	struct type made = { .kind = TYPE_ENUM,
			     .name = name[0] ? name : NULL,
			     .size = t->size,
			     .is_signed = btf_raw_flag(t) };
	struct enumerator *list;

	if (made.size != 1 && made.size != 2 && made.size != 4 && made.size != 8)
		made.size = is_64 ? 8 : 4;
	made.align = made.size;
	made.nr_enumerators = btf_raw_vlen(t);
	list = arena_alloc(b->arena, made.nr_enumerators * sizeof(*list));
	for (size_t i = 0; i < made.nr_enumerators; i++, m += is_64 ? 3 : 2) {
		list[i].name = btf_raw_string(&s->raw, m[0]);
		list[i].value = is_64		 ? (int64_t)((uint64_t)m[2] << 32 | m[1])
				: made.is_signed ? (int32_t)m[1]
						 : (int64_t)m[1];
	}
	made.enumerators = list;
	return type_intern(b->types, &made);
}

static const struct type *make(struct btf_types *b, struct btf_section *s, uint32_t id, int depth);

/* Clang has __user in BTF: PTR -> TYPE_TAG "user" -> what it points to. */
static enum space space_of(const struct btf_raw *r, uint32_t id)
{
	const struct btf_type *t = btf_raw_type(r, id);

	for (int depth = BTF_DEPTH_MAX; t && depth && is_modifier(btf_raw_kind(t)); depth--) {
		if (btf_raw_kind(t) == BTF_FILE_TYPE_TAG &&
		    !strcmp(btf_raw_string(r, t->name_off), "user"))
			return SPACE_USER;
		t = btf_raw_type(r, t->type);
	}
	return SPACE_KERNEL;
}

/* char[16] is a text that the language knows; those of other lengths are arrays of int8. */
static const struct type *make_array(struct btf_types *b, struct btf_section *s,
				     const struct btf_type *t, int depth)
{
	const struct btf_array *a = (const void *)(t + 1);
	uint32_t element = a->type;
	const struct btf_type *of = btf_strip(&s->raw, &element);

	if (a->nelems == 16 && of && is_char(s, of))
		return type_of_kind(b->types, TYPE_COMM);
	return type_array(b->types, make(b, s, a->type, depth - 1), a->nelems);
}

static const struct type *make_anew(struct btf_types *b, struct btf_section *s,
				    const struct btf_type *t, uint32_t id, int depth)
{
	switch (btf_raw_kind(t)) {
	case BTF_KIND_INT:
		return make_int(b, s, t);
	case BTF_KIND_PTR:
		return type_pointer(b->types, make(b, s, t->type, depth - 1),
				    space_of(&s->raw, t->type));
	case BTF_KIND_ARRAY:
		return make_array(b, s, t, depth);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return make_record(b, s, t, id);
	case BTF_KIND_ENUM:
	case BTF_FILE_ENUM64:
		return make_enum(b, s, t);
	case BTF_KIND_FWD:
		return btf_type_later(b, btf_raw_flag(t) ? "union" : "struct",
				      btf_raw_string(&s->raw, t->name_off));
	case BTF_FILE_FLOAT:
		return t->size == 4 || t->size == 8 ? type_float(b->types, t->size)
						    : bytes(b, t->size);
	default: /* of functions only the address is of use */
		return type_void(b->types);
	}
}

static const struct type *make(struct btf_types *b, struct btf_section *s, uint32_t id, int depth)
{
	const struct btf_type *t = btf_strip(&s->raw, &id);
	const struct type **place, *made;

	if (!t || depth <= 0)
		return type_void(b->types);
	s = owner_of(b, s, id);
	place = place_of(b, s, id);
	if (place && *place)
		return *place;
	made = make_anew(b, s, t, id, depth);
	if (place)
		*place = made;
	return made;
}

const struct type *btf_make(struct btf_types *b, struct btf_section *s, uint32_t id)
{
	return make(b, s, id, BTF_DEPTH_MAX);
}

/* --- fields --- */

/* A bit field: which bytes are to be read, and which of their bits. As C has it they are those of
 * the field's type; where a packed record has it across two of these, more are read. */
static void set_bits(struct btf_types *b, struct field *f, uint32_t at, uint32_t bits)
{
	uint32_t unit = f->type->size * 8;

	if (!type_is_integer(f->type) || !unit || bits > 64)
		return;
	f->offset = at / unit * f->type->size;
	f->bit_offset = at % unit;
	f->bits = bits;
	if (f->bit_offset + bits <= unit)
		return;
	f->offset = at / 8;
	f->bit_offset = at % 8;
	f->type = type_int(b->types, 8, f->type->is_signed);
	if (f->bit_offset + bits > 64)
		f->bits = 64 - f->bit_offset; /* no compiler packs that */
}

/* In the older of the two encodings a type of its own says how many bits an integer has. */
static bool is_partial_int(const struct btf_raw *r, uint32_t id, uint32_t *skip, uint32_t *bits)
{
	const struct btf_type *t = btf_strip(r, &id);
	uint32_t info;

	if (!t || btf_raw_kind(t) != BTF_KIND_INT)
		return false;
	info = *(const uint32_t *)(t + 1);
	*skip = BTF_INT_OFFSET(info);
	*bits = BTF_INT_BITS(info);
	return *bits && (*bits != t->size * 8 || *skip);
}

static bool read_member(struct btf_types *b, struct btf_section *s, const struct btf_type *t,
			const struct btf_member *m, struct field *f)
{
	uint32_t at = member_offset(t, m), bits = member_bits(t, m), skip = 0;

	f->name = arena_strdup(b->arena, btf_raw_string(&s->raw, m->name_off));
	f->type = btf_make(b, s, m->type);
	if (!f->name[0] && f->type->kind != TYPE_RECORD)
		return false;
	f->offset = at / 8;
	if (!btf_raw_flag(t) && !is_partial_int(&s->raw, m->type, &skip, &bits))
		bits = 0;
	if (bits)
		set_bits(b, f, at + skip, bits);
	return true;
}

static void complete(const struct type *record, int depth)
{
	struct btf_types *b = record->btf;
	const struct btf_member *m;
	struct btf_section *s;
	const struct btf_type *t;
	struct field *fields;
	struct type *type;
	uint32_t nr = 0, vlen, id;

	if (!b || record->kind != TYPE_RECORD || !record->btf_id || record->btf_id > b->nr_records)
		return;
	if (!b->records[record->btf_id - 1].section)
		find_record(b, &b->records[record->btf_id - 1]);
	s = b->records[record->btf_id - 1].section;
	id = b->records[record->btf_id - 1].id;
	type = b->records[record->btf_id - 1].type;
	if (!s)
		return; /* perhaps a module that has it will come */
	type->btf_id = 0;
	t = btf_raw_type(&s->raw, id);
	m = (const void *)(t + 1);
	vlen = btf_raw_vlen(t) > MEMBERS_MAX ? MEMBERS_MAX : btf_raw_vlen(t);
	fields = arena_alloc(b->arena, vlen * sizeof(*fields));
	for (uint32_t i = 0; i < vlen; i++)
		nr += read_member(b, s, t, &m[i], &fields[nr]);
	type->fields = fields;
	type->nr_fields = nr;
	for (uint32_t i = 0; depth && i < nr; i++)
		if (!fields[i].name[0])
			complete(fields[i].type, depth - 1);
}

void record_complete(const struct type *record)
{
	complete(record, BTF_DEPTH_MAX);
}

/* --- types by name --- */

static uint32_t kinds_of(const char *keyword)
{
	if (!keyword)
		return BTF_RAW_KIND(BTF_KIND_TYPEDEF) | BTF_RAW_KIND(BTF_KIND_INT);
	if (!strcmp(keyword, "enum"))
		return BTF_ENUM_KINDS;
	return record_kind(!strcmp(keyword, "union"));
}

static const struct type *find_in(struct btf_types *b, struct btf_section *s, uint32_t kinds,
				  const char *name)
{
	uint32_t id = btf_raw_find(&s->raw, kinds, name);

	return id ? btf_make(b, s, id) : NULL;
}

const struct type *btf_type(struct btf_types *b, const char *keyword, const char *name)
{
	uint32_t kinds = kinds_of(keyword);
	const struct type *found;

	if (btf_types_error(b))
		return NULL;
	found = find_in(b, &b->vmlinux, kinds, name);
	for (struct btf_section *s = found ? NULL : btf_modules(b); s && !found; s = s->next)
		found = find_in(b, s, kinds, name);
	return found;
}
