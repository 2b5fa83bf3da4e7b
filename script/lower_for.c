/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * for ($kv : @map): the body is a function that the kernel calls for each element (5.13). It shares
 * the scratch of the program, and so its $variables, which stand there in a clause that has such a
 * loop.
 */
#include <string.h>

#include "script/compile.h"

struct saved {
	struct ir_function *f;
	uint32_t leave;
	struct loop *loop;
};

/* The key is where $kv.0 is. The value of an aggregate becomes what it is as a number. */
static void lower_value(struct compiler *c, const struct map_use *m, const struct variable *kv,
			uint32_t value_at)
{
	const struct field *to = &kv->type->fields[1];
	ir_value at = ir_scratch(c->f, value_at), value;

	if (!type_is_aggregate(m->map.value)) {
		lower_copy(c, ir_scratch(c->f, kv->place), to->offset, at, 0, to->type->size);
		return;
	}
	value = ir_load(c->f, at, 0, 8, false);
	if (m->map.value->kind == TYPE_AVG)
		value = ir_runtime(c->f, "rt_div", IR_SCALAR, 2, value,
				   ir_load(c->f, at, offsetof(struct rt_sum, count), 8, false));
	ir_store(c->f, ir_scratch(c->f, kv->place), to->offset, 8, value);
}

static void begin_body(struct compiler *c, const struct map_use *m, const struct variable *kv,
		       uint32_t value_at)
{
	struct ir_function *f = ir_function_new(c->arena, c->f->name);

	f->is_callback = true;
	f->at = c->f->at;
	f->context_has_pointers = c->f->context_has_pointers;
	f->key_at = kv->place;
	f->key_size = m->map.key->size;
	f->value_at = value_at;
	f->value_size = load_value_size(&m->map);
	c->f = f;
}

/* Blocks that go on with the next element, or end the loop; with @flag set, the program, too. */
static uint32_t answer(struct compiler *c, int64_t value, uint32_t flag, bool set_flag)
{
	uint32_t block = ir_block(c->f);

	ir_enter(c->f, block);
	if (set_flag)
		ir_store_imm(c->f, ir_scratch(c->f, flag), 0, 8, 1);
	ir_return(c->f, value);
	return block;
}

static struct ir_function *lower_body(struct compiler *c, struct node *n, uint32_t flag)
{
	const struct map_use *m = n->a->info;
	const struct variable *kv = n->info;
	uint32_t value_at = lower_place(c, load_value_size(&m->map), n->span);
	struct saved before = { c->f, c->leave, c->loop };
	struct loop loop = { .outer = c->loop };
	struct ir_function *body;
	uint32_t start;

	begin_body(c, m, kv, value_at);
	start = c->f->block;
	loop.again = answer(c, 0, flag, false);
	loop.after = answer(c, 1, flag, false);
	c->leave = answer(c, 1, flag, true);
	c->loop = &loop;
	ir_enter(c->f, start);
	lower_value(c, m, kv, value_at);
	lower_statements(c, n->body);
	if (!ir_ended(c->f))
		ir_return(c->f, 0);
	body = c->f;
	c->f = before.f;
	c->leave = before.leave;
	c->loop = before.loop;
	return body;
}

void lower_for_map(struct compiler *c, struct node *n)
{
	const struct map_use *m = n->a->info;
	uint32_t flag = lower_place(c, 8, n->span), after = ir_block(c->f);
	struct ir_function *body;

	ir_store_imm(c->f, ir_scratch(c->f, flag), 0, 8, 0);
	body = lower_body(c, n, flag);
	body->scratch = c->scratch_max;
	ir_for_each(c->f, m->map.index, body);
	ir_branch_imm(c->f, IR_EQ, ir_load(c->f, ir_scratch(c->f, flag), 0, 8, false), 0, after,
		      c->leave);
	ir_enter(c->f, after);
}
