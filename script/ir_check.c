/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Is three-address code well formed? What is found here is a defect of script/lower.c, and would
 * else be one of the verifier's long stories. */
#include <stdarg.h>
#include <string.h>

#include "script/helpers.h"
#include "script/ir.h"

struct checker {
	const struct ir_function *f;
	uint32_t *definitions; /* of each value: how many instructions write it */
	bool *constants;       /* of each value: an IR_CONST writes it */
	/* Values that are read in another block than one that writes them all: their bits. */
	uint32_t *bit_of; /* 0: none */
	size_t nr_bits, words;
	uint64_t *out; /* what is written at the end of the block that is looked at, on every way */
	bool *seen;    /* of each block: there is a way to it */
	bool *waits;   /* it is in .queue, for it has to be looked at (again) */
	uint32_t *queue;
	uint64_t queue_end;
	uint32_t *local; /* of each value: the block (+ 1) that wrote it last in this pass */
	uint32_t block, insn;
};

static const char *wrong(const struct checker *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static const char *wrong(const struct checker *c, const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return arena_printf(c->f->arena, "%s: block %u, instruction %u: %s", c->f->name, c->block,
			    c->insn, text);
}

static bool is_end(const struct ir_insn *i)
{
	return i->op >= IR_JUMP;
}

/* --- each instruction by itself --- */

static enum ir_class class_of(const struct checker *c, ir_value v)
{
	return c->f->classes[v];
}

/* Memory that the program may read or write by itself. */
static bool is_memory(enum ir_class class)
{
	return class == IR_SCRATCH || class == IR_MAP_VALUE || class == IR_GLOBAL ||
	       class == IR_RODATA;
}

static const char *check_size(const struct checker *c, const struct ir_insn *i)
{
	if (i->size != 1 && i->size != 2 && i->size != 4 && i->size != 8)
		return wrong(c, "a size of %d", i->size);
	return NULL;
}

static const char *check_arithmetic(const struct checker *c, const struct ir_insn *i)
{
	enum ir_class a = class_of(c, i->a), b = i->b ? class_of(c, i->b) : IR_SCALAR;

	if (a == IR_MAP)
		return wrong(c, "arithmetic on a map");
	if (a != IR_SCALAR && i->op != IR_ADD && i->op != IR_SUB)
		return wrong(c, "an address can be added to and subtracted from only");
	if (b != IR_SCALAR)
		return wrong(c, "an address on the right of an operator");
	if (class_of(c, i->to) != a)
		return wrong(c, "the result is of another class");
	if (!i->b && i->op >= IR_SHL && i->op <= IR_SAR && (uint64_t)i->imm > 63)
		return wrong(c, "shifted by %lld", (long long)i->imm);
	if (!i->b && (i->op == IR_UDIV || i->op == IR_UMOD) && !i->imm)
		return wrong(c, "divided by 0");
	return NULL;
}

static const char *check_unary(const struct checker *c, const struct ir_insn *i)
{
	if (class_of(c, i->a) != IR_SCALAR || class_of(c, i->to) != IR_SCALAR)
		return wrong(c, "of an address");
	if (i->op == IR_NEG)
		return NULL;
	if (i->op == IR_BSWAP && i->size == 1)
		return wrong(c, "bytes of one byte swapped");
	return check_size(c, i);
}

static const char *check_memory(const struct checker *c, const struct ir_insn *i)
{
	enum ir_class base = class_of(c, i->a);
	const char *fault = check_size(c, i);

	if (fault)
		return fault;
	if (i->imm > INT32_MAX || i->imm < INT32_MIN)
		return wrong(c, "at a place far away");
	if (i->op == IR_LOAD) {
		if (class_of(c, i->to) != IR_SCALAR)
			return wrong(c, "loads an address");
		return is_memory(base) || base == IR_CONTEXT ? NULL
							     : wrong(c, "loads from no address");
	}
	if (!is_memory(base) || base == IR_RODATA)
		return wrong(c, "writes to no memory that can be written");
	if (i->op == IR_ATOMIC_ADD && (!i->b || class_of(c, i->b) != IR_SCALAR || i->size != 8))
		return wrong(c, "adds no number of 8 bytes");
	if (i->b && class_of(c, i->b) == IR_MAP)
		return wrong(c, "stores a map");
	if (i->b && class_of(c, i->b) != IR_SCALAR && i->size != 8)
		return wrong(c, "stores a part of an address");
	return NULL;
}

static const char *check_argument(const struct checker *c, ir_value v, char kind, size_t n)
{
	enum ir_class class = class_of(c, v);

	switch (kind) {
	case 'm':
		return class == IR_MAP ? NULL : wrong(c, "argument %zu is no map", n);
	case 'c':
		return class == IR_CONTEXT ? NULL : wrong(c, "argument %zu is no context", n);
	case 'a':
		return is_memory(class) ? NULL : wrong(c, "argument %zu is no address", n);
	case 's':
		return class == IR_SCALAR ? NULL : wrong(c, "argument %zu is no number", n);
	case 'k':
		return c->constants[v] && c->definitions[v] == 1
			       ? NULL
			       : wrong(c, "argument %zu is no constant", n);
	default:
		return NULL;
	}
}

static const char *check_call(const struct checker *c, const struct ir_insn *i)
{
	const char *kinds =
		i->op == IR_CALL ? helper_arguments(i->imm) : helper_runtime_arguments(i->name);
	const char *fault = NULL;

	if (i->op == IR_CALL_RUNTIME && !kinds)
		return wrong(c, "no function %s in the runtime", i->name);
	if (i->op == IR_CALL && (i->imm <= 0 || i->imm > INT32_MAX))
		return wrong(c, "no helper");
	if (i->nr_args > IR_ARGS_MAX || (kinds && strlen(kinds) != i->nr_args))
		return wrong(c, "%zu arguments for %s", i->nr_args,
			     i->op == IR_CALL ? helper_name(i->imm) : i->name);
	for (size_t n = 0; !fault && n < i->nr_args; n++)
		fault = check_argument(c, i->args[n], kinds ? kinds[n] : '*', n + 1);
	if (!fault && i->to && class_of(c, i->to) != IR_SCALAR &&
	    class_of(c, i->to) != IR_MAP_VALUE)
		return wrong(c, "no function returns that");
	return fault;
}

static const char *check_address(const struct checker *c, const struct ir_insn *i)
{
	static const enum ir_class of[] = {
		[IR_ADDRESS_CONTEXT] = IR_CONTEXT, [IR_ADDRESS_SCRATCH] = IR_SCRATCH,
		[IR_ADDRESS_GLOBAL] = IR_GLOBAL,   [IR_ADDRESS_RODATA] = IR_RODATA,
		[IR_ADDRESS_MAP] = IR_MAP,	   [IR_ADDRESS_MAP_NOW] = IR_MAP,
	};

	if (class_of(c, i->to) != of[i->op])
		return wrong(c, "the address is of another class");
	if (i->imm < 0 || i->imm > INT32_MAX)
		return wrong(c, "an offset of %lld", (long long)i->imm);
	if (i->op == IR_ADDRESS_SCRATCH && i->imm > c->f->scratch)
		return wrong(c, "outside of the scratch");
	return NULL;
}

static const char *check_branch(const struct checker *c, const struct ir_insn *i)
{
	enum ir_class a = class_of(c, i->a), b = i->b ? class_of(c, i->b) : IR_SCALAR;

	if (i->then >= c->f->nr_blocks || i->otherwise >= c->f->nr_blocks)
		return wrong(c, "no such block");
	if (i->cond > IR_SGE)
		return wrong(c, "no such condition");
	if (b != IR_SCALAR)
		return wrong(c, "compared with an address");
	if (a == IR_SCALAR)
		return NULL;
	/* whether there is a value, or a map, is all that the verifier lets one ask */
	if ((a != IR_MAP_VALUE && a != IR_MAP) || i->b || i->imm ||
	    (i->cond != IR_EQ && i->cond != IR_NE))
		return wrong(c, "an address can be compared with 0 only");
	return NULL;
}

static const char *check_insn(const struct checker *c, const struct ir_insn *i)
{
	switch (i->op) {
	case IR_CONST:
		return class_of(c, i->to) == IR_SCALAR ? NULL : wrong(c, "a number as address");
	case IR_COPY:
		return class_of(c, i->to) == class_of(c, i->a) ? NULL : wrong(c, "another class");
	case IR_ADD ... IR_SAR:
		return check_arithmetic(c, i);
	case IR_NEG:
	case IR_EXTEND:
	case IR_BSWAP:
		return check_unary(c, i);
	case IR_LOAD:
	case IR_STORE:
	case IR_ATOMIC_ADD:
		return check_memory(c, i);
	case IR_ADDRESS_CONTEXT ... IR_ADDRESS_MAP_NOW:
		return check_address(c, i);
	case IR_CALL:
	case IR_CALL_RUNTIME:
		return check_call(c, i);
	case IR_LOOP:
	case IR_FOR_EACH:
		return i->imm2 >= 0 && (uint64_t)i->imm2 < c->f->root->nr_callbacks
			       ? NULL
			       : wrong(c, "no such callback");
	case IR_JUMP:
		return i->then < c->f->nr_blocks ? NULL : wrong(c, "no such block");
	case IR_BRANCH:
		return check_branch(c, i);
	case IR_RETURN:
		if (i->a && class_of(c, i->a) != IR_SCALAR)
			return wrong(c, "returns an address");
		return NULL;
	}
	return wrong(c, "no such instruction");
}

/* --- what stands in its operands --- */

static bool writes(enum ir_op op)
{
	return op != IR_STORE && op != IR_ATOMIC_ADD && op < IR_FOR_EACH;
}

/* Does it have to have an operand a; b? */
static bool needs_a(enum ir_op op)
{
	return (op >= IR_COPY && op <= IR_ATOMIC_ADD) || op == IR_BRANCH;
}

static const char *check_operands(const struct checker *c, const struct ir_insn *i)
{
	size_t nr = c->f->nr_values;

	if (i->op > IR_RETURN)
		return wrong(c, "no such instruction");
	if (i->to >= nr || i->a >= nr || i->b >= nr || i->nr_args > IR_ARGS_MAX)
		return wrong(c, "no such value");
	for (size_t n = 0; n < i->nr_args; n++)
		if (!i->args[n] || i->args[n] >= nr)
			return wrong(c, "argument %zu is no value", n + 1);
	if (writes(i->op) != (i->to != 0) && i->op != IR_CALL && i->op != IR_CALL_RUNTIME)
		return wrong(c, i->to ? "gives no value" : "its value goes nowhere");
	if (needs_a(i->op) && !i->a)
		return wrong(c, "no operand");
	return NULL;
}

static const char *check_shape(struct checker *c)
{
	const struct ir_function *f = c->f;

	for (c->block = 0; c->block < f->nr_blocks; c->block++) {
		const struct ir_block *b = &f->blocks[c->block];

		c->insn = b->nr;
		if (!b->nr || !is_end(&b->insns[b->nr - 1]))
			return wrong(c, "the block has no end");
		for (c->insn = 0; c->insn < b->nr; c->insn++) {
			const struct ir_insn *i = &b->insns[c->insn];
			const char *fault = check_operands(c, i);

			if (fault)
				return fault;
			if (is_end(i) && c->insn != b->nr - 1)
				return wrong(c, "an end in the middle of the block");
			c->definitions[i->to]++;
			if (i->op == IR_CONST)
				c->constants[i->to] = true;
		}
	}
	return NULL;
}

static const char *check_insns(struct checker *c)
{
	const struct ir_function *f = c->f;

	for (c->block = 0; c->block < f->nr_blocks; c->block++)
		for (c->insn = 0; c->insn < f->blocks[c->block].nr; c->insn++) {
			const char *fault = check_insn(c, &f->blocks[c->block].insns[c->insn]);

			if (fault)
				return fault;
		}
	return NULL;
}

/* --- written before it is read, on every way --- */

/* A value that is read in a block before it is written there comes from other blocks. */
static void give_bit(void *ctx, ir_value v)
{
	struct checker *c = ctx;

	if (c->local[v] != c->block + 1 && !c->bit_of[v])
		c->bit_of[v] = ++c->nr_bits;
}

static void find_bits(struct checker *c)
{
	const struct ir_function *f = c->f;

	for (c->block = 0; c->block < f->nr_blocks; c->block++)
		for (size_t n = 0; n < f->blocks[c->block].nr; n++) {
			const struct ir_insn *i = &f->blocks[c->block].insns[n];

			ir_each_read(i, give_bit, c);
			c->local[i->to] = c->block + 1;
		}
	c->words = c->nr_bits / 64 + 1;
}

static void set_bit(uint64_t *bits, uint32_t bit)
{
	bits[bit / 64] |= 1ull << bit % 64;
}

/* What is written at the end of a block: what was at its begin, and what it writes. */
static void flow(struct checker *c, uint32_t block, const uint64_t *in)
{
	const struct ir_block *b = &c->f->blocks[block];

	memcpy(c->out, in, c->words * sizeof(*in));
	for (size_t n = 0; n < b->nr; n++)
		if (c->bit_of[b->insns[n].to])
			set_bit(c->out, c->bit_of[b->insns[n].to]);
}

/* Narrows what is written at a block's begin to what is at the end of one before it, and has it
 * looked at if that is less than was thought. */
static void meet(struct checker *c, uint64_t *ins, uint32_t block)
{
	uint64_t *in = &ins[block * c->words];
	bool changed = !c->seen[block];

	for (size_t w = 0; w < c->words; w++) {
		changed |= in[w] & ~c->out[w];
		in[w] &= c->out[w];
	}
	c->seen[block] = true;
	if (!changed || c->waits[block])
		return;
	c->waits[block] = true;
	c->queue[c->queue_end++ % c->f->nr_blocks] = block;
}

struct unwritten {
	const struct checker *c;
	const uint64_t *written;
	ir_value value; /* the first that is read and was not written */
};

static void look(void *ctx, ir_value v)
{
	struct unwritten *u = ctx;
	uint32_t bit = u->c->bit_of[v];

	if (u->c->local[v] == u->c->block + 1 || (bit && u->written[bit / 64] >> bit % 64 & 1))
		return;
	if (!u->value)
		u->value = v;
}

/* Reads of the block now known to begin with @in. */
static const char *check_reads(struct checker *c, const uint64_t *in)
{
	const struct ir_block *b = &c->f->blocks[c->block];

	for (c->insn = 0; c->insn < b->nr; c->insn++) {
		const struct ir_insn *i = &b->insns[c->insn];
		struct unwritten u = { c, in, 0 };

		ir_each_read(i, look, &u);
		if (u.value)
			return wrong(c, "%%%u is not written on every way to here", u.value);
		c->local[i->to] = c->block + 1;
	}
	return NULL;
}

/* ins[]: of each block, what is written at its begin; all of it, until a way to it is known. Blocks
 * are looked at in the order in which they were found, so that most are once. */
static void solve(struct checker *c, uint64_t *ins)
{
	const struct ir_function *f = c->f;
	uint64_t at = 0;

	memset(ins, 0xff, f->nr_blocks * c->words * sizeof(*ins));
	memset(c->out, 0, c->words * sizeof(*c->out)); /* nothing is written where it all begins */
	for (meet(c, ins, 0); at < c->queue_end; at++) {
		uint32_t b = c->queue[at % f->nr_blocks];
		const struct ir_insn *end = &f->blocks[b].insns[f->blocks[b].nr - 1];

		c->waits[b] = false;
		flow(c, b, &ins[b * c->words]);
		if (end->op != IR_RETURN)
			meet(c, ins, end->then);
		if (end->op == IR_BRANCH)
			meet(c, ins, end->otherwise);
	}
}

static const char *check_written(struct checker *c)
{
	const struct ir_function *f = c->f;
	const char *fault = NULL;
	uint64_t *ins;

	find_bits(c);
	c->out = arena_alloc(f->arena, c->words * sizeof(*c->out));
	c->seen = arena_alloc(f->arena, f->nr_blocks * sizeof(*c->seen));
	c->waits = arena_alloc(f->arena, f->nr_blocks * sizeof(*c->waits));
	c->queue = arena_alloc(f->arena, f->nr_blocks * sizeof(*c->queue));
	ins = arena_alloc(f->arena, f->nr_blocks * c->words * sizeof(*ins));
	solve(c, ins);
	memset(c->local, 0, f->nr_values * sizeof(*c->local));
	for (c->block = 0; !fault && c->block < f->nr_blocks; c->block++)
		fault = check_reads(c, &ins[c->block * c->words]);
	return fault;
}

const char *ir_check(const struct ir_function *f)
{
	struct checker c = { .f = f };
	const char *fault;

	c.definitions = arena_alloc(f->arena, f->nr_values * sizeof(*c.definitions));
	c.constants = arena_alloc(f->arena, f->nr_values * sizeof(*c.constants));
	c.bit_of = arena_alloc(f->arena, f->nr_values * sizeof(*c.bit_of));
	c.local = arena_alloc(f->arena, f->nr_values * sizeof(*c.local));
	fault = check_shape(&c);
	if (!fault)
		fault = check_insns(&c);
	if (!fault)
		fault = check_written(&c);
	return fault;
}
