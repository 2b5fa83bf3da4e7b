/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "script/formats.h"
#include "script/probes_internal.h"
#include "script/renamed.h"

#define NAME_MAX_LEN 128 /* of categories and events */

/* --- tracepoints --- */

/* A name that becomes part of a path: one of a directory, and no other. */
static bool is_event_name(const char *name)
{
	return name[0] && name[0] != '.' && !strchr(name, '/') && strlen(name) < NAME_MAX_LEN;
}

char *probes_kernel_format(struct probes *p, const char *category, const char *name)
{
	char path[2 * NAME_MAX_LEN + sizeof("events///format")];
	int dir = probes_tracefs(p);

	if (dir < 0 || !is_event_name(category) || !is_event_name(name))
		return NULL;
	snprintf(path, sizeof(path), "events/%s/%s/format", category, name);
	return tracefs_read(p->arena, dir, path, FORMAT_SIZE_MAX);
}

static bool add_event(struct expansion *e, const char *category, const char *name)
{
	struct arena *arena = e->p->arena;
	char *text = probes_kernel_format(e->p, category, name);
	struct target *t;
	uint64_t id;

	if (!text || !format_id(text, &id))
		return false;
	t = probes_add(e);
	if (!t)
		return true;
	t->attach = ATTACH_TRACEPOINT;
	t->category = arena_strdup(arena, category);
	t->function = arena_strdup(arena, name);
	t->name = arena_printf(arena, "tracepoint:%s:%s", category, name);
	t->tracepoint_id = id;
	t->args = format_record(e->p->types, arena, e->p->btf, category, name, text,
				e->p->options.string_room);
	return true;
}

/* Of all events the nearest to a name; one of the same category is nearer. */
static const char *nearest_event(struct expansion *e, const char *category, const char *name)
{
	const struct kname_list *events = knames_events(&e->p->names, probes_tracefs(e->p));
	struct nearest near = { .name = name };
	const char *group = NULL, *known;

	known = renamed_nearest(arena_printf(e->p->arena, "%s:%s", category, name), 0);
	if (known && events && kname_find(events, strrchr(known, ':') + 1))
		return known;

	for (int pass = 0; events && pass < 2 && !near.best; pass++) {
		for (size_t i = 0; i < events->nr; i++) {
			const struct kname *n = &events->names[i];
			const char *before = near.best;

			if (!pass && strcmp(n->group, category))
				continue;
			nearest_try(&near, n->name);
			if (near.best != before)
				group = n->group;
		}
	}
	return near.best ? arena_printf(e->p->arena, "tracepoint:%s:%s", group, near.best) : NULL;
}

/* A tracepoint that this kernel has by another name, unless the clause has that, too. */
static bool add_renamed_event(struct expansion *e, const char *category, const char *name)
{
	const char *was = arena_printf(e->p->arena, "%s:%s", category, name);
	const struct renamed *r = renamed_event(was);
	const char *is = r ? strchr(r->is, ':') + 1 : NULL;

	if (!r || probes_is_named(e, is) ||
	    !add_event(e, arena_strndup(e->p->arena, r->is, is - 1 - r->is), is))
		return false;
	probes_by_other_name(e, arena_printf(e->p->arena, "tracepoint:%s", was), r);
	return true;
}

static int no_tracefs(struct expansion *e, int err)
{
	if (err == -EPERM || err == -EACCES)
		return probes_error(e, "tracepoints are found by tracefs, which it takes root to "
				       "read");
	return probes_error(e, "tracepoints are found by tracefs, which can't be opened: %s",
			    strerror(-err));
}

int probes_kernel_tracepoint(struct expansion *e)
{
	const struct point *point = e->point;
	const char *category, *name;
	const struct kname_list *events;
	int dir = probes_tracefs(e->p);

	if (point->nr_parts < 1 || point->nr_parts > 2)
		return probes_error(e, "a tracepoint has a category and a name: tracepoint:sched:"
				       "sched_switch");
	category = point->nr_parts == 2 ? point->parts[0] : "*";
	name = point->parts[point->nr_parts - 1];
	if (dir < 0)
		return no_tracefs(e, dir);
	if (!probes_is_pattern(category) && !probes_is_pattern(name)) {
		if (add_event(e, category, name) || add_renamed_event(e, category, name))
			return 0;
	} else {
		events = knames_events(&e->p->names, dir);
		for (size_t i = 0; events && i < events->nr && !e->full; i++)
			if (probes_match(category, events->names[i].group) &&
			    probes_match(name, events->names[i].name))
				add_event(e, events->names[i].group, events->names[i].name);
	}
	if (e->nr)
		return 0;
	return probes_missing(e, arena_printf(e->p->arena, "%s:%s", category, name),
			      nearest_event(e, category, name));
}

bool probes_without_args(struct probes *p, struct target *target)
{
	target->args = NULL;
	if (target->attach != ATTACH_TRACEPOINT || !strcmp(target->category, "syscalls") ||
	    !btf_has_tracepoint(p->btf, target->function))
		return false;
	target->attach = ATTACH_RAW_TP;
	target->why = "since its fields are not asked for";
	return true;
}

/* --- raw tracepoints --- */

struct raw_search {
	struct expansion *e;
	const char *module, *name;
	struct nearest near;
};

static void add_raw(struct expansion *e, const char *module, const char *name)
{
	struct arena *arena = e->p->arena;
	struct target *t = probes_add(e);
	struct function f;

	if (!t)
		return;
	t->attach = ATTACH_RAW_TP;
	t->function = arena_strdup(arena, name);
	if (btf_tracepoint(e->p->btf, name, &f)) {
		t->args = f.args;
		module = f.module;
	}
	if (module && module[0] && strcmp(module, "vmlinux"))
		t->module = module;
	t->name = module && module[0] ? arena_printf(arena, "rawtracepoint:%s:%s", module, name)
				      : arena_printf(arena, "rawtracepoint:%s", name);
}

static void try_raw(void *ctx, const char *module, const char *name)
{
	struct raw_search *s = ctx;

	if (!probes_match(s->module, module))
		return;
	if (probes_match(s->name, name) && !s->e->full)
		add_raw(s->e, module, name);
	else
		nearest_try(&s->near, name);
}

int probes_kernel_rawtracepoint(struct expansion *e)
{
	const struct point *point = e->point;
	const struct kname_list *events;
	struct raw_search s = { .e = e, .module = "*" };
	const char *best;

	if (point->nr_parts < 1 || point->nr_parts > 2)
		return probes_error(e, "a raw tracepoint has a name, and perhaps a module before "
				       "it: rawtracepoint:sched_switch");
	s.name = s.near.name = point->parts[point->nr_parts - 1];
	if (point->nr_parts == 2)
		s.module = point->parts[0];
	if (!probes_is_pattern(s.name) && !strcmp(s.module, "*")) {
		struct function f;

		if (btf_tracepoint(e->p->btf, s.name, &f)) {
			add_raw(e, NULL, s.name);
			return 0;
		}
	}
	if (!btf_types_error(e->p->btf)) {
		btf_each_tracepoint(e->p->btf, try_raw, &s);
	}
	if (!e->nr) { /* of a module without BTF: most events are called as their tracepoints */
		events = knames_events(&e->p->names, probes_tracefs(e->p));
		for (size_t i = 0; events && i < events->nr; i++)
			if (strcmp(events->names[i].group, "syscalls"))
				try_raw(&s, "", events->names[i].name);
	}
	if (e->nr)
		return 0;
	best = s.near.best ? arena_printf(e->p->arena, "rawtracepoint:%s", s.near.best) : NULL;
	return probes_missing(e,
			      point->nr_parts == 2
				      ? arena_printf(e->p->arena, "%s:%s", s.module, s.name)
				      : s.name,
			      best);
}
