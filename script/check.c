/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Statements, variables and maps: what they are. Expressions are in check_expr.c. */
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <string.h>

#include "script/compile.h"

const char *check_text(struct compiler *c, const struct type *type)
{
	return type ? type_text(c->types, type) : "nothing";
}

const struct type *check_error(struct compiler *c, struct span at, const char *fmt, ...)
{
	va_list ap;

	if (!c->final)
		return NULL;
	/* one clause may be checked for several variants */
	for (size_t i = 0; i < c->nr_told; i++)
		if (c->told[i].from == at.from && c->told[i].to == at.to)
			return NULL;
	if (c->nr_told == c->told_capacity)
		c->told = arena_grow(c->arena, c->told, &c->told_capacity, 16, sizeof(*c->told));
	c->told[c->nr_told++] = at;
	va_start(ap, fmt);
	source_verror(c->source, at, fmt, ap);
	va_end(ap);
	return NULL;
}

void check_hint(struct compiler *c, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (!c->final)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	source_hint(c->source, "%s", text);
}

/* --- types that meet ---------------------------------------------------------------------- */

const struct type *check_kept(struct compiler *c, const struct type *type)
{
	if (type->kind == TYPE_INT)
		return type_int(c->types, 8, type->is_signed);
	return type;
}

/* Where both have names, their order may differ: it stays that of @a. */
static const struct type *join_tuples(struct compiler *c, const struct type *a,
				      const struct type *b)
{
	const struct type **of;

	if (a->nr_fields != b->nr_fields || type_has_names(a) != type_has_names(b))
		return NULL;
	of = arena_alloc(c->arena, a->nr_fields * sizeof(*of) + 1);
	for (size_t i = 0; i < a->nr_fields; i++) {
		uint32_t offset;
		const struct field *f = type_field(b, a->fields[i].name, &offset);

		of[i] = f ? check_join(c, a->fields[i].type, f->type) : NULL;
		if (!of[i])
			return NULL;
	}
	return type_tuple_like(c->types, of, a);
}

static bool is_number(const struct type *t)
{
	return type_is_integer(t) || t->kind == TYPE_POINTER;
}

const struct type *check_join(struct compiler *c, const struct type *a, const struct type *b)
{
	if (!a || !b || a == b)
		return a ? a : b;
	if (a->kind == TYPE_FLOAT || b->kind == TYPE_FLOAT)
		return NULL;
	if (type_is_text(a) && type_is_text(b)) {
		uint32_t room_a = type_room(a), room_b = type_room(b);

		return type_string(c->types, room_a > room_b ? room_a : room_b);
	}
	if (a->kind == TYPE_BUFFER && b->kind == TYPE_BUFFER)
		return a->count > b->count ? a : b;
	if (type_is_integer(a) && type_is_integer(b))
		return type_int(c->types, 8, a->is_signed || b->is_signed);
	/* one of the kernel's and one of the user's: it is tried as either */
	if (a->kind == TYPE_POINTER && b->kind == TYPE_POINTER && a->to == b->to)
		return type_pointer(c->types, a->to, SPACE_NONE);
	if (is_number(a) && is_number(b))
		return a->kind == TYPE_POINTER ? a : b;
	if (a->kind == TYPE_TUPLE && b->kind == TYPE_TUPLE)
		return join_tuples(c, a, b);
	/* ksym(x) and 0, for example */
	if (type_is_scalar(a) && is_number(b) && b->kind != TYPE_POINTER)
		return a;
	if (type_is_scalar(b) && is_number(a) && a->kind != TYPE_POINTER)
		return b;
	if (a->kind == b->kind && (a->kind == TYPE_KSTACK || a->kind == TYPE_USTACK ||
				   a->kind == TYPE_HIST || a->kind == TYPE_SUM))
		return a;
	return NULL;
}

/* --- $variables --------------------------------------------------------------------------- */

struct variable *check_variable(struct compiler *c, const char *name)
{
	for (size_t i = c->next_variable; i > 0; i--) {
		struct variable *v = c->variant->variables[i - 1];

		if (!v->hidden && !strcmp(v->name, name))
			return v;
	}
	return NULL;
}

static struct variable *check_declare(struct compiler *c, const char *name, const struct type *type)
{
	struct variant *now = c->variant;
	struct variable *v;

	if (c->next_variable == now->nr_variables) {
		if (now->nr_variables == now->variables_capacity)
			now->variables =
				arena_grow(c->arena, now->variables, &now->variables_capacity, 8,
					   sizeof(*now->variables));
		v = arena_alloc(c->arena, sizeof(*v));
		now->variables[now->nr_variables++] = v;
		c->changed = true;
	}
	v = now->variables[c->next_variable++];
	v->name = name;
	v->scope = c->scope;
	v->hidden = v->assigned = v->outlives = false;
	if (type && !v->type) {
		v->type = check_kept(c, type);
		v->width = type->size;
		c->changed = true;
	}
	return v;
}

static void scope_leave(struct compiler *c)
{
	for (size_t i = 0; i < c->next_variable; i++) {
		struct variable *v = c->variant->variables[i];

		if (v->scope != c->scope)
			continue;
		if (v->outlives)
			v->scope--;
		else
			v->hidden = true;
	}
	c->scope--;
}

static const char *name_in_clause(struct compiler *c, const char *name)
{
	return arena_printf(c->arena, "%u$%s", c->variant->clause->span.from, name);
}

bool check_outlives(struct compiler *c, const struct node *n)
{
	const char *name = name_in_clause(c, n->name);
	bool ended = false;

	for (size_t i = 0; i < c->next_variable && !ended; i++)
		ended = c->variant->variables[i]->hidden && c->variant->variables[i]->assigned &&
			!strcmp(c->variant->variables[i]->name, n->name);
	if (!ended || c->options->compat || names_get(c->outlive, name))
		return false;
	names_put(c->outlive, name, c);
	source_warning(c->source, n->span,
		       "$%s is used behind the block that was the first to assign it: "
		       "let $%s in front of that says so",
		       n->name, n->name);
	c->variant->again = c->changed = true;
	return true;
}

static void check_block(struct compiler *c, struct node *body)
{
	c->scope++;
	check_statements(c, body);
	scope_leave(c);
}

/* As many bytes as a value has that a variable is given: all are kept in 8. */
static uint32_t value_width(const struct node *n, const struct type *type)
{
	if (n->kind != NODE_INT || n->info || type->size < 8)
		return type->size;
	for (uint32_t width = 1; width < 8; width *= 2)
		if (n->value < 1ULL << (8 * width - 1))
			return width;
	return 8;
}

static void note_width(struct compiler *c, struct variable *v, uint32_t width)
{
	if (width > v->width) {
		v->width = width;
		c->changed = true;
	}
}

static void check_variable_value(struct compiler *c, struct node *at, struct variable *v,
				 const struct type *type)
{
	const struct type *joined;

	if (!type)
		return;
	if (type_is_aggregate(type) || type->kind == TYPE_VOID) {
		check_error(c, at->span, "%s can't be the value of a variable",
			    check_text(c, type));
		return;
	}
	joined = check_join(c, v->type, check_kept(c, type));
	if (!joined) {
		check_error(c, at->span, "$%s is %s, and can't take %s", v->name,
			    check_text(c, v->type), check_text(c, type));
		return;
	}
	if (joined != v->type) {
		v->type = joined;
		c->changed = true;
	}
}

static void assign_variable(struct compiler *c, struct node *n)
{
	const struct type *type = check_expr(c, n->b);
	struct variable *v = check_variable(c, n->a->name);

	if (!v && n->op != OP_NONE) {
		if (check_outlives(c, n->a))
			return;
		check_error(c, n->a->span, "undefined variable: $%s", n->a->name);
		return;
	}
	if (!v) {
		v = check_declare(c, n->a->name, NULL);
		v->assigned = true;
		v->outlives = c->scope > 0 && names_get(c->outlive, name_in_clause(c, n->a->name));
	}
	n->a->info = v;
	if (n->op != OP_NONE && !check_number(c, n->b, "what is added"))
		return;
	check_variable_value(c, n->b, v, type);
	if (type)
		note_width(c, v, n->op != OP_NONE ? 8 : value_width(n->b, type));
	n->a->type = v->type;
}

static void check_let(struct compiler *c, struct node *n)
{
	const struct type *type = check_type_named(c, n, n->a, check_space(c)), *value = NULL;
	struct variable *v;

	if (n->b)
		value = check_expr(c, n->b);
	v = check_variable(c, n->name);
	if (v && v->scope == c->scope)
		check_error(c, n->span, "$%s is declared already", n->name);
	v = check_declare(c, n->name, type);
	n->info = v;
	if (n->b)
		check_variable_value(c, n->b, v, value);
	if (value && !type)
		note_width(c, v, value_width(n->b, value));
}

/* --- maps --------------------------------------------------------------------------------- */

struct map_use *check_map_named(struct compiler *c, const char *name, struct span at)
{
	struct map_use *m;

	m = names_get(c->map_names, name);
	if (m)
		return m;
	if (c->nr_maps == c->maps_capacity)
		c->maps = arena_grow(c->arena, c->maps, &c->maps_capacity, 16, sizeof(*c->maps));
	m = arena_alloc(c->arena, sizeof(*m));
	m->map.name = name;
	m->map.at = at;
	m->map.index = c->nr_maps;
	c->maps[c->nr_maps++] = m;
	names_put(c->map_names, name, m);
	c->changed = true;
	return m;
}

/* Bytes of a buffer, an array or a record in a key: on 5.10 all of a key may have 512. */
#define KEY_PART_MAX 264

/* What an element of a key is kept as; NULL: it can't be one. */
static const struct type *key_part(struct compiler *c, struct node *n, const struct type *type)
{
	if (type_is_text(type) && type->kind != TYPE_COMM)
		return type_of_kind(c->types, TYPE_STRING_ID);
	if (type->kind == TYPE_TUPLE) {
		const struct type **of = arena_alloc(c->arena, type->nr_fields * sizeof(*of) + 1);

		for (size_t i = 0; i < type->nr_fields; i++) {
			of[i] = key_part(c, n, type->fields[i].type);
			if (!of[i])
				return NULL;
		}
		return type_tuple_like(c->types, of, type);
	}
	if (type_is_aggregate(type) || type->kind == TYPE_VOID ||
	    ((type->kind == TYPE_BUFFER || type->kind == TYPE_RECORD || type->kind == TYPE_ARRAY) &&
	     (type->size > KEY_PART_MAX || !type->size)))
		return check_error(c, n->span, "%s can't be a key of a map", check_text(c, type));
	return check_kept(c, type);
}

static const struct type *key_join(struct compiler *c, const struct type *a, const struct type *b)
{
	/* a comm that meets a text is one, too */
	if (a && a->kind == TYPE_COMM && b->kind == TYPE_STRING_ID)
		return b;
	if (a && b->kind == TYPE_COMM && a->kind == TYPE_STRING_ID)
		return a;
	if (a && a->kind == TYPE_TUPLE && b->kind == TYPE_TUPLE && a->nr_fields == b->nr_fields) {
		const struct type **of = arena_alloc(c->arena, a->nr_fields * sizeof(*of) + 1);

		for (size_t i = 0; i < a->nr_fields; i++) {
			uint32_t offset;
			const struct field *f = type_field(b, a->fields[i].name, &offset);

			of[i] = f ? key_join(c, a->fields[i].type, f->type) : NULL;
			if (!of[i])
				return NULL;
		}
		return type_tuple_like(c->types, of, a);
	}
	return check_join(c, a, b);
}

bool check_keys(struct compiler *c, struct map_use *m, struct node **keys, size_t nr,
		struct span at)
{
	const struct type *key = NULL, *joined, **of;

	of = arena_alloc(c->arena, nr * sizeof(*of) + 1);
	for (size_t i = 0; i < nr; i++) {
		const struct type *type = check_expr(c, keys[i]);

		of[i] = type ? key_part(c, keys[i], type) : NULL;
		if (!of[i])
			return false;
	}
	if (nr == 1)
		key = of[0];
	else if (nr > 1)
		key = type_tuple(c->types, of, nr);
	if (!key && m->map.key) {
		check_error(c, at, "@%s has keys: %s", m->map.name, check_text(c, m->map.key));
		return false;
	}
	if (key && !m->map.key && m->map.value) {
		check_error(c, at, "@%s has no keys", m->map.name);
		return false;
	}
	if (!key)
		return true;
	joined = key_join(c, m->map.key, key);
	if (!joined) {
		check_error(c, at, "the keys of @%s are %s, and these are %s", m->map.name,
			    check_text(c, m->map.key), check_text(c, key));
		return false;
	}
	if (joined != m->map.key) {
		m->map.key = joined;
		c->changed = true;
	}
	return true;
}

struct map_use *check_map(struct compiler *c, struct node *n)
{
	struct map_use *m = check_map_named(c, n->name, n->span);

	n->info = m;
	return check_keys(c, m, n->args, n->nr_args, n->span) ? m : NULL;
}

bool check_map_value(struct compiler *c, struct node *n, const struct type *type)
{
	struct map_use *m = n->info;
	const struct type *joined;

	if (type->kind == TYPE_VOID) {
		check_error(c, n->span, "nothing can't be assigned to a map");
		return false;
	}
	joined = check_join(c, m->map.value, check_kept(c, type));
	if (!joined) {
		check_error(c, n->span, "@%s is %s, and can't take %s", m->map.name,
			    check_text(c, m->map.value), check_text(c, type));
		return false;
	}
	if (joined != m->map.value) {
		m->map.value = joined;
		c->changed = true;
	}
	n->type = joined;
	return true;
}

static void assign_map(struct compiler *c, struct node *n)
{
	const struct type *type;

	c->assigned_keys = n->a->nr_args;
	c->assigned = n->op == OP_NONE ? n->b : NULL;
	type = check_expr(c, n->b);
	c->assigned = NULL;
	check_map_named(c, n->a->name, n->a->span)->assigned = true;
	if (!check_map(c, n->a) || !type)
		return;
	if (n->op != OP_NONE) {
		struct map_use *m = n->a->info;

		if (!check_number(c, n->b, "what is added"))
			return;
		if (m->map.value && type_is_aggregate(m->map.value)) {
			check_error(c, n->span, "@%s is %s: it can't be changed so", m->map.name,
				    check_text(c, m->map.value));
			return;
		}
	}
	check_map_value(c, n->a, type);
}

/* --- statements --------------------------------------------------------------------------- */

static void check_assign(struct compiler *c, struct node *n)
{
	if (n->a->kind == NODE_VAR) {
		assign_variable(c, n);
	} else if (n->a->kind == NODE_MAP) {
		assign_map(c, n);
	} else {
		check_expr(c, n->b); /* what is wrong with the other side the parser has said */
	}
}

static void check_if_condition(struct compiler *c, struct node *n)
{
	const struct type *type = check_expr(c, n);

	if (type && (!type_is_scalar(type) || type->kind == TYPE_FLOAT) && !type_is_text(type))
		check_error(c, n->span, "%s is neither true nor false", check_text(c, type));
}

static void check_unroll(struct compiler *c, struct node *n)
{
	int64_t times;

	check_expr(c, n->a);
	if (c->final && (!check_constant(c, n->a, &times) || times < 1 || times > 100))
		check_error(c, n->a->span, "unroll needs a constant from 1 to 100");
	check_block(c, n->body);
}

static void check_loop(struct compiler *c, struct node *n)
{
	c->loops++;
	c->scope++;
	if (n->kind == NODE_WHILE) {
		check_if_condition(c, n->a);
	} else {
		check_number(c, n->a, "where a range begins");
		check_number(c, n->b, "where a range ends");
		n->info = check_declare(c, n->name, type_int(c->types, 8, true));
	}
	check_block(c, n->body);
	scope_leave(c);
	c->loops--;
}

static const struct type *check_for_map(struct compiler *c, struct node *n)
{
	struct map_use *m = check_map_named(c, n->a->name, n->a->span);
	const struct type *of[2], *type = NULL;

	n->a->info = m;
	if (!m->read) {
		m->read = true;
		c->changed = true;
	}
	if (m->map.value && !m->map.key)
		check_error(c, n->a->span, "@%s has no keys that a loop could go over", n->a->name);
	if (c->final && !libbpf_probe_bpf_helper(BPF_PROG_TYPE_RAW_TRACEPOINT,
						 BPF_FUNC_for_each_map_elem, NULL))
		check_error(c, n->span,
			    "loops over maps need Linux 5.13: print(@%s) shows all of "
			    "it here",
			    n->a->name);
	if (m->map.value && m->map.key) {
		of[0] = m->map.key;
		of[1] = check_value_read(c, m, n->a->span);
		type = of[1] ? type_tuple(c->types, of, 2) : NULL;
	} else {
		check_map_unknown(c, n->a, m);
	}
	c->loops++;
	c->scope++;
	n->info = check_declare(c, n->name, type);
	check_block(c, n->body);
	scope_leave(c);
	c->loops--;
	return type;
}

static void check_statement(struct compiler *c, struct node *n)
{
	switch (n->kind) {
	case NODE_EXPRESSION:
		check_expr(c, n->a);
		break;
	case NODE_ASSIGN:
		check_assign(c, n);
		break;
	case NODE_LET:
		check_let(c, n);
		break;
	case NODE_IF:
		check_if_condition(c, n->a);
		check_block(c, n->body);
		check_block(c, n->otherwise);
		break;
	case NODE_UNROLL:
		check_unroll(c, n);
		break;
	case NODE_WHILE:
	case NODE_FOR_RANGE:
		check_loop(c, n);
		break;
	case NODE_FOR_MAP:
		check_for_map(c, n);
		break;
	case NODE_RETURN:
		if (n->a)
			check_expr(c, n->a);
		break;
	case NODE_BREAK:
	case NODE_CONTINUE:
		if (!c->loops)
			check_error(c, n->span, "there is no loop here");
		break;
	case NODE_BLOCK:
		check_block(c, n->body);
		break;
	default:
		check_expr(c, n);
	}
}

void check_statements(struct compiler *c, struct node *n)
{
	for (; n; n = n->next)
		check_statement(c, n);
}

void check_variant(struct compiler *c, struct variant *v)
{
	c->variant = v;
	c->target = v->targets[0];
	c->next_variable = 0;
	c->scope = 0;
	c->loops = 0;
	for (size_t i = 0; i < v->nr_variables && v->again; i++)
		*v->variables[i] = (struct variable){ 0 };
	v->again = false;
	if (v->targets[0]->is_entry) {
		latency_check_entry(c, v);
		return;
	}
	if (v->clause->predicate)
		check_if_condition(c, v->clause->predicate);
	check_statements(c, v->clause->body);
}
