/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <string.h>

#include "base/msg.h"
#include "base/util.h"
#include "output/replace.h"
#include "script.shared.h"
#include "script/flames.h"
#include "script/run.h"
#include "script/session.h"
#include "stacks/stacks.h"
#include "symbols/symbols.h"

#define FRAMES_MAX 256
#define TOP_ROWS   30

/* A stack of one entry, as the set of stacks takes it. */
struct entry {
	struct stack_key key;
	uint64_t kernel[FRAMES_MAX], user[FRAMES_MAX];
	size_t nr_kernel, nr_user;
	struct text label; /* the other parts of the key */
};

static bool is_stack(const struct type *type)
{
	return type && (type->kind == TYPE_KSTACK || type->kind == TYPE_USTACK);
}

static bool has_stack(const struct script_map *map)
{
	const struct type *key = map->key;

	if (!key || (!type_is_integer(map->value) && map->value->kind != TYPE_COUNT &&
		     map->value->kind != TYPE_SUM))
		return false;
	if (key->kind != TYPE_TUPLE)
		return is_stack(key);
	for (size_t i = 0; i < key->nr_fields; i++)
		if (is_stack(key->fields[i].type))
			return true;
	return false;
}

bool flames_possible(const struct compiled *c)
{
	for (size_t i = 0; i < c->nr_maps; i++)
		if (has_stack(c->maps[i]))
			return true;
	return false;
}

/* --- one entry ---------------------------------------------------------------------------- */

static size_t take_frames(const struct texts_entry *stack, int depth, uint64_t *frames)
{
	size_t nr = min_u64(stack->len / sizeof(*frames), FRAMES_MAX);

	if (depth > 0)
		nr = min_u64(nr, depth);
	memcpy(frames, stack->bytes, nr * sizeof(*frames));
	return nr;
}

static void take_stack(struct session *s, struct stacks *set, struct entry *e,
		       const struct type *type, const struct rt_id *id)
{
	const bool none = !id->word[0] && !id->word[1];
	const struct texts_entry *stack = none ? NULL : texts_find(s->values.texts, id);
	const bool kernel = type->kind == TYPE_KSTACK;
	uint64_t *frames = kernel ? e->kernel : e->user;
	size_t *nr = kernel ? &e->nr_kernel : &e->nr_user;

	*nr = 0;
	if (stack)
		*nr = take_frames(stack, type->depth, frames);
	else if (!none)
		frames[(*nr)++] = stacks_named_frame(set, "[lost stack]");
	if (stack && !kernel) {
		e->key.pid = stack->pid;
		e->key.image = stack->image;
	}
}

static void take_part(struct session *s, struct stacks *set, struct entry *e,
		      const struct type *type, const void *data)
{
	struct values raw = s->values;
	struct value v;

	if (is_stack(type)) {
		take_stack(s, set, e, type, data);
	} else if (type->kind == TYPE_COMM && !e->key.comm[0]) {
		memcpy(e->key.comm, data, sizeof(e->key.comm));
	} else {
		v = value_at(type, data);
		if (e->label.len)
			text_str(&e->label, ", ");
		value_raw(&raw, &e->label, &v);
	}
}

static uint64_t weight_of(const struct script_map *map, const void *value)
{
	const struct rt_sum *sum = value;
	int64_t n = 0;
	struct value v = value_at(map->value, value);

	if (map->value->kind == TYPE_COUNT)
		return *(const uint64_t *)value;
	if (map->value->kind == TYPE_SUM)
		n = sum->sum;
	else
		value_number(&v, &n);
	return n > 0 ? n : 0;
}

static void add(struct session *s, struct stacks *set, const struct store *store, size_t i)
{
	const struct script_map *map = store->map;
	const struct type *key = map->key;
	struct entry e = { .key = { 0 } };
	uint64_t weight = weight_of(map, store_value(store, i));

	for (size_t f = 0; key->kind == TYPE_TUPLE && f < key->nr_fields; f++)
		take_part(s, set, &e, key->fields[f].type,
			  (const char *)store_key(store, i) + key->fields[f].offset);
	if (key->kind != TYPE_TUPLE)
		take_part(s, set, &e, key, store_key(store, i));
	if (!e.key.comm[0])
		snprintf(e.key.comm, sizeof(e.key.comm), "@%.14s", map->name);
	if (e.label.len) {
		text_char(&e.label, '\0');
		e.key.labels[0] = stacks_text(set, e.label.bytes);
	}
	if (weight)
		stacks_add(set, &e.key, e.kernel, e.nr_kernel, e.user, e.nr_user, weight);
	text_free(&e.label);
}

/* --- all of them -------------------------------------------------------------------------- */

static void gather(struct session *s, struct stacks *set, const struct script_map *map)
{
	struct store store = { 0 };
	int err = store_read(&store, map, s->l->maps[map->index], false);

	if (err)
		warn("cannot read @%s: %s", map->name, strerror(-err));
	for (size_t i = 0; !err && i < store.nr; i++)
		add(s, set, &store, i);
	store_end(&store);
}

static void write_svg(struct session *s, struct stacks *set)
{
	static struct out file;
	static struct replace svg;
	const char *why = NULL;
	int err;

	if (!strcmp(s->opt->svg, "-")) {
		stacks_svg(set, s->out);
		return;
	}
	err = replace_check(&svg, s->opt->svg, &why);

	if (!err)
		err = replace_begin(&svg);
	if (!err) {
		out_init(&file, svg.fd);
		stacks_svg(set, &file);
		err = out_flush(&file);
		err = replace_end(&svg, !err) ?: err;
	}
	if (err) {
		error("cannot write '%s': %s", s->opt->svg, why ? why : strerror(-err));
		s->status = s->status ? s->status : 1;
	} else {
		note("the flame graph is in %s", s->opt->svg);
	}
}

void flames_show(struct session *s)
{
	const struct compiled *c = s->l->compiled;
	const struct stacks_config config = {
		.symbols = s->symbols,
		.labels = { "key" },
		.unit = "events",
		.column = "EVENTS",
		.title = "bscope",
	};
	struct stacks *set = stacks_new(&config);

	if (!set)
		return;
	for (size_t i = 0; i < c->nr_maps; i++)
		if (has_stack(c->maps[i]))
			gather(s, set, c->maps[i]);
	if (s->opt->folded)
		stacks_folded(set, s->out);
	if (s->opt->top)
		stacks_top(set, s->out, TOP_ROWS);
	if (s->opt->svg)
		write_svg(s, set);
	stacks_remarks(set);
	stacks_free(set);
}
