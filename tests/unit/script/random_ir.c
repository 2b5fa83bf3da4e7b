/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdlib.h>
#include <string.h>
#include <linux/bpf.h>

#include "script/random_ir.h"

#define WORDS	  64 /* of scratch that functions write to */
#define ALIVE_MAX 400

static uint64_t state;

void random_seed(uint64_t seed)
{
	state = seed;
}

static uint64_t any(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

unsigned random_below(unsigned n)
{
	return any() % n;
}

/* --- making a function --- */

struct maker {
	struct ir_function *f;
	ir_value alive[ALIVE_MAX]; /* numbers that are written on every way to here */
	bool variable[ALIVE_MAX];
	size_t nr;
	unsigned room; /* for so many statements more */
	bool far;      /* offsets that no instruction has room for */
};

static ir_value pick(struct maker *m)
{
	/* the oldest ones, too, so that they live long */
	return m->alive[random_below(m->nr)];
}

static void keep(struct maker *m, ir_value v)
{
	if (m->nr < ALIVE_MAX) {
		m->variable[m->nr] = false;
		m->alive[m->nr++] = v;
	}
}

int64_t random_number(void)
{
	switch (random_below(4)) {
	case 0:
		return (int64_t)any();
	case 1:
		return (int64_t)random_below(256) - 128;
	case 2:
		return INT32_MIN + (int64_t)random_below(4);
	default:
		return (int64_t)(1ull << random_below(64));
	}
}

static void make_binary(struct maker *m)
{
	enum ir_op op = IR_ADD + random_below(IR_SAR - IR_ADD + 1);
	int64_t imm = random_number();

	if (random_below(2)) {
		keep(m, ir_binary(m->f, op, pick(m), pick(m)));
		return;
	}
	if (op >= IR_SHL)
		imm &= 63;
	if ((op == IR_UDIV || op == IR_UMOD) && !imm)
		imm = 7;
	keep(m, ir_binary_imm(m->f, op, pick(m), imm));
}

static unsigned any_size(void)
{
	return 1 << random_below(4);
}

static uint32_t base_offset(const struct maker *m)
{
	return m->far ? 28000 : 0;
}

/* An address in the scratch, by a number that is not known. */
static ir_value make_address(struct maker *m)
{
	ir_value base = ir_scratch(m->f, base_offset(m));
	ir_value offset = ir_binary_imm(m->f, IR_AND, pick(m), 8 * (WORDS - 1));

	if (random_below(2))
		base = ir_binary_imm(m->f, IR_ADD, base, 8);
	else
		base = ir_binary_imm(m->f, IR_SUB, ir_binary_imm(m->f, IR_ADD, base, 24), 8);
	return ir_binary(m->f, IR_ADD, base, offset);
}

static void make_memory(struct maker *m)
{
	unsigned size = any_size();
	ir_value at;

	switch (random_below(6)) {
	case 0:
		at = ir_scratch(m->f, base_offset(m) + 8 * random_below(WORDS));
		keep(m, ir_load(m->f, at, 0, size, random_below(2)));
		break;
	case 1:
		keep(m, ir_load(m->f, make_address(m), -8, size, random_below(2)));
		break;
	case 2:
		keep(m, ir_load(m->f, ir_context(m->f), 8 * random_below(RANDOM_CONTEXT), size,
				random_below(2)));
		break;
	case 3:
		ir_store(m->f, make_address(m), 0, size, pick(m));
		break;
	case 4:
		ir_store_imm(m->f, ir_scratch(m->f, base_offset(m)), 8 * random_below(WORDS), size,
			     random_number());
		break;
	default:
		ir_atomic_add(m->f, make_address(m), 0, pick(m));
		break;
	}
}

static void make_call(struct maker *m)
{
	switch (random_below(3)) {
	case 0:
		keep(m, ir_runtime(m->f, "rt_div", IR_SCALAR, 2, pick(m), pick(m)));
		break;
	case 1:
		keep(m, ir_runtime(m->f, "rt_mod", IR_SCALAR, 2, pick(m), pick(m)));
		break;
	default:
		keep(m, ir_call(m->f, BPF_FUNC_get_current_pid_tgid, IR_SCALAR, 0));
		break;
	}
}

static void make_variable(struct maker *m)
{
	size_t n = random_below(m->nr);
	ir_value v;

	if (m->variable[n]) {
		ir_set(m->f, m->alive[n], pick(m));
		return;
	}
	if (m->nr == ALIVE_MAX)
		return;
	v = ir_variable(m->f, IR_SCALAR);
	ir_set(m->f, v, pick(m));
	m->variable[m->nr] = true;
	m->alive[m->nr++] = v;
}

static void make_statements(struct maker *m, unsigned depth);

static void make_if(struct maker *m, unsigned depth)
{
	uint32_t then = ir_block(m->f), otherwise = ir_block(m->f), after = ir_block(m->f);
	size_t nr = m->nr;

	if (random_below(2))
		ir_branch(m->f, random_below(IR_SGE + 1), pick(m), pick(m), then, otherwise);
	else
		ir_branch_imm(m->f, random_below(IR_SGE + 1), pick(m), random_number(), then,
			      otherwise);
	ir_enter(m->f, then);
	make_statements(m, depth + 1);
	ir_jump(m->f, after);
	m->nr = nr;
	ir_enter(m->f, otherwise);
	if (random_below(2))
		make_statements(m, depth + 1);
	ir_jump(m->f, after);
	m->nr = nr;
	ir_enter(m->f, after);
}

static void make_loop(struct maker *m, unsigned depth)
{
	uint32_t head = ir_block(m->f), body = ir_block(m->f), after = ir_block(m->f);
	ir_value round = ir_variable(m->f, IR_SCALAR);
	size_t nr = m->nr;

	ir_set(m->f, round, ir_const(m->f, 0));
	ir_jump(m->f, head);
	ir_enter(m->f, head);
	ir_branch_imm(m->f, IR_ULT, round, 1 + random_below(5), body, after);
	ir_enter(m->f, body);
	make_statements(m, depth + 1);
	ir_set(m->f, round, ir_binary_imm(m->f, IR_ADD, round, 1));
	ir_jump(m->f, head);
	m->nr = nr;
	ir_enter(m->f, after);
}

static void make_statement(struct maker *m, unsigned depth)
{
	switch (random_below(depth < 4 ? 14 : 11)) {
	case 0:
		keep(m, ir_const(m->f, random_number()));
		break;
	case 1:
		keep(m, ir_negate(m->f, pick(m)));
		break;
	case 2:
		keep(m, ir_extend(m->f, pick(m), any_size(), random_below(2)));
		break;
	case 3:
		keep(m, ir_bswap(m->f, pick(m), 2 << random_below(3)));
		break;
	case 4:
	case 5:
		make_memory(m);
		break;
	case 6:
		make_call(m);
		break;
	case 7:
		make_variable(m);
		break;
	case 12:
		make_if(m, depth);
		break;
	case 13:
		make_loop(m, depth);
		break;
	default:
		make_binary(m);
		break;
	}
}

static void make_statements(struct maker *m, unsigned depth)
{
	for (unsigned n = 1 + random_below(depth ? 12 : 120); n && m->room; n--) {
		m->room--;
		make_statement(m, depth);
	}
}

struct ir_function *random_function(struct arena *arena, unsigned statements)
{
	struct maker m = { .f = ir_function_new(arena, "random"), .room = statements };
	ir_value all;

	m.far = !random_below(8);
	m.f->scratch = base_offset(&m) + 8 * WORDS + 64;
	m.f->ungated = random_below(2);
	m.f->context_has_pointers = random_below(2);
	for (unsigned n = 1 + random_below(40); n; n--)
		keep(&m, ir_load(m.f, ir_context(m.f), 8 * random_below(RANDOM_CONTEXT), 8, false));
	make_statements(&m, 0);
	all = ir_variable(m.f, IR_SCALAR);
	ir_set(m.f, all, m.alive[0]);
	for (size_t n = 1; n < m.nr; n++)
		ir_set(m.f, all, ir_binary(m.f, n & 1 ? IR_ADD : IR_XOR, all, m.alive[n]));
	ir_store(m.f, ir_scratch(m.f, base_offset(&m)), 0, 8, all);
	ir_return(m.f, 0);
	return m.f;
}

/* --- what it means --- */

struct meaning {
	const struct ir_function *f;
	uint64_t *values; /* of an address: the offset from where its class begins */
	char *scratch;
	const char *context;
};

static uint64_t operand(const struct meaning *m, ir_value v, int64_t imm)
{
	return v ? m->values[v] : (uint64_t)imm;
}

static uint64_t binary(enum ir_op op, uint64_t a, uint64_t b)
{
	switch (op) {
	case IR_ADD:
		return a + b;
	case IR_SUB:
		return a - b;
	case IR_MUL:
		return a * b;
	case IR_UDIV:
		return b ? a / b : 0;
	case IR_UMOD:
		return b ? a % b : a;
	case IR_AND:
		return a & b;
	case IR_OR:
		return a | b;
	case IR_XOR:
		return a ^ b;
	case IR_SHL:
		return a << (b & 63);
	case IR_SHR:
		return a >> (b & 63);
	default:
		return (int64_t)a >> (b & 63);
	}
}

static uint64_t extended(uint64_t v, unsigned size, bool is_signed)
{
	unsigned away = 64 - 8 * size;

	return is_signed ? (uint64_t)((int64_t)(v << away) >> away) : v << away >> away;
}

static bool condition(enum ir_cond cond, uint64_t a, uint64_t b)
{
	int64_t sa = a, sb = b;
	const bool holds[] = {
		[IR_EQ] = a == b,
		[IR_NE] = a != b,
		[IR_ULT] = a<b, [IR_ULE] = a <= b, [IR_UGT] = a> b,
		[IR_UGE] = a >= b,
		[IR_SLT] = sa<sb, [IR_SLE] = sa <= sb, [IR_SGT] = sa> sb,
		[IR_SGE] = sa >= sb,
	};

	return holds[cond];
}

static int64_t divided(int64_t a, int64_t b, bool rest)
{
	if (!b)
		return rest ? a : 0;
	if (b == -1)
		return rest ? 0 : (int64_t) - (uint64_t)a;
	return rest ? a % b : a / b;
}

uint64_t random_ids = 4242ull << 32 | 4243;

static uint64_t called(const struct meaning *m, const struct ir_insn *i)
{
	if (i->op == IR_CALL)
		return random_ids;
	return divided(m->values[i->args[0]], m->values[i->args[1]], !strcmp(i->name, "rt_mod"));
}

static void memory(struct meaning *m, const struct ir_insn *i)
{
	bool context = m->f->classes[i->a] == IR_CONTEXT;
	uint64_t offset = m->values[i->a] + i->imm;
	char *at = m->scratch + offset;
	uint64_t v = 0;

	if (i->op == IR_LOAD) {
		memcpy(&v, context ? m->context + offset : at, i->size);
		m->values[i->to] = extended(v, i->size, i->is_signed);
		return;
	}
	v = operand(m, i->b, i->imm2);
	if (i->op == IR_ATOMIC_ADD) {
		uint64_t old;

		memcpy(&old, at, 8);
		v += old;
	}
	memcpy(at, &v, i->size);
}

static uint64_t swapped(uint64_t v, unsigned size)
{
	return size == 2   ? __builtin_bswap16(v)
	       : size == 4 ? __builtin_bswap32(v)
			   : __builtin_bswap64(v);
}

static void mean(struct meaning *m, const struct ir_insn *i)
{
	uint64_t a = m->values[i->a];

	switch (i->op) {
	case IR_CONST:
	case IR_ADDRESS_SCRATCH:
		m->values[i->to] = i->imm;
		break;
	case IR_ADDRESS_CONTEXT:
		m->values[i->to] = 0;
		break;
	case IR_COPY:
		m->values[i->to] = a;
		break;
	case IR_ADD ... IR_SAR:
		m->values[i->to] = binary(i->op, a, operand(m, i->b, i->imm));
		break;
	case IR_NEG:
		m->values[i->to] = -a;
		break;
	case IR_EXTEND:
		m->values[i->to] = extended(a, i->size, i->is_signed);
		break;
	case IR_BSWAP:
		m->values[i->to] = swapped(a, i->size);
		break;
	case IR_CALL:
	case IR_CALL_RUNTIME:
		m->values[i->to] = called(m, i);
		break;
	default:
		memory(m, i);
		break;
	}
}

static void mean_function(struct meaning *m)
{
	uint32_t block = 0;

	for (;;) {
		const struct ir_block *b = &m->f->blocks[block];
		const struct ir_insn *end = &b->insns[b->nr - 1];

		for (size_t n = 0; n + 1 < b->nr; n++)
			mean(m, &b->insns[n]);
		if (end->op == IR_RETURN)
			return;
		block = end->then;
		if (end->op == IR_BRANCH &&
		    !condition(end->cond, m->values[end->a], operand(m, end->b, end->imm)))
			block = end->otherwise;
	}
}

void random_meaning(const struct ir_function *f, const uint64_t *context, char *scratch)
{
	struct meaning m = { .f = f, .context = (const char *)context, .scratch = scratch };

	m.values = calloc(f->nr_values, sizeof(*m.values));
	mean_function(&m);
	free(m.values);
}
