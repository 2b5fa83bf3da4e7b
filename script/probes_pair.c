/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* latency: what ends a call that begins at a probe. */
#include <string.h>

#include "base/util.h"
#include "script/formats.h"
#include "script/probes_internal.h"

/* Words of tracepoints' names that stand for a begin, and those for its end. */
static const struct {
	const char *begin, *end;
} words[] = {
	{ "enter", "exit" }, { "entry", "exit" }, { "begin", "end" },
	{ "start", "end" },  { "start", "done" }, { "start", "complete" },
};

/* @name with one of its words, which stand between underscores, replaced; NULL: it has none. */
static const char *replace_word(struct arena *arena, const char *name, const char *word,
				const char *by)
{
	size_t len = strlen(word);

	for (const char *at = strstr(name, word); at; at = strstr(at + 1, word))
		if ((at == name || at[-1] == '_') && (!at[len] || at[len] == '_'))
			return arena_printf(arena, "%.*s%s%s", (int)(at - name), name, by,
					    at + len);
	return NULL;
}

static bool end_of_tracepoint(struct probes *p, const struct target *entry, struct target *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const char *name =
			replace_word(p->arena, entry->function, words[i].begin, words[i].end);
		char *text = name ? probes_kernel_format(p, entry->category, name) : NULL;

		if (!text || !format_id(text, &t->tracepoint_id))
			continue;
		t->function = name;
		t->args = format_record(p->types, p->arena, p->btf, entry->category, name, text,
					p->options.string_room);
		return true;
	}
	return false;
}

struct target *probes_pair(struct probes *p, const struct target *entry)
{
	struct point *point = arena_alloc(p->arena, sizeof(*point));
	struct target *t = arena_alloc(p->arena, sizeof(*t));

	*t = *entry;
	*point = *entry->point;
	t->point = point;
	t->args = NULL;
	switch (entry->attach) {
	case ATTACH_FENTRY:
		t->attach = ATTACH_FEXIT;
		point->provider = PROVIDER_FEXIT;
		return t;
	case ATTACH_KPROBE:
		t->attach = ATTACH_KRETPROBE;
		point->provider = PROVIDER_KRETPROBE;
		return t;
	case ATTACH_UPROBE:
		t->attach = ATTACH_URETPROBE;
		point->provider = PROVIDER_URETPROBE;
		return t;
	case ATTACH_TRACEPOINT:
		return end_of_tracepoint(p, entry, t) ? t : NULL;
	default:
		return NULL;
	}
}

const char *probes_pair_end(struct probes *p, const struct target *entry)
{
	const struct target *end = probes_pair(p, entry);
	const char *rest = strchr(entry->name, ':');

	if (!end || !rest)
		return NULL;
	if (end->attach == ATTACH_TRACEPOINT)
		return arena_printf(p->arena, "tracepoint:%s:%s", end->category, end->function);
	return arena_printf(p->arena, "%s%s", ast_provider_name(end->point->provider), rest);
}
