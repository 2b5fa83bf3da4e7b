/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/msg.h"
#include "base/status.h"
#include "kernel/programs.h"
#include "kernel/rings.h"
#include "script/flames.h"
#include "script/load.h"
#include "script/run.h"
#include "script/session.h"

static int fd_of(const struct session *s, const struct script_map *map)
{
	return s->l->maps[map->index];
}

static void say_unread(const struct script_map *map, int err)
{
	warn("cannot read @%s: %s", map->name, strerror(-err));
}

/* --- one map ------------------------------------------------------------------------------ */

/* A map that nobody has asked for stands in lines of its own. */
static void end_line(struct session *s)
{
	struct text row = s->row;

	s->row = (struct text){ 0 };
	text_char(&s->row, '\n');
	session_write(s);
	text_free(&s->row);
	s->row = row;
}

/* Shows what the map open as @fd holds. */
static void show(struct session *s, const struct script_map *map, int fd, uint64_t top,
		 uint64_t div, bool asked)
{
	struct store store = { 0 };
	int err = store_read(&store, map, fd, s->zeroed[map->index]);

	if (err) {
		say_unread(map, err);
	} else {
		if (s->opt->json)
			store_distinguish(&store, &s->values);
		store_sort(&store, &s->values);
		if (s->opt->json)
			store_json(&store, &s->values, &s->row, top, div, asked);
		else
			store_text(&store, &s->values, &s->row, top, div, asked);
		if (!asked && s->row.len && s->in_line)
			end_line(s);
		session_write(s);
	}
	store_end(&store);
}

/* --- print and clear ---------------------------------------------------------------------- */

static void show_pending(struct session *s)
{
	size_t nr = s->nr_pending;

	s->nr_pending = 0;
	s->pending_waited = 0;
	for (size_t i = 0; i < nr; i++) {
		const struct pending *p = &s->pending[i];
		const struct script_map *map = p->statement->map;

		show(s, map, p->old_fd >= 0 ? p->old_fd : fd_of(s, map), p->top, p->div, true);
		if (p->old_fd >= 0)
			close(p->old_fd);
	}
}

static struct pending *find_pending(struct session *s, const struct script_map *map, uint32_t cpu)
{
	for (size_t i = 0; s->pending_cpu == cpu && i < s->nr_pending; i++)
		if (s->pending[i].statement->map == map && s->pending[i].old_fd < 0)
			return &s->pending[i];
	return NULL;
}

void report_print(struct session *s, const struct statement *st, uint32_t cpu, uint64_t top,
		  uint64_t div)
{
	if (s->nr_pending && (s->pending_cpu != cpu || s->nr_pending == PENDING_MAX ||
			      find_pending(s, st->map, cpu)))
		show_pending(s);
	s->pending[s->nr_pending++] =
		(struct pending){ .statement = st, .top = top, .div = div, .old_fd = -1 };
	s->pending_cpu = cpu;
	s->pending_waited = 0;
	if (!st->map->generations)
		show_pending(s);
}

/* Puts an empty map in the place of @map's. Returns the old one; -errno after saying why not. */
static int next_generation(struct session *s, const struct script_map *map)
{
	int old = loaded_next_generation(s->l, map);

	if (old < 0)
		warn("cannot empty @%s: %s", map->name, strerror(-old));
	return old;
}

void report_clear(struct session *s, const struct statement *st, uint32_t cpu)
{
	struct pending *p = find_pending(s, st->map, cpu);
	int old, err = 0;

	s->zeroed[st->map->index] = false;
	if (st->map->generations) {
		if (!p)
			report_settle(s, cpu);
		old = next_generation(s, st->map);
		if (old >= 0 && p)
			p->old_fd = old;
		else if (old >= 0)
			close(old);
		return;
	}
	report_settle(s, cpu);
	err = store_clear(st->map, fd_of(s, st->map));
	if (err)
		warn("cannot empty @%s: %s", st->map->name, strerror(-err));
}

void report_zero(struct session *s, const struct statement *st, uint32_t cpu)
{
	struct pending *p = find_pending(s, st->map, cpu);
	int old, err;

	s->zeroed[st->map->index] = true;
	if (st->map->generations && p) {
		old = next_generation(s, st->map);
		if (old >= 0) {
			p->old_fd = old;
			err = store_keep_keys(st->map, old, fd_of(s, st->map));
			if (err)
				warn("cannot keep the keys of @%s: %s", st->map->name,
				     strerror(-err));
		}
		return;
	}
	report_settle(s, cpu);
	err = store_zero(st->map, fd_of(s, st->map));
	if (err)
		warn("cannot set @%s to 0: %s", st->map->name, strerror(-err));
}

void report_settle(struct session *s, uint32_t cpu)
{
	if (s->nr_pending && s->pending_cpu == cpu)
		show_pending(s);
}

/* Of all that waits, what is to be shown is no longer written to. */
static bool all_exchanged(const struct session *s)
{
	for (size_t i = 0; i < s->nr_pending; i++)
		if (s->pending[i].old_fd < 0)
			return false;
	return true;
}

/*
 * The clear() of a print() may come long after it: there may be a loop between, or a hypervisor has
 * taken the CPU away. So its program has to be through, and all that stands in its ring then to be
 * taken. That is waited for at the second look only, since most clear()s are in the first.
 */
void report_looked(struct session *s, const struct rings *rings, bool all)
{
	const struct ring *r = &rings->rings[s->pending_cpu & (rings->nr - 1)];

	if (!s->nr_pending)
		return;
	if (!all && !all_exchanged(s)) {
		if (++s->pending_waited == 1)
			return;
		if (s->pending_waited == 2) {
			programs_wait(s->l->globals_fd);
			s->pending_end = *r->consumer + ring_waiting(r);
		}
		if (*r->consumer < s->pending_end)
			return;
	}
	show_pending(s);
}

void report_entry(struct session *s, const struct statement *st, const void *key)
{
	const struct script_map *map = st->map;
	struct store store = { 0 };
	int err = store_read_one(&store, map, fd_of(s, map), map->key ? key : NULL);

	if (err && err != -ENOENT) {
		say_unread(map, err);
	} else if (!err) {
		struct value v = value_at(map->value, store_value(&store, 0));

		if (s->opt->json) {
			text_str(&s->row, "{\"type\": \"value\", \"data\": ");
			value_json(&s->values, &s->row, &v, 1);
			text_char(&s->row, '}');
		} else {
			value_text(&s->values, &s->row, &v, 1);
		}
		text_char(&s->row, '\n');
		session_write(s);
	}
	store_end(&store);
}

/* --- all maps ----------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	const struct script_map *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* bpftrace has two empty lines before the maps at the end. */
static void show_all(struct session *s, bool at_end)
{
	const struct compiled *c = s->l->compiled;
	const struct script_map **maps = calloc(c->nr_maps + 1, sizeof(*maps));

	if (!maps) {
		error("not enough memory");
		exit(STATUS_FAILED);
	}
	memcpy(maps, c->maps, c->nr_maps * sizeof(*maps));
	qsort(maps, c->nr_maps, sizeof(*maps), by_name);
	if (at_end && !s->opt->json && s->opt->compat)
		text_str(&s->row, "\n\n");
	session_write(s);
	for (size_t i = 0; i < c->nr_maps; i++)
		if (!maps[i]->latency)
			show(s, maps[i], fd_of(s, maps[i]), 0, 1, false);
	free(maps);
}

void report_all(struct session *s)
{
	const struct script_config *config = s->l->compiled->config;

	if (s->opt->svg || s->opt->folded || s->opt->top)
		flames_show(s);
	else if (!config || config->print_maps_on_exit)
		show_all(s, true);
}

void report_now(struct session *s)
{
	show_pending(s);
	show_all(s, false);
}
