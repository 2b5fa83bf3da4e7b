/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdarg.h>
#include <string.h>

#include "script/ir.h"

struct ir_function *ir_function_new(struct arena *arena, const char *name)
{
	struct ir_function *f = arena_alloc(arena, sizeof(*f));

	f->arena = arena;
	f->name = name;
	f->classes = arena_grow(arena, NULL, &f->values_capacity, 16, sizeof(*f->classes));
	f->nr_values = 1;
	f->root = f;
	f->block = ir_block(f);
	return f;
}

ir_value ir_variable(struct ir_function *f, enum ir_class class)
{
	if (f->nr_values == f->values_capacity)
		f->classes = arena_grow(f->arena, f->classes, &f->values_capacity, f->nr_values + 1,
					sizeof(*f->classes));
	f->classes[f->nr_values] = class;
	return f->nr_values++;
}

uint32_t ir_block(struct ir_function *f)
{
	if (f->nr_blocks == f->blocks_capacity)
		f->blocks = arena_grow(f->arena, f->blocks, &f->blocks_capacity, f->nr_blocks + 1,
				       sizeof(*f->blocks));
	f->blocks[f->nr_blocks] = (struct ir_block){ 0 };
	return f->nr_blocks++;
}

void ir_enter(struct ir_function *f, uint32_t block)
{
	f->block = block;
}

static bool is_end(enum ir_op op)
{
	return op == IR_JUMP || op == IR_BRANCH || op == IR_RETURN;
}

bool ir_ended(const struct ir_function *f)
{
	const struct ir_block *b = &f->blocks[f->block];

	return b->nr && is_end(b->insns[b->nr - 1].op);
}

/* What stands behind the end of a block can never run, and is left out: so that who compiles
 * "return; x = 1" need not care. */
static void add(struct ir_function *f, struct ir_insn insn)
{
	struct ir_block *b = &f->blocks[f->block];

	if (ir_ended(f))
		return;
	if (b->nr == b->capacity)
		b->insns = arena_grow(f->arena, b->insns, &b->capacity, b->nr ? b->nr + 1 : 8,
				      sizeof(*b->insns));
	insn.at = f->at;
	f->nr_insns++;
	b->insns[b->nr++] = insn;
}

static ir_value add_value(struct ir_function *f, enum ir_class class, struct ir_insn insn)
{
	insn.to = ir_variable(f, class);
	add(f, insn);
	return insn.to;
}

void ir_set(struct ir_function *f, ir_value variable, ir_value value)
{
	add(f, (struct ir_insn){ .op = IR_COPY, .to = variable, .a = value });
}

ir_value ir_const(struct ir_function *f, int64_t value)
{
	return add_value(f, IR_SCALAR, (struct ir_insn){ .op = IR_CONST, .imm = value });
}

ir_value ir_binary(struct ir_function *f, enum ir_op op, ir_value a, ir_value b)
{
	/* an address stands on the left */
	if (op == IR_ADD && f->classes[a] == IR_SCALAR && f->classes[b] != IR_SCALAR) {
		ir_value swap = a;

		a = b;
		b = swap;
	}
	return add_value(f, f->classes[a], (struct ir_insn){ .op = op, .a = a, .b = b });
}

ir_value ir_binary_imm(struct ir_function *f, enum ir_op op, ir_value a, int64_t imm)
{
	return add_value(f, f->classes[a], (struct ir_insn){ .op = op, .a = a, .imm = imm });
}

ir_value ir_negate(struct ir_function *f, ir_value a)
{
	return add_value(f, IR_SCALAR, (struct ir_insn){ .op = IR_NEG, .a = a });
}

ir_value ir_extend(struct ir_function *f, ir_value a, unsigned size, bool is_signed)
{
	return add_value(
		f, IR_SCALAR,
		(struct ir_insn){ .op = IR_EXTEND, .a = a, .size = size, .is_signed = is_signed });
}

ir_value ir_bswap(struct ir_function *f, ir_value a, unsigned size)
{
	return add_value(f, IR_SCALAR, (struct ir_insn){ .op = IR_BSWAP, .a = a, .size = size });
}

ir_value ir_load(struct ir_function *f, ir_value base, int64_t offset, unsigned size,
		 bool is_signed)
{
	return add_value(f, IR_SCALAR,
			 (struct ir_insn){ .op = IR_LOAD,
					   .a = base,
					   .imm = offset,
					   .size = size,
					   .is_signed = is_signed });
}

void ir_store(struct ir_function *f, ir_value base, int64_t offset, unsigned size, ir_value value)
{
	add(f,
	    (struct ir_insn){ .op = IR_STORE, .a = base, .imm = offset, .size = size, .b = value });
}

void ir_store_imm(struct ir_function *f, ir_value base, int64_t offset, unsigned size,
		  int64_t value)
{
	add(f, (struct ir_insn){
		       .op = IR_STORE, .a = base, .imm = offset, .size = size, .imm2 = value });
}

void ir_atomic_add(struct ir_function *f, ir_value base, int64_t offset, ir_value value)
{
	add(f, (struct ir_insn){
		       .op = IR_ATOMIC_ADD, .a = base, .imm = offset, .size = 8, .b = value });
}

ir_value ir_context(struct ir_function *f)
{
	return add_value(f, IR_CONTEXT, (struct ir_insn){ .op = IR_ADDRESS_CONTEXT });
}

ir_value ir_scratch(struct ir_function *f, uint32_t offset)
{
	return add_value(f, IR_SCRATCH,
			 (struct ir_insn){ .op = IR_ADDRESS_SCRATCH, .imm = offset });
}

ir_value ir_global(struct ir_function *f, uint32_t offset)
{
	return add_value(f, IR_GLOBAL, (struct ir_insn){ .op = IR_ADDRESS_GLOBAL, .imm = offset });
}

ir_value ir_rodata(struct ir_function *f, uint32_t offset)
{
	return add_value(f, IR_RODATA, (struct ir_insn){ .op = IR_ADDRESS_RODATA, .imm = offset });
}

ir_value ir_map(struct ir_function *f, unsigned map, bool now)
{
	return add_value(
		f, IR_MAP,
		(struct ir_insn){ .op = now ? IR_ADDRESS_MAP_NOW : IR_ADDRESS_MAP, .imm = map });
}

static ir_value call(struct ir_function *f, struct ir_insn insn, enum ir_class class, va_list args)
{
	for (size_t i = 0; i < insn.nr_args && i < IR_ARGS_MAX; i++)
		insn.args[i] = va_arg(args, ir_value);
	return add_value(f, class, insn);
}

ir_value ir_call(struct ir_function *f, int helper, enum ir_class class, size_t nr, ...)
{
	ir_value to;
	va_list args;

	va_start(args, nr);
	to = call(f, (struct ir_insn){ .op = IR_CALL, .imm = helper, .nr_args = nr }, class, args);
	va_end(args);
	return to;
}

ir_value ir_runtime(struct ir_function *f, const char *name, enum ir_class class, size_t nr, ...)
{
	ir_value to;
	va_list args;

	va_start(args, nr);
	to = call(f, (struct ir_insn){ .op = IR_CALL_RUNTIME, .name = name, .nr_args = nr }, class,
		  args);
	va_end(args);
	return to;
}

void ir_jump(struct ir_function *f, uint32_t block)
{
	add(f, (struct ir_insn){ .op = IR_JUMP, .then = block });
}

void ir_branch(struct ir_function *f, enum ir_cond cond, ir_value a, ir_value b, uint32_t then,
	       uint32_t otherwise)
{
	add(f, (struct ir_insn){ .op = IR_BRANCH,
				 .cond = cond,
				 .a = a,
				 .b = b,
				 .then = then,
				 .otherwise = otherwise });
}

void ir_branch_imm(struct ir_function *f, enum ir_cond cond, ir_value a, int64_t imm, uint32_t then,
		   uint32_t otherwise)
{
	add(f, (struct ir_insn){ .op = IR_BRANCH,
				 .cond = cond,
				 .a = a,
				 .imm = imm,
				 .then = then,
				 .otherwise = otherwise });
}

void ir_return(struct ir_function *f, int64_t value)
{
	add(f, (struct ir_insn){ .op = IR_RETURN, .imm = value });
}

struct ir_function *ir_callback_new(struct ir_function *f)
{
	struct ir_function *root = f->root, *body = ir_function_new(f->arena, f->name);

	if (root->nr_callbacks == root->callbacks_capacity)
		root->callbacks = arena_grow(f->arena, root->callbacks, &root->callbacks_capacity,
					     root->nr_callbacks + 1, sizeof(*root->callbacks));
	root->callbacks[root->nr_callbacks++] = body;
	body->root = root;
	body->at = f->at;
	body->context_has_pointers = root->context_has_pointers;
	return body;
}

static int64_t number_of(const struct ir_function *body)
{
	int64_t n = 0;

	while (body->root->callbacks[n] != body)
		n++;
	return n;
}

void ir_for_each(struct ir_function *f, unsigned map, const struct ir_function *body)
{
	add(f, (struct ir_insn){ .op = IR_FOR_EACH, .imm = map, .imm2 = number_of(body) });
}

ir_value ir_loop(struct ir_function *f, uint32_t times, const struct ir_function *body)
{
	return add_value(f, IR_SCALAR,
			 (struct ir_insn){ .op = IR_LOOP, .imm = times, .imm2 = number_of(body) });
}

void ir_each_read(const struct ir_insn *i, void (*fn)(void *ctx, ir_value v), void *ctx)
{
	if (i->a)
		fn(ctx, i->a);
	if (i->b)
		fn(ctx, i->b);
	for (size_t n = 0; n < i->nr_args; n++)
		fn(ctx, i->args[n]);
}
