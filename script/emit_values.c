/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "script/emit_internal.h"

void emit_insn(struct emitted *e, struct bpf_insn insn, struct span at)
{
	if (e->nr == e->capacity)
		e->insns =
			arena_grow(e->arena, e->insns, &e->capacity, e->nr + 1, sizeof(*e->insns));
	if (e->nr == e->at_capacity)
		e->at = arena_grow(e->arena, e->at, &e->at_capacity, e->nr + 1, sizeof(*e->at));
	e->at[e->nr] = at;
	e->insns[e->nr++] = insn;
}

void emit_place(struct emitted *e, int reg, enum link_what what, uint32_t number, int32_t offset,
		struct span at)
{
	if (e->nr_places == e->places_capacity)
		e->places = arena_grow(e->arena, e->places, &e->places_capacity, e->nr_places + 1,
				       sizeof(*e->places));
	e->places[e->nr_places++] = (struct link_place){ e->nr, what, number };
	emit_insn(e, INSN(BPF_LD | BPF_IMM | BPF_DW, reg, 0, 0, 0), at);
	emit_insn(e, INSN(0, 0, 0, 0, offset), at);
}

void emit_put(struct emitter *m, struct bpf_insn insn)
{
	emit_insn(m->e, insn, m->at);
}

bool emit_is_small(int64_t v)
{
	return v >= INT32_MIN && v <= INT32_MAX;
}

const struct regs_place *emit_place_of(const struct emitter *m, ir_value v)
{
	return &m->r->places[v];
}

void emit_const(struct emitter *m, int reg, int64_t v)
{
	if (emit_is_small(v)) {
		emit_put(m, INSN_MOV_K(reg, v));
		return;
	}
	emit_put(m, INSN(BPF_LD | BPF_IMM | BPF_DW, reg, 0, 0, (uint32_t)v));
	emit_put(m, INSN(0, 0, 0, 0, (uint64_t)v >> 32));
}

void emit_move(struct emitter *m, int to, int from)
{
	if (to != from)
		emit_put(m, INSN_MOV(to, from));
}

void emit_fixed(struct emitter *m, int reg, const struct regs_place *p)
{
	int64_t offset = p->offset;

	switch (p->base) {
	case IR_CONST:
		emit_const(m, reg, offset);
		return;
	case IR_ADDRESS_GLOBAL:
		emit_place(m->e, reg, LINK_GLOBALS, 0, offset, m->at);
		return;
	case IR_ADDRESS_RODATA:
		emit_place(m->e, reg, LINK_RODATA, 0, offset, m->at);
		return;
	case IR_ADDRESS_MAP:
		emit_place(m->e, reg, LINK_MAP, p->map, 0, m->at);
		return;
	case IR_ADDRESS_SCRATCH:
		emit_move(m, reg, BPF_REG_7);
		offset += m->r->base;
		break;
	default: /* IR_ADDRESS_CONTEXT */
		emit_move(m, reg, BPF_REG_6);
		break;
	}
	if (offset)
		emit_put(m, INSN_ADD_K(reg, offset));
}

void emit_value(struct emitter *m, int reg, ir_value v)
{
	const struct regs_place *p = emit_place_of(m, v);

	switch (p->kind) {
	case REGS_REGISTER:
		emit_move(m, reg, p->reg);
		break;
	case REGS_STACK:
		emit_put(m, INSN_LOAD(BPF_DW, reg, BPF_REG_10, p->offset));
		break;
	case REGS_SCRATCH:
		emit_put(m, INSN_LOAD(BPF_DW, reg, BPF_REG_7, p->offset));
		break;
	default:
		emit_fixed(m, reg, p);
		break;
	}
}

int emit_have(struct emitter *m, int reg, ir_value v)
{
	if (emit_place_of(m, v)->kind == REGS_REGISTER)
		return emit_place_of(m, v)->reg;
	emit_value(m, reg, v);
	return reg;
}

int emit_result_register(const struct emitter *m, ir_value to)
{
	return emit_place_of(m, to)->kind == REGS_REGISTER ? emit_place_of(m, to)->reg : BPF_REG_0;
}

void emit_result(struct emitter *m, ir_value to, int reg)
{
	const struct regs_place *p = emit_place_of(m, to);

	if (p->kind == REGS_REGISTER)
		emit_move(m, p->reg, reg);
	else if (p->kind == REGS_STACK)
		emit_put(m, INSN_STORE(BPF_DW, BPF_REG_10, p->offset, reg));
	else if (p->kind == REGS_SCRATCH)
		emit_put(m, INSN_STORE(BPF_DW, BPF_REG_7, p->offset, reg));
}

bool emit_is_immediate(const struct emitter *m, ir_value v, int64_t *imm)
{
	const struct regs_place *p = emit_place_of(m, v);

	*imm = p->offset;
	return p->kind == REGS_FIXED && p->base == IR_CONST && emit_is_small(p->offset);
}
