/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stddef.h>
#include <string.h>

#include "lib/core/types.shared.h"
#include "script.shared.h"
#include "script/emit_internal.h"

#define SCRATCH_MAX (32 << 10) /* what the kernel has for a value of each CPU */

/* --- instructions --- */

static int bpf_op(enum ir_op op)
{
	static const uint8_t ops[] = {
		[IR_ADD] = BPF_ADD,  [IR_SUB] = BPF_SUB, [IR_MUL] = BPF_MUL,  [IR_UDIV] = BPF_DIV,
		[IR_UMOD] = BPF_MOD, [IR_AND] = BPF_AND, [IR_OR] = BPF_OR,    [IR_XOR] = BPF_XOR,
		[IR_SHL] = BPF_LSH,  [IR_SHR] = BPF_RSH, [IR_SAR] = BPF_ARSH,
	};

	return ops[op];
}

static void put_binary(struct emitter *m, const struct ir_insn *i)
{
	int to = emit_result_register(m, i->to), b = -1;
	int64_t imm = i->imm;

	/* the result must not overwrite what is still to be read */
	if (i->b && emit_place_of(m, i->b)->kind == REGS_REGISTER &&
	    emit_place_of(m, i->b)->reg == to)
		to = BPF_REG_0;
	if (i->b ? !emit_is_immediate(m, i->b, &imm) : !emit_is_small(imm)) {
		b = BPF_REG_1;
		if (i->b)
			b = emit_have(m, BPF_REG_1, i->b);
		else
			emit_const(m, BPF_REG_1, imm);
	}
	/* the verifier refuses a constant that shifts too far: as a register does it */
	if (b < 0 && i->op >= IR_SHL && i->op <= IR_SAR)
		imm &= 63;
	if (b < 0 && (i->op == IR_UDIV || i->op == IR_UMOD) && !imm) {
		b = BPF_REG_1;
		emit_const(m, BPF_REG_1, 0);
	}
	emit_value(m, to, i->a);
	if (b < 0)
		emit_put(m, INSN(BPF_ALU64 | BPF_K | bpf_op(i->op), to, 0, 0, imm));
	else
		emit_put(m, INSN(BPF_ALU64 | BPF_X | bpf_op(i->op), to, b, 0, 0));
	emit_result(m, i->to, to);
}

static void put_extend(struct emitter *m, int reg, unsigned size, bool is_signed)
{
	int bits = 64 - 8 * size;

	if (!bits)
		return;
	if (!is_signed && size == 4) {
		emit_put(m, INSN(BPF_ALU | BPF_MOV | BPF_X, reg, reg, 0, 0));
	} else if (!is_signed) {
		emit_put(m, INSN(BPF_ALU64 | BPF_AND | BPF_K, reg, 0, 0, (1 << 8 * size) - 1));
	} else {
		emit_put(m, INSN(BPF_ALU64 | BPF_LSH | BPF_K, reg, 0, 0, bits));
		emit_put(m, INSN(BPF_ALU64 | BPF_ARSH | BPF_K, reg, 0, 0, bits));
	}
}

static void put_unary(struct emitter *m, const struct ir_insn *i)
{
	int to = emit_result_register(m, i->to);

	emit_value(m, to, i->a);
	if (i->op == IR_NEG)
		emit_put(m, INSN(BPF_ALU64 | BPF_NEG, to, 0, 0, 0));
	else if (i->op == IR_EXTEND)
		put_extend(m, to, i->size, i->is_signed);
	else /* to the order that this machine does not have */
		emit_put(m, INSN(BPF_ALU | BPF_END |
					 (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? BPF_TO_BE
										    : BPF_TO_LE),
				 to, 0, 0, 8 * i->size));
	emit_result(m, i->to, to);
}

static int bpf_size(unsigned size)
{
	return size == 1 ? BPF_B : size == 2 ? BPF_H : size == 4 ? BPF_W : BPF_DW;
}

/* The address a + imm as a register and an offset of 16 bits; what has no register of its own goes
 * to @reg. */
static int have_address(struct emitter *m, const struct ir_insn *i, int reg, int16_t *offset)
{
	struct regs_place p = *emit_place_of(m, i->a);
	int64_t far = i->imm;
	int base;

	if (p.kind == REGS_FIXED && p.base == IR_ADDRESS_CONTEXT) {
		base = BPF_REG_6;
		far += p.offset;
	} else if (p.kind == REGS_FIXED && p.base == IR_ADDRESS_SCRATCH) {
		base = BPF_REG_7;
		far += p.offset + m->r->base;
	} else if (p.kind == REGS_FIXED && emit_is_small(p.offset + far)) {
		p.offset += far;
		far = 0;
		emit_fixed(m, reg, &p);
		base = reg;
	} else {
		base = emit_have(m, reg, i->a);
	}
	if (far < INT16_MIN || far > INT16_MAX) {
		emit_move(m, reg, base);
		emit_put(m, INSN_ADD_K(reg, far));
		base = reg;
		far = 0;
	}
	*offset = far;
	return base;
}

static void put_load(struct emitter *m, const struct ir_insn *i)
{
	int to = emit_result_register(m, i->to);
	int16_t offset;
	int base = have_address(m, i, BPF_REG_1, &offset);

	emit_put(m, INSN_LOAD(bpf_size(i->size), to, base, offset));
	if (m->f->context_has_pointers && i->size == 8 && m->f->classes[i->a] == IR_CONTEXT) {
		emit_put(m, INSN_STORE(BPF_DW, BPF_REG_7, 8, to));
		emit_put(m, INSN_LOAD(BPF_DW, to, BPF_REG_7, 8));
	}
	if (i->is_signed)
		put_extend(m, to, i->size, true);
	emit_result(m, i->to, to);
}

static void put_store(struct emitter *m, const struct ir_insn *i)
{
	int64_t imm = i->imm2;
	int16_t offset;
	int base = have_address(m, i, BPF_REG_1, &offset), from = BPF_REG_0;

	if (i->b ? emit_is_immediate(m, i->b, &imm) : emit_is_small(imm)) {
		emit_put(m, INSN(BPF_ST | BPF_MEM | bpf_size(i->size), base, 0, offset, imm));
		return;
	}
	if (i->b)
		from = emit_have(m, BPF_REG_0, i->b);
	else
		emit_const(m, BPF_REG_0, imm);
	emit_put(m, INSN_STORE(bpf_size(i->size), base, offset, from));
}

static void put_atomic_add(struct emitter *m, const struct ir_insn *i)
{
	int16_t offset;
	int base = have_address(m, i, BPF_REG_1, &offset);
	int from = emit_have(m, BPF_REG_0, i->b);

	emit_put(m, INSN_ATOMIC(base, offset, from, BPF_ADD));
}

/* --- calls --- */

struct move {
	int to, from;
};

/* A move whose target no other one has still to read; @nr: each waits for another. */
static size_t free_move(const struct move *moves, size_t nr)
{
	for (size_t pick = 0; pick < nr; pick++) {
		size_t other = 0;

		while (other < nr && (other == pick || moves[other].from != moves[pick].to))
			other++;
		if (other == nr)
			return pick;
	}
	return nr;
}

/* Registers into registers, all at once: none is overwritten before it was read. */
static void put_moves(struct emitter *m, struct move *moves, size_t nr)
{
	while (nr) {
		size_t pick = free_move(moves, nr);
		int ring = moves[0].from;

		if (pick < nr) {
			emit_move(m, moves[pick].to, moves[pick].from);
			moves[pick] = moves[--nr];
			continue;
		}
		emit_move(m, BPF_REG_0, ring); /* opened at one place */
		for (size_t n = 0; n < nr; n++)
			if (moves[n].from == ring)
				moves[n].from = BPF_REG_0;
	}
}

static void put_arguments(struct emitter *m, const struct ir_insn *i)
{
	struct move moves[IR_ARGS_MAX];
	size_t nr = 0;

	for (size_t n = 0; n < i->nr_args; n++) {
		const struct regs_place *p = emit_place_of(m, i->args[n]);

		/* also one that is there already, and has to stay */
		if (p->kind == REGS_REGISTER)
			moves[nr++] = (struct move){ n + 1, p->reg };
	}
	put_moves(m, moves, nr);
	for (size_t n = 0; n < i->nr_args; n++)
		if (emit_place_of(m, i->args[n])->kind != REGS_REGISTER)
			emit_value(m, n + 1, i->args[n]);
}

static void put_call(struct emitter *m, const struct ir_insn *i)
{
	struct emitted *e = m->e;

	put_arguments(m, i);
	if (i->op == IR_CALL) {
		emit_put(m, INSN_CALL(i->imm));
	} else {
		if (e->nr_calls == e->calls_capacity)
			e->calls = arena_grow(e->arena, e->calls, &e->calls_capacity,
					      e->nr_calls + 1, sizeof(*e->calls));
		e->calls[e->nr_calls++] = (struct emit_call){ e->nr, i->name };
		emit_put(m, INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, -1));
	}
	if (i->to)
		emit_result(m, i->to, BPF_REG_0);
}

/* Looks up the entry @index of an array: r0. */
static void put_lookup(struct emitter *m, uint32_t index, enum link_what what, uint32_t number)
{
	emit_put(m, INSN(BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, -4, index));
	emit_put(m, INSN_MOV(BPF_REG_2, BPF_REG_10));
	emit_put(m, INSN_ADD_K(BPF_REG_2, -4));
	emit_place(m->e, BPF_REG_1, what, number, 0, m->at);
	emit_put(m, INSN_CALL(BPF_FUNC_map_lookup_elem));
}

/* --- ends --- */

static void put_jump_to(struct emitter *m, struct bpf_insn insn, uint32_t block)
{
	if (m->nr_fixups == m->fixups_capacity)
		m->fixups = arena_grow(m->e->arena, m->fixups, &m->fixups_capacity,
				       m->nr_fixups + 1, sizeof(*m->fixups));
	m->fixups[m->nr_fixups++] = (struct fixup){ m->e->nr, block };
	emit_put(m, insn);
}

static int bpf_cond(enum ir_cond cond)
{
	static const uint8_t conds[] = {
		[IR_EQ] = BPF_JEQ,   [IR_NE] = BPF_JNE,	  [IR_ULT] = BPF_JLT,  [IR_ULE] = BPF_JLE,
		[IR_UGT] = BPF_JGT,  [IR_UGE] = BPF_JGE,  [IR_SLT] = BPF_JSLT, [IR_SLE] = BPF_JSLE,
		[IR_SGT] = BPF_JSGT, [IR_SGE] = BPF_JSGE,
	};

	return conds[cond];
}

static enum ir_cond opposite(enum ir_cond cond)
{
	static const enum ir_cond opposites[] = {
		[IR_EQ] = IR_NE,   [IR_NE] = IR_EQ,   [IR_ULT] = IR_UGE, [IR_ULE] = IR_UGT,
		[IR_UGT] = IR_ULE, [IR_UGE] = IR_ULT, [IR_SLT] = IR_SGE, [IR_SLE] = IR_SGT,
		[IR_SGT] = IR_SLE, [IR_SGE] = IR_SLT,
	};

	return opposites[cond];
}

/* @next: the block that comes behind; none: there is no such block. */
static void put_branch(struct emitter *m, const struct ir_insn *i, uint32_t next)
{
	bool turn = i->then == next;
	int op = bpf_cond(turn ? opposite(i->cond) : i->cond), a, b = BPF_REG_1;
	uint32_t to = turn ? i->otherwise : i->then;
	int64_t imm = i->imm;

	if (i->then == i->otherwise) {
		if (i->then != next)
			put_jump_to(m, INSN(BPF_JMP | BPF_JA, 0, 0, 0, 0), i->then);
		return;
	}
	a = emit_have(m, BPF_REG_0, i->a);
	if (i->b ? emit_is_immediate(m, i->b, &imm) : emit_is_small(imm)) {
		put_jump_to(m, INSN(BPF_JMP | BPF_K | op, a, 0, 0, imm), to);
	} else {
		if (i->b)
			b = emit_have(m, BPF_REG_1, i->b);
		else
			emit_const(m, BPF_REG_1, imm);
		put_jump_to(m, INSN(BPF_JMP | BPF_X | op, a, b, 0, 0), to);
	}
	if (!turn && i->otherwise != next)
		put_jump_to(m, INSN(BPF_JMP | BPF_JA, 0, 0, 0, 0), i->otherwise);
}

/* The lowest byte of the stack that has a value, or the key of a lookup. */
static int frame_end(const struct emitter *m)
{
	int64_t end = -REGS_FRAME_HEAD;

	for (ir_value v = 1; v < m->f->nr_values; v++)
		if (emit_place_of(m, v)->kind == REGS_STACK && emit_place_of(m, v)->offset < end)
			end = emit_place_of(m, v)->offset;
	return end;
}

/* r2: the callback, r3: what it is given, r4: no flags. Below the frame stand our r7 and r6, for a
 * callback begins with none. */
static void put_callback(struct emitter *m, uint32_t number)
{
	struct emitted *e = m->e;
	int at = frame_end(m) - 16;

	emit_put(m, INSN_STORE(BPF_DW, BPF_REG_10, at, BPF_REG_7));
	emit_put(m, INSN_STORE(BPF_DW, BPF_REG_10, at + 8, BPF_REG_6));
	if (e->nr_loads == e->loads_capacity)
		e->loads = arena_grow(e->arena, e->loads, &e->loads_capacity, e->nr_loads + 1,
				      sizeof(*e->loads));
	e->loads[e->nr_loads++] = e->nr;
	emit_put(m, INSN(BPF_LD | BPF_IMM | BPF_DW, BPF_REG_2, BPF_PSEUDO_FUNC, 0, number));
	emit_put(m, INSN(0, 0, 0, 0, 0));
	emit_put(m, INSN_MOV(BPF_REG_3, BPF_REG_10));
	emit_put(m, INSN_ADD_K(BPF_REG_3, at));
	emit_put(m, INSN_MOV_K(BPF_REG_4, 0));
}

static void put_for_each(struct emitter *m, const struct ir_insn *i)
{
	emit_place(m->e, BPF_REG_1, LINK_MAP, i->imm, 0, m->at);
	put_callback(m, i->imm2);
	emit_put(m, INSN_CALL(BPF_FUNC_for_each_map_elem)); /* 5.13 */
}

static void put_loop(struct emitter *m, const struct ir_insn *i)
{
	emit_put(m, INSN_MOV_K(BPF_REG_1, i->imm));
	put_callback(m, i->imm2);
	emit_put(m, INSN_CALL(BPF_FUNC_loop)); /* 5.17 */
	emit_result(m, i->to, BPF_REG_0);
}

/* From @from to @at of the scratch. */
static void put_element(struct emitter *m, int from, uint32_t at, uint32_t size)
{
	emit_put(m, INSN_MOV(BPF_REG_1, BPF_REG_7));
	emit_put(m, INSN_ADD_K(BPF_REG_1, m->r->base + at));
	emit_put(m, INSN_MOV(BPF_REG_3, from));
	emit_put(m, INSN_MOV_K(BPF_REG_2, size));
	emit_put(m, INSN_CALL(BPF_FUNC_probe_read_kernel));
}

/* For each element: r1 is the map, r2 the key, r3 the value, r4 what put_callback() gave; again and
 * again: r1 is the number of the round, r2 what it gave. */
static void put_callback_prologue(struct emitter *m)
{
	const struct ir_function *f = m->f;
	int given = f->key_size ? BPF_REG_4 : BPF_REG_2;

	m->at = f->blocks[0].insns[0].at;
	emit_put(m, INSN_LOAD(BPF_DW, BPF_REG_6, given, 8));
	emit_put(m, INSN_LOAD(BPF_DW, BPF_REG_7, given, 0));
	if (!f->key_size)
		return;
	emit_put(m, INSN_MOV(BPF_REG_8, BPF_REG_3));
	put_element(m, BPF_REG_2, f->key_at, f->key_size);
	put_element(m, BPF_REG_8, f->value_at, f->value_size);
}

static void put_return(struct emitter *m, const struct ir_insn *i)
{
	if (i->a)
		emit_value(m, BPF_REG_0, i->a);
	else
		emit_const(m, BPF_REG_0, i->imm);
	if (m->e->scratch && m->f->root == m->f)
		emit_put(m, INSN(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_7, 0, 0, 0));
	emit_put(m, INSN_EXIT());
}

/* A constant or an address of a variable that is written elsewhere, too. */
static void put_address(struct emitter *m, const struct ir_insn *i)
{
	struct regs_place p = { .base = i->op, .offset = i->imm, .map = i->imm };
	int to = emit_result_register(m, i->to);

	emit_fixed(m, to, &p);
	emit_result(m, i->to, to);
}

static void put_insn(struct emitter *m, const struct ir_insn *i, uint32_t next)
{
	m->at = i->at;
	/* what nobody reads, or is made again where it is wanted */
	if (!regs_has_effect(i) && (emit_place_of(m, i->to)->kind == REGS_NONE ||
				    emit_place_of(m, i->to)->kind == REGS_FIXED))
		return;
	switch (i->op) {
	case IR_COPY:
		emit_result(m, i->to, emit_have(m, emit_result_register(m, i->to), i->a));
		break;
	case IR_ADD ... IR_SAR:
		put_binary(m, i);
		break;
	case IR_NEG:
	case IR_EXTEND:
	case IR_BSWAP:
		put_unary(m, i);
		break;
	case IR_LOAD:
		put_load(m, i);
		break;
	case IR_STORE:
		put_store(m, i);
		break;
	case IR_ATOMIC_ADD:
		put_atomic_add(m, i);
		break;
	case IR_CONST:
	case IR_ADDRESS_CONTEXT ... IR_ADDRESS_MAP:
		put_address(m, i);
		break;
	case IR_ADDRESS_MAP_NOW:
		put_lookup(m, 0, LINK_MAP_NOW, i->imm);
		emit_result(m, i->to, BPF_REG_0);
		break;
	case IR_CALL:
	case IR_CALL_RUNTIME:
		put_call(m, i);
		break;
	case IR_LOOP:
		put_loop(m, i);
		break;
	case IR_FOR_EACH:
		put_for_each(m, i);
		break;
	case IR_JUMP:
		if (i->then != next)
			put_jump_to(m, INSN(BPF_JMP | BPF_JA, 0, 0, 0, 0), i->then);
		break;
	case IR_BRANCH:
		put_branch(m, i, next);
		break;
	case IR_RETURN:
		put_return(m, i);
		break;
	}
}

/* --- begin and end --- */

static void put_out(struct emitter *m, struct bpf_insn insn, enum way_out out)
{
	m->out_of[m->nr_outs] = out;
	m->outs[m->nr_outs++] = m->e->nr;
	emit_put(m, insn);
}

/* Does this program run on this CPU already, and was interrupted, by itself? */
static void put_busy(struct emitter *m)
{
	if (m->config->cmpxchg) {
		emit_put(m, INSN_MOV_K(BPF_REG_1, 1));
		emit_put(m, INSN_ATOMIC(BPF_REG_7, 0, BPF_REG_1, BPF_XCHG));
		put_out(m, INSN(BPF_JMP | BPF_JNE | BPF_K, BPF_REG_1, 0, 0, 0), OUT_BUSY);
		return;
	}
	emit_put(m, INSN_LOAD(BPF_DW, BPF_REG_1, BPF_REG_7, 0));
	put_out(m, INSN(BPF_JMP | BPF_JNE | BPF_K, BPF_REG_1, 0, 0, 0), OUT_BUSY);
	emit_put(m, INSN(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_7, 0, 0, 1));
}

static void put_prologue(struct emitter *m)
{
	m->at = m->f->blocks[0].insns[0].at;
	emit_put(m, INSN_MOV(BPF_REG_6, BPF_REG_1));
	if (!m->f->ungated) {
		emit_place(m->e, BPF_REG_1, LINK_GLOBALS, 0, offsetof(struct rt_globals, gate),
			   m->at);
		emit_put(m, INSN_LOAD(BPF_DW, BPF_REG_1, BPF_REG_1, 0));
		put_out(m, INSN(BPF_JMP | BPF_JNE | BPF_K, BPF_REG_1, 0, 0, RT_GATE_OPEN),
			OUT_CLOSED);
	}
	if (!m->e->scratch)
		return;
	put_lookup(m, m->f->index, LINK_SCRATCH, 0);
	put_out(m, INSN(BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 0, 0), OUT_CLOSED);
	emit_put(m, INSN_MOV(BPF_REG_7, BPF_REG_0));
	put_busy(m);
}

static void put_way_out(struct emitter *m, enum way_out out)
{
	bool wanted = false;

	for (size_t i = 0; i < m->nr_outs; i++)
		if (m->out_of[i] == out) {
			/* the prologue is far from the end in a long program: s16 was checked */
			m->e->insns[m->outs[i]].off = m->e->nr - m->outs[i] - 1;
			wanted = true;
		}
	if (!wanted)
		return;
	if (out == OUT_BUSY) {
		emit_place(m->e, BPF_REG_1, LINK_GLOBALS, 0, offsetof(struct rt_globals, left_out),
			   m->at);
		emit_put(m, INSN_MOV_K(BPF_REG_2, 1));
		emit_put(m, INSN_ATOMIC(BPF_REG_1, 0, BPF_REG_2, BPF_ADD));
	}
	emit_const(m, BPF_REG_0, 0);
	emit_put(m, INSN_EXIT());
}

/* The distances of all jumps. False: one is too far. */
static bool fix_jumps(struct emitter *m, struct source *src)
{
	for (size_t i = 0; i < m->nr_fixups; i++) {
		const struct fixup *x = &m->fixups[i];
		int64_t distance = (int64_t)m->starts[x->block] - x->insn - 1;

		if (distance < INT16_MIN || distance > INT16_MAX) {
			source_error(src, m->e->at[x->insn],
				     "this is too long: a jump over %lld instructions, and the "
				     "kernel's reach over %d",
				     (long long)distance, INT16_MAX);
			return false;
		}
		m->e->insns[x->insn].off = distance;
	}
	return true;
}

static void put_blocks(struct emitter *m)
{
	m->starts = arena_alloc(m->f->arena, m->f->nr_blocks * sizeof(*m->starts));
	for (size_t n = 0; n < m->r->nr_order; n++) {
		const struct ir_block *b = &m->f->blocks[m->r->order[n]];
		uint32_t next = n + 1 < m->r->nr_order ? m->r->order[n + 1] : UINT32_MAX;

		m->starts[m->r->order[n]] = m->e->nr;
		for (size_t i = 0; i < b->nr; i++)
			put_insn(m, &b->insns[i], next);
	}
}

/* A callback has the scratch of its function; what it keeps there itself stands behind. */
static bool assign_callback(const struct ir_function *f, struct regs *main, struct regs *r)
{
	uint32_t own;

	if (!regs_assign(f, r))
		return false;
	own = r->base - REGS_SCRATCH_HEAD;
	for (ir_value v = 1; v < f->nr_values; v++)
		if (r->places[v].kind == REGS_SCRATCH)
			r->places[v].offset += main->scratch - REGS_SCRATCH_HEAD;
	r->base = main->base;
	main->scratch += own;
	return true;
}

static bool put_callbacks(struct emitter *m, struct source *src, const struct regs *all)
{
	struct emitted *e = m->e;

	e->nr_callbacks = m->f->nr_callbacks;
	e->callbacks = arena_alloc(e->arena, e->nr_callbacks * sizeof(*e->callbacks) + 1);
	for (size_t n = 0; n < e->nr_callbacks; n++) {
		struct regs r = all[n];
		struct emitter body = {
			.e = e, .f = m->f->callbacks[n], .r = &r, .config = m->config
		};

		e->callbacks[n] = e->nr;
		put_callback_prologue(&body);
		put_blocks(&body);
		if (!fix_jumps(&body, src))
			return false;
	}
	for (size_t n = 0; n < e->nr_loads; n++) {
		struct bpf_insn *insn = &e->insns[e->loads[n]];

		insn->imm = (int32_t)e->callbacks[insn->imm] - (int32_t)e->loads[n] - 1;
	}
	return true;
}

/* Of the function and its callbacks. */
static bool assign_all(struct source *src, const struct ir_function *f, struct regs *r,
		       struct regs *callbacks)
{
	const struct regs *failed = NULL;

	if (!regs_assign(f, r))
		failed = r;
	for (size_t n = 0; !failed && n < f->nr_callbacks; n++)
		if (!assign_callback(f->callbacks[n], r, &callbacks[n]))
			failed = &callbacks[n];
	if (failed)
		source_error(src, failed->too_many, "too many addresses are in use at once here");
	return !failed;
}

bool emit_function(struct source *src, const struct ir_function *f,
		   const struct emit_config *config, struct emitted *e)
{
	struct regs r, *callbacks;
	struct emitter m = { .e = e, .f = f, .r = &r, .config = config };

	*e = (struct emitted){ .arena = f->arena };
	callbacks = arena_alloc(f->arena, f->nr_callbacks * sizeof(*callbacks) + 1);
	if (!assign_all(src, f, &r, callbacks))
		return false;
	if (r.scratch > SCRATCH_MAX) {
		source_error(src, f->blocks[0].insns[0].at,
			     "this needs %u bytes at once for its texts and values, and the kernel "
			     "has %d: shorten its strings (max_strlen, str(p, length))",
			     r.scratch, SCRATCH_MAX);
		return false;
	}
	e->scratch = r.scratch;
	put_prologue(&m);
	/* what leaves early stands in front, so that it is near however long the program is */
	if (m.nr_outs) {
		uint32_t over = e->nr;

		emit_put(&m, INSN(BPF_JMP | BPF_JA, 0, 0, 0, 0));
		put_way_out(&m, OUT_CLOSED);
		put_way_out(&m, OUT_BUSY);
		e->insns[over].off = e->nr - over - 1;
	}
	put_blocks(&m);
	return fix_jumps(&m, src) && put_callbacks(&m, src, callbacks);
}
