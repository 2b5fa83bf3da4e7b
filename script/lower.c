/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Statements, and the frame of a program. */
#include <linux/bpf.h>
#include <string.h>
#include <bpf/libbpf.h>

#include "base/cgroup.h"
#include "lib/core/filter.shared.h"
#include "script/compile.h"

/* --- places ------------------------------------------------------------------------------- */

uint32_t lower_place(struct compiler *c, uint32_t size, struct span at)
{
	uint32_t place = c->scratch;

	c->scratch += (size + 7) & ~7u;
	if (c->scratch > c->scratch_max)
		c->scratch_max = c->scratch;
	return place;
}

ir_value lower_forget(struct compiler *c, ir_value pointer)
{
	ir_value at = ir_scratch(c->f, lower_place(c, 8, c->f->at));

	ir_store(c->f, at, 0, 8, pointer);
	return ir_load(c->f, at, 0, 8, false);
}

void lower_zero(struct compiler *c, ir_value base, uint32_t offset, uint32_t size)
{
	for (uint32_t at = 0; at < ((size + 7) & ~7u); at += 8)
		ir_store_imm(c->f, base, offset + at, 8, 0);
}

/* More words than these are copied by a call. */
#define COPIED_BY_WORD 64

void lower_copy(struct compiler *c, ir_value to, uint32_t to_offset, ir_value from,
		uint32_t from_offset, uint32_t size)
{
	if (size > COPIED_BY_WORD) {
		to = to_offset ? ir_binary_imm(c->f, IR_ADD, to, to_offset) : to;
		from = from_offset ? ir_binary_imm(c->f, IR_ADD, from, from_offset) : from;
		ir_call(c->f, BPF_FUNC_probe_read_kernel, IR_SCALAR, 3, to, ir_const(c->f, size),
			from);
		return;
	}
	for (uint32_t at = 0; at < size;) {
		uint32_t part = size - at >= 8 ? 8 : size - at >= 4 ? 4 : size - at >= 2 ? 2 : 1;

		ir_store(c->f, to, to_offset + at, part,
			 ir_load(c->f, from, from_offset + at, part, false));
		at += part;
	}
}

/* --- statements --------------------------------------------------------------------------- */

static void place_variable(struct compiler *c, struct variable *v)
{
	if (v->placed)
		return;
	v->placed = true;
	if (type_is_scalar(v->type) && !c->in_memory)
		v->value = ir_variable(c->f, IR_SCALAR);
	else
		v->place = lower_place(c, v->type->size < 8 ? 8 : v->type->size, c->f->at);
}

ir_value lower_variable(struct compiler *c, const struct variable *v)
{
	ir_value copy;

	if (c->in_memory)
		return ir_load(c->f, ir_scratch(c->f, v->place), 0, 8, false);
	/* it may be assigned to before this value is used: $x + ($x = 1) */
	copy = ir_variable(c->f, IR_SCALAR);
	ir_set(c->f, copy, v->value);
	return copy;
}

void lower_variable_set(struct compiler *c, const struct variable *v, ir_value value)
{
	if (c->in_memory)
		ir_store(c->f, ir_scratch(c->f, v->place), 0, 8, value);
	else
		ir_set(c->f, v->value, value);
}

static void set_variable(struct compiler *c, struct variable *v, struct node *value)
{
	if (type_is_scalar(v->type))
		lower_variable_set(c, v, lower_expr(c, value));
	else
		lower_into(c, value, v->type, ir_scratch(c->f, v->place), 0);
}

static void lower_assign(struct compiler *c, struct node *n)
{
	struct variable *v = n->a->info;
	ir_value value;

	if (n->a->kind == NODE_MAP && n->op == OP_NONE) {
		lower_map_assign(c, n->a, n->b);
	} else if (n->a->kind == NODE_MAP) {
		value = lower_steps(c, n->b, n->a->type);
		lower_map_change(c, n->a, n->op, value, false, false);
	} else if (n->op == OP_NONE) {
		set_variable(c, v, n->b);
	} else {
		value = lower_steps(c, n->b, v->type);
		value = lower_arithmetic(c, n->op, lower_variable(c, v), value, v->type->is_signed);
		lower_variable_set(c, v, value);
	}
}

static void lower_let(struct compiler *c, struct node *n)
{
	struct variable *v = n->info;

	if (n->b)
		set_variable(c, v, n->b);
	else if (type_is_scalar(v->type))
		lower_variable_set(c, v, ir_const(c->f, 0));
	else
		lower_zero(c, ir_scratch(c->f, v->place), 0, v->type->size);
}

static void lower_if(struct compiler *c, struct node *n)
{
	uint32_t then = ir_block(c->f), after = ir_block(c->f);
	uint32_t otherwise = n->otherwise ? ir_block(c->f) : after;

	lower_condition(c, n->a, then, otherwise);
	ir_enter(c->f, then);
	lower_statements(c, n->body);
	if (!ir_ended(c->f))
		ir_jump(c->f, after);
	if (n->otherwise) {
		ir_enter(c->f, otherwise);
		lower_statements(c, n->otherwise);
		if (!ir_ended(c->f))
			ir_jump(c->f, after);
	}
	ir_enter(c->f, after);
}

/* How many rounds a loop has at the most. What it counts may be in memory, where the verifier does
 * not follow it: then it would look at all that there may be. */
static uint32_t rounds_of(struct compiler *c, struct node *n, bool *known)
{
	int64_t from, to;

	*known = n->kind == NODE_FOR_RANGE && check_constant(c, n->a, &from) &&
		 check_constant(c, n->b, &to) && (to <= from || to - from <= LOWER_ROUNDS);
	if (!*known)
		return LOWER_ROUNDS;
	return to > from ? to - from : 0;
}

/* As many rounds as there may be: something may be wrong. */
static void loop_is_full(struct compiler *c, struct node *n, uint32_t after)
{
	uint32_t left = ir_block(c->f);

	if (n->kind == NODE_FOR_RANGE)
		ir_jump(c->f, left);
	else
		lower_condition(c, n->a, left, after);
	ir_enter(c->f, left);
	lower_loop_left(c, n, LOWER_ROUNDS);
	ir_jump(c->f, after);
}

static void lower_loop(struct compiler *c, struct node *n)
{
	bool is_range = n->kind == NODE_FOR_RANGE;
	uint32_t head = ir_block(c->f), body = ir_block(c->f), next = ir_block(c->f);
	struct loop loop = { .again = next, .after = ir_block(c->f), .outer = c->loop };
	ir_value rounds = ir_variable(c->f, IR_SCALAR), end = 0;
	struct variable *v = n->info;
	uint32_t inside = ir_block(c->f), full = ir_block(c->f), most;
	bool known;

	most = rounds_of(c, n, &known);
	if (is_range) {
		place_variable(c, v);
		lower_variable_set(c, v, lower_expr(c, n->a));
		end = ir_variable(c->f, IR_SCALAR);
		ir_set(c->f, end, lower_expr(c, n->b));
	}
	ir_set(c->f, rounds, ir_const(c->f, 0));
	ir_jump(c->f, head);
	ir_enter(c->f, head);
	ir_branch_imm(c->f, IR_UGE, rounds, most, full, inside);
	ir_enter(c->f, inside);
	if (is_range)
		ir_branch(c->f, IR_SLT, lower_variable(c, v), end, body, loop.after);
	else
		lower_condition(c, n->a, body, loop.after);
	ir_enter(c->f, body);
	c->loop = &loop;
	lower_statements(c, n->body);
	c->loop = loop.outer;
	if (!ir_ended(c->f))
		ir_jump(c->f, next);
	ir_enter(c->f, next);
	ir_set(c->f, rounds, ir_binary_imm(c->f, IR_ADD, rounds, 1));
	if (is_range)
		lower_variable_set(c, v, ir_binary_imm(c->f, IR_ADD, lower_variable(c, v), 1));
	ir_jump(c->f, head);
	ir_enter(c->f, full);
	if (known)
		ir_jump(c->f, loop.after);
	else
		loop_is_full(c, n, loop.after);
	ir_enter(c->f, loop.after);
}

/* The kernel takes a million instructions, and a jump reaches over 32,767. */
#define INSNS_MAX 100000

static void lower_unroll(struct compiler *c, struct node *n)
{
	int64_t times = 0;

	check_constant(c, n->a, &times);
	while (times-- > 0 && !ir_ended(c->f)) {
		if (c->f->nr_insns > INSNS_MAX) {
			source_error(c->source, n->span,
				     "this unroll makes too long a program of it");
			return;
		}
		lower_statements(c, n->body);
	}
}

static void lower_statement(struct compiler *c, struct node *n)
{
	switch (n->kind) {
	case NODE_EXPRESSION:
		lower_expr(c, n->a);
		break;
	case NODE_ASSIGN:
		lower_assign(c, n);
		break;
	case NODE_LET:
		lower_let(c, n);
		break;
	case NODE_IF:
		lower_if(c, n);
		break;
	case NODE_UNROLL:
		lower_unroll(c, n);
		break;
	case NODE_WHILE:
	case NODE_FOR_RANGE:
		if (lower_is_called(c, n))
			lower_called_loop(c, n);
		else
			lower_loop(c, n);
		break;
	case NODE_FOR_MAP:
		lower_for_map(c, n);
		break;
	case NODE_RETURN:
		ir_jump(c->f, c->leave);
		break;
	case NODE_BREAK:
		ir_jump(c->f, c->loop->after);
		break;
	case NODE_CONTINUE:
		ir_jump(c->f, c->loop->again);
		break;
	case NODE_BLOCK:
		lower_statements(c, n->body);
		break;
	default:
		lower_expr(c, n);
	}
}

void lower_statements(struct compiler *c, struct node *n)
{
	for (; n; n = n->next) {
		uint32_t before = c->scratch;

		/* what follows a return is never reached */
		if (ir_ended(c->f))
			return;
		c->f->at = n->span;
		lower_statement(c, n);
		c->scratch = before;
	}
}

/* --- who is looked at --------------------------------------------------------------------- */

void lower_keep_if(struct compiler *c, enum ir_cond cond, ir_value a, int64_t value)
{
	uint32_t next = ir_block(c->f);

	ir_branch_imm(c->f, cond, a, value, next, c->leave);
	ir_enter(c->f, next);
}

/* One of these ids, or none of them is looked at. */
static void keep_ids(struct compiler *c, ir_value id, const __u32 *ids, unsigned nr)
{
	uint32_t next = ir_block(c->f);

	for (unsigned i = 0; i < nr; i++) {
		uint32_t other = ir_block(c->f);

		ir_branch_imm(c->f, IR_EQ, id, ids[i], next, other);
		ir_enter(c->f, other);
	}
	ir_jump(c->f, c->leave);
	ir_enter(c->f, next);
}

static void keep_uid(struct compiler *c, uint32_t uid)
{
	ir_value own = ir_call(c->f, BPF_FUNC_get_current_uid_gid, IR_SCALAR, 0);

	own = ir_extend(c->f, own, 4, false);
	lower_keep_if(c, IR_EQ, ir_binary(c->f, IR_XOR, own, ir_const(c->f, uid)), 0);
}

static void keep_comm(struct compiler *c, const struct filter *filter)
{
	ir_value at = builtin_comm(c, c->f->at);
	uint64_t words[2];

	memcpy(words, filter->comm, sizeof(words));
	for (int i = 0; i < 2; i++) {
		ir_value word = ir_load(c->f, at, 8 * i, 8, false);
		ir_value differs = ir_binary(c->f, IR_XOR, word, ir_const(c->f, words[i]));

		lower_keep_if(c, IR_EQ, differs, 0);
	}
}

static uint32_t field_offset(struct compiler *c, const char *record, const char *field)
{
	const struct type *type = btf_type(c->btf, "struct", record);
	uint32_t offset = 0;

	if (type)
		record_complete(type);
	if (!type || !type_field(type, field, &offset))
		source_error(
			c->source, c->f->at,
			"--cgroup needs BTF on this kernel, and there is no field %s of %s in it",
			field, record);
	return offset;
}

/* Of a record of the kernel's. */
static ir_value read_field(struct compiler *c, uint32_t place, ir_value from, const char *record,
			   const char *field, uint32_t more)
{
	uint32_t offset = field_offset(c, record, field) + more;

	lower_read(c, SPACE_KERNEL, place, 8, ir_binary_imm(c->f, IR_ADD, from, offset));
	return ir_load(c->f, ir_scratch(c->f, place), 0, 8, false);
}

/* bpf_get_current_ancestor_cgroup_id() by hand: programs that trace have it from 5.15 on. Until 6.0
 * a cgroup had the ids of those above it. */
static ir_value ancestor_by_hand(struct compiler *c, int level)
{
	uint32_t place = lower_place(c, 8, c->f->at);
	ir_value at = ir_call(c->f, BPF_FUNC_get_current_task, IR_SCALAR, 0), depth;

	at = read_field(c, place, at, "task_struct", "cgroups", 0);
	at = read_field(c, place, at, "css_set", "dfl_cgrp", 0);
	depth = ir_extend(c->f, read_field(c, place, at, "cgroup", "level", 0), 4, true);
	lower_keep_if(c, IR_SGE, depth, level);
	return read_field(c, place, at, "cgroup", "ancestor_ids", 8 * level);
}

/* In the cgroup, or below it: the one above the task's that is as deep as the wanted one. */
static void keep_cgroup(struct compiler *c, uint64_t id)
{
	const enum bpf_func_id helper = BPF_FUNC_get_current_ancestor_cgroup_id;
	int level = cgroup_level(id);
	ir_value above;

	if (level < 0) {
		source_error(c->source, c->f->at,
			     "--cgroup: how deep this cgroup is can't be told: %s",
			     strerror(-level));
		return;
	}
	if (!libbpf_probe_bpf_helper(BPF_PROG_TYPE_RAW_TRACEPOINT, helper, NULL))
		above = ancestor_by_hand(c, level);
	else
		above = ir_call(c->f, helper, IR_SCALAR, 1, ir_const(c->f, level));
	lower_keep_if(c, IR_EQ, ir_binary(c->f, IR_XOR, above, ir_const(c->f, id)), 0);
}

/* The filters of the command line, for what the kernel runs: the task that the probe is hit by. */
static void lower_filter(struct compiler *c, const struct filter *filter)
{
	ir_value ids;

	if (!filter || c->target->attach == ATTACH_RUN)
		return;
	if (filter->nr_pids || filter->nr_tids) {
		ids = ir_call(c->f, BPF_FUNC_get_current_pid_tgid, IR_SCALAR, 0);
		if (filter->nr_pids)
			keep_ids(c, ir_binary_imm(c->f, IR_SHR, ids, 32), filter->pids,
				 filter->nr_pids);
		if (filter->nr_tids)
			keep_ids(c, ir_extend(c->f, ids, 4, false), filter->tids, filter->nr_tids);
	}
	if (filter->by_uid)
		keep_uid(c, filter->uid);
	if (filter->by_comm)
		keep_comm(c, filter);
	if (filter->cgroup)
		keep_cgroup(c, filter->cgroup);
}

/* --- a program ---------------------------------------------------------------------------- */

static void place_variables(struct compiler *c, struct variant *v)
{
	for (size_t i = 0; i < v->nr_variables; i++) {
		v->variables[i]->placed = false;
		if (!v->variables[i]->type)
			continue;
		place_variable(c, v->variables[i]);
		/* one that is set on some ways only */
		if (type_is_scalar(v->variables[i]->type))
			lower_variable_set(c, v->variables[i], ir_const(c->f, 0));
		else
			lower_zero(c, ir_scratch(c->f, v->variables[i]->place), 0,
				   v->variables[i]->type->kind == TYPE_STRING
					   ? 16
					   : v->variables[i]->type->size);
	}
}

static void begin_function(struct compiler *c)
{
	enum provider p = c->target->point->provider;

	c->f = ir_function_new(c->arena, arena_printf(c->arena, "%s_%zu", ast_provider_name(p),
						      c->out->nr_programs));
	c->f->ungated = c->target->attach == ATTACH_RUN;
	c->f->context_has_pointers =
		c->target->attach == ATTACH_FENTRY || c->target->attach == ATTACH_FEXIT;
	c->scratch = c->scratch_max = 0;
	c->loop = NULL;
	c->leave = ir_block(c->f);
}

void lower_variant(struct compiler *c, struct variant *v)
{
	uint32_t start;

	c->variant = v;
	c->target = v->targets[0];
	begin_function(c);
	start = ir_block(c->f);
	c->f->at = v->clause->span;
	ir_enter(c->f, 0);
	c->in_memory = !v->targets[0]->is_entry && (lower_has_called(c, v->clause->body) ||
						    lower_has_addresses(c, v->clause->body));
	/* a pair is judged by who came in: at the return, it may have another name */
	if (!v->latency || v->targets[0]->is_entry)
		lower_filter(c, c->options->filter);
	else
		latency_lower_return(c);
	if (c->target->attach == ATTACH_FOLDED)
		lower_folded(c, v);
	place_variables(c, v);
	if (v->clause->predicate && !v->targets[0]->is_entry) {
		lower_condition(c, v->clause->predicate, start, c->leave);
		ir_enter(c->f, start);
	} else {
		ir_jump(c->f, start);
		ir_enter(c->f, start);
	}
	if (v->targets[0]->is_entry)
		latency_lower_entry(c);
	else
		lower_statements(c, v->clause->body);
	if (!ir_ended(c->f))
		ir_jump(c->f, c->leave);
	ir_enter(c->f, c->leave);
	ir_return(c->f, 0);
	c->f->scratch = c->scratch_max;
	for (size_t i = 0; i < c->f->nr_callbacks; i++)
		c->f->callbacks[i]->scratch = c->scratch_max;
}
