/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "script/compile.h"

#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <string.h>

#define ROUNDS_MAX 32

/* --- what a clause asks for --------------------------------------------------------------- */

struct wants {
	bool args, probe, function, stack, user_stack;
	bool registers; /* others than those of arguments and results */
	bool text;	/* a name of the probe as a text: known only in a program of one target */
};

static bool is_about_texts(const struct node *n)
{
	return !strncmp(n->name, "str", 3) || !strcmp(n->name, "len");
}

static void find_wants(struct node *n, void *ctx)
{
	struct wants *w = ctx;

	if (n->kind == NODE_CALL && !strcmp(n->name, "kstack"))
		w->stack = true;
	if ((n->kind == NODE_CALL || n->kind == NODE_NAME) && !strcmp(n->name, "ustack"))
		w->user_stack = true;
	if (n->kind == NODE_CALL && !strcmp(n->name, "reg"))
		w->registers = true;
	for (size_t i = 0; n->kind == NODE_CALL && is_about_texts(n) && i < n->nr_args; i++)
		w->text |= n->args[i]->kind == NODE_NAME &&
			   (strstr(n->args[i]->name, "probe") || strstr(n->args[i]->name, "func"));
	if (n->kind == NODE_CALL && !strcmp(n->name, "uaddr"))
		w->text = true; /* how far it is from the probe */
	if (n->kind != NODE_NAME)
		return;
	if (!strcmp(n->name, "ctx") || !strcmp(n->name, "usermode") || !strncmp(n->name, "sarg", 4))
		w->registers = true;
	if (!strcmp(n->name, "args") || !strncmp(n->name, "arg", 3) || !strcmp(n->name, "retval") ||
	    !strcmp(n->name, "ctx"))
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
	return !a->pair && !b->pair && a->attach == b->attach && a->multi == b->multi &&
	       a->caller_missing == b->caller_missing && a->point->provider == b->point->provider &&
	       a->args == b->args && a->ret == b->ret && !a->nr_usdt_args && !b->nr_usdt_args &&
	       a->attach != ATTACH_RUN && a->btf_id == b->btf_id && a->btf_fd == b->btf_fd &&
	       (a->attach != ATTACH_FOLDED || (a->folded == b->folded && a->point == b->point));
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

static void name_add(struct compiler *c, const char *name)
{
	struct compiled *out = c->out;

	if (out->nr_probe_names == c->names_capacity)
		out->probe_names = arena_grow(c->arena, out->probe_names, &c->names_capacity, 16,
					      sizeof(*out->probe_names));
	out->probe_names[out->nr_probe_names++] = name;
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

/* Which of its targets it is: for probe, and for func where no register tells it. */
static bool wants_cookie(const struct wants *wants, const struct variant *v)
{
	const struct target *t = v->targets[0];

	if (v->nr_targets == 1 || t->attach == ATTACH_FOLDED)
		return false;
	return wants->probe || (wants->function && t->attach != ATTACH_KPROBE &&
				(t->attach != ATTACH_UPROBE || t->multi));
}

/* Have all variants from @first on one target? */
static bool all_alone(const struct compiler *c, size_t first)
{
	for (size_t i = first; i < c->nr_variants; i++)
		if (c->variants[i]->nr_targets > 1)
			return false;
	return true;
}

/* Points may match nothing as long as the clause has other probes. @missing: which did not. */
static void tell_missing(struct compiler *c, const struct clause *clause, const bool *missing,
			 bool empty)
{
	const struct probe_options *options = &c->options->probes;

	for (size_t i = 0; i < clause->nr_points && !options->missing_ok; i++)
		if (missing[i])
			probes_unmatched(c->probes, c->source, clause, &clause->points[i], !empty);
	if (empty && options->missing_ok && !options->missing_quiet)
		source_warning(c->source, clause->points[0].span,
			       "Probe has no valid attach points. It is being removed which may "
			       "cause issues with program behavior.");
}

/* The values of a function that is another by now are others, too. */
static void check_renamed(struct compiler *c, const struct point *point, const struct wants *wants,
			  const struct target *t)
{
	if (!t->renamed || !wants->args)
		return;
	source_error(
		c->source, point->span,
		"this kernel has %s in its place, with other %s, and this clause looks at them",
		t->renamed, point->provider == PROVIDER_KRETPROBE ? "results" : "arguments");
	source_hint(c->source, "bscope -lv '%s' prints what it has", t->name);
}

/* Both programs of each pair, which share what they know of their target alone. */
static void add_pairs(struct compiler *c, const struct clause *clause, struct latency *l,
		      const struct wants *wants, struct target **entries, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		struct target *both[2] = { entries[i], latency_pair(c, l, entries[i], nr == 1) };

		for (int k = 0; k < 2 && both[1]; k++) {
			if (!wants->args && !wants->stack)
				probes_without_args(c->probes, both[k]);
			variant_add(c, clause, both[k], true);
			c->variants[c->nr_variants - 1]->latency = l;
		}
	}
}

static bool are_too_many(struct compiler *c, const struct point *point, size_t nr)
{
	if (nr <= c->config->max_probes)
		return false;
	source_error(c->source, point->span, "%zu probes are more than max_probes allows (%llu)",
		     nr, (unsigned long long)c->config->max_probes);
	source_hint(c->source, "config = { max_probes = %zu } allows them", nr);
	return true;
}

/* The cheapest way to each target, or to many at once, that has what the clause asks for. */
static void choose_ways(struct compiler *c, const struct clause *clause, const struct wants *wants,
			struct target **targets, size_t nr)
{
	/* the stack of a raw tracepoint begins with our own program */
	for (size_t k = 0; k < nr && !wants->args && !wants->stack; k++)
		probes_without_args(c->probes, targets[k]);
	if (!wants->stack && !wants->text && !c->options->by_name)
		lower_folded_choose(c, clause, targets, nr);
	if (wants->user_stack)
		probes_user_callers(c->probes, targets, nr);
	if (!wants->text)
		probes_choose_multi(c->probes, targets, nr, wants->registers || wants->stack);
}

static void expand_clause(struct compiler *c, const struct clause *clause, size_t *nr_all)
{
	struct latency *latency = latency_new(c, clause);
	struct wants wants = clause_wants(clause); /* with what is asked of the entry */
	bool *missing = arena_alloc(c->arena, clause->nr_points * sizeof(*missing) + 1);
	size_t first = c->nr_variants;
	bool failed = false;

	for (size_t i = 0; i < clause->nr_points; i++) {
		const struct point *point = &clause->points[i];
		struct target **targets;
		int err;
		bool alone;
		size_t nr;

		err = probes_expand(c->probes, c->source, clause, point, &targets, &nr);
		failed |= err;
		missing[i] = !err && !nr;
		if (!nr)
			continue;
		check_renamed(c, point, &wants, targets[0]);
		*nr_all += point->latency ? 2 * nr : nr;
		if (are_too_many(c, point, *nr_all))
			return;
		if (point->latency) {
			add_pairs(c, clause, latency, &wants, targets, nr);
			continue;
		}
		choose_ways(c, clause, &wants, targets, nr);
		/* a kprobe's func is where it was hit */
		alone = wants.probe || (wants.function && targets[0]->attach != ATTACH_KPROBE &&
					targets[0]->attach != ATTACH_UPROBE);
		if (alone && nr > PROGRAMS_OF_A_CLAUSE)
			alone = !has_cookies(targets[0]);
		alone |= wants.text;
		for (size_t k = 0; k < nr; k++)
			variant_add(c, clause, targets[k],
				    alone && targets[k]->attach != ATTACH_FOLDED &&
					    !targets[k]->multi);
	}
	if (c->nr_variants > first || !failed)
		tell_missing(c, clause, missing, c->nr_variants == first);
	for (size_t i = first; i < c->nr_variants; i++) {
		c->variants[i]->by_cookie = wants_cookie(&wants, c->variants[i]);
		c->variants[i]->alone = all_alone(c, first);
	}
}

/* --- maps --------------------------------------------------------------------------------- */

static bool is_shared(const struct map_use *m)
{
	return m->read || !type_is_aggregate(m->map.value);
}

/* So many calls may be under way at once. */
#define LATENCIES_MIN 16384

static void finish_map(struct compiler *c, struct map_use *m)
{
	const struct map_declaration *d;
	struct script_map *map = &m->map;

	map->entries = map->key ? c->config->max_map_keys : 1;
	if (map->latency && map->entries < LATENCIES_MIN)
		map->entries = LATENCIES_MIN;
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
	const struct map_declaration *d;

	for (d = c->script->maps; d; d = d->next)
		if (!names_get(c->map_names, d->name))
			source_warning(c->source, d->span, "Unused map: @%s", d->name);
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
		p->multi = v->targets[0]->multi && v->nr_targets > 1;
		p->probe_number = v->first_name = out->nr_probe_names;
		for (size_t k = 0; k < v->nr_targets; k++)
			name_add(c, v->targets[k]->name);
		for (size_t k = 0; k < v->nr_targets && !v->alone; k++)
			name_add(c, v->targets[k]->function ? v->targets[k]->function : "?");
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
	c->outlive = names_new(arena);
	c->types = types_new(arena);
	c->btf = btf_types_new(c->types, arena, options->btf);
	c->cdecl = cdecl_new(script, c->types, c->btf);
	c->probes = probes_new(arena, c->types, c->btf, &options->probes);
	c->out = arena_alloc(arena, sizeof(*c->out));
	c->out->source = script->source;
	c->out->types = c->types;
	c->out->config = config;
	c->out->probes = c->probes;
	c->out->btf = c->btf;
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
	/* a clause without its probes assigns nothing: what reads its maps is not wrong for that */
	c->broken |= c->source->errors;
	if (c->nr_variants || !c->source->errors) {
		find_types(c);
		finish_maps(c);
		make_programs(c);
		function_named_check(c);
	}
	if (!c->source->errors)
		return c->out;
	script_compiled_free(c->out);
	return NULL;
}

void script_compiled_free(struct compiled *c)
{
	if (!c)
		return;
	probes_free(c->probes);
	btf_types_free(c->btf);
}
