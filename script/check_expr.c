/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Expressions: of which type they are. */
#include <string.h>

#include "script/compile.h"

static const struct type *int64(struct compiler *c)
{
	return type_int(c->types, 8, true);
}

static const struct type *uint64(struct compiler *c)
{
	return type_int(c->types, 8, false);
}

#define NO_FLOATS                                                                                  \
	"a floating-point number can be kept and shown, but programs can't calculate with it"

bool check_number(struct compiler *c, struct node *n, const char *what)
{
	const struct type *type = check_expr(c, n);

	if (type && type->kind == TYPE_FLOAT)
		check_error(c, n->span, NO_FLOATS);
	else if (type && !type_is_scalar(type))
		check_error(c, n->span, "%s is a number, and this is %s", what,
			    check_text(c, type));
	return type && type_is_scalar(type) && type->kind != TYPE_FLOAT;
}

static bool has_float(struct compiler *c, const struct node *n)
{
	if (n->a->type->kind != TYPE_FLOAT && n->b->type->kind != TYPE_FLOAT)
		return false;
	check_error(c, n->span, NO_FLOATS);
	return true;
}

static int64_t fold(enum op op, int64_t a, int64_t b)
{
	uint64_t ua = a, ub = b;

	switch (op) {
	case OP_ADD:
		return ua + ub;
	case OP_SUB:
		return ua - ub;
	case OP_MUL:
		return ua * ub;
	case OP_DIV:
		return b == -1 ? (int64_t)-ua : a / b;
	case OP_MOD:
		return b == -1 ? 0 : a % b;
	case OP_AND:
		return a & b;
	case OP_OR:
		return a | b;
	case OP_XOR:
		return a ^ b;
	case OP_SHL:
		return ua << (ub & 63);
	default: /* OP_SHR */
		return a >> (ub & 63);
	}
}

bool check_constant(struct compiler *c, struct node *n, int64_t *value)
{
	int64_t a, b;

	switch (n->kind) {
	case NODE_INT:
		*value = n->value;
		return true;
	case NODE_UNARY:
		if (!check_constant(c, n->a, &a))
			return false;
		if (n->op == OP_NEGATE)
			*value = -(uint64_t)a;
		else if (n->op == OP_INVERT)
			*value = ~a;
		else
			return false;
		return true;
	case NODE_BINARY:
		if (n->op < OP_ADD || n->op > OP_SHR || !check_constant(c, n->a, &a) ||
		    !check_constant(c, n->b, &b))
			return false;
		if ((n->op == OP_DIV || n->op == OP_MOD) && !b)
			return false; /* that is said when it happens */
		*value = fold(n->op, a, b);
		return true;
	default:
		return false;
	}
}

/* --- names -------------------------------------------------------------------------------- */

static const struct type *become_constant(struct compiler *c, struct node *n, int64_t value,
					  const struct type *type)
{
	n->kind = NODE_INT;
	n->value = value;
	n->info = (void *)type;
	return type;
}

static const struct type *unknown_name(struct compiler *c, struct node *n)
{
	struct nearest near = { .name = n->name };

	if (!c->final)
		return NULL;
	check_error(c, n->span, "unknown identifier: %s", n->name);
	if (!strcmp(n->name, "latency") || !strcmp(n->name, "entry")) {
		check_hint(c, "it is there in pairs of probes, such as latency:vfs_read");
		return NULL;
	}
	for (const char *const *s = script_builtin_names(); *s; s++)
		nearest_try(&near, *s);
	for (const struct constant *k = c->script->constants; k; k = k->next)
		nearest_try(&near, k->name);
	for (const char *const *s = constant_names(); *s; s++)
		nearest_try(&near, *s);
	if (function_is(n->name))
		check_hint(c, "%s is a function: %s()", n->name, n->name);
	else if (near.best)
		check_hint(c, "did you mean %s?", near.best);
	return NULL;
}

static const struct type *check_name(struct compiler *c, struct node *n)
{
	const struct type *type;
	int64_t value;
	bool known = true;

	type = builtin_check(c, n, &known);
	if (known)
		return type;
	for (const struct constant *k = c->script->constants; k; k = k->next)
		if (!strcmp(k->name, n->name))
			return become_constant(c, n, k->value, k->type ? k->type : int64(c));
	if (names_get(c->unknown, n->name))
		return unknown_name(c, n);
	if (constant_find(n->name, &value))
		return become_constant(c, n, value, int64(c));
	if (!btf_types_error(c->btf) && btf_enumerator(c->btf, n->name, &value, &type))
		return become_constant(c, n, value, type);
	names_put(c->unknown, n->name, c);
	return unknown_name(c, n);
}

static const struct type *check_var(struct compiler *c, struct node *n)
{
	struct variable *v = check_variable(c, n->name);
	struct nearest near = { .name = n->name };

	n->info = v;
	if (v)
		return v->type;
	if (check_outlives(c, n) || !c->final)
		return NULL;
	check_error(c, n->span, "undefined variable: $%s", n->name);
	for (size_t i = 0; i < c->next_variable; i++)
		nearest_try(&near, c->variant->variables[i]->name);
	if (near.best)
		check_hint(c, "did you mean $%s?", near.best);
	return NULL;
}

const struct type *check_map_unknown(struct compiler *c, struct node *n, struct map_use *m)
{
	struct nearest near = { .name = n->name };

	/* @x = @x + 1 */
	if (m->assigned && c->guess)
		return int64(c);
	/* what is wrong with what it is assigned is said there */
	if (!c->final || m->assigned || c->broken)
		return NULL;
	m->told = true;
	check_error(c, n->span, "undefined map: @%s", n->name);
	for (size_t i = 0; i < c->nr_maps; i++)
		if (c->maps[i]->map.value)
			nearest_try(&near, c->maps[i]->map.name);
	if (near.best && *near.best)
		check_hint(c, "did you mean @%s?", near.best);
	return NULL;
}

/* A map's value as a part of an expression. */
static const struct type *check_map_read(struct compiler *c, struct node *n)
{
	struct map_use *m = check_map(c, n);

	if (!m)
		return NULL;
	if (!m->read) {
		m->read = true;
		c->changed = true;
	}
	if (!m->map.value)
		return check_map_unknown(c, n, m);
	return check_value_read(c, m, n->span);
}

const struct type *check_value_read(struct compiler *c, const struct map_use *m, struct span at)
{
	switch (m->map.value->kind) {
	case TYPE_COUNT:
		return uint64(c);
	case TYPE_SUM:
	case TYPE_MIN:
	case TYPE_MAX:
	case TYPE_AVG:
		return int64(c);
	case TYPE_STATS:
	case TYPE_HIST:
	case TYPE_LHIST:
		return check_error(c, at, "@%s is %s: it can be printed, but not be used",
				   m->map.name, check_text(c, m->map.value));
	default:
		return m->map.value;
	}
}

/* --- operators ---------------------------------------------------------------------------- */

static const struct type *check_step(struct compiler *c, struct node *n)
{
	const struct type *type;

	if (n->a->kind == NODE_VAR) {
		type = check_expr(c, n->a);
		if (type && (!type_is_scalar(type) || type->kind == TYPE_FLOAT))
			check_error(c, n->span, "%s can't be counted up or down",
				    check_text(c, type));
		return type;
	}
	if (n->a->kind != NODE_MAP)
		return check_error(c, n->span,
				   "only $variables and @maps can be counted up or down");
	if (!check_map(c, n->a) || !check_map_value(c, n->a, int64(c)))
		return NULL;
	if (type_is_aggregate(((struct map_use *)n->a->info)->map.value))
		return check_error(c, n->span, "@%s is %s: it can't be counted up or down",
				   n->a->name,
				   check_text(c, ((struct map_use *)n->a->info)->map.value));
	return n->a->type;
}

/* &$x: in the program's memory, which is the kernel's. What is there may be read through it. */
static const struct type *check_address(struct compiler *c, struct node *n)
{
	const struct type *type = check_expr(c, n->a);

	if (type && n->a->kind != NODE_VAR) {
		check_error(c, n->span, "& takes a $variable: nothing else has an address here");
		check_hint(c, "a copy has one: $x = ...; &$x");
		return NULL;
	}
	return type ? type_pointer(c->types, type, SPACE_KERNEL) : NULL;
}

static const struct type *check_unary(struct compiler *c, struct node *n)
{
	switch (n->op) {
	case OP_DEREF:
		return check_deref(c, n);
	case OP_ADDRESS:
		return check_address(c, n);
	case OP_PRE_INCREMENT:
	case OP_PRE_DECREMENT:
	case OP_POST_INCREMENT:
	case OP_POST_DECREMENT:
		return check_step(c, n);
	case OP_NOT:
		return check_number(c, n->a, "what ! is applied to") ? type_bool(c->types) : NULL;
	default:
		if (!check_number(c, n->a, "what - or ~ is applied to"))
			return NULL;
		return n->op == OP_NEGATE ? int64(c) : check_kept(c, n->a->type);
	}
}

/* Bytes of arrays that are compared. */
#define ARRAY_COMPARED_MAX 256

static const struct type *check_comparison(struct compiler *c, struct node *n)
{
	const struct type *a = n->a->type, *b = n->b->type;

	if (type_is_text(a) && type_is_text(b)) {
		if (n->op == OP_EQ || n->op == OP_NE)
			return type_bool(c->types);
		return check_error(c, n->span, "texts can be compared by == and != only");
	}
	if ((a->kind == TYPE_STRING_ID && (type_is_text(b) || b == a)) ||
	    (b->kind == TYPE_STRING_ID && type_is_text(a))) {
		if (n->op == OP_EQ || n->op == OP_NE)
			return type_bool(c->types);
		return check_error(c, n->span, "texts can be compared by == and != only");
	}
	if ((a->kind == TYPE_PROBE && n->b->kind == NODE_STRING) ||
	    (b->kind == TYPE_PROBE && n->a->kind == NODE_STRING)) {
		if (n->op == OP_EQ || n->op == OP_NE)
			return type_bool(c->types);
		return check_error(c, n->span, "names can be compared by == and != only");
	}
	if ((a->kind == TYPE_TUPLE || a->kind == TYPE_BUFFER ||
	     (a->kind == TYPE_ARRAY && a->size <= ARRAY_COMPARED_MAX)) &&
	    (n->op == OP_EQ || n->op == OP_NE) && lower_comparable(a, b))
		return type_bool(c->types);
	if (!type_is_scalar(a) || !type_is_scalar(b))
		return check_error(c, n->span, "%s and %s can't be compared", check_text(c, a),
				   check_text(c, b));
	return type_bool(c->types);
}

static const struct type *check_arithmetic(struct compiler *c, struct node *n)
{
	const struct type *a = n->a->type, *b = n->b->type;

	if (!type_is_scalar(a) || !type_is_scalar(b))
		return check_error(c, n->span, "%s can't be applied to %s and %s", op_text(n->op),
				   check_text(c, a), check_text(c, b));
	if (n->op == OP_ADD || n->op == OP_SUB) {
		if (a->kind == TYPE_POINTER && type_is_integer(b))
			return a;
		if (b->kind == TYPE_POINTER && type_is_integer(a) && n->op == OP_ADD)
			return b;
	}
	if (n->op == OP_SUB)
		return int64(c);
	/* a literal takes the sign of what it meets */
	if (n->b->kind == NODE_INT && (int64_t)n->b->value >= 0)
		return type_int(c->types, 8, a->is_signed);
	if (n->a->kind == NODE_INT && (int64_t)n->a->value >= 0)
		return type_int(c->types, 8, b->is_signed);
	if (n->op == OP_SHL || n->op == OP_SHR)
		return type_int(c->types, 8, a->is_signed);
	return type_int(c->types, 8, a->is_signed || b->is_signed);
}

static const struct type *check_binary(struct compiler *c, struct node *n)
{
	const struct type *a = check_expr(c, n->a), *b = check_expr(c, n->b);

	if (!a || !b || has_float(c, n))
		return NULL;
	if (n->op == OP_LOGICAL_AND || n->op == OP_LOGICAL_OR) {
		if (type_is_scalar(a) && type_is_scalar(b))
			return type_bool(c->types);
		return check_error(c, n->span, "%s is for numbers", op_text(n->op));
	}
	if (n->op >= OP_EQ && n->op <= OP_GE)
		return check_comparison(c, n);
	return check_arithmetic(c, n);
}

static const struct type *check_ternary(struct compiler *c, struct node *n)
{
	const struct type *b, *t, *joined;

	if (!check_number(c, n->a, "what stands before ?"))
		return NULL;
	b = n->b ? check_expr(c, n->b) : n->a->type;
	t = check_expr(c, n->c);
	if (!b || !t)
		return NULL;
	if (b->kind == TYPE_VOID && t->kind == TYPE_VOID)
		return b;
	joined = check_join(c, check_kept(c, b), check_kept(c, t));
	if (!joined || type_is_aggregate(joined))
		return check_error(c, n->span, "the two values are %s and %s", check_text(c, b),
				   check_text(c, t));
	return joined;
}

const struct type *check_type_named(struct compiler *c, struct node *n, struct node *like,
				    enum space space)
{
	if (!n->type_name)
		return like ? check_expr(c, like) : NULL;
	return c->final ? cdecl_type(c->cdecl, n->type_name, space, n->span)
			: cdecl_find(c->cdecl, n->type_name, space);
}

enum space check_space(const struct compiler *c)
{
	enum provider p = c->target->point->provider;

	return p >= PROVIDER_UPROBE && p <= PROVIDER_USDT ? SPACE_USER : SPACE_KERNEL;
}

/* Of as many bytes as a number may have. */
static bool is_word_array(const struct type *type)
{
	return type->kind == TYPE_ARRAY && type_is_integer(type->to) &&
	       (type->size == 1 || type->size == 2 || type->size == 4 || type->size == 8);
}

static const struct type *check_cast(struct compiler *c, struct node *n)
{
	const struct type *from = check_expr(c, n->a), *to;
	enum space space = check_space(c);

	if (from && from->kind == TYPE_POINTER && from->space != SPACE_NONE)
		space = from->space;
	to = check_type_named(c, n, n->b, space);
	if (!from || !to)
		return NULL;
	if (to->kind == TYPE_STRING && !to->count && type_is_text(from))
		return from;
	if (to->kind == TYPE_RECORD)
		return check_error(c, n->span, "a cast to %s needs a *", check_text(c, to));
	if (to == from)
		return to;
	if (from->kind == TYPE_FLOAT || to->kind == TYPE_FLOAT)
		return check_error(c, n->span, NO_FLOATS);
	if ((to->kind == TYPE_INT || to->kind == TYPE_BOOL || to->kind == TYPE_ENUM ||
	     to->kind == TYPE_POINTER) &&
	    (type_is_scalar(from) || from->kind == TYPE_USYM))
		return to;
	if (to->kind == TYPE_STRING && type_is_text(from))
		return to;
	if (to->kind == TYPE_INT && is_word_array(from))
		return to;
	if (to->kind == TYPE_ARRAY && type_is_integer(from)) {
		if (!to->count && to->to->size)
			to = type_array(c->types, to->to, from->size / to->to->size);
		if (is_word_array(to))
			return to;
	}
	/* an array of a record that is in truth something else: where it is */
	if (to->kind == TYPE_POINTER && (from->kind == TYPE_ARRAY || type_is_text(from)) &&
	    (n->a->kind == NODE_FIELD || n->a->kind == NODE_INDEX))
		return to;
	return check_error(c, n->span, "%s can't be made of %s", check_text(c, to),
			   check_text(c, from));
}

static const struct type *check_tuple(struct compiler *c, struct node *n)
{
	const struct type **of = arena_alloc(c->arena, n->nr_args * sizeof(*of) + 1);
	bool known = true;

	for (size_t i = 0; i < n->nr_args; i++) {
		of[i] = check_expr(c, n->args[i]);
		if (!of[i])
			known = false;
		else if (type_is_aggregate(of[i]) || of[i]->kind == TYPE_VOID)
			return check_error(c, n->args[i]->span, "%s can't be in a tuple",
					   check_text(c, of[i]));
	}
	return known ? type_tuple(c->types, of, n->nr_args) : NULL;
}

/* (a = 1, b = 2): a tuple whose fields have names. */
static const struct type *check_record(struct compiler *c, struct node *n)
{
	const struct type *tuple = check_tuple(c, n), **of;
	struct type names = { .nr_fields = n->nr_args };

	if (!tuple)
		return NULL;
	of = arena_alloc(c->arena, n->nr_args * sizeof(*of) + 1);
	names.fields = arena_alloc(c->arena, n->nr_args * sizeof(*names.fields) + 1);
	for (size_t i = 0; i < n->nr_args; i++) {
		names.fields[i].name = n->args[i]->field;
		of[i] = tuple->fields[i].type;
	}
	return type_tuple_like(c->types, of, &names);
}

/* --- sizes -------------------------------------------------------------------------------- */

static const struct type *check_sizeof(struct compiler *c, struct node *n)
{
	const struct type *type = check_type_named(c, n, n->a, SPACE_KERNEL);

	if (!type)
		return NULL;
	if (type->kind == TYPE_RECORD)
		record_complete(type);
	/* of a text, its bytes with the NUL */
	return become_constant(c, n, type->kind == TYPE_STRING ? type->count : type->size,
			       uint64(c));
}

static const struct type *check_offsetof(struct compiler *c, struct node *n)
{
	const struct type *type = check_type_named(c, n, n->a, SPACE_KERNEL);
	char *rest, *name = arena_strdup(c->arena, n->name);
	uint32_t offset = 0, at;

	if (!type)
		return NULL;
	for (char *part = strtok_r(name, ".", &rest); part; part = strtok_r(NULL, ".", &rest)) {
		const struct field *f;

		if (type->kind != TYPE_RECORD)
			return check_error(c, n->span, "%s has no fields", check_text(c, type));
		record_complete(type);
		f = type_field(type, part, &at);
		if (!f)
			return check_error(c, n->span, "%s has no field %s", check_text(c, type),
					   part);
		offset += at;
		type = f->type;
	}
	return become_constant(c, n, offset, uint64(c));
}

/* The value of a block may be what a map is assigned: @ = { ...; avg($x) } */
static void check_block_value(struct compiler *c, struct node *n)
{
	bool assigned = c->assigned == n;

	check_statements(c, n->body);
	if (assigned)
		c->assigned = n->a;
	n->type = check_expr(c, n->a);
}

static const struct type *check_int(struct compiler *c, const struct node *n)
{
	if (n->info)
		return n->info;
	if (n->name && (!strcmp(n->name, "true") || !strcmp(n->name, "false")))
		return type_bool(c->types);
	return type_int(c->types, 8, !n->is_unsigned);
}

const struct type *check_expr(struct compiler *c, struct node *n)
{
	if (!n) /* the parser has said what is missing */
		return NULL;
	switch (n->kind) {
	case NODE_INT:
		n->type = check_int(c, n);
		break;
	case NODE_STRING:
		n->type = type_string(c->types, n->length + 1);
		break;
	case NODE_NAME:
		n->type = check_name(c, n);
		break;
	case NODE_VAR:
		n->type = check_var(c, n);
		break;
	case NODE_MAP:
		n->type = check_map_read(c, n);
		break;
	case NODE_UNARY:
		n->type = check_unary(c, n);
		break;
	case NODE_BINARY:
		n->type = check_binary(c, n);
		break;
	case NODE_TERNARY:
		n->type = check_ternary(c, n);
		break;
	case NODE_CAST:
		n->type = check_cast(c, n);
		break;
	case NODE_CALL:
		n->type = function_check(c, n);
		break;
	case NODE_FIELD:
		n->type = check_field(c, n);
		break;
	case NODE_INDEX:
		n->type = check_index(c, n);
		break;
	case NODE_TUPLE:
		n->type = check_tuple(c, n);
		break;
	case NODE_SIZEOF:
		n->type = check_sizeof(c, n);
		break;
	case NODE_OFFSETOF:
		n->type = check_offsetof(c, n);
		break;
	case NODE_ENTRY:
		n->type = latency_check_kept(c, n);
		break;
	case NODE_BLOCK_VALUE:
		c->scope++;
		check_block_value(c, n);
		c->scope--; /* its names are the macro's own: nobody else can mean them */
		break;
	default:
		n->type = check_record(c, n);
	}
	return n->type;
}
