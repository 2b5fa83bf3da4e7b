/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <string.h>

#include "base/util.h"
#include "script.shared.h"
#include "script/types.h"

#define TEXT_DEPTH_MAX	16	  /* tuples in tuples, as far as a message shows them */
#define FIELD_DEPTH_MAX 16	  /* records without a name in one another */
#define FIELD_LOOKS_MAX (1 << 20) /* fields that are looked at for one name */

/* All types by their hash: a chain for each of a power of two of slots. */
struct slot {
	const struct type *type;
	uint32_t hash;
	struct slot *next;
};

struct types {
	struct arena *arena;
	struct slot **slots;
	size_t nr_slots, nr;
};

/* What a kind is called in messages, and what it takes where the caller does not say. */
static const struct {
	const char *text;
	uint8_t size, align;
} kinds[] = {
	[TYPE_VOID] = { "void", 0, 1 },
	[TYPE_INT] = { "int", 0, 0 },
	[TYPE_BOOL] = { "bool", 1, 1 },
	[TYPE_ENUM] = { "enum", 4, 4 },
	[TYPE_FLOAT] = { "float", 0, 0 },
	[TYPE_POINTER] = { "pointer", 8, 8 },
	[TYPE_KSYM] = { "ksym_t", 8, 8 },
	[TYPE_TIMESTAMP] = { "timestamp", 8, 8 },
	[TYPE_STRERROR] = { "strerror", 8, 8 },
	[TYPE_SYSCALL_NAME] = { "syscall_name", 8, 8 },
	[TYPE_SIGNAL_NAME] = { "signal_name", 8, 8 },
	[TYPE_USERNAME] = { "username", 8, 8 },
	[TYPE_CGROUP_PATH] = { "cgroup_path", 8, 8 },
	[TYPE_PROBE] = { "probe", 8, 8 },
	[TYPE_STRING] = { "string", 0, 8 },
	[TYPE_STRING_ID] = { "string", sizeof(struct rt_id), 8 },
	[TYPE_COMM] = { "string[16]", 16, 1 },
	[TYPE_BUFFER] = { "buffer", 0, 8 },
	[TYPE_USYM] = { "usym_t", sizeof(struct rt_usym), 8 },
	[TYPE_KSTACK] = { "kstack", sizeof(struct rt_id), 8 },
	[TYPE_USTACK] = { "ustack", sizeof(struct rt_id), 8 },
	[TYPE_INET] = { "inet", sizeof(struct rt_inet), 8 },
	[TYPE_MAC] = { "mac_address", 8, 8 },
	[TYPE_RECORD] = { "record", 0, 1 },
	[TYPE_ARRAY] = { "array", 0, 1 },
	[TYPE_TUPLE] = { "tuple", 0, 1 },
	[TYPE_COUNT] = { "count_t", 8, 8 },
	[TYPE_SUM] = { "sum_t", sizeof(struct rt_sum), 8 },
	[TYPE_MIN] = { "min_t", sizeof(struct rt_extreme), 8 },
	[TYPE_MAX] = { "max_t", sizeof(struct rt_extreme), 8 },
	[TYPE_AVG] = { "avg_t", sizeof(struct rt_sum), 8 },
	[TYPE_STATS] = { "stats_t", sizeof(struct rt_sum), 8 },
	[TYPE_HIST] = { "hist_t", 0, 8 },
	[TYPE_LHIST] = { "lhist_t", 0, 8 },
};

struct types *types_new(struct arena *arena)
{
	struct types *t = arena_alloc(arena, sizeof(*t));

	t->arena = arena;
	t->nr_slots = 256;
	t->slots = arena_alloc(arena, t->nr_slots * sizeof(*t->slots));
	return t;
}

/* --- one of each --- */

static uint32_t mix(uint32_t hash, uint64_t value)
{
	return (hash ^ (value ^ value >> 32)) * 0x9e3779b1;
}

static uint32_t mix_text(uint32_t hash, const char *s)
{
	while (s && *s)
		hash = mix(hash, (unsigned char)*s++);
	return hash;
}

/* Of what never changes: the fields of a record of the kernel come later. */
static uint32_t hash_of(const struct type *t)
{
	uint32_t hash = mix(t->kind, t->size);

	hash = mix(hash, t->count);
	hash = mix(hash, t->space);
	hash = mix(hash, (uintptr_t)t->to);
	hash = mix(hash, t->lhist.min);
	hash = mix(hash, t->lhist.max);
	for (size_t i = 0; t->kind == TYPE_TUPLE && i < t->nr_fields; i++)
		hash = mix(hash, (uintptr_t)t->fields[i].type);
	hash = mix_text(hash, t->name);
	return hash ^ hash >> 15;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool same_fields(const struct type *a, const struct type *b)
{
	if (a->nr_fields != b->nr_fields)
		return false;
	for (size_t i = 0; a->fields != b->fields && i < a->nr_fields; i++) {
		const struct field *f = &a->fields[i], *g = &b->fields[i];

		if (f->type != g->type || f->offset != g->offset ||
		    f->bit_offset != g->bit_offset || f->bits != g->bits ||
		    f->data_loc != g->data_loc || f->rel_loc != g->rel_loc ||
		    !same_text(f->name, g->name))
			return false;
	}
	return true;
}

static bool same_enumerators(const struct type *a, const struct type *b)
{
	if (a->nr_enumerators != b->nr_enumerators)
		return false;
	for (size_t i = 0; a->enumerators != b->enumerators && i < a->nr_enumerators; i++)
		if (a->enumerators[i].value != b->enumerators[i].value ||
		    !same_text(a->enumerators[i].name, b->enumerators[i].name))
			return false;
	return true;
}

static bool same(const struct type *a, const struct type *b)
{
	return a->kind == b->kind && a->size == b->size && a->align == b->align &&
	       a->is_signed == b->is_signed && a->space == b->space && a->to == b->to &&
	       a->is_union == b->is_union && a->count == b->count && a->lhist.min == b->lhist.min &&
	       a->lhist.max == b->lhist.max && a->lhist.step == b->lhist.step &&
	       a->depth == b->depth && a->stack_mode == b->stack_mode && a->btf == b->btf &&
	       a->btf_id == b->btf_id && same_text(a->name, b->name) && same_fields(a, b) &&
	       same_enumerators(a, b);
}

static void grow(struct types *t)
{
	size_t nr_slots = t->nr_slots * 4;
	struct slot **slots = arena_alloc(t->arena, nr_slots * sizeof(*slots)), *next;

	for (size_t i = 0; i < t->nr_slots; i++) {
		for (struct slot *s = t->slots[i]; s; s = next) {
			next = s->next;
			s->next = slots[s->hash & (nr_slots - 1)];
			slots[s->hash & (nr_slots - 1)] = s;
		}
	}
	t->slots = slots;
	t->nr_slots = nr_slots;
}

static const struct field *copy_fields(struct types *t, const struct type *of)
{
	struct field *fields = arena_alloc(t->arena, of->nr_fields * sizeof(*fields));

	for (size_t i = 0; i < of->nr_fields; i++) {
		fields[i] = of->fields[i];
		fields[i].name =
			arena_strdup(t->arena, of->fields[i].name ? of->fields[i].name : "");
	}
	return fields;
}

static const struct enumerator *copy_enumerators(struct types *t, const struct type *of)
{
	struct enumerator *to = arena_alloc(t->arena, of->nr_enumerators * sizeof(*to));

	for (size_t i = 0; i < of->nr_enumerators; i++) {
		to[i] = of->enumerators[i];
		to[i].name = arena_strdup(t->arena, of->enumerators[i].name);
	}
	return to;
}

/* The caller may have its names, fields and enumerators in memory that goes. */
static const struct type *copy_of(struct types *t, const struct type *wanted)
{
	struct type *copy = arena_alloc(t->arena, sizeof(*copy));

	*copy = *wanted;
	if (wanted->name)
		copy->name = arena_strdup(t->arena, wanted->name);
	if (wanted->nr_fields)
		copy->fields = (struct field *)copy_fields(t, wanted);
	if (wanted->nr_enumerators)
		copy->enumerators = copy_enumerators(t, wanted);
	return copy;
}

/* What the caller left open, where the kind says it. */
static void fill_size(struct type *t)
{
	if (!t->size) {
		t->size = kinds[t->kind].size;
		if (t->kind == TYPE_STRING || t->kind == TYPE_BUFFER)
			t->size = RT_STRING_SIZE(t->count);
		else if (t->kind == TYPE_HIST)
			t->size = RT_HIST_SIZE(t->count);
		else if (t->kind == TYPE_LHIST && t->lhist.step > 0)
			t->size = 8 * RT_LHIST_SLOTS(t->lhist.min, t->lhist.max, t->lhist.step);
	}
	if (!t->align)
		t->align = t->kind == TYPE_INT ? t->size : kinds[t->kind].align;
}

const struct type *type_intern(struct types *t, const struct type *wanted)
{
	struct type filled = *wanted;
	uint32_t hash;
	struct slot *s;

	fill_size(&filled);
	hash = hash_of(&filled);
	for (s = t->slots[hash & (t->nr_slots - 1)]; s; s = s->next)
		if (s->hash == hash && same(s->type, &filled))
			return s->type;
	if (t->nr >= 2 * t->nr_slots)
		grow(t);
	s = arena_alloc(t->arena, sizeof(*s));
	s->hash = hash;
	s->type = copy_of(t, &filled);
	s->next = t->slots[hash & (t->nr_slots - 1)];
	t->slots[hash & (t->nr_slots - 1)] = s;
	t->nr++;
	return s->type;
}

const struct type *type_of_kind(struct types *t, enum type_kind kind)
{
	return type_intern(t, &(struct type){ .kind = kind });
}

const struct type *type_void(struct types *t)
{
	return type_of_kind(t, TYPE_VOID);
}

const struct type *type_int(struct types *t, uint32_t size, bool is_signed)
{
	return type_intern(
		t, &(struct type){ .kind = TYPE_INT, .size = size, .is_signed = is_signed });
}

const struct type *type_bool(struct types *t)
{
	return type_of_kind(t, TYPE_BOOL);
}

const struct type *type_float(struct types *t, uint32_t size)
{
	return type_intern(t, &(struct type){ .kind = TYPE_FLOAT, .size = size, .align = size });
}

const struct type *type_pointer(struct types *t, const struct type *to, enum space space)
{
	return type_intern(t, &(struct type){ .kind = TYPE_POINTER, .to = to, .space = space });
}

/* The size is that of the elements, up to what 32 bits hold. */
const struct type *type_array(struct types *t, const struct type *of, uint32_t count)
{
	uint64_t size = (uint64_t)of->size * count;

	return type_intern(t, &(struct type){ .kind = TYPE_ARRAY,
					      .to = of,
					      .count = count,
					      .size = size > UINT32_MAX ? UINT32_MAX : size,
					      .align = of->align });
}

const struct type *type_string(struct types *t, uint32_t room)
{
	return type_intern(t, &(struct type){ .kind = TYPE_STRING, .count = room });
}

const struct type *type_buffer(struct types *t, uint32_t room)
{
	return type_intern(t, &(struct type){ .kind = TYPE_BUFFER, .count = room });
}

static const struct type *tuple_of(struct types *t, const struct type *const *of, size_t nr,
				   const struct type *like)
{
	struct type tuple = { .kind = TYPE_TUPLE, .align = 1, .nr_fields = nr };
	uint64_t at = 0;

	tuple.fields = arena_alloc(t->arena, nr * sizeof(*tuple.fields));
	for (size_t i = 0; i < nr; i++) {
		uint32_t align = of[i]->align ? of[i]->align : 1;

		at = (at + align - 1) & ~(uint64_t)(align - 1);
		tuple.fields[i] = (struct field){ .name = like ? like->fields[i].name
							       : arena_printf(t->arena, "%zu", i),
						  .type = of[i],
						  .offset = at };
		at += of[i]->size;
		if (align > tuple.align)
			tuple.align = align;
	}
	at = (at + tuple.align - 1) & ~(uint64_t)(tuple.align - 1);
	tuple.size = at > UINT32_MAX ? UINT32_MAX : at;
	return type_intern(t, &tuple);
}

const struct type *type_tuple(struct types *t, const struct type *const *of, size_t nr)
{
	return tuple_of(t, of, nr, NULL);
}

const struct type *type_tuple_like(struct types *t, const struct type *const *of,
				   const struct type *like)
{
	return tuple_of(t, of, like->nr_fields, like);
}

bool type_has_names(const struct type *tuple)
{
	return tuple->nr_fields && strspn(tuple->fields[0].name, "0123456789") == 0;
}

/* --- questions --- */

bool type_is_scalar(const struct type *type)
{
	return type->kind >= TYPE_INT && type->kind <= TYPE_PROBE;
}

bool type_is_integer(const struct type *type)
{
	return type->kind == TYPE_INT || type->kind == TYPE_BOOL || type->kind == TYPE_ENUM;
}

bool type_is_aggregate(const struct type *type)
{
	return type->kind >= TYPE_COUNT && type->kind <= TYPE_LHIST;
}

bool type_is_text(const struct type *type)
{
	return type->kind == TYPE_STRING || type->kind == TYPE_COMM;
}

uint32_t type_room(const struct type *type)
{
	return type->kind == TYPE_COMM ? type->size : type->count;
}

/* @looks: how many fields may still be looked at. */
static const struct field *find_field(const struct type *record, const char *name, uint32_t *offset,
				      unsigned int depth, unsigned int *looks)
{
	const struct field *found = NULL;
	size_t i;

	for (i = 0; i < record->nr_fields && *looks; i++, --*looks) {
		const struct field *f = &record->fields[i];

		if (f->name[0] && !strcmp(f->name, name)) {
			*offset = f->offset;
			return f;
		}
	}
	for (i = 0; depth && i < record->nr_fields && *looks && !found; i++) {
		const struct field *f = &record->fields[i];

		if (f->name[0] || f->type->kind != TYPE_RECORD)
			continue;
		found = find_field(f->type, name, offset, depth - 1, looks);
		if (found)
			*offset += f->offset;
	}
	return found;
}

const struct field *type_field(const struct type *record, const char *name, uint32_t *offset)
{
	unsigned int looks = FIELD_LOOKS_MAX;

	return name[0] ? find_field(record, name, offset, FIELD_DEPTH_MAX, &looks) : NULL;
}

/* --- as text --- */

static const char *text_of(struct types *t, const struct type *type, unsigned int depth);

static const char *text_of_tuple(struct types *t, const struct type *type, unsigned int depth)
{
	const char *text = "(";

	if (!depth)
		return "(...)";
	for (size_t i = 0; i < type->nr_fields; i++)
		text = arena_printf(t->arena, "%s%s%s%s%s", text, i ? "," : "",
				    type_has_names(type) ? type->fields[i].name : "",
				    type_has_names(type) ? "=" : "",
				    text_of(t, type->fields[i].type, depth - 1));
	return arena_printf(t->arena, "%s)", text);
}

static const char *text_of_pointer(struct types *t, const struct type *type, unsigned int depth)
{
	unsigned int stars = 0;

	for (; type->kind == TYPE_POINTER; type = type->to)
		stars++;
	return arena_printf(t->arena, "%s %.*s", text_of(t, type, depth), stars > 8 ? 8 : stars,
			    "********");
}

static const char *text_of_record(struct types *t, const struct type *type)
{
	const char *keyword = type->kind == TYPE_ENUM ? "enum"
			      : type->is_union	      ? "union"
						      : "struct";

	return type->name && type->name[0] ? arena_printf(t->arena, "%s %s", keyword, type->name)
					   : keyword;
}

static const char *text_of(struct types *t, const struct type *type, unsigned int depth)
{
	switch (type->kind) {
	case TYPE_INT:
		return arena_printf(t->arena, "%sint%u", type->is_signed ? "" : "u",
				    type->size * 8);
	case TYPE_FLOAT:
		return type->size == 4 ? "float" : "double";
	case TYPE_ENUM:
	case TYPE_RECORD:
		return text_of_record(t, type);
	case TYPE_POINTER:
		return text_of_pointer(t, type, depth);
	case TYPE_STRING:
	case TYPE_BUFFER:
		return type->count ? arena_printf(t->arena, "%s[%u]", kinds[type->kind].text,
						  type->count)
				   : kinds[type->kind].text;
	case TYPE_ARRAY:
		return depth ? arena_printf(t->arena, "%s[%u]", text_of(t, type->to, depth - 1),
					    type->count)
			     : "...[]";
	case TYPE_TUPLE:
		return text_of_tuple(t, type, depth);
	default:
		return type->kind < ARRAY_SIZE(kinds) ? kinds[type->kind].text : "?";
	}
}

const char *type_text(struct types *t, const struct type *type)
{
	return text_of(t, type, TEXT_DEPTH_MAX);
}
