/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "kernel/probe.h"

bool probe_next_program(const char **at, char *name)
{
	size_t len;

	*at += strspn(*at, " ");
	len = strcspn(*at, " ");
	if (!len || len >= PROBE_PROGRAM_LEN)
		return false;
	memcpy(name, *at, len);
	name[len] = '\0';
	*at += len;
	return true;
}

static enum place_kind kind_of(const char *type)
{
	static const struct {
		const char *type;
		enum place_kind kind;
	} kinds[] = {
		{ "fentry", PLACE_TRAMPOLINE }, { "fexit", PLACE_TRAMPOLINE },
		{ "tp_btf", PLACE_TP_BTF },	{ "raw_tp", PLACE_TP_BTF },
		{ "kprobe", PLACE_KPROBE },	{ "kretprobe", PLACE_KPROBE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(type, kinds[i].type))
			return kinds[i].kind;
	return PLACE_OTHER;
}

struct place probe_place(const char *section, const struct attach_target *targets)
{
	size_t len = strcspn(section, "/");
	struct place place = { .name = section + len + (section[len] == '/') };

	snprintf(place.type, sizeof(place.type), "%.*s", (int)len, section);
	place.kind = kind_of(place.type);
	for (const struct attach_target *t = targets; t && t->name; t++) {
		if (strcmp(t->name, place.name))
			continue;
		place.name = t->function;
		place.named = true;
		break;
	}
	return place;
}

bool probe_avoids(const char *what)
{
	const char *list = getenv("BORESCOPE_AVOID");
	size_t len = strlen(what);

	for (; list && *list; list += *list == ',') {
		if (strcspn(list, ",") == len && !strncmp(list, what, len))
			return true;
		list += strcspn(list, ",");
	}
	return false;
}
