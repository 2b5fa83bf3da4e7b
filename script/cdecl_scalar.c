/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <string.h>

#include "base/util.h"
#include "script/cdecl_scalar.h"

static const struct scalar {
	const char *name;
	uint8_t size;
	bool is_signed;
} scalars[] = {
	{ "int8", 1, true },	  { "int16", 2, true },	     { "int32", 4, true },
	{ "int64", 8, true },	  { "uint8", 1, false },     { "uint16", 2, false },
	{ "uint32", 4, false },	  { "uint64", 8, false },    { "int8_t", 1, true },
	{ "int16_t", 2, true },	  { "int32_t", 4, true },    { "int64_t", 8, true },
	{ "uint8_t", 1, false },  { "uint16_t", 2, false },  { "uint32_t", 4, false },
	{ "uint64_t", 8, false }, { "s8", 1, true },	     { "s16", 2, true },
	{ "s32", 4, true },	  { "s64", 8, true },	     { "u8", 1, false },
	{ "u16", 2, false },	  { "u32", 4, false },	     { "u64", 8, false },
	{ "__s8", 1, true },	  { "__s16", 2, true },	     { "__s32", 4, true },
	{ "__s64", 8, true },	  { "__u8", 1, false },	     { "__u16", 2, false },
	{ "__u32", 4, false },	  { "__u64", 8, false },     { "__be16", 2, false },
	{ "__be32", 4, false },	  { "__be64", 8, false },    { "__le16", 2, false },
	{ "__le32", 4, false },	  { "__le64", 8, false },    { "size_t", 8, false },
	{ "ssize_t", 8, true },	  { "uintptr_t", 8, false }, { "intptr_t", 8, true },
	{ "ptrdiff_t", 8, true }, { "off_t", 8, true },	     { "loff_t", 8, true },
	{ "pid_t", 4, true },	  { "uid_t", 4, false },     { "gid_t", 4, false },
	{ "mode_t", 4, false },	  { "time_t", 8, true },     { "uint", 4, false },
	{ "ulong", 8, false },	  { "ushort", 2, false },
};

bool cdecl_scalar_add(struct cdecl_words *w, const char *word)
{
	const struct {
		const char *word;
		unsigned *count;
	} known[] = {
		{ "long", &w->longs },		 { "short", &w->shorts },
		{ "char", &w->chars },		 { "int", &w->ints },
		{ "signed", &w->has_sign },	 { "__signed__", &w->has_sign },
		{ "unsigned", &w->has_no_sign }, { "float", &w->floats },
		{ "double", &w->doubles },
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(word, known[i].word))
			continue;
		++*known[i].count;
		w->all++;
		return true;
	}
	return false;
}

const struct type *cdecl_scalar_of(struct types *types, const struct cdecl_words *w)
{
	uint32_t size = w->chars ? 1 : w->shorts ? 2 : w->longs ? sizeof(long) : 4;
	bool is_signed = !w->has_no_sign;

	if (w->longs > 2 || w->has_sign + w->has_no_sign > 1 || w->ints > 1 ||
	    !!w->longs + w->shorts + w->chars > 1 || (w->chars && w->ints))
		return NULL;
	if (w->floats || w->doubles)
		return w->all == 1 ? type_float(types, w->floats ? 4 : 8) : NULL;
	if (w->chars && !w->has_sign && !w->has_no_sign)
		is_signed = true; /* as the language has it on every architecture */
	return type_int(types, size, is_signed);
}

const struct type *cdecl_scalar(struct types *types, const char *words)
{
	struct cdecl_words w = { 0 };
	char word[16];

	if (!strcmp(words, "void"))
		return type_void(types);
	if (!strcmp(words, "bool") || !strcmp(words, "_Bool"))
		return type_bool(types);
	for (size_t i = 0; i < ARRAY_SIZE(scalars); i++)
		if (!strcmp(words, scalars[i].name))
			return type_int(types, scalars[i].size, scalars[i].is_signed);
	while (*words) {
		size_t len = strcspn(words, " ");

		if (len >= sizeof(word))
			return NULL;
		memcpy(word, words, len);
		word[len] = 0;
		if (!cdecl_scalar_add(&w, word))
			return NULL;
		words += len;
		words += *words == ' ';
	}
	return w.all ? cdecl_scalar_of(types, &w) : NULL;
}
