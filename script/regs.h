/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * regs: where the values of a function are while it runs.
 *
 * r6 is the context, r7 the program's entry of the map scratch; r8 and r9 have what gains most, r2
 * to r5 what no call comes between, and r0 and r1 are the emitter's. What is known where it is
 * wanted, such as a constant or an address within the scratch, has no place: it is made again. The
 * rest is on the stack, in slots of 8 bytes, for the verifier of 5.10 follows an address only
 * there; and numbers for which there is no room there, in the scratch.
 */
#ifndef BORESCOPE_SCRIPT_REGS_H
#define BORESCOPE_SCRIPT_REGS_H

#include "script/ir.h"

/* Bytes of the stack that a program itself may have; its callees have the rest of 512. One with
 * callbacks has less, for theirs come on top. */
#define REGS_FRAME	    256
#define REGS_FRAME_LOOPS    96
#define REGS_FRAME_CALLBACK 48
/* What the emitter has at the top of it: a key for lookups. */
#define REGS_FRAME_HEAD 8
/* What the emitter keeps at the begin of the entry of the map scratch, in bytes: the mark that the
 * program runs, and a place where an address becomes a number. */
#define REGS_SCRATCH_HEAD 16

enum regs_kind {
	REGS_NONE,  /* never read */
	REGS_FIXED, /* .base and .offset say what it is; a constant: .offset */
	REGS_REGISTER,
	REGS_STACK,   /* at r10 + .offset */
	REGS_SCRATCH, /* at r7 + .offset */
};

struct regs_place {
	enum regs_kind kind;
	enum ir_op base; /* IR_CONST, IR_ADDRESS_... */
	int64_t offset;
	int reg;
	unsigned map; /* of IR_ADDRESS_MAP */
};

struct regs {
	struct regs_place *places; /* of each value */
	uint32_t *order; /* of the blocks that can be reached, so that few jumps are needed */
	size_t nr_order;
	uint32_t scratch;     /* bytes wanted of the entry of the map scratch, in all; 0: none */
	uint32_t base;	      /* where in it the function's own begins */
	struct span too_many; /* where it failed */
};

/* Gives all values of @f, which ir_check() found well formed, their places. False: there are more
 * addresses at once than the stack has room for. */
bool regs_assign(const struct ir_function *f, struct regs *r);

/* Has @i to be carried out even if nobody reads what it gives? */
bool regs_has_effect(const struct ir_insn *i);

#endif
