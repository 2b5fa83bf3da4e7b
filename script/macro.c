/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <string.h>

#include "script/macro.h"

/* Macros can double what they are given each time, so what they may make of a script is bounded. */
#define NODES_MAX    200000
#define EXPANDED_MAX 64 /* of macros in macros */

struct expander {
	struct source *src;
	struct arena *arena;
	const struct names *macros;
	size_t nodes;
	unsigned expansions; /* so far: the number that makes names different */
	unsigned depth;
	bool full;
};

/* A call that is being expanded. */
struct expansion {
	const struct macro *macro;
	struct node **args;
	unsigned number;
};

static struct node *expand(struct expander *x, struct node *n);
static struct node *expand_list(struct expander *x, struct node *list);

/* --- what a body may read --- */

struct checker {
	struct source *src;
	const struct macro *macro;
	struct names *made;
};

static void note_made(struct node *n, void *ctx)
{
	struct checker *c = ctx;
	const struct node *made = n->kind == NODE_ASSIGN && n->op == OP_NONE ? n->a : n;

	if ((n->kind == NODE_ASSIGN && made->kind == NODE_VAR) || n->kind == NODE_LET ||
	    n->kind == NODE_FOR_MAP || n->kind == NODE_FOR_RANGE)
		names_put(c->made, made->name, c);
}

static void check_read(struct node *n, void *ctx)
{
	struct checker *c = ctx;

	if (n->kind != NODE_VAR || names_get(c->made, n->name))
		return;
	source_error(c->src, n->span, "macro %s must be given $%s: it knows its parameters only",
		     c->macro->name, n->name);
	names_put(c->made, n->name, c); /* said once */
}

void macro_check(struct source *src, const struct macro *m)
{
	struct checker c = { src, m, names_new(src->arena) };

	for (size_t i = 0; i < m->nr_params; i++)
		if (m->params[i]->kind == NODE_VAR)
			names_put(c.made, m->params[i]->name, &c);
	node_walk(m->body, note_made, &c);
	node_walk(m->body, check_read, &c);
}

/* --- copies of bodies --- */

/* What stands for the parameter of this kind and name; NULL: it is no parameter. */
static struct node *argument(const struct expansion *e, enum node_kind kind, const char *name)
{
	for (size_t i = 0; i < e->macro->nr_params; i++)
		if (e->macro->params[i]->kind == kind && !strcmp(e->macro->params[i]->name, name))
			return e->args[i];
	return NULL;
}

static struct node *copy(struct expander *x, const struct expansion *e, const struct node *n);

static bool count(struct expander *x, struct span span)
{
	if (x->nodes++ < NODES_MAX)
		return true;
	if (!x->full)
		source_error(x->src, span, "macros make more than %d parts of this script",
			     NODES_MAX);
	x->full = true;
	return false;
}

static struct node *copy_list(struct expander *x, const struct expansion *e, const struct node *n)
{
	struct node_list list = { 0 };

	for (; n && !x->full; n = n->next)
		node_list_add(&list, copy(x, e, n));
	return list.first;
}

/* A type that begins with a parameter which is typeof(T): T, and what is behind the name. */
static const char *copy_type(struct expander *x, const struct expansion *e, const char *type)
{
	size_t len = strcspn(type, " [");
	const struct node *arg;

	if (!e)
		return type;
	arg = argument(e, NODE_NAME, arena_strndup(x->arena, type, len));
	if (!arg || !arg->type_name || arg->kind != NODE_NAME)
		return type;
	type += len;
	if (*type == ' ' && strchr(arg->type_name, '*'))
		type++; /* "int *" and " *" are "int **" */
	return arena_printf(x->arena, "%s%s", arg->type_name, type);
}

/* A name that no script can have: its own variables and those of two calls are not the same. */
static const char *own_name(struct expander *x, const struct expansion *e, const char *name)
{
	return arena_printf(x->arena, "%s#%u", name, e->number);
}

/* A name that stands for a variable: a parameter's, or one of the macro's own. */
static const char *variable_name(struct expander *x, const struct expansion *e, const char *name)
{
	const struct node *arg = argument(e, NODE_VAR, name);

	return arg ? arg->name : own_name(x, e, name);
}

static struct node *copy_map(struct expander *x, const struct expansion *e, struct node *c)
{
	const struct node *arg = argument(e, NODE_MAP, c->name);

	if (arg)
		c->name = arg->name;
	else
		source_error(x->src, c->span,
			     "macro %s must be given @%s: it knows its parameters only",
			     e->macro->name, c->name);
	return c;
}

/* A type that is given as typeof(...): of a parameter. */
static void take_type(struct node *c, struct node **of)
{
	if (!*of || (*of)->kind != NODE_NAME || strcmp((*of)->name, "typeof"))
		return;
	c->type_name = (*of)->type_name;
	*of = (*of)->a;
}

static void copy_parts(struct expander *x, const struct expansion *e, struct node *c)
{
	c->a = c->a ? copy(x, e, c->a) : NULL;
	c->b = c->b ? copy(x, e, c->b) : NULL;
	c->c = c->c ? copy(x, e, c->c) : NULL;
	c->body = copy_list(x, e, c->body);
	c->otherwise = copy_list(x, e, c->otherwise);
	if (c->nr_args) {
		struct node **args = arena_alloc(x->arena, c->nr_args * sizeof(*args));

		for (size_t i = 0; i < c->nr_args; i++)
			args[i] = copy(x, e, c->args[i]);
		c->args = args;
	}
	if (c->type_name)
		c->type_name = copy_type(x, e, c->type_name);
	if (c->kind == NODE_SIZEOF || c->kind == NODE_OFFSETOF || c->kind == NODE_LET)
		take_type(c, &c->a);
	if (c->kind == NODE_CAST)
		take_type(c, &c->b);
	node_measure(c);
}

/* Without @e: as it is, for what is put into several places. */
static struct node *copy(struct expander *x, const struct expansion *e, const struct node *n)
{
	struct node *c, *arg;

	if (!count(x, n->span))
		return node_new(x->arena, n->kind >= NODE_EXPRESSION ? NODE_BLOCK : NODE_INT,
				n->span);
	if (e && n->kind == NODE_NAME) {
		arg = argument(e, NODE_NAME, n->name);
		if (arg) {
			c = copy(x, NULL, arg);
			c->field = n->field;
			return c;
		}
	}
	c = node_new(x->arena, n->kind, n->span);
	*c = *n;
	c->next = NULL;
	if (e && (n->kind == NODE_VAR || n->kind == NODE_LET || n->kind == NODE_FOR_MAP ||
		  n->kind == NODE_FOR_RANGE))
		c->name = variable_name(x, e, n->name);
	if (e && n->kind == NODE_MAP)
		c = copy_map(x, e, c);
	copy_parts(x, e, c);
	return c;
}

/* --- calls --- */

static struct macro *find(const struct expander *x, const struct node *n, size_t nr_args)
{
	struct macro *m;

	for (m = names_get(x->macros, n->name); m; m = m->other)
		if (m->nr_params == nr_args)
			return m;
	return NULL;
}

static bool check_arguments(struct expander *x, const struct macro *m, const struct node *call)
{
	for (size_t i = 0; i < m->nr_params; i++) {
		const struct node *param = m->params[i], *arg = call->args[i];

		if (param->kind == NODE_NAME ||
		    (param->kind == arg->kind && (arg->kind != NODE_MAP || !arg->nr_args)))
			continue;
		source_error(x->src, arg->span, "macro %s wants a %s here", m->name,
			     param->kind == NODE_VAR ? "$variable" : "@map without keys");
		return false;
	}
	return true;
}

/* The body of @m with the arguments of @call in it, itself expanded: a NODE_BLOCK. NULL: that can't
 * be, which was said. */
static struct node *body_of(struct expander *x, struct macro *m, const struct node *call)
{
	struct expansion e = { m, call->args, ++x->expansions };
	struct node *body;

	if (m->open || x->depth == EXPANDED_MAX) {
		source_error(x->src, call->span,
			     m->open ? "macro %s calls itself"
				     : "macros call each other too deep: %s",
			     m->name);
		return NULL;
	}
	if (!check_arguments(x, m, call))
		return NULL;
	body = copy(x, &e, m->body);
	if (!x->full && body->height > AST_HEIGHT_MAX) {
		source_error(x->src, call->span,
			     "this has too many parts: its tree is more than %d levels high",
			     AST_HEIGHT_MAX);
		x->full = true;
	}
	if (x->full)
		return NULL;
	m->open = true;
	x->depth++;
	body->body = expand_list(x, body->body);
	node_measure(body);
	x->depth--;
	m->open = false;
	return body;
}

static struct node *nothing(struct expander *x, const struct node *n)
{
	struct node *c = node_int(x->arena, n->span, 0, false);

	c->field = n->field;
	return c;
}

/* A call, or a name alone, in the place of a value. */
static struct node *expand_call(struct expander *x, struct node *n)
{
	struct macro *any = names_get(x->macros, n->name);
	struct macro *m = any ? find(x, n, n->kind == NODE_CALL ? n->nr_args : 0) : NULL;
	struct node *body, *value;

	if (!m) /* one of the language may have the same name and other parameters */
		return n;
	body = body_of(x, m, n);
	if (!body)
		return nothing(x, n);
	value = node_value(x->arena, body);
	if (!value) {
		source_error(x->src, n->span,
			     "macro %s has no value: its last statement must be an "
			     "expression without ';'",
			     m->name);
		return nothing(x, n);
	}
	if (value->field || n->field) {
		struct node *c = node_new(x->arena, value->kind, value->span);

		*c = *value;
		c->field = n->field;
		value = c;
	}
	return value;
}

/* --- all --- */

static void too_high(struct expander *x, struct node *n)
{
	if (node_measure(n) || x->full)
		return;
	x->full = true;
	source_error(x->src, n->span,
		     "this has too many parts: its tree is more than %d levels high",
		     AST_HEIGHT_MAX);
}

static struct node *expand(struct expander *x, struct node *n)
{
	if (!n || x->full)
		return n;
	n->a = expand(x, n->a);
	n->b = expand(x, n->b);
	n->c = expand(x, n->c);
	for (size_t i = 0; i < n->nr_args; i++)
		n->args[i] = expand(x, n->args[i]);
	n->body = expand_list(x, n->body);
	n->otherwise = expand_list(x, n->otherwise);
	too_high(x, n);
	if (!x->full && (n->kind == NODE_CALL || n->kind == NODE_NAME))
		return expand_call(x, n);
	return n;
}

/* A statement that is nothing but a call: a block takes its place, which needs no value. */
static struct node *expand_statement(struct expander *x, struct node *n)
{
	struct node *call = n->kind == NODE_EXPRESSION ? n->a : NULL, *body;
	struct macro *m = NULL;

	if (call && (call->kind == NODE_CALL || call->kind == NODE_NAME))
		m = find(x, call, call->kind == NODE_CALL ? call->nr_args : 0);
	if (!m)
		return expand(x, n);
	for (size_t i = 0; i < call->nr_args; i++)
		call->args[i] = expand(x, call->args[i]);
	if (n->is_last) { /* perhaps the value of the block around it */
		struct node *value;

		body = body_of(x, m, call);
		value = body ? node_value(x->arena, body) : NULL;
		if (value) {
			n->a = value;
			too_high(x, n);
			return n;
		}
	} else {
		body = body_of(x, m, call);
	}
	return body ? body : node_new(x->arena, NODE_BLOCK, n->span);
}

static struct node *expand_list(struct expander *x, struct node *list)
{
	struct node_list all = { 0 };

	while (list) {
		struct node *next = list->next;

		list->next = NULL;
		node_list_add(&all, x->full ? list : expand_statement(x, list));
		list = next;
	}
	return all.first;
}

void macro_expand(struct script *script, const struct names *macros)
{
	struct expander x = { .src = script->source,
			      .arena = script->source->arena,
			      .macros = macros };

	for (struct clause *c = script->clauses; c; c = c->next) {
		c->predicate = expand(&x, c->predicate);
		c->body = expand_list(&x, c->body);
	}
}
