/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Tuples that are places already, as those of $variables are: what they become where a map or a
 * variable has wider parts, and whether two are equal. Both go part by part, for what lies between
 * the parts, and in a text behind its end, is anything.
 */
#include <string.h>

#include "script/compile.h"

static ir_value plus(struct compiler *c, ir_value base, uint32_t offset)
{
	return offset ? ir_binary_imm(c->f, IR_ADD, base, offset) : base;
}

static ir_value load_scalar(struct compiler *c, const struct type *type, ir_value base,
			    uint32_t offset)
{
	return ir_load(c->f, base, offset, type->size, type->is_signed);
}

static void text_into(struct compiler *c, const struct type *type, ir_value to, uint32_t offset,
		      const struct type *from_type, ir_value from, uint32_t from_offset)
{
	to = plus(c, to, offset);
	from = plus(c, from, from_offset);
	if (from_type->kind == TYPE_COMM)
		ir_runtime(c->f, "rt_str_comm", IR_SCALAR, 2, to, from);
	else
		lower_text_copy(c, to, type->count, from);
}

/* The field of @type that is the i-th of @like: by its name, where they have names. */
static const struct field *part_like(const struct type *type, const struct type *like, size_t i)
{
	uint32_t offset;

	return type_field(type, like->fields[i].name, &offset);
}

const struct field *lower_part(const struct node *n, const struct type *type, size_t i)
{
	uint32_t offset;

	return n->kind == NODE_RECORD ? type_field(type, n->args[i]->field, &offset)
				      : &type->fields[i];
}

static void parts_into(struct compiler *c, const struct type *type, ir_value to, uint32_t offset,
		       const struct type *from_type, ir_value from, uint32_t from_offset)
{
	for (size_t i = 0; i < type->nr_fields; i++) {
		const struct field *f = &type->fields[i], *g = part_like(from_type, type, i);

		lower_convert(c, f->type, to, offset + f->offset, g->type, from,
			      from_offset + g->offset);
	}
}

void lower_convert(struct compiler *c, const struct type *type, ir_value to, uint32_t offset,
		   const struct type *from_type, ir_value from, uint32_t from_offset)
{
	if (type_is_scalar(type) && type_is_scalar(from_type))
		ir_store(c->f, to, offset, type->size,
			 load_scalar(c, from_type, from, from_offset));
	else if (type->kind == TYPE_STRING_ID && type_is_text(from_type))
		lower_place_id(c, from_type, plus(c, from, from_offset), to, offset);
	else if (type->kind == TYPE_STRING && type_is_text(from_type))
		text_into(c, type, to, offset, from_type, from, from_offset);
	else if (type->kind == TYPE_BUFFER && from_type != type)
		text_into(c, type, to, offset, from_type, from, from_offset);
	else if (type->kind == TYPE_TUPLE && from_type->kind == TYPE_TUPLE && from_type != type)
		parts_into(c, type, to, offset, from_type, from, from_offset);
	else
		lower_copy(c, to, offset, from, from_offset, type->size);
}

/* --- equality ----------------------------------------------------------------------------- */

static void branch_words_equal(struct compiler *c, const struct type *type, ir_value a,
			       uint32_t at_a, ir_value b, uint32_t at_b, uint32_t otherwise)
{
	for (uint32_t at = 0; at < type->size;) {
		uint32_t left = type->size - at, part = left >= 8   ? 8
							: left >= 4 ? 4
							: left >= 2 ? 2
								    : 1;
		uint32_t next = ir_block(c->f);
		ir_value of_a = ir_load(c->f, a, at_a + at, part, false);

		ir_branch(c->f, IR_EQ, of_a, ir_load(c->f, b, at_b + at, part, false), next,
			  otherwise);
		ir_enter(c->f, next);
		at += part;
	}
}

/* As a struct rt_string, wherever it is. */
static ir_value text_at(struct compiler *c, const struct type *type, ir_value base, uint32_t offset)
{
	uint32_t place;

	if (type->kind != TYPE_COMM)
		return plus(c, base, offset);
	place = lower_place(c, RT_STRING_SIZE(16), c->f->at);
	base = plus(c, base, offset);
	ir_runtime(c->f, "rt_str_comm", IR_SCALAR, 2, ir_scratch(c->f, place), base);
	return ir_scratch(c->f, place);
}

static void branch_texts_equal(struct compiler *c, const struct type *type_a, ir_value a,
			       uint32_t at_a, const struct type *type_b, ir_value b, uint32_t at_b,
			       uint32_t otherwise)
{
	uint32_t room =
		type_room(type_a) < type_room(type_b) ? type_room(type_a) : type_room(type_b);
	uint32_t next = ir_block(c->f);
	ir_value equal;

	a = text_at(c, type_a, a, at_a);
	b = text_at(c, type_b, b, at_b);
	equal = ir_runtime(c->f, "rt_str_equal", IR_SCALAR, 3, a, b, ir_const(c->f, room));
	ir_branch_imm(c->f, IR_NE, equal, 0, next, otherwise);
	ir_enter(c->f, next);
}

static void branch_parts_equal(struct compiler *c, const struct type *type_a, ir_value a,
			       uint32_t at_a, const struct type *type_b, ir_value b, uint32_t at_b,
			       uint32_t otherwise)
{
	uint32_t next;

	if (type_is_scalar(type_a)) {
		next = ir_block(c->f);
		a = load_scalar(c, type_a, a, at_a);
		ir_branch(c->f, IR_EQ, a, load_scalar(c, type_b, b, at_b), next, otherwise);
		ir_enter(c->f, next);
	} else if (type_is_text(type_a) || type_a->kind == TYPE_BUFFER) {
		branch_texts_equal(c, type_a, a, at_a, type_b, b, at_b, otherwise);
	} else if (type_a->kind == TYPE_TUPLE) {
		for (size_t i = 0; i < type_a->nr_fields; i++) {
			const struct field *f = &type_a->fields[i];
			const struct field *g = part_like(type_b, type_a, i);

			branch_parts_equal(c, f->type, a, at_a + f->offset, g->type, b,
					   at_b + g->offset, otherwise);
		}
	} else {
		branch_words_equal(c, type_a, a, at_a, b, at_b, otherwise);
	}
}

bool lower_comparable(const struct type *a, const struct type *b)
{
	if (type_is_scalar(a) || type_is_text(a))
		return type_is_scalar(a) ? type_is_scalar(b) : type_is_text(b);
	if (a->kind != b->kind)
		return false;
	if (a->kind == TYPE_BUFFER)
		return true;
	if (a->kind != TYPE_TUPLE)
		return a == b;
	for (size_t i = 0; a->nr_fields == b->nr_fields && i < a->nr_fields; i++) {
		const struct field *g = part_like(b, a, i);

		if (!g || !lower_comparable(a->fields[i].type, g->type))
			return false;
	}
	return a->nr_fields == b->nr_fields;
}

void lower_equal(struct compiler *c, struct node *a, struct node *b, uint32_t then,
		 uint32_t otherwise)
{
	ir_value left = lower_expr(c, a), right = lower_expr(c, b);

	branch_parts_equal(c, a->type, left, 0, b->type, right, 0, otherwise);
	ir_jump(c->f, then);
}
