/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Calls that give texts, or are about them: str(), buf(), strncmp(), strcontains() ... */
#include <linux/bpf.h>
#include <string.h>

#include "script/compile.h"

/* --- str() and buf() ---------------------------------------------------------------------- */

/* Where a number that is taken for an address leads: what probes of a process see is the user's. */
static enum space space_of(struct compiler *c, const struct node *n)
{
	if (n->type->kind == TYPE_POINTER && n->type->space != SPACE_NONE)
		return n->type->space == SPACE_CONTEXT ? SPACE_KERNEL : n->type->space;
	return check_space(c) == SPACE_USER ? SPACE_USER : SPACE_NONE;
}

static bool is_bytes(const struct type *type)
{
	return type->kind == TYPE_ARRAY && type->to->size == 1;
}

/* As bpftrace has it since 0.23: below that, a NUL behind max_strlen bytes is not one of them. */
#define NUL_IS_EXTRA 1024

/* The length that a script asks for, where it is known now, bounded by max_strlen. That of str()
 * counts the NUL. */
static uint32_t room_for(struct compiler *c, struct node *n)
{
	uint64_t most = c->config->max_strlen;
	int64_t length;

	if (n->nr_args > 1 && check_constant(c, n->args[1], &length) && length >= 0 &&
	    (uint64_t)length <= most)
		most = length ? length : 1;
	else if (!strcmp(n->name, "str") && most < NUL_IS_EXTRA)
		most++;
	return most < RT_STRING_MAX ? most : RT_STRING_MAX;
}

/* Is it the script that says where a text ends? Then what is left out there was not wanted. */
static bool has_length(struct compiler *c, struct node *n)
{
	int64_t length;

	return n->nr_args > 1 && check_constant(c, n->args[1], &length) && length >= 0 &&
	       (uint64_t)length <= c->config->max_strlen;
}

static const struct type *check_str(struct compiler *c, struct node *n)
{
	struct node *a = n->args[0];
	const struct type *type;

	/* str($1): whatever was given is a text here */
	if (a->positional && a->kind == NODE_INT && a->text) {
		a->kind = NODE_STRING;
		a->length = strlen(a->text);
	}
	type = check_expr(c, a);
	if (n->nr_args > 1 && !check_number(c, n->args[1], "str()'s length"))
		return NULL;
	if (!type)
		return NULL;
	if (type_is_text(type))
		return type;
	if (!type_is_scalar(type) && !is_bytes(type))
		return check_error(c, n->span, "str() takes an address, and this is %s",
				   check_text(c, type));
	return type_string(c->types, room_for(c, n));
}

static const struct type *check_buf(struct compiler *c, struct node *n)
{
	const struct type *type = check_expr(c, n->args[0]);
	uint32_t room, own = 0;

	if (n->nr_args > 1 && !check_number(c, n->args[1], "buf()'s length"))
		return NULL;
	if (!type)
		return NULL;
	/* of what the program has itself, not more than there is */
	if (type->kind == TYPE_ARRAY)
		own = type->count * type->to->size;
	else if (type_is_text(type))
		own = type_room(type);
	else if (!type_is_scalar(type))
		return check_error(c, n->span, "buf() takes an address, and this is %s",
				   check_text(c, type));
	else if (n->nr_args == 1)
		return check_error(c, n->span, "buf() needs a length here: buf(address, length)");
	room = n->nr_args == 1 ? own : room_for(c, n);
	if (own && own < room)
		room = own;
	return type_buffer(c->types, room ? room : 1);
}

/* The length that is wanted, with the NUL, is not known before; it is not more than there is. */
static void cut_to(struct compiler *c, struct node *n, ir_value to, uint32_t room)
{
	uint32_t shorter = ir_block(c->f), some = ir_block(c->f), none = ir_block(c->f),
		 cut = ir_block(c->f), after = ir_block(c->f);
	ir_value wanted = lower_expr(c, n->args[1]), len;

	len = ir_load(c->f, to, offsetof(struct rt_string, len), 4, false);
	ir_branch(c->f, IR_UGE, len, wanted, shorter, after);
	ir_enter(c->f, shorter);
	ir_branch_imm(c->f, IR_EQ, wanted, 0, none, some);
	ir_enter(c->f, none);
	ir_store_imm(c->f, to, offsetof(struct rt_string, len), 4, 0);
	ir_jump(c->f, cut);
	ir_enter(c->f, some);
	ir_store(c->f, to, offsetof(struct rt_string, len), 4,
		 ir_binary_imm(c->f, IR_SUB, wanted, 1));
	ir_jump(c->f, cut);
	ir_enter(c->f, cut);
	ir_store_imm(c->f, to, offsetof(struct rt_string, cut), 4, 0);
	/* onto itself: what is behind the end now becomes NUL */
	ir_runtime(c->f, "rt_str_copy", IR_SCALAR, 3, to, ir_const(c->f, room), to);
	ir_jump(c->f, after);
	ir_enter(c->f, after);
}

/* The address that str() and buf() read from, and where it leads. */
static ir_value read_from(struct compiler *c, struct node *a, enum space *space)
{
	*space = space_of(c, a);
	if (a->type->kind != TYPE_ARRAY && !type_is_text(a->type))
		return lower_expr(c, a);
	/* a copy in the program's own memory, which is the kernel's */
	*space = SPACE_KERNEL;
	if (a->type->kind == TYPE_STRING)
		return ir_binary_imm(c->f, IR_ADD, lower_expr(c, a),
				     offsetof(struct rt_string, bytes));
	return lower_expr(c, a);
}

static bool is_read(const struct node *n)
{
	return n->kind == NODE_CALL && (!strcmp(n->name, "str") || !strcmp(n->name, "buf"));
}

bool call_text_to(struct compiler *c, struct node *n, ir_value to, uint32_t room)
{
	enum space space;
	ir_value from, len;
	int64_t length;

	if (!is_read(n) || (!strcmp(n->name, "str") && type_is_text(n->args[0]->type)))
		return false;
	from = read_from(c, n->args[0], &space);
	if (!strcmp(n->name, "str")) {
		if (n->type->count < room)
			room = n->type->count;
		ir_runtime(c->f, lower_reader(c, "rt_str", space), IR_SCALAR, 3, to,
			   ir_const(c->f, room), from);
		if (has_length(c, n) && room == n->type->count)
			ir_store_imm(c->f, to, offsetof(struct rt_string, cut), 4, 0);
		else if (n->nr_args > 1 && !check_constant(c, n->args[1], &length))
			cut_to(c, n, to, room);
		return true;
	}
	len = n->nr_args > 1 ? lower_expr(c, n->args[1]) : ir_const(c->f, n->type->count);
	ir_runtime(c->f, lower_reader(c, "rt_buf", space == SPACE_NONE ? SPACE_KERNEL : space),
		   IR_SCALAR, 4, to, ir_const(c->f, room), from, len);
	return true;
}

ir_value call_text_append(struct compiler *c, struct node *n, ir_value record, ir_value offset,
			  uint32_t room, int64_t where)
{
	ir_value from, next, most;
	enum space space;
	int64_t constant;

	if (!is_read(n) || strcmp(n->name, "str") || type_is_text(n->args[0]->type) ||
	    (n->nr_args > 1 && !check_constant(c, n->args[1], &constant)))
		return 0;
	from = read_from(c, n->args[0], &space);
	most = ir_const(c->f, room);
	next = ir_runtime(c->f, lower_reader(c, "rt_append", space), IR_SCALAR, 5, record, offset,
			  most, from, ir_const(c->f, where));
	if (has_length(c, n))
		ir_store_imm(c->f, record, (where >> 32) + offsetof(struct rt_tail, cut), 4, 0);
	return next;
}

static ir_value lower_str(struct compiler *c, struct node *n)
{
	uint32_t place;

	if (!strcmp(n->name, "str") && type_is_text(n->args[0]->type))
		return lower_expr(c, n->args[0]);
	place = lower_place(c, RT_STRING_SIZE(n->type->count), n->span);
	call_text_to(c, n, ir_scratch(c->f, place), n->type->count);
	return ir_scratch(c->f, place);
}

/* --- comparing ---------------------------------------------------------------------------- */

static bool texts(struct compiler *c, struct node *n)
{
	for (size_t i = 0; i < 2; i++) {
		const struct type *type;

		check_expr(c, n->args[i]);
		type = builtin_as_text(c, n->args[i]);
		if (!type)
			return false;
		if (!type_is_text(type)) {
			check_error(c, n->args[i]->span, "%s() takes texts, and this is %s",
				    n->name, check_text(c, type));
			return false;
		}
	}
	return true;
}

static const struct type *check_strncmp(struct compiler *c, struct node *n)
{
	int64_t length;

	if (!texts(c, n))
		return NULL;
	check_expr(c, n->args[2]);
	if (!check_constant(c, n->args[2], &length) || length < 0)
		return check_error(c, n->args[2]->span,
				   "strncmp() needs a constant length that is not below 0");
	return type_int(c->types, 8, false);
}

/* 0 where they are equal, as in C; 1 where they are not. */
static ir_value lower_strncmp(struct compiler *c, struct node *n)
{
	ir_value equal = lower_text_equal(c, n->args[0], n->args[1], lower_expr(c, n->args[2]));

	return ir_binary_imm(c->f, IR_XOR, equal, 1);
}

static const struct type *check_strcontains(struct compiler *c, struct node *n)
{
	return texts(c, n) ? type_bool(c->types) : NULL;
}

static ir_value lower_strcontains(struct compiler *c, struct node *n)
{
	ir_value a = lower_text(c, n->args[0]), b = lower_text(c, n->args[1]);
	ir_value room = ir_const(c->f, type_room(n->args[0]->type));

	return ir_runtime(c->f, "rt_str_contains", IR_SCALAR, 4, a, room, b,
			  ir_const(c->f, type_room(n->args[1]->type)));
}

static const struct type *check_strcmp(struct compiler *c, struct node *n)
{
	return texts(c, n) ? type_int(c->types, 8, false) : NULL;
}

static ir_value lower_strcmp(struct compiler *c, struct node *n)
{
	return ir_binary_imm(c->f, IR_XOR, lower_text_equal(c, n->args[0], n->args[1], 0), 1);
}

const struct function_def function_texts[] = {
	{ "str", 1, 2, check_str, lower_str },
	{ "buf", 1, 2, check_buf, lower_str },
	{ "strncmp", 3, 3, check_strncmp, lower_strncmp },
	{ "strcmp", 2, 2, check_strcmp, lower_strcmp },
	{ "strcontains", 2, 2, check_strcontains, lower_strcontains },
	{ 0 },
};
