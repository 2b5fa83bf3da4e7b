/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Expressions: to values and places. */
#include <linux/bpf.h>
#include <string.h>

#include "script/compile.h"

/* --- numbers ------------------------------------------------------------------------------ */

/* The counter of the place that instructions come from now. */
static unsigned division_counter(struct compiler *c)
{
	struct compiled *out = c->out;
	struct division *d;

	for (size_t i = 0; i < out->nr_divisions; i++)
		if (out->divisions[i].at.from == c->f->at.from &&
		    out->divisions[i].at.to == c->f->at.to)
			return out->divisions[i].counter;
	if (out->nr_divisions == c->divisions_capacity)
		out->divisions = arena_grow(c->arena, out->divisions, &c->divisions_capacity, 8,
					    sizeof(*out->divisions));
	d = &out->divisions[out->nr_divisions++];
	*d = (struct division){ .at = c->f->at, .counter = out->nr_lost++ };
	return d->counter;
}

/* Is it a constant that was made just now, and not 0? */
static bool is_certain(const struct compiler *c, ir_value v)
{
	const struct ir_block *b = &c->f->blocks[c->f->block];
	const struct ir_insn *last = b->nr ? &b->insns[b->nr - 1] : NULL;

	return last && last->op == IR_CONST && last->to == v && last->imm;
}

static ir_value divide(struct compiler *c, enum op op, ir_value a, ir_value b, bool is_signed)
{
	if (is_signed)
		return ir_runtime(c->f, op == OP_DIV ? "rt_div" : "rt_mod", IR_SCALAR, 2, a, b);
	return ir_binary(c->f, op == OP_DIV ? IR_UDIV : IR_UMOD, a, b);
}

/* By 0: the result is 1, as bpftrace has it since 0.22, and how often that was is counted. */
static ir_value lower_division(struct compiler *c, enum op op, ir_value a, ir_value b,
			       bool is_signed)
{
	uint32_t none, some, after;
	unsigned counter;
	ir_value result;

	if (is_certain(c, b))
		return divide(c, op, a, b, is_signed);
	counter = division_counter(c);
	result = ir_variable(c->f, IR_SCALAR);
	none = ir_block(c->f);
	some = ir_block(c->f);
	after = ir_block(c->f);
	ir_branch_imm(c->f, IR_EQ, b, 0, none, some);
	ir_enter(c->f, none);
	lower_count_lost(c, counter);
	ir_set(c->f, result, ir_const(c->f, 1));
	ir_jump(c->f, after);
	ir_enter(c->f, some);
	ir_set(c->f, result, divide(c, op, a, b, is_signed));
	ir_jump(c->f, after);
	ir_enter(c->f, after);
	return result;
}

ir_value lower_arithmetic(struct compiler *c, enum op op, ir_value a, ir_value b, bool is_signed)
{
	static const enum ir_op plain[] = {
		[OP_ADD] = IR_ADD, [OP_SUB] = IR_SUB, [OP_MUL] = IR_MUL, [OP_AND] = IR_AND,
		[OP_OR] = IR_OR,   [OP_XOR] = IR_XOR, [OP_SHL] = IR_SHL, [OP_SHR] = IR_SHR,
	};

	if (is_signed && op == OP_SHR)
		return ir_binary(c->f, IR_SAR, a, b);
	if (op == OP_DIV || op == OP_MOD)
		return lower_division(c, op, a, b, is_signed);
	return ir_binary(c->f, plain[op], a, b);
}

static bool is_negative(struct compiler *c, struct node *n)
{
	int64_t value;

	return check_constant(c, n, &value) && value < 0;
}

/* Of a comparison or a division: by sign? A literal that is not negative says nothing. */
static bool is_signed(struct compiler *c, struct node *n)
{
	int64_t value;
	bool a = n->a->type->is_signed, b = n->b->type->is_signed;

	if (is_negative(c, n->a) || is_negative(c, n->b))
		return true;
	if (check_constant(c, n->a, &value))
		return b;
	if (check_constant(c, n->b, &value))
		return a;
	return a || b;
}

static uint32_t lower_pointer_step(const struct type *type)
{
	return type->kind == TYPE_POINTER && type->to->size ? type->to->size : 1;
}

ir_value lower_steps(struct compiler *c, struct node *n, const struct type *type)
{
	uint32_t step = lower_pointer_step(type);
	ir_value value = lower_expr(c, n);

	return step == 1 ? value : ir_binary_imm(c->f, IR_MUL, value, step);
}

static ir_value lower_arithmetic_node(struct compiler *c, struct node *n)
{
	const struct type *a = n->a->type, *b = n->b->type;
	bool by_sign = is_signed(c, n);
	ir_value left, right;
	int64_t value;

	if (check_constant(c, n, &value))
		return ir_const(c->f, value);
	if (n->type->kind == TYPE_POINTER) {
		left = lower_steps(c, n->a, b);
		right = lower_steps(c, n->b, a);
		return lower_arithmetic(c, n->op, left, right, false);
	}
	/* a division by a constant that is not negative needs no look at its sign */
	left = lower_expr(c, n->a);
	right = lower_expr(c, n->b);
	if (n->op == OP_SHR)
		by_sign = a->is_signed;
	return lower_arithmetic(c, n->op, left, right, by_sign);
}

static enum ir_cond condition_of(enum op op, bool by_sign)
{
	switch (op) {
	case OP_EQ:
		return IR_EQ;
	case OP_NE:
		return IR_NE;
	case OP_LT:
		return by_sign ? IR_SLT : IR_ULT;
	case OP_GT:
		return by_sign ? IR_SGT : IR_UGT;
	case OP_LE:
		return by_sign ? IR_SLE : IR_ULE;
	default:
		return by_sign ? IR_SGE : IR_UGE;
	}
}

/* --- conditions --------------------------------------------------------------------------- */

/* probe == "kprobe:vfs_read", func == "vfs_read": goes on in @is or @is_not. */
static void compare_probe(struct compiler *c, struct node *probe, const struct node *name,
			  uint32_t is, uint32_t is_not)
{
	ir_value number = lower_expr(c, probe);

	for (size_t i = c->variant->first_name; i < c->out->nr_probe_names; i++) {
		uint32_t next;

		if (strcmp(c->out->probe_names[i], name->text))
			continue;
		next = ir_block(c->f);
		ir_branch_imm(c->f, IR_EQ, number, i, is, next);
		ir_enter(c->f, next);
	}
	ir_jump(c->f, is_not);
}

/* Texts of which one is a part of a key, so its id: that of the other is the same, or not. */
static void compare_ids(struct compiler *c, struct node *n, uint32_t equal, uint32_t otherwise)
{
	const struct type *type = type_of_kind(c->types, TYPE_STRING_ID);
	ir_value at[2], differs = 0;

	for (int i = 0; i < 2; i++) {
		at[i] = ir_scratch(c->f, lower_place(c, type->size, n->span));
		lower_key_part(c, i ? n->b : n->a, type, at[i], 0);
	}
	for (int i = 0; i < 2; i++) {
		ir_value a = ir_load(c->f, at[0], 8 * i, 8, false);
		ir_value b = ir_load(c->f, at[1], 8 * i, 8, false);

		a = ir_binary(c->f, IR_XOR, a, b);
		differs = i ? ir_binary(c->f, IR_OR, differs, a) : a;
	}
	ir_branch_imm(c->f, IR_EQ, differs, 0, equal, otherwise);
}

static void lower_comparison(struct compiler *c, struct node *n, uint32_t then, uint32_t otherwise)
{
	enum ir_cond cond = condition_of(n->op, is_signed(c, n));
	ir_value a, b;
	int64_t value;

	if (n->a->type->kind == TYPE_PROBE && n->b->kind == NODE_STRING) {
		compare_probe(c, n->a, n->b, n->op == OP_EQ ? then : otherwise,
			      n->op == OP_EQ ? otherwise : then);
		return;
	}
	if (n->b->type->kind == TYPE_PROBE && n->a->kind == NODE_STRING) {
		compare_probe(c, n->b, n->a, n->op == OP_EQ ? then : otherwise,
			      n->op == OP_EQ ? otherwise : then);
		return;
	}
	if (n->a->type->kind == TYPE_STRING_ID || n->b->type->kind == TYPE_STRING_ID) {
		compare_ids(c, n, n->op == OP_EQ ? then : otherwise,
			    n->op == OP_EQ ? otherwise : then);
		return;
	}
	if (type_is_text(n->a->type)) {
		a = lower_text_equal(c, n->a, n->b, 0);
		ir_branch_imm(c->f, n->op == OP_EQ ? IR_NE : IR_EQ, a, 0, then, otherwise);
		return;
	}
	if (!type_is_scalar(n->a->type)) {
		if (n->op == OP_EQ)
			lower_equal(c, n->a, n->b, then, otherwise);
		else
			lower_equal(c, n->a, n->b, otherwise, then);
		return;
	}
	a = lower_expr(c, n->a);
	if (check_constant(c, n->b, &value) && value == (int32_t)value) {
		ir_branch_imm(c->f, cond, a, value, then, otherwise);
		return;
	}
	b = lower_expr(c, n->b);
	ir_branch(c->f, cond, a, b, then, otherwise);
}

void lower_condition(struct compiler *c, struct node *n, uint32_t then, uint32_t otherwise)
{
	uint32_t next;

	if (n->kind == NODE_UNARY && n->op == OP_NOT) {
		lower_condition(c, n->a, otherwise, then);
		return;
	}
	if (n->kind == NODE_BINARY && (n->op == OP_LOGICAL_AND || n->op == OP_LOGICAL_OR)) {
		next = ir_block(c->f);
		if (n->op == OP_LOGICAL_AND)
			lower_condition(c, n->a, next, otherwise);
		else
			lower_condition(c, n->a, then, next);
		ir_enter(c->f, next);
		lower_condition(c, n->b, then, otherwise);
		return;
	}
	if (n->kind == NODE_BINARY && n->op >= OP_EQ && n->op <= OP_GE) {
		lower_comparison(c, n, then, otherwise);
		return;
	}
	if (type_is_text(n->type)) {
		/* a text is true unless it is empty */
		ir_value at = lower_expr(c, n);

		ir_branch_imm(c->f, IR_NE,
			      ir_load(c->f, at, 0, n->type->kind == TYPE_COMM ? 1 : 4, false), 0,
			      then, otherwise);
		return;
	}
	ir_branch_imm(c->f, IR_NE, lower_expr(c, n), 0, then, otherwise);
}

static ir_value condition_value(struct compiler *c, struct node *n)
{
	uint32_t then = ir_block(c->f), otherwise = ir_block(c->f), after = ir_block(c->f);
	ir_value value = ir_variable(c->f, IR_SCALAR);

	lower_condition(c, n, then, otherwise);
	ir_enter(c->f, then);
	ir_set(c->f, value, ir_const(c->f, 1));
	ir_jump(c->f, after);
	ir_enter(c->f, otherwise);
	ir_set(c->f, value, ir_const(c->f, 0));
	ir_jump(c->f, after);
	ir_enter(c->f, after);
	return value;
}

/* --- the rest ----------------------------------------------------------------------------- */

static ir_value lower_ternary(struct compiler *c, struct node *n)
{
	uint32_t then = ir_block(c->f), otherwise = ir_block(c->f), after = ir_block(c->f);
	bool nothing = n->type->kind == TYPE_VOID, scalar = type_is_scalar(n->type);
	ir_value value = scalar ? ir_variable(c->f, IR_SCALAR) : 0;
	uint32_t place = scalar || nothing ? 0 : lower_place(c, n->type->size, n->span);
	struct node *side[2] = { n->b ? n->b : n->a, n->c };

	lower_condition(c, n->a, then, otherwise);
	for (int i = 0; i < 2; i++) {
		ir_enter(c->f, i ? otherwise : then);
		if (scalar)
			ir_set(c->f, value, lower_expr(c, side[i]));
		else if (nothing)
			lower_expr(c, side[i]);
		else
			lower_into(c, side[i], n->type, ir_scratch(c->f, place), 0);
		if (!ir_ended(c->f))
			ir_jump(c->f, after);
	}
	ir_enter(c->f, after);
	return scalar || nothing ? value : ir_scratch(c->f, place);
}

static ir_value lower_cast(struct compiler *c, struct node *n)
{
	ir_value value;

	if (n->type->kind == TYPE_POINTER && !type_is_scalar(n->a->type) &&
	    n->a->type->kind != TYPE_USYM)
		return lower_address(c, n->a);
	value = lower_expr(c, n->a);
	if (n->type->kind == TYPE_ARRAY && type_is_integer(n->a->type)) {
		ir_value at = ir_scratch(c->f, lower_place(c, 8, n->span));

		ir_store(c->f, at, 0, 8, value);
		return at;
	}
	if (n->a->type->kind == TYPE_ARRAY)
		value = ir_load(c->f, value, 0, n->a->type->size, false);
	if (n->a->type->kind == TYPE_USYM)
		value = ir_load(c->f, value, 0, 8, false);
	if (n->type->kind == TYPE_BOOL)
		return condition_value(c, n->a);
	if ((n->type->kind == TYPE_INT || n->type->kind == TYPE_ENUM) && n->type->size < 8)
		return ir_extend(c->f, value, n->type->size, n->type->is_signed);
	return value;
}

static ir_value lower_step(struct compiler *c, struct node *n)
{
	bool before = n->op == OP_POST_INCREMENT || n->op == OP_POST_DECREMENT;
	bool up = n->op == OP_PRE_INCREMENT || n->op == OP_POST_INCREMENT;
	struct variable *v = n->a->info;
	int64_t step = lower_pointer_step(n->type);
	ir_value old, now;

	if (n->a->kind == NODE_MAP)
		return lower_map_change(c, n->a, up ? OP_ADD : OP_SUB, ir_const(c->f, step), true,
					before);
	old = lower_variable(c, v);
	now = ir_binary_imm(c->f, IR_ADD, old, up ? step : -step);
	lower_variable_set(c, v, now);
	return before ? old : now;
}

/* Of a text, where its bytes are, as a text in the kernel's memory has them. */
static ir_value lower_address_of(struct compiler *c, const struct variable *v)
{
	uint32_t at = v->place + (v->type->kind == TYPE_STRING || v->type->kind == TYPE_BUFFER
					  ? offsetof(struct rt_string, bytes)
					  : 0);

	return lower_forget(c, ir_scratch(c->f, at));
}

static ir_value lower_unary(struct compiler *c, struct node *n)
{
	int64_t value;

	switch (n->op) {
	case OP_DEREF:
		if (n->a->type->kind == TYPE_INT || !n->type->size)
			break;
		return lower_location(c, n);
	case OP_NOT:
		return condition_value(c, n);
	case OP_ADDRESS:
		return lower_address_of(c, n->a->info);
	case OP_NEGATE:
		if (check_constant(c, n, &value))
			return ir_const(c->f, value);
		return ir_negate(c->f, lower_expr(c, n->a));
	case OP_INVERT:
		return ir_binary_imm(c->f, IR_XOR, lower_expr(c, n->a), -1);
	default:
		return lower_step(c, n);
	}
	return lower_location(c, n);
}

static ir_value lower_tuple(struct compiler *c, struct node *n)
{
	uint32_t place = lower_place(c, n->type->size, n->span);

	lower_into(c, n, n->type, ir_scratch(c->f, place), 0);
	return ir_scratch(c->f, place);
}

static ir_value lower_var(struct compiler *c, struct node *n)
{
	struct variable *v = n->info;

	return type_is_scalar(v->type) ? lower_variable(c, v) : ir_scratch(c->f, v->place);
}

ir_value lower_expr(struct compiler *c, struct node *n)
{
	struct span before = c->f->at;
	ir_value value = 0;

	c->f->at = n->span;
	switch (n->kind) {
	case NODE_INT:
		value = ir_const(c->f, n->value);
		break;
	case NODE_STRING:
		value = ir_rodata(c->f, lower_literal(c, n->text, n->length));
		break;
	case NODE_NAME:
		value = builtin_lower(c, n);
		break;
	case NODE_VAR:
		value = lower_var(c, n);
		break;
	case NODE_MAP:
		value = lower_map_read(c, n);
		break;
	case NODE_UNARY:
		value = lower_unary(c, n);
		break;
	case NODE_BINARY:
		value = n->op >= OP_EQ ? condition_value(c, n) : lower_arithmetic_node(c, n);
		break;
	case NODE_TERNARY:
		value = lower_ternary(c, n);
		break;
	case NODE_CAST:
		value = lower_cast(c, n);
		break;
	case NODE_CALL:
		value = function_lower(c, n);
		break;
	case NODE_FIELD:
	case NODE_INDEX:
		value = lower_location(c, n);
		break;
	case NODE_TUPLE:
	case NODE_RECORD:
		value = lower_tuple(c, n);
		break;
	case NODE_ENTRY:
		value = latency_lower_kept(c, n);
		break;
	case NODE_BLOCK_VALUE:
		lower_statements(c, n->body);
		value = lower_expr(c, n->a);
		break;
	default:
		break;
	}
	c->f->at = before;
	return value;
}

/* --- into a place ------------------------------------------------------------------------- */

static void tuple_into(struct compiler *c, struct node *n, const struct type *type, ir_value to,
		       uint32_t offset)
{
	for (size_t i = 0; i < n->nr_args; i++) {
		const struct field *f = lower_part(n, type, i);

		lower_into(c, n->args[i], f->type, to, offset + f->offset);
	}
}

void lower_into(struct compiler *c, struct node *n, const struct type *type, ir_value to,
		uint32_t offset)
{
	ir_value from, at;

	if (type_is_scalar(type)) {
		ir_store(c->f, to, offset, type->size, lower_expr(c, n));
		return;
	}
	if ((n->kind == NODE_TUPLE || n->kind == NODE_RECORD) && type->kind == TYPE_TUPLE) {
		uint32_t used = 0;

		for (size_t i = 0; i < type->nr_fields; i++)
			used += type->fields[i].type->size;
		if (used != type->size)
			lower_zero(c, to, offset, type->size);
		tuple_into(c, n, type, to, offset);
		return;
	}
	if (type->kind == TYPE_STRING) {
		at = offset ? ir_binary_imm(c->f, IR_ADD, to, offset) : to;
		if (n->type->kind == TYPE_COMM)
			ir_runtime(c->f, "rt_str_comm", IR_SCALAR, 2, at, lower_expr(c, n));
		else if (!call_text_to(c, n, at, type->count))
			lower_text_copy(c, at, type->count, lower_expr(c, n));
		return;
	}
	if (type->kind == TYPE_BUFFER && n->type != type) {
		from = lower_expr(c, n);
		at = offset ? ir_binary_imm(c->f, IR_ADD, to, offset) : to;
		lower_text_copy(c, at, type->count, from);
		return;
	}
	from = lower_expr(c, n);
	if (type->kind == TYPE_TUPLE && n->type != type)
		lower_zero(c, to, offset, type->size);
	lower_convert(c, type, to, offset, n->type, from, 0);
}

/* --- constant bytes ----------------------------------------------------------------------- */

uint32_t lower_rodata_own(struct compiler *c, const void *bytes, size_t size)
{
	uint32_t at = c->rodata_size;

	if (c->rodata_size + size + 8 > c->rodata_capacity)
		c->rodata = arena_grow(c->arena, c->rodata, &c->rodata_capacity,
				       c->rodata_size + size + 8, 1);
	memcpy(c->rodata + at, bytes, size);
	c->rodata_size = (c->rodata_size + size + 7) & ~7ull;
	return at;
}

uint32_t lower_rodata(struct compiler *c, const void *bytes, size_t size)
{
	for (size_t i = 0; i < c->nr_constants; i++) {
		const struct constant_bytes *k = &c->constants[i];

		if (k->size == size && !memcmp(c->rodata + k->at, bytes, size))
			return k->at;
	}
	if (c->nr_constants == c->constants_capacity)
		c->constants = arena_grow(c->arena, c->constants, &c->constants_capacity, 16,
					  sizeof(*c->constants));
	c->constants[c->nr_constants].size = size;
	c->constants[c->nr_constants].at = lower_rodata_own(c, bytes, size);
	return c->constants[c->nr_constants++].at;
}

uint32_t lower_zeroes(struct compiler *c, uint32_t size)
{
	if (size <= 64)
		return 0; /* compile.c begins with these */
	if (size > c->zeroes_size) {
		c->zeroes = lower_rodata_own(c, arena_alloc(c->arena, size), size);
		c->zeroes_size = size;
	}
	return c->zeroes;
}

uint32_t lower_literal(struct compiler *c, const char *text, size_t len)
{
	struct rt_string *s;

	len = strnlen(text, len);
	if (len >= RT_STRING_MAX)
		len = RT_STRING_MAX - 1;
	s = arena_alloc(c->arena, RT_STRING_SIZE(len + 1));
	s->len = len;
	memcpy(s->bytes, text, len);
	return lower_rodata(c, s, RT_STRING_SIZE(len + 1));
}
