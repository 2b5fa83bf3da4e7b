/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Loops whose body is a function that the kernel calls: for ($kv : @map) (5.13), and those whose
 * number of rounds is not known now (5.17). The body shares the scratch of the program, and so its
 * $variables, which stand there in a clause that has such a loop.
 */
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <string.h>

#include "script/compile.h"

/* What is put aside while a body is lowered. */
struct outside {
	struct ir_function *f;
	uint32_t leave;
	struct loop *loop;
};

/* Blocks that go on with the next round, or end the loop; with @flag set, the program, too. */
static uint32_t answer(struct compiler *c, int64_t value, uint32_t flag, bool set_flag)
{
	uint32_t block = ir_block(c->f);

	ir_enter(c->f, block);
	if (set_flag)
		ir_store_imm(c->f, ir_scratch(c->f, flag), 0, 8, 1);
	ir_return(c->f, value);
	return block;
}

static struct outside enter_body(struct compiler *c, struct loop *loop, uint32_t flag)
{
	struct outside before = { c->f, c->leave, c->loop };
	uint32_t start;

	c->f = ir_callback_new(c->f);
	start = c->f->block;
	*loop = (struct loop){ .outer = c->loop };
	loop->again = answer(c, 0, flag, false);
	loop->after = answer(c, 1, flag, false);
	c->leave = answer(c, 1, flag, true);
	c->loop = loop;
	ir_enter(c->f, start);
	return before;
}

static struct ir_function *leave_body(struct compiler *c, const struct outside *before)
{
	struct ir_function *body = c->f;

	if (!ir_ended(c->f))
		ir_jump(c->f, c->loop->again);
	c->f = before->f;
	c->leave = before->leave;
	c->loop = before->loop;
	return body;
}

/* Did the body end the program? */
static void leave_if(struct compiler *c, uint32_t flag)
{
	uint32_t after = ir_block(c->f);

	ir_branch_imm(c->f, IR_EQ, ir_load(c->f, ir_scratch(c->f, flag), 0, 8, false), 0, after,
		      c->leave);
	ir_enter(c->f, after);
}

static uint32_t new_flag(struct compiler *c, struct node *n)
{
	uint32_t flag = lower_place(c, 8, n->span);

	ir_store_imm(c->f, ir_scratch(c->f, flag), 0, 8, 0);
	return flag;
}

/* --- over a map --------------------------------------------------------------------------- */

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

void lower_for_map(struct compiler *c, struct node *n)
{
	const struct map_use *m = n->a->info;
	const struct variable *kv = n->info;
	uint32_t value_at = lower_place(c, load_value_size(&m->map), n->span);
	uint32_t flag = new_flag(c, n);
	struct ir_function *body;
	struct outside before;
	struct loop loop;

	before = enter_body(c, &loop, flag);
	c->f->key_at = kv->place;
	c->f->key_size = m->map.key->size;
	c->f->value_at = value_at;
	c->f->value_size = load_value_size(&m->map);
	lower_value(c, m, kv, value_at);
	lower_statements(c, n->body);
	body = leave_body(c, &before);
	ir_for_each(c->f, m->map.index, body);
	leave_if(c, flag);
}

/* How many keys a map has: the body counts. */
ir_value lower_map_length(struct compiler *c, const struct map_use *m, struct node *n)
{
	uint32_t count = new_flag(c, n), flag = new_flag(c, n);
	uint32_t key_at = lower_place(c, m->map.key->size, n->span);
	struct ir_function *body;
	struct outside before;
	struct loop loop;
	ir_value now;

	before = enter_body(c, &loop, flag);
	c->f->key_at = key_at;
	c->f->key_size = m->map.key->size;
	now = ir_load(c->f, ir_scratch(c->f, count), 0, 8, false);
	now = ir_binary_imm(c->f, IR_ADD, now, 1);
	ir_store(c->f, ir_scratch(c->f, count), 0, 8, now);
	body = leave_body(c, &before);
	ir_for_each(c->f, m->map.index, body);
	return ir_load(c->f, ir_scratch(c->f, count), 0, 8, false);
}

/* --- again and again ---------------------------------------------------------------------- */

static bool has_loops(struct compiler *c)
{
	static int known = -1;

	if (known < 0)
		known = libbpf_probe_bpf_helper(BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_FUNC_loop,
						NULL) != 0;
	return known;
}

/* Is it a loop whose number of rounds is not known now, or too large to follow each? */
static bool is_long(struct compiler *c, struct node *n)
{
	int64_t from, to;

	if (n->kind == NODE_FOR_MAP)
		return true;
	if ((n->kind != NODE_WHILE && n->kind != NODE_FOR_RANGE) || !has_loops(c))
		return false;
	return n->kind == NODE_WHILE || !check_constant(c, n->a, &from) ||
	       !check_constant(c, n->b, &to) || to - from > LOWER_ROUNDS;
}

struct search {
	struct compiler *c;
	bool found;
};

static void find_long(struct node *n, void *ctx)
{
	struct search *s = ctx;

	s->found |= is_long(s->c, n);
}

static void find_address(struct node *n, void *ctx)
{
	struct search *s = ctx;

	s->found |= n->kind == NODE_UNARY && n->op == OP_ADDRESS;
}

bool lower_has_addresses(struct compiler *c, struct node *n)
{
	struct search s = { .c = c };

	node_walk(n, find_address, &s);
	return s.found;
}

bool lower_has_called(struct compiler *c, struct node *n)
{
	struct search s = { .c = c };

	node_walk(n, find_long, &s);
	return s.found;
}

/* A loop with few rounds is followed round by round, unless there is a long one in it: the verifier
 * would look at that in each round anew. */
bool lower_is_called(struct compiler *c, struct node *n)
{
	return is_long(c, n) || lower_has_called(c, n->body);
}

void lower_loop_left(struct compiler *c, struct node *n, unsigned rounds)
{
	struct statement *s = lower_send(c, n, ACTION_WARNF, NULL, 0);

	s->format = arena_printf(c->arena,
				 "this loop was left after %u rounds: what comes after it may be "
				 "wrong\n",
				 rounds);
	s->format_len = strlen(s->format);
}

#define ROUNDS_CALLED (1 << 23) /* BPF_MAX_LOOPS */

void lower_called_loop(struct compiler *c, struct node *n)
{
	uint32_t flag = new_flag(c, n), end = 0, inside, all, after;
	const struct variable *v = n->info;
	struct ir_function *body;
	struct outside before;
	struct loop loop;
	ir_value rounds, now;

	if (n->kind == NODE_FOR_RANGE) {
		end = lower_place(c, 8, n->span);
		rounds = lower_expr(c, n->b);
		ir_store(c->f, ir_scratch(c->f, end), 0, 8, rounds);
		/* each round begins by going on to its number */
		rounds = ir_binary_imm(c->f, IR_SUB, lower_expr(c, n->a), 1);
		lower_variable_set(c, v, rounds);
	}
	before = enter_body(c, &loop, flag);
	inside = ir_block(c->f);
	if (n->kind == NODE_FOR_RANGE) {
		lower_variable_set(c, v, ir_binary_imm(c->f, IR_ADD, lower_variable(c, v), 1));
		now = lower_variable(c, v);
		ir_branch(c->f, IR_SLT, now, ir_load(c->f, ir_scratch(c->f, end), 0, 8, true),
			  inside, loop.after);
	} else {
		lower_condition(c, n->a, inside, loop.after);
	}
	ir_enter(c->f, inside);
	lower_statements(c, n->body);
	body = leave_body(c, &before);
	rounds = ir_loop(c->f, ROUNDS_CALLED, body);
	leave_if(c, flag);
	all = ir_block(c->f);
	after = ir_block(c->f);
	ir_branch_imm(c->f, IR_EQ, rounds, ROUNDS_CALLED, all, after);
	ir_enter(c->f, all);
	lower_loop_left(c, n, ROUNDS_CALLED);
	ir_jump(c->f, after);
	ir_enter(c->f, after);
}
