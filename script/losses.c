/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdio.h>
#include <string.h>

#include "base/msg.h"
#include "output/json.h"
#include "script.shared.h"
#include "script/load.h"
#include "script/run.h"
#include "script/session.h"

static uint64_t lost_at(const struct session *s, unsigned counter)
{
	if (counter >= s->l->compiled->nr_lost)
		return 0;
	return __atomic_load_n(&s->l->globals->lost[counter], __ATOMIC_RELAXED);
}

uint64_t losses_events(const struct session *s)
{
	const struct compiled *c = s->l->compiled;
	uint64_t lost = s->broken;

	for (size_t i = 0; i < c->nr_statements; i++)
		lost += lost_at(s, c->statements[i]->lost);
	return lost;
}

static uint64_t lost_updates(const struct session *s)
{
	const struct compiled *c = s->l->compiled;
	uint64_t lost = 0;

	for (size_t i = 0; i < c->nr_maps; i++)
		lost += lost_at(s, c->maps[i]->lost);
	return lost;
}

/* Texts and stacks that were not sent, and those that the dictionary had no room for. */
static uint64_t lost_texts(const struct session *s)
{
	const struct compiled *c = s->l->compiled;
	struct texts_stats stats;

	texts_stats(s->values.texts, &stats);
	return stats.left_out + (c->interns ? lost_at(s, c->interning_lost) : 0);
}

static uint64_t left_out(const struct session *s)
{
	return __atomic_load_n(&s->l->globals->left_out, __ATOMIC_RELAXED);
}

void losses_tell(struct session *s, uint64_t *told)
{
	uint64_t lost = losses_events(s);

	if (lost <= *told)
		return;
	if (s->opt->compat && s->opt->json) {
		text_printf(&s->row,
			    "{\"type\": \"lost_events\", \"count\": %llu, \"data\": "
			    "{\"events\": %llu}}\n",
			    (unsigned long long)(lost - *told), (unsigned long long)(lost - *told));
		session_write(s);
	} else if (s->opt->compat) {
		fprintf(stderr, "Lost %llu events\n", (unsigned long long)(lost - *told));
	} else {
		warn("lost %llu events: they came faster than they could be shown",
		     (unsigned long long)(lost - *told));
	}
	*told = lost;
}

/* "a.bt:3" */
static const char *place(const struct session *s, struct span at, char *text, size_t size)
{
	const struct source *src = s->l->compiled->source;
	unsigned line, column;

	source_place(src, at.from, &line, &column);
	snprintf(text, size, "%s:%u", src->name, line);
	return text;
}

static void report_statements(struct session *s)
{
	const struct compiled *c = s->l->compiled;
	char where[300];

	for (size_t i = 0; i < c->nr_statements; i++) {
		const struct statement *st = c->statements[i];
		uint64_t lost = lost_at(s, st->lost);
		bool told = false;

		for (size_t k = 0; k < i; k++) /* some may share a counter */
			told |= c->statements[k]->lost == st->lost;
		if (lost && !told)
			warn("%s: lost %llu of what this statement sent: it came faster than it "
			     "could be shown (fewer events: a predicate, -p, --comm; or larger "
			     "buffers: config = { perf_rb_pages = ... })",
			     place(s, st->at, where, sizeof(where)), (unsigned long long)lost);
	}
}

static void report_maps(struct session *s)
{
	const struct compiled *c = s->l->compiled;
	char where[300];

	for (size_t i = 0; i < c->nr_maps; i++) {
		const struct script_map *map = c->maps[i];
		uint64_t lost = lost_at(s, map->lost);

		if (lost && map->latency)
			warn("%s: %s: %llu calls were left out: %u were under way already (config "
			     "= { "
			     "max_map_keys = %llu } has room for more)",
			     place(s, map->at, where, sizeof(where)), map->name,
			     (unsigned long long)lost, map->entries, 4ull * map->entries);
		else if (lost)
			warn("%s: @%s has room for %u keys: %llu updates of others were lost; more "
			     "room: let @%s = hash(%llu);",
			     place(s, map->at, where, sizeof(where)), map->name, map->entries,
			     (unsigned long long)lost, map->name, 4ull * map->entries);
	}
}

static void report_divisions(struct session *s)
{
	const struct compiled *c = s->l->compiled;
	char where[300];

	for (size_t i = 0; i < c->nr_divisions; i++) {
		const struct division *d = &c->divisions[i];
		uint64_t times = lost_at(s, d->counter);

		if (times && s->opt->compat)
			source_warning(c->source, d->at,
				       "Divide or modulo by 0 detected. This can lead to "
				       "unexpected results. 1 is being used as the result.");
		else if (times)
			warn("%s: divisions by 0: %llu; 1 was taken as the result of each",
			     place(s, d->at, where, sizeof(where)), (unsigned long long)times);
	}
}

static void report_as_bpftrace(struct session *s, uint64_t lost)
{
	const struct compiled *c = s->l->compiled;

	if (lost)
		fprintf(stderr, "WARNING: Total lost event count: %llu\n",
			(unsigned long long)lost);
	for (size_t i = 0; i < c->nr_maps; i++)
		if (lost_at(s, c->maps[i]->lost))
			source_warning(c->source, c->maps[i]->at,
				       "Map full; can't update element. Try increasing "
				       "max_map_keys config or manually setting the max entries in "
				       "a map declaration e.g. `let @a = hash(5000)`");
}

void losses_report(struct session *s)
{
	uint64_t lost = losses_events(s), texts = lost_texts(s);
	struct texts_stats stats;

	report_divisions(s);
	if (s->opt->compat) {
		report_as_bpftrace(s, lost);
		return;
	}
	if (lost)
		warn("shown %llu, lost %llu", (unsigned long long)s->shown,
		     (unsigned long long)lost);
	report_statements(s);
	report_maps(s);
	if (s->broken)
		warn("%llu records could not be read", (unsigned long long)s->broken);
	if (left_out(s))
		warn("%llu runs of the script's programs were left out: they had interrupted one "
		     "another",
		     (unsigned long long)left_out(s));
	texts_stats(s->values.texts, &stats);
	if (texts)
		warn("%llu texts and stacks came faster than they could be kept: [lost ...] stands "
		     "for them",
		     (unsigned long long)texts);
	else if (stats.missing)
		warn("%llu texts and stacks are not known: [lost ...] stands for them",
		     (unsigned long long)stats.missing);
}

/* [{"line":3,"lost":12}] */
static void statements_json(struct session *s, struct json *j)
{
	const struct compiled *c = s->l->compiled;
	unsigned line, column;

	json_array(j, "lost_by_statement");
	for (size_t i = 0; i < c->nr_statements; i++) {
		if (!lost_at(s, c->statements[i]->lost))
			continue;
		source_place(c->source, c->statements[i]->at.from, &line, &column);
		json_object(j, NULL);
		json_u64(j, "line", line);
		json_u64(j, "column", column);
		json_u64(j, "lost", lost_at(s, c->statements[i]->lost));
		json_end_object(j);
	}
	json_end_array(j);
}

static void maps_json(struct session *s, struct json *j)
{
	const struct compiled *c = s->l->compiled;

	json_array(j, "lost_by_map");
	for (size_t i = 0; i < c->nr_maps; i++) {
		char name[256];

		if (!lost_at(s, c->maps[i]->lost))
			continue;
		snprintf(name, sizeof(name), "%s%s", c->maps[i]->latency ? "" : "@",
			 c->maps[i]->name);
		json_object(j, NULL);
		json_str(j, "map", name);
		json_u64(j, "lost", lost_at(s, c->maps[i]->lost));
		json_end_object(j);
	}
	json_end_array(j);
}

void losses_json(struct session *s, struct json *j)
{
	json_u64(j, "events", s->shown);
	json_u64(j, "lost", losses_events(s));
	json_u64(j, "lost_updates", lost_updates(s));
	json_u64(j, "lost_texts", lost_texts(s));
	json_u64(j, "left_out", left_out(s));
	statements_json(s, j);
	maps_json(s, j);
}
