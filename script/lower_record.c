/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a program sends: a record with the values of a statement's arguments. */
#include <string.h>

#include "script/compile.h"

static bool is_tail(const struct type *type)
{
	return type->kind == TYPE_STRING || type->kind == TYPE_BUFFER;
}

static const struct type *sent_as(struct compiler *c, const struct node *n)
{
	return n->type->kind == TYPE_INT ? type_int(c->types, 8, n->type->is_signed) : n->type;
}

static struct statement *statement_new(struct compiler *c, struct node *n, enum action action)
{
	struct compiled *out = c->out;
	struct statement *s = arena_alloc(c->arena, sizeof(*s));

	if (out->nr_statements == c->statements_capacity)
		out->statements = arena_grow(c->arena, out->statements, &c->statements_capacity, 16,
					     sizeof(*out->statements));
	s->action = action;
	s->at = n->span;
	s->number = out->nr_statements;
	s->lost = out->nr_lost++;
	out->statements[out->nr_statements++] = s;
	return s;
}

void lower_send_record(struct compiler *c, const struct statement *s, uint32_t record,
		       ir_value size, uint32_t most)
{
	ir_value at = ir_scratch(c->f, record), bound;

	ir_store_imm(c->f, at, offsetof(struct rt_record, statement), 4, s->number);
	bound = ir_const(c->f, most);
	ir_runtime(c->f, "rt_send", IR_SCALAR, 4, at, size, bound,
		   ir_global(c->f, offsetof(struct rt_globals, lost) + 8 * s->lost));
}

/* Types and offsets of the arguments; returns the bytes that the texts need at most. */
static uint32_t lay_out(struct compiler *c, struct statement *s, struct node **args, size_t nr)
{
	uint32_t at = sizeof(struct rt_record), texts = 0;

	s->args = arena_alloc(c->arena, nr * sizeof(*s->args) + 1);
	s->nr_args = nr;
	for (size_t i = 0; i < nr; i++) {
		const struct type *type = sent_as(c, args[i]);

		s->args[i].type = type;
		s->args[i].offset = at;
		if (is_tail(type)) {
			at += sizeof(struct rt_tail);
			texts += (type->count + 7) & ~7u;
		} else {
			at += (type_is_scalar(type) ? 8 : type->size + 7) & ~7u;
		}
	}
	s->size = at;
	return texts;
}

/* Appends the text of @n behind what is at @offset. */
static ir_value append(struct compiler *c, struct node *n, uint32_t record, ir_value offset,
		       const struct argument *arg, uint32_t most)
{
	int64_t where = (int64_t)arg->offset << 32 | most;
	ir_value to = ir_scratch(c->f, record), next, text, room;

	next = call_text_append(c, n, to, offset, arg->type->count, where);
	if (next)
		return next;
	text = lower_text(c, n);
	to = ir_scratch(c->f, record);
	room = ir_const(c->f, arg->type->count);
	return ir_runtime(c->f, "rt_append", IR_SCALAR, 5, to, offset, room, text,
			  ir_const(c->f, where));
}

static void put_argument(struct compiler *c, struct node *n, const struct argument *arg,
			 uint32_t record)
{
	ir_value to;

	if (type_is_scalar(arg->type)) {
		ir_value value = lower_expr(c, n);

		ir_store(c->f, ir_scratch(c->f, record), arg->offset, 8, value);
		return;
	}
	to = ir_scratch(c->f, record);
	if (arg->type->size % 8)
		lower_zero(c, to, arg->offset, arg->type->size);
	lower_into(c, n, arg->type, to, arg->offset);
}

struct statement *lower_send(struct compiler *c, struct node *n, enum action action,
			     struct node **args, size_t nr)
{
	struct statement *s = statement_new(c, n, action);
	uint32_t texts = lay_out(c, s, args, nr), all = s->size + texts;
	uint32_t record = lower_place(c, all, n->span), most = s->size;
	ir_value size = 0;

	for (size_t i = 0; i < nr; i++) {
		uint32_t before = c->scratch;

		if (!is_tail(s->args[i].type)) {
			put_argument(c, args[i], &s->args[i], record);
		} else {
			if (!size) {
				size = ir_variable(c->f, IR_SCALAR);
				ir_set(c->f, size, ir_const(c->f, s->size));
			}
			ir_set(c->f, size, append(c, args[i], record, size, &s->args[i], most));
			most += (s->args[i].type->count + 7) & ~7u;
		}
		c->scratch = before;
	}
	lower_send_record(c, s, record, size ? size : ir_const(c->f, s->size), all);
	return s;
}

struct statement *lower_statement_new(struct compiler *c, struct node *n, enum action action,
				      size_t nr_args, uint32_t room)
{
	struct statement *s = statement_new(c, n, action);

	s->args = arena_alloc(c->arena, nr_args * sizeof(*s->args));
	s->nr_args = nr_args;
	for (size_t i = 0; i < nr_args; i++) {
		s->args[i].type = i ? type_string(c->types, room) : type_int(c->types, 8, false);
		s->args[i].offset = sizeof(struct rt_record) + 8 * i;
	}
	s->size = sizeof(struct rt_record) + 8 * nr_args;
	return s;
}

struct statement *lower_send_key(struct compiler *c, struct node *n, const struct map_use *m,
				 struct node *key)
{
	struct statement *s = statement_new(c, n, ACTION_PRINT_ENTRY);
	uint32_t at = sizeof(struct rt_record), size = at + ((m->map.key->size + 7) & ~7u);
	uint32_t record = lower_place(c, size, n->span);

	s->args = arena_alloc(c->arena, sizeof(*s->args));
	s->nr_args = 1;
	s->args[0].type = m->map.key;
	s->args[0].offset = at;
	s->size = size;
	lower_zero(c, ir_scratch(c->f, record), at, m->map.key->size);
	lower_key_part(c, key, m->map.key, ir_scratch(c->f, record), at);
	lower_send_record(c, s, record, ir_const(c->f, size), size);
	return s;
}
