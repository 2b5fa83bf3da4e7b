/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Texts: where they are put, copied and compared. */
#include <string.h>

#include "script/compile.h"

const char *lower_reader(struct compiler *c, const char *stem, enum space space)
{
	const char *end = space == SPACE_USER ? "user" : space == SPACE_NONE ? "any" : "kernel";

	return arena_printf(c->arena, "%s_%s", stem, end);
}

void lower_text_copy(struct compiler *c, ir_value to, uint32_t room, ir_value from)
{
	ir_runtime(c->f, "rt_str_copy", IR_SCALAR, 3, to, ir_const(c->f, room), from);
}

void lower_text_to(struct compiler *c, struct node *n, uint32_t place, uint32_t room)
{
	ir_value to = ir_scratch(c->f, place);

	if (n->type->kind == TYPE_COMM)
		ir_runtime(c->f, "rt_str_comm", IR_SCALAR, 2, to, lower_expr(c, n));
	else if (!call_text_to(c, n, to, room))
		lower_text_copy(c, to, room, lower_expr(c, n));
}

ir_value lower_text(struct compiler *c, struct node *n)
{
	uint32_t place;

	if (n->type->kind != TYPE_COMM)
		return lower_expr(c, n);
	place = lower_place(c, RT_STRING_SIZE(16), n->span);
	lower_text_to(c, n, place, 16);
	return ir_scratch(c->f, place);
}

/* A comm is 16 bytes with NULs behind the name: two words to compare with a literal. */
static ir_value comm_is(struct compiler *c, struct node *comm, const struct node *literal)
{
	char bytes[16] = { 0 };
	uint64_t words[2];
	ir_value at, differs = 0;

	if (literal->length > 15)
		return ir_const(c->f, 0);
	memcpy(bytes, literal->text, strnlen(literal->text, literal->length));
	memcpy(words, bytes, sizeof(words));
	at = lower_expr(c, comm);
	for (int i = 0; i < 2; i++) {
		ir_value word = ir_load(c->f, at, 8 * i, 8, false);

		word = ir_binary(c->f, IR_XOR, word, ir_const(c->f, words[i]));
		differs = i ? ir_binary(c->f, IR_OR, differs, word) : word;
	}
	/* 1 where it is 0: nothing but 0 has neither itself nor its negative below 0 */
	differs = ir_binary(c->f, IR_OR, differs, ir_negate(c->f, differs));
	differs = ir_binary_imm(c->f, IR_SHR, differs, 63);
	return ir_binary_imm(c->f, IR_XOR, differs, 1);
}

ir_value lower_text_equal(struct compiler *c, struct node *a, struct node *b, ir_value length)
{
	uint32_t room_a = type_room(a->type), room_b = type_room(b->type);
	ir_value room, left, right;

	if (!length && a->type->kind == TYPE_COMM && b->kind == NODE_STRING)
		return comm_is(c, a, b);
	if (!length && b->type->kind == TYPE_COMM && a->kind == NODE_STRING)
		return comm_is(c, b, a);
	left = lower_text(c, a);
	right = lower_text(c, b);
	room = ir_const(c->f, room_a < room_b ? room_a : room_b);
	if (length)
		return ir_runtime(c->f, "rt_str_equal_n", IR_SCALAR, 4, left, right, room, length);
	return ir_runtime(c->f, "rt_str_equal", IR_SCALAR, 3, left, right, room);
}
