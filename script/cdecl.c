/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "script/cdecl.h"
#include "script/cdecl_read.h"
#include "script/cdecl_scalar.h"

/* --- names of types --- */

/* Those of the language that have nothing but their kind. */
static const struct kind_name {
	const char *name;
	enum type_kind kind;
} kinds[] = {
	{ "inet", TYPE_INET },		 { "mac_address", TYPE_MAC },	{ "ksym_t", TYPE_KSYM },
	{ "usym_t", TYPE_USYM },	 { "kstack", TYPE_KSTACK },	{ "ustack", TYPE_USTACK },
	{ "timestamp", TYPE_TIMESTAMP }, { "username", TYPE_USERNAME },
};

static const char *const keywords[] = { "struct ", "union ", "enum " };

static const struct type *kernel_type(struct cdecl *c, const char *words)
{
	const struct type *type;

	for (size_t i = 0; i < ARRAY_SIZE(keywords); i++) {
		size_t len = strlen(keywords[i]);

		if (!strncmp(words, keywords[i], len))
			return btf_type(c->btf, arena_strndup(c->arena, keywords[i], len - 1),
					words + len);
	}
	type = btf_type(c->btf, NULL, words);
	/* bpftrace of old had no word in front of a record's name */
	for (size_t i = 0; !type && strcmp(keywords[i], "enum "); i++)
		type = btf_type(c->btf,
				arena_strndup(c->arena, keywords[i], strlen(keywords[i]) - 1),
				words);
	return type;
}

/* What stands in front of stars and brackets. */
static const struct type *base_type(struct cdecl *c, const char *words)
{
	const struct type *type = cdecl_read_own(c, words);

	if (type)
		return type;
	if (!strcmp(words, "string"))
		return type_string(c->types, 0);
	if (!strcmp(words, "buffer"))
		return type_buffer(c->types, 0);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(words, kinds[i].name))
			return type_of_kind(c->types, kinds[i].kind);
	type = cdecl_scalar(c->types, words);
	return type ? type : kernel_type(c, words);
}

/* The number in "[...]"; false: it is not known. */
static bool bracket_value(struct cdecl *c, const char *text, size_t len, uint32_t *value)
{
	char *name = arena_strndup(c->arena, text, len), *end;
	unsigned long long n = strtoull(name, &end, 10);
	int64_t constant;

	if (*end || !len) {
		if (len && !cdecl_read_constant(c, name, &constant))
			return false;
		n = len ? (unsigned long long)constant : 0;
	}
	*value = n;
	return n <= INT32_MAX;
}

/* "string[64]" is one with room for 64 bytes; anything else is an array. */
static const struct type *sized(struct cdecl *c, const struct type *of, uint32_t n)
{
	switch (of->kind) {
	case TYPE_STRING:
		return of->count ? NULL : type_string(c->types, n);
	case TYPE_BUFFER:
		return of->count ? NULL : type_buffer(c->types, n);
	case TYPE_INET:
		return of;
	case TYPE_VOID:
		return NULL;
	default:
		return (uint64_t)of->size * n > INT32_MAX ? NULL : type_array(c->types, of, n);
	}
}

static const struct type *find(struct cdecl *c, const char *name, enum space space)
{
	size_t len = strcspn(name, "*[");
	const struct type *type;
	uint32_t n;

	while (len && name[len - 1] == ' ')
		len--;
	type = base_type(c, arena_strndup(c->arena, name, len));
	for (name += len; type && *name; name++) {
		if (*name == '*') {
			type = type_pointer(c->types, type, space);
		} else if (*name == '[') {
			len = strcspn(name + 1, "]");
			if (!bracket_value(c, name + 1, len, &n))
				return NULL;
			type = sized(c, type, n);
			name += 1 + len;
		}
	}
	return type;
}

const struct type *cdecl_find(struct cdecl *c, const char *name, enum space space)
{
	return find(c, name, space);
}

/* --- what is said of a name that is not known --- */

struct candidates {
	struct nearest nearest;
	const char *keyword;
};

static void try_record(void *ctx, const char *keyword, const char *name)
{
	struct candidates *candidates = ctx;

	if (!strcmp(keyword, candidates->keyword))
		nearest_try(&candidates->nearest, name);
}

static void say_unknown(struct cdecl *c, const char *name, struct span at)
{
	size_t len = strcspn(name, "*[");
	const char *words;

	while (len && name[len - 1] == ' ')
		len--;
	words = arena_strndup(c->arena, name, len);
	if (find(c, words, SPACE_KERNEL)) {
		source_error(c->script->source, at, "there can't be a %s", name);
		return;
	}
	source_error(c->script->source, at, "there is no type %s", words);
	for (size_t i = 0; i < ARRAY_SIZE(keywords); i++) {
		struct candidates candidates = { 0 };

		len = strlen(keywords[i]);
		if (strncmp(words, keywords[i], len))
			continue;
		candidates.keyword = arena_strndup(c->arena, keywords[i], len - 1);
		candidates.nearest.name = words;
		names_nearest(c->tags, &candidates.nearest);
		if (candidates.nearest.best) {
			source_hint(c->script->source, "did you mean %s?", candidates.nearest.best);
			return;
		}
		candidates.nearest.name = words + len;
		btf_each_record(c->btf, try_record, &candidates);
		if (candidates.nearest.best)
			source_hint(c->script->source, "did you mean %s%s?", keywords[i],
				    candidates.nearest.best);
		else if (btf_types_error(c->btf))
			source_hint(c->script->source,
				    "this kernel has no BTF, so only the script's "
				    "own types are known");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(keywords); i++) {
		const char *tagged = arena_printf(c->arena, "%s%s", keywords[i], words);

		if (cdecl_read_own(c, tagged) || kernel_type(c, tagged)) {
			source_hint(c->script->source, "did you mean %s?", tagged);
			return;
		}
	}
}

const struct type *cdecl_type(struct cdecl *c, const char *name, enum space space, struct span at)
{
	const struct type *type = find(c, name, space);

	if (!type)
		say_unknown(c, name, at);
	return type;
}

/* --- all --- */

struct cdecl *cdecl_new(struct script *script, struct types *types, struct btf_types *btf)
{
	struct arena *arena = script->source->arena;
	struct cdecl *c = arena_alloc(arena, sizeof(*c));

	c->script = script;
	c->types = types;
	c->btf = btf;
	c->arena = arena;
	c->tags = names_new(arena);
	c->typedefs = names_new(arena);
	c->constants = names_new(arena);
	c->find = cdecl_find;
	for (c->last = &script->constants; *c->last; c->last = &(*c->last)->next)
		names_put(c->constants, (*c->last)->name, *c->last);
	cdecl_read_all(c);
	return c;
}
