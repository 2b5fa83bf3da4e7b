/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Calls that are about maps: count() and the other aggregates, delete(), clear(), has_key() ... */
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <string.h>

#include "script/compile.h"

/* --- aggregates: @x = count() ------------------------------------------------------------- */

static const struct type *check_count(struct compiler *c, struct node *n)
{
	return type_of_kind(c->types, TYPE_COUNT);
}

static const struct type *by_sign(struct compiler *c, struct node *n, enum type_kind kind)
{
	struct type wanted = *type_of_kind(c->types, kind);

	if (!check_number(c, n->args[0], "what is summed up"))
		return NULL;
	wanted.is_signed = n->args[0]->type->is_signed;
	return type_intern(c->types, &wanted);
}

static const struct type *check_sum(struct compiler *c, struct node *n)
{
	return by_sign(c, n, TYPE_SUM);
}

static const struct type *check_min(struct compiler *c, struct node *n)
{
	return by_sign(c, n, TYPE_MIN);
}

static const struct type *check_max(struct compiler *c, struct node *n)
{
	return by_sign(c, n, TYPE_MAX);
}

static const struct type *check_avg(struct compiler *c, struct node *n)
{
	return by_sign(c, n, TYPE_AVG);
}

static const struct type *check_stats(struct compiler *c, struct node *n)
{
	return by_sign(c, n, TYPE_STATS);
}

/* Finer slots than the rows that are shown, so that percentiles are near: 16 of each power of two,
 * and 4 where there may be thousands of them, by key. */
#define BITS_ALONE 4
#define BITS_KEYED 2

static const struct type *check_hist(struct compiler *c, struct node *n)
{
	struct type wanted = *type_of_kind(c->types, TYPE_HIST);
	int64_t rows = 0;

	if (!check_number(c, n->args[0], "what is counted"))
		return NULL;
	if (n->nr_args > 1) {
		check_expr(c, n->args[1]);
		if (!check_constant(c, n->args[1], &rows) || rows < 0 || rows > 5)
			return check_error(c, n->args[1]->span,
					   "hist()'s second argument is a constant from 0 to 5");
	}
	wanted.depth = rows;
	wanted.count = c->assigned_keys ? BITS_KEYED : BITS_ALONE;
	if (wanted.count < rows)
		wanted.count = rows;
	wanted.size = RT_HIST_SIZE(wanted.count);
	wanted.align = 8;
	return type_intern(c->types, &wanted);
}

/* Where lhist() would take more slots than a value of a map should have. */
#define LHIST_SLOTS_MAX 1002

static const struct type *check_lhist(struct compiler *c, struct node *n)
{
	struct type wanted = *type_of_kind(c->types, TYPE_LHIST);
	int64_t *bounds[] = { &wanted.lhist.min, &wanted.lhist.max, &wanted.lhist.step };

	if (!check_number(c, n->args[0], "what is counted"))
		return NULL;
	for (int i = 0; i < 3; i++) {
		check_expr(c, n->args[i + 1]);
		if (!check_constant(c, n->args[i + 1], bounds[i]))
			return check_error(c, n->args[i + 1]->span,
					   "lhist() needs constants: min, max and step");
	}
	if (wanted.lhist.step <= 0)
		return check_error(c, n->args[3]->span, "lhist()'s step has to be more than 0");
	if (wanted.lhist.min < 0)
		return check_error(c, n->args[1]->span, "lhist()'s min can't be below 0");
	if (wanted.lhist.max <= wanted.lhist.min)
		return check_error(c, n->args[2]->span,
				   "lhist()'s max has to be more than its min");
	if ((wanted.lhist.max - wanted.lhist.min) / wanted.lhist.step > LHIST_SLOTS_MAX - 2)
		return check_error(c, n->span, "lhist() would have more than %d rows",
				   LHIST_SLOTS_MAX - 2);
	wanted.size = 8 * RT_LHIST_SLOTS(wanted.lhist.min, wanted.lhist.max, wanted.lhist.step);
	wanted.align = 8;
	return type_intern(c->types, &wanted);
}

static ir_value lower_alone(struct compiler *c, struct node *n)
{
	/* check_expression() has refused an aggregate that is not assigned to a map */
	return 0;
}

static void aggregate_into(struct compiler *c, const struct type *type, ir_value at, ir_value v)
{
	int64_t bounds[3] = { type->lhist.min, type->lhist.max, type->lhist.step };
	ir_value by_sign_value, where;

	switch (type->kind) {
	case TYPE_COUNT:
		ir_atomic_add(c->f, at, 0, ir_const(c->f, 1));
		break;
	case TYPE_SUM:
	case TYPE_AVG:
	case TYPE_STATS:
		ir_atomic_add(c->f, at, offsetof(struct rt_sum, sum), v);
		ir_atomic_add(c->f, at, offsetof(struct rt_sum, count), ir_const(c->f, 1));
		break;
	case TYPE_MIN:
	case TYPE_MAX:
		by_sign_value = ir_const(c->f, type->is_signed);
		ir_runtime(c->f, type->kind == TYPE_MIN ? "rt_min" : "rt_max", IR_SCALAR, 3, at, v,
			   by_sign_value);
		break;
	case TYPE_HIST:
		ir_runtime(c->f, "rt_hist", IR_SCALAR, 3, at, v, ir_const(c->f, type->count));
		break;
	default:
		where = ir_rodata(c->f, lower_rodata(c, bounds, sizeof(bounds)));
		ir_runtime(c->f, "rt_lhist", IR_SCALAR, 4, at, v, where,
			   ir_const(c->f, RT_LHIST_SLOTS(bounds[0], bounds[1], bounds[2])));
	}
}

void function_aggregate(struct compiler *c, struct node *map, struct node *call)
{
	const struct type *type = ((struct map_use *)map->info)->map.value;
	uint32_t after = ir_block(c->f);
	ir_value value = 0, at;

	if (call->nr_args)
		value = lower_expr(c, call->args[0]);
	at = lower_map_slot(c, map, after);
	aggregate_into(c, type, at, value);
	ir_jump(c->f, after);
	ir_enter(c->f, after);
}

/* --- maps as arguments -------------------------------------------------------------------- */

/* The first argument, a map without its keys. */
static struct map_use *whole_map(struct compiler *c, struct node *n)
{
	struct node *m = n->args[0];

	if (m->kind != NODE_MAP || m->nr_args) {
		check_error(c, m->span, "%s() takes a map, such as @x", n->name);
		return NULL;
	}
	m->info = check_map_named(c, m->name, m->span);
	if (!((struct map_use *)m->info)->map.value)
		check_map_unknown(c, m, m->info);
	return m->info;
}

static const struct type *check_all_of_map(struct compiler *c, struct node *n)
{
	struct map_use *m = whole_map(c, n);
	bool at_end = c->target->point->provider == PROVIDER_END;

	if (!m)
		return NULL;
	/* at the end no program writes any more */
	if (!at_end && !m->cleared) {
		m->cleared = true;
		c->changed = true;
	}
	return type_void(c->types);
}

static ir_value lower_all_of_map(struct compiler *c, struct node *n)
{
	enum action action = !strcmp(n->name, "clear") ? ACTION_CLEAR : ACTION_ZERO;
	struct statement *s = lower_send(c, n, action, NULL, 0);

	s->map = &((struct map_use *)n->args[0]->info)->map;
	return 0;
}

/* delete(@x[k]), delete(@x, k), delete(@x); has_key(@x, k). The keys, one by one. */
static bool keys_of_call(struct compiler *c, struct node *n)
{
	struct node *m = n->args[0];
	struct map_use *use;

	if (m->kind != NODE_MAP) {
		check_error(c, m->span, "%s() takes a map, such as @x[k]", n->name);
		return false;
	}
	if (n->nr_args > 1 && !m->nr_args) {
		struct node *key = n->args[1];

		use = check_map_named(c, m->name, m->span);
		m->info = use;
		if (key->kind == NODE_TUPLE)
			return check_keys(c, use, key->args, key->nr_args, n->span);
		return check_keys(c, use, &n->args[1], 1, n->span);
	}
	if (n->nr_args > 1) {
		check_error(c, n->span, "%s() takes @%s[k], or @%s, k", n->name, m->name, m->name);
		return false;
	}
	return check_map(c, m);
}

static ir_value lower_call_keys(struct compiler *c, struct node *n)
{
	struct node *m = n->args[0], *key;

	if (n->nr_args < 2)
		return lower_keys(c, m->info, m->args, m->nr_args);
	key = n->args[1];
	if (key->kind == NODE_TUPLE)
		return lower_keys(c, m->info, key->args, key->nr_args);
	return lower_keys(c, m->info, &n->args[1], 1);
}

/* delete(@x[1], @y[2]): each is a call of its own. */
static const struct type *check_delete_all(struct compiler *c, struct node *n)
{
	for (size_t i = 0; i < n->nr_args; i++)
		if (n->args[i]->kind != NODE_MAP || !check_map(c, n->args[i]))
			return check_error(c, n->args[i]->span,
					   "delete() takes maps, such as @x[k]");
	return type_void(c->types);
}

static bool is_delete_of_several(const struct node *n)
{
	return !strcmp(n->name, "delete") && n->nr_args > 1 && n->args[0]->kind == NODE_MAP &&
	       (n->args[0]->nr_args || n->nr_args > 2);
}

static const struct type *check_delete(struct compiler *c, struct node *n)
{
	if (is_delete_of_several(n))
		return check_delete_all(c, n);
	return keys_of_call(c, n) ? type_bool(c->types) : NULL;
}

static ir_value delete_one(struct compiler *c, struct node *n)
{
	struct map_use *m = n->args[0]->info;
	ir_value key = lower_call_keys(c, n), map, at, done;
	uint32_t after = ir_block(c->f), found = ir_block(c->f);

	done = ir_variable(c->f, IR_SCALAR);
	ir_set(c->f, done, ir_const(c->f, 0));
	if (m->map.key) {
		uint32_t deleted = ir_block(c->f);

		map = lower_map(c, m, after);
		at = ir_call(c->f, BPF_FUNC_map_delete_elem, IR_SCALAR, 2, map, key);
		ir_branch_imm(c->f, IR_EQ, at, 0, deleted, after);
		ir_enter(c->f, deleted);
		ir_set(c->f, done, ir_const(c->f, 1));
		ir_jump(c->f, after);
		ir_enter(c->f, found);
		ir_jump(c->f, after);
	} else {
		/* the value of a map without keys is always there: it becomes 0 */
		at = lower_map_lookup(c, m, key, found, after);
		ir_enter(c->f, found);
		lower_zero(c, at, 0, load_value_size(&m->map));
		ir_set(c->f, done, ir_const(c->f, 1));
		ir_jump(c->f, after);
	}
	ir_enter(c->f, after);
	return done;
}

static ir_value lower_delete(struct compiler *c, struct node *n)
{
	struct node one = *n;

	if (!is_delete_of_several(n))
		return delete_one(c, n);
	for (size_t i = 0; i < n->nr_args; i++) {
		one.args = &n->args[i];
		one.nr_args = 1;
		delete_one(c, &one);
	}
	return 0;
}

static ir_value lower_has_key(struct compiler *c, struct node *n)
{
	struct map_use *m = n->args[0]->info;
	ir_value key = lower_call_keys(c, n), there;
	uint32_t found = ir_block(c->f), after = ir_block(c->f);

	there = ir_variable(c->f, IR_SCALAR);
	ir_set(c->f, there, ir_const(c->f, 0));
	lower_map_lookup(c, m, key, found, after);
	ir_enter(c->f, found);
	ir_set(c->f, there, ir_const(c->f, 1));
	ir_jump(c->f, after);
	ir_enter(c->f, after);
	return there;
}

/* --- print() ------------------------------------------------------------------------------ */

static bool is_whole(const struct node *n)
{
	return n->kind == NODE_MAP && !n->nr_args;
}

static const struct type *check_print(struct compiler *c, struct node *n)
{
	const struct type *type;

	for (size_t i = 1; i < n->nr_args; i++)
		if (!check_number(c, n->args[i], "how much print() shows"))
			return NULL;
	if (is_whole(n->args[0])) {
		whole_map(c, n);
		return type_void(c->types);
	}
	if (n->args[0]->kind == NODE_MAP)
		return check_map(c, n->args[0]) ? type_void(c->types) : NULL;
	type = check_expr(c, n->args[0]);
	if (type && (type->kind == TYPE_VOID || type_is_aggregate(type)))
		return check_error(c, n->span, "%s can't be printed", check_text(c, type));
	return type ? type_void(c->types) : NULL;
}

/* One element of a map: its key is sent, the value is read when that comes. */
static void print_entry(struct compiler *c, struct node *n, struct node *m)
{
	struct map_use *use = m->info;
	struct node key = { .kind = NODE_TUPLE,
			    .span = m->span,
			    .args = m->args,
			    .nr_args = m->nr_args,
			    .type = use->map.key };
	struct node *arg = m->nr_args == 1 ? m->args[0] : &key;
	struct statement *s;

	s = lower_send_key(c, n, use, arg);
	s->map = &use->map;
}

static ir_value lower_print(struct compiler *c, struct node *n)
{
	struct node zero = { .kind = NODE_INT, .type = type_int(c->types, 8, false) };
	struct node *top[] = { n->nr_args > 1 ? n->args[1] : &zero,
			       n->nr_args > 2 ? n->args[2] : &zero };
	struct node *m = n->args[0];

	if (m->kind != NODE_MAP) {
		lower_send(c, n, ACTION_PRINT_VALUE, n->args, 1);
	} else if (!m->nr_args) {
		struct statement *s = lower_send(c, n, ACTION_PRINT_MAP, top, 2);

		s->map = &((struct map_use *)m->info)->map;
	} else {
		print_entry(c, n, m);
	}
	return 0;
}

static const struct type *check_map_length(struct compiler *c, struct node *n)
{
	struct map_use *m = check_map_named(c, n->args[0]->name, n->args[0]->span);

	n->args[0]->info = m;
	if (!m->read) {
		m->read = true;
		c->changed = true;
	}
	if (c->final && !libbpf_probe_bpf_helper(BPF_PROG_TYPE_RAW_TRACEPOINT,
						 BPF_FUNC_for_each_map_elem, NULL))
		return check_error(c, n->span, "len() of a map needs Linux 5.13");
	return type_int(c->types, 8, true);
}

static bool has_keys(struct compiler *c, const struct node *a)
{
	return a->kind == NODE_MAP && !a->nr_args && check_map_named(c, a->name, a->span)->map.key;
}

/* kstack, ustack(3): what is only known by its id later. */
static bool is_stack(const struct node *a)
{
	return (a->kind == NODE_NAME || a->kind == NODE_CALL) &&
	       (a->type->kind == TYPE_KSTACK || a->type->kind == TYPE_USTACK);
}

static const struct type *check_len(struct compiler *c, struct node *n)
{
	struct node *a = n->args[0];
	const struct type *type;

	if (has_keys(c, a))
		return check_map_length(c, n);
	check_expr(c, a);
	type = builtin_as_text(c, a);
	if (!type)
		return NULL;
	if (!type_is_text(type) && type->kind != TYPE_BUFFER && !is_stack(a)) {
		check_error(c, n->span,
			    "%s() takes a map with keys, a text, a buffer or a stack, and this is "
			    "%s",
			    n->name, check_text(c, type));
		if (type->kind == TYPE_KSTACK || type->kind == TYPE_USTACK)
			check_hint(c, "of a stack that was kept only an id is there: len(%s)",
				   type->kind == TYPE_KSTACK ? "kstack" : "ustack");
		return NULL;
	}
	return type_int(c->types, 8, false);
}

static ir_value lower_len(struct compiler *c, struct node *n)
{
	struct node *a = n->args[0];
	ir_value at;

	if (has_keys(c, a))
		return lower_map_length(c, a->info, n);
	if (is_stack(a))
		return lower_stack_length(c, a);
	at = a->type->kind == TYPE_BUFFER ? lower_expr(c, a) : lower_text(c, a);
	return ir_load(c->f, at, offsetof(struct rt_string, len), 4, false);
}

const struct function_def function_maps[] = {
	{ "count", 0, 0, check_count, lower_alone, .where = CALL_AGGREGATE },
	{ "sum", 1, 1, check_sum, lower_alone, .where = CALL_AGGREGATE },
	{ "min", 1, 1, check_min, lower_alone, .where = CALL_AGGREGATE },
	{ "max", 1, 1, check_max, lower_alone, .where = CALL_AGGREGATE },
	{ "avg", 1, 1, check_avg, lower_alone, .where = CALL_AGGREGATE },
	{ "stats", 1, 1, check_stats, lower_alone, .where = CALL_AGGREGATE },
	{ "hist", 1, 2, check_hist, lower_alone, .where = CALL_AGGREGATE },
	{ "lhist", 4, 4, check_lhist, lower_alone, .where = CALL_AGGREGATE },
	{ "clear", 1, 1, check_all_of_map, lower_all_of_map, .where = CALL_STATEMENT },
	{ "zero", 1, 1, check_all_of_map, lower_all_of_map, .where = CALL_STATEMENT },
	{ "delete", 1, 64, check_delete, lower_delete },
	{ "has_key", 2, 2, check_delete, lower_has_key },
	{ "print", 1, 3, check_print, lower_print, .where = CALL_STATEMENT },
	{ "len", 1, 1, check_len, lower_len },
	{ "strlen", 1, 1, check_len, lower_len },
	{ 0 },
};
