/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <string.h>

#include "base/util.h"
#include "script/parse_type.h"

static bool is_one_of(const char *name, const char *const *words, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(name, words[i]))
			return true;
	return false;
}

/* Of these, several may stand together: unsigned long int. */
static bool is_base_word(const char *name)
{
	static const char *const words[] = { "char",	 "short",      "int",	"long",	 "signed",
					     "unsigned", "__signed__", "float", "double" };

	return is_one_of(name, words, ARRAY_SIZE(words));
}

static bool is_qualifier(const char *name)
{
	static const char *const words[] = { "const", "volatile", "restrict" };

	return is_one_of(name, words, ARRAY_SIZE(words));
}

/* Is this one of the words that C and the language have for types, or ends it with _t? */
static bool is_type_word(const char *name)
{
	static const char *const words[] = {
		"void",	  "bool",   "_Bool",  "int8",	"int16",  "int32", "int64",  "uint8",
		"uint16", "uint32", "uint64", "string", "buffer", "inet",  "u8",     "u16",
		"u32",	  "u64",    "s8",     "s16",	"s32",	  "s64",   "__u8",   "__u16",
		"__u32",  "__u64",  "__s8",   "__s16",	"__s32",  "__s64", "__be16", "__be32",
		"__be64", "__le16", "__le32", "__le64", "uint",	  "ulong", "ushort", "mac_address",
	};
	size_t len = strlen(name);

	return (len > 2 && !strcmp(name + len - 2, "_t")) || is_base_word(name) ||
	       is_qualifier(name) || is_one_of(name, words, ARRAY_SIZE(words));
}

/* The words in front of stars and brackets. */
static const char *read_words(struct parser *p, bool *certain)
{
	const char *words = NULL;
	bool base = false;

	for (;;) {
		const struct token *t = parser_peek(p);

		if (t->kind != TOKEN_NAME ||
		    (words && !is_qualifier(t->name) && !(base && is_base_word(t->name))))
			break;
		if (is_qualifier(t->name)) {
			*certain = true;
			parser_take(p);
			continue;
		}
		if (!strcmp(t->name, "struct") || !strcmp(t->name, "union") ||
		    !strcmp(t->name, "enum")) {
			const char *keyword = parser_take(p).name;

			if (parser_kind(p) != TOKEN_NAME)
				return NULL;
			*certain = true;
			words = arena_printf(p->arena, "%s %s", keyword, parser_take(p).name);
			continue;
		}
		base = is_base_word(t->name);
		if (is_type_word(t->name) || (p->types && names_get(p->types, t->name)))
			*certain = true;
		words = words ? arena_printf(p->arena, "%s %s", words, t->name) : t->name;
		parser_take(p);
	}
	return words;
}

/* One pair of brackets, of which the first was taken. */
static const char *read_brackets(struct parser *p, const char *name)
{
	struct token t = { 0 };

	if (parser_kind(p) == TOKEN_INT || parser_kind(p) == TOKEN_NAME)
		t = parser_take(p);
	if (!parser_accept(p, ']'))
		return NULL;
	if (t.kind == TOKEN_INT)
		return arena_printf(p->arena, "%s[%llu]", name, (unsigned long long)t.value);
	return arena_printf(p->arena, "%s[%s]", name, t.kind ? t.name : "");
}

const char *parse_type(struct parser *p, bool *certain)
{
	const char *name;
	bool star = false;
	size_t suffixes = 0;

	*certain = false;
	name = read_words(p, certain);
	for (; name && suffixes < 16; suffixes++) {
		const struct token *t = parser_peek(p);

		if (t->kind == '*') {
			parser_take(p);
			name = arena_printf(p->arena, "%s%s", name, star ? "*" : " *");
			star = *certain = true;
		} else if (t->kind == '[') {
			parser_take(p);
			name = read_brackets(p, name);
			star = false;
		} else if (t->kind == TOKEN_NAME && star && is_qualifier(t->name)) {
			parser_take(p);
		} else {
			break;
		}
	}
	return suffixes < 16 ? name : NULL;
}
