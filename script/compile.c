/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "script/compile.h"

#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <string.h>

#define ROUNDS_MAX 32

/* --- what a clause asks for --------------------------------------------------------------- */

struct wants {
	bool args, probe, function, stack;
};

static void find_wants(struct node *n, void *ctx)
{
	struct wants *w = ctx;

	if (n->kind == NODE_CALL && !strcmp(n->name, "kstack"))
		w->stack = true;
	if (n->kind != NODE_NAME)
		return;
	if (!strcmp(n->name, "args") || !strncmp(n->name, "arg", 3) || !strcmp(n->name, "retval"))
		w->args = true;
	else if (!strcmp(n->name, "kstack"))
		w->stack = true;
	else if (!strcmp(n->name, "probe"))
		w->probe = true;
	else if (!strcmp(n->name, "func"))
		w->function = true;
}

static struct wants clause_wants(const struct clause *clause)
{
	struct wants w = { 0 };

	node_walk(clause->predicate, find_wants, &w);
	node_walk(clause->body, find_wants, &w);
	return w;
}

/* --- targets to variants ------------------------------------------------------------------ */

/* With more targets than these, programs learn by a cookie which one it is. */
#define PROGRAMS_OF_A_CLAUSE 16

static bool is_alike(const struct target *a, const struct target *b)
{
	return a->attach == b->attach && a->point->provider == b->point->provider &&
	       a->args == b->args && a->ret == b->ret && !a->nr_usdt_args && !b->nr_usdt_args &&
	       a->attach != ATTACH_RUN && a->btf_id == b->btf_id && a->btf_fd == b->btf_fd;
}

static void variant_add(struct compiler *c, const struct clause *clause, struct target *t,
			bool alone)
{
	struct variant *v = NULL;

	for (size_t i = c->nr_variants; !alone && i > 0; i--) {
		if (c->variants[i - 1]->clause != clause)
			break;
		if (is_alike(c->variants[i - 1]->targets[0], t)) {
			v = c->variants[i - 1];
			break;
		}
	}
	if (!v) {
		if (c->nr_variants == c->variants_capacity)
			c->variants = arena_grow(c->arena, c->variants, &c->variants_capacity, 16,
						 sizeof(*c->variants));
		v = arena_alloc(c->arena, sizeof(*v));
		v->clause = clause;
		c->variants[c->nr_variants++] = v;
	}
	/* room doubles at the powers of two */
	if (!(v->nr_targets & (v->nr_targets - 1))) {
		size_t capacity = v->nr_targets;

		v->targets = arena_grow(c->arena, v->targets, &capacity, 1, sizeof(*v->targets));
	}
	v->targets[v->nr_targets++] = t;
}

static uint32_t probe_number(struct compiler *c, const char *name)
{
	struct compiled *out = c->out;

	if (out->nr_probe_names == c->names_capacity)
		out->probe_names = arena_grow(c->arena, out->probe_names, &c->names_capacity, 16,
					      sizeof(*out->probe_names));
	out->probe_names[out->nr_probe_names] = name;
	return out->nr_probe_names++;
}

/* bpf_get_attach_cookie() is there from 5.15 on. */
static bool has_cookies(const struct target *t)
{
	enum bpf_prog_type type = t->attach == ATTACH_PERF	   ? BPF_PROG_TYPE_PERF_EVENT
				  : t->attach == ATTACH_TRACEPOINT ? BPF_PROG_TYPE_TRACEPOINT
								   : BPF_PROG_TYPE_KPROBE;

	if (t->attach == ATTACH_RAW_TP || t->attach == ATTACH_FENTRY || t->attach == ATTACH_FEXIT)
		return false; /* these have it from 6.10 and 5.19 on */
	return libbpf_probe_bpf_helper(type, BPF_FUNC_get_attach_cookie, NULL) == 1;
}

static void expand_clause(struct compiler *c, const struct clause *clause, size_t *nr_all)
{
	struct wants wants = clause_wants(clause);
	size_t first = c->nr_variants;

	for (size_t i = 0; i < clause->nr_points; i++) {
		struct target **targets;
		bool alone;
		size_t nr;

		if (probes_expand(c->probes, c->source, &clause->points[i], &targets, &nr))
			continue;
		*nr_all += nr;
		if (*nr_all > c->config->max_probes) {
			source_error(c->source, clause->points[i].span,
				     "%zu probes are more than max_probes allows (%llu)", *nr_all,
				     (unsigned long long)c->config->max_probes);
			source_hint(c->source, "config = { max_probes = %zu } allows them",
				    *nr_all);
			return;
		}
		/* the stack of a raw tracepoint begins with our own program */
		for (size_t k = 0; k < nr && !wants.args && !wants.stack; k++)
			probes_without_args(c->probes, targets[k]);
		/* a kprobe's func is where it was hit */
		alone = wants.probe || (wants.function && targets[0]->attach != ATTACH_KPROBE &&
					targets[0]->attach != ATTACH_UPROBE);
		if (alone && nr > PROGRAMS_OF_A_CLAUSE)
			alone = !has_cookies(targets[0]);
		for (size_t k = 0; k < nr; k++)
			variant_add(c, clause, targets[k], alone);
	}
	for (size_t i = first; i < c->nr_variants; i++)
		c->variants[i]->by_cookie = wants.probe && c->variants[i]->nr_targets > 1;
}

/* --- maps --------------------------------------------------------------------------------- */

static bool is_shared(const struct map_use *m)
{
	return m->read || !type_is_aggregate(m->map.value);
}

static void finish_map(struct compiler *c, struct map_use *m)
{
	const struct map_declaration *d;
	struct script_map *map = &m->map;

	map->entries = map->key ? c->config->max_map_keys : 1;
	for (d = c->script->maps; d; d = d->next) {
		if (strcmp(d->name, map->name))
			continue;
		map->lru = strstr(d->kind, "lru");
		map->entries = d->entries;
		map->sized = true;
	}
	map->per_cpu = !is_shared(m);
	map->generations = m->cleared && map->per_cpu;
	map->lost = c->out->nr_lost++;
}

static void finish_maps(struct compiler *c)
{
	struct compiled *out = c->out;

	out->maps = arena_alloc(c->arena, (c->nr_maps + 1) * sizeof(*out->maps));
	for (size_t i = 0; i < c->nr_maps; i++) {
		struct map_use *m = c->maps[i];

		out->maps[i] = &m->map;
		if (m->map.value)
			finish_map(c, m);
	}
	out->nr_maps = c->nr_maps;
	out->interning_lost = out->nr_lost++;
}

/* --- all of it ---------------------------------------------------------------------------- */

static void find_types(struct compiler *c)
{
	for (unsigned i = 0; i < ROUNDS_MAX; i++) {
		c->changed = false;
		for (size_t k = 0; k < c->nr_variants; k++)
			check_variant(c, c->variants[k]);
		if (!c->changed && c->guess)
			return;
		if (!c->changed)
			c->guess = true;
	}
}

/* Those that nothing is assigned to, if it was not said where they are used. */
static void check_maps(struct compiler *c)
{
	bool errors = c->source->errors;

	for (size_t i = 0; i < c->nr_maps && !c->broken; i++) {
		const struct map_use *m = c->maps[i];

		if (!m->map.value && !m->told && (!m->assigned || !errors))
			source_error(c->source, m->map.at, "undefined map: @%s", m->map.name);
	}
}

/* What was made has to be well formed, however odd the script is. */
static bool check_code(struct compiler *c, const struct variant *v)
{
	const char *wrong = ir_check(c->f);

	for (size_t i = 0; !wrong && i < c->f->nr_callbacks; i++)
		wrong = ir_check(c->f->callbacks[i]);
	if (wrong)
		source_error(c->source, v->clause->span, "a defect of bscope: %s", wrong);
	return !wrong;
}

static void make_programs(struct compiler *c)
{
	struct compiled *out = c->out;

	out->programs = arena_alloc(c->arena, (c->nr_variants + 1) * sizeof(*out->programs));
	c->final = true;
	for (size_t i = 0; i < c->nr_variants; i++)
		check_variant(c, c->variants[i]);
	check_maps(c);
	if (c->source->errors)
		return;
	c->format_checked = true;
	for (size_t i = 0; i < c->nr_variants; i++) {
		struct variant *v = c->variants[i];
		struct program *p = arena_alloc(c->arena, sizeof(*p));

		check_variant(c, v);
		p->clause = v->clause;
		p->targets = (const struct target *const *)v->targets;
		p->nr_targets = v->nr_targets;
		p->wants_cookie = v->by_cookie;
		p->probe_number = out->nr_probe_names;
		for (size_t k = 0; k < v->nr_targets; k++)
			probe_number(c, v->targets[k]->name);
		out->programs[out->nr_programs] = p;
		lower_variant(c, v);
		if (c->source->errors)
			return;
		p->code = c->f;
		if (!check_code(c, v))
			return;
		p->code->index = out->nr_programs++;
	}
	out->rodata = c->rodata;
	out->rodata_size = c->rodata_size;
}

static struct compiler *compiler_new(struct script *script, const struct compile_options *options,
				     struct script_config *config)
{
	struct arena *arena = script->source->arena;
	struct compiler *c = arena_alloc(arena, sizeof(*c));
	static const unsigned char zeroes[64];

	c->arena = arena;
	c->source = script->source;
	c->broken = script->source->errors;
	c->script = script;
	c->options = options;
	c->config = config;
	c->map_names = names_new(arena);
	c->unknown = names_new(arena);
	c->types = types_new(arena);
	c->btf = btf_types_new(c->types, arena, options->btf);
	c->cdecl = cdecl_new(script, c->types, c->btf);
	c->probes = probes_new(arena, c->types, c->btf, &options->probes);
	c->out = arena_alloc(arena, sizeof(*c->out));
	c->out->source = script->source;
	c->out->types = c->types;
	c->out->config = config;
	/* the key of maps without keys, and what values begin with */
	lower_rodata(c, zeroes, sizeof(zeroes));
	return c;
}

struct compiled *script_compile(struct script *script, const struct compile_options *options,
				struct script_config *config)
{
	struct compiler *c = compiler_new(script, options, config);
	size_t nr = 0;

	for (const struct clause *clause = script->clauses; clause; clause = clause->next)
		expand_clause(c, clause, &nr);
	if (!script->clauses && !c->source->errors)
		source_error(c->source, (struct span){ 0, 0 }, "there is no probe in this script");
	if (!c->nr_variants && c->source->errors)
		return NULL;
	/* a clause without its probes assigns nothing: what reads its maps is not wrong for that */
	c->broken |= c->source->errors;
	find_types(c);
	finish_maps(c);
	make_programs(c);
	function_named_check(c);
	return c->source->errors ? NULL : c->out;
}
