/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Between emit.c, which has the instructions, and emit_values.c, which has their operands. */
#ifndef BORESCOPE_SCRIPT_EMIT_INTERNAL_H
#define BORESCOPE_SCRIPT_EMIT_INTERNAL_H

#include "script/emit.h"
#include "script/insns.h"
#include "script/regs.h"

/* A jump whose distance is not known yet. */
struct fixup {
	uint32_t insn, block;
};

/* Where a program leaves. */
enum way_out {
	OUT_CLOSED, /* nothing was done yet */
	OUT_BUSY,   /* it runs already, and was interrupted */
};

struct emitter {
	struct emitted *e;
	const struct ir_function *f;
	const struct regs *r;
	const struct emit_config *config;
	struct span at;
	uint32_t *starts; /* of each block */
	struct fixup *fixups;
	size_t nr_fixups, fixups_capacity;
	uint32_t outs[8]; /* jumps of the prologue to the ways out */
	enum way_out out_of[8];
	size_t nr_outs;
};

void emit_put(struct emitter *m, struct bpf_insn insn);
bool emit_is_small(int64_t v);
const struct regs_place *emit_place_of(const struct emitter *m, ir_value v);

void emit_const(struct emitter *m, int reg, int64_t v);
void emit_move(struct emitter *m, int to, int from);
/* What is made again where it is wanted. */
void emit_fixed(struct emitter *m, int reg, const struct regs_place *p);
/* Has @v in @reg. */
void emit_value(struct emitter *m, int reg, ir_value v);
/* The register that has @v: its own, or @reg. */
int emit_have(struct emitter *m, int reg, ir_value v);
/* The register in which the result is made: its own, or r0. */
int emit_result_register(const struct emitter *m, ir_value to);
/* What was made in @reg goes to where @to is. */
void emit_result(struct emitter *m, ir_value to, int reg);
/* Is @v a constant that an instruction can have in itself? */
bool emit_is_immediate(const struct emitter *m, ir_value v, int64_t *imm);

#endif
