/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ir: three-address code, between the tree and BPF.
 *
 * A function has blocks; a block has instructions and ends with one that leaves it. A value is a
 * register of which there are as many as are wanted; a register may be written more than once (it
 * is a variable, not SSA). It has a class, which the checker holds the instructions to. Aggregates
 * are no values: they are addresses.
 *
 * script/lower.c makes it, ir_check() looks whether it is well formed, script/regs.c gives
 * registers places, script/emit.c makes BPF instructions of it.
 */
#ifndef BORESCOPE_SCRIPT_IR_H
#define BORESCOPE_SCRIPT_IR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "script/source.h"

typedef uint32_t ir_value; /* a register; 0: none */

enum ir_class {
	IR_SCALAR,
	IR_CONTEXT,   /* the program's context */
	IR_SCRATCH,   /* inside of the program's memory of this CPU */
	IR_MAP,	      /* a map itself */
	IR_MAP_VALUE, /* of a map, perhaps NULL until it is compared */
	IR_GLOBAL,    /* inside of struct rt_globals */
	IR_RODATA,
};

enum ir_op {
	IR_CONST, /* to = imm */
	IR_COPY,  /* to = a */
	/* to = a op b, of 64 bits; b none: imm */
	IR_ADD,
	IR_SUB,
	IR_MUL,
	IR_UDIV,
	IR_UMOD,
	IR_AND,
	IR_OR,
	IR_XOR,
	IR_SHL,
	IR_SHR, /* logical */
	IR_SAR,
	IR_NEG,	       /* to = -a */
	IR_EXTEND,     /* to = the low .size bytes of a, .is_signed or not */
	IR_BSWAP,      /* to = a of .size bytes, in the other order */
	IR_LOAD,       /* to = .size bytes at a + imm */
	IR_STORE,      /* .size bytes at a + imm = b; b none: imm2 */
	IR_ATOMIC_ADD, /* 8 bytes at a + imm += b */
	IR_ADDRESS_CONTEXT,
	IR_ADDRESS_SCRATCH, /* to = scratch + imm */
	IR_ADDRESS_GLOBAL,  /* to = globals + imm */
	IR_ADDRESS_RODATA,  /* to = rodata + imm */
	IR_ADDRESS_MAP,	    /* to = map number imm, for a helper */
	IR_ADDRESS_MAP_NOW, /* the same of a map with generations: the one in use; may be NULL */
	IR_CALL,	    /* to = helper number imm (args) */
	IR_CALL_RUNTIME,    /* to = .name (args) */
	IR_LOOP,     /* to = how often callback imm2 was called: imm times, or until it returns 1 */
	IR_FOR_EACH, /* calls the callback number imm2 for each element of map number imm */
	/* ends of a block */
	IR_JUMP,   /* to block .then */
	IR_BRANCH, /* a .cond b (none: imm) ? .then : .otherwise */
	IR_RETURN, /* of a, none: imm */
};

enum ir_cond {
	IR_EQ,
	IR_NE,
	IR_ULT,
	IR_ULE,
	IR_UGT,
	IR_UGE,
	IR_SLT,
	IR_SLE,
	IR_SGT,
	IR_SGE,
};

#define IR_ARGS_MAX 5

struct ir_insn {
	enum ir_op op;
	ir_value to, a, b;
	int64_t imm, imm2;
	uint8_t size;
	bool is_signed;
	enum ir_cond cond;
	uint32_t then, otherwise; /* blocks */
	const char *name;
	ir_value args[IR_ARGS_MAX];
	size_t nr_args;
	struct span at; /* what of the script it comes from */
};

struct ir_block {
	struct ir_insn *insns;
	size_t nr, capacity;
};

struct ir_function {
	struct arena *arena;
	const char *name;	/* for dumps, and the kernel's name of the program */
	enum ir_class *classes; /* of each value; [0] is unused */
	size_t nr_values, values_capacity;
	struct ir_block *blocks;
	size_t nr_blocks, blocks_capacity;
	uint32_t block;	  /* where instructions go now */
	struct span at;	  /* what they come from */
	uint32_t scratch; /* bytes of its scratch; index: which entry of the map scratch it has */
	uint32_t index;
	/* It runs also while the gate is closed: what bscope runs itself, such as end. */
	bool ungated;
	/* What is loaded from the context may be an address that the verifier follows, as in fentry
	 * and fexit: emit.c makes it a number, with which everything may be done. */
	bool context_has_pointers;
	/*
	 * A callback is a function that the kernel calls for each element of a map, or again and
	 * again. It returns 0 to go on, 1 to end the loop, and shares the scratch of the program,
	 * which is .root, and has all callbacks of the program, also those of callbacks.
	 */
	struct ir_function *root;			 /* itself, if it is a program */
	uint32_t key_at, key_size, value_at, value_size; /* where in it copies are put first */
	struct ir_function **callbacks;
	size_t nr_callbacks, callbacks_capacity;
	size_t nr_insns;
};

struct ir_function *ir_function_new(struct arena *arena, const char *name);

/* A register without a value yet, to be set by ir_set() on every way to where it is read. */
ir_value ir_variable(struct ir_function *f, enum ir_class class);
void ir_set(struct ir_function *f, ir_value variable, ir_value value);

ir_value ir_const(struct ir_function *f, int64_t value);
ir_value ir_binary(struct ir_function *f, enum ir_op op, ir_value a, ir_value b);
ir_value ir_binary_imm(struct ir_function *f, enum ir_op op, ir_value a, int64_t imm);
ir_value ir_negate(struct ir_function *f, ir_value a);
ir_value ir_extend(struct ir_function *f, ir_value a, unsigned size, bool is_signed);
ir_value ir_bswap(struct ir_function *f, ir_value a, unsigned size);
ir_value ir_load(struct ir_function *f, ir_value base, int64_t offset, unsigned size,
		 bool is_signed);
void ir_store(struct ir_function *f, ir_value base, int64_t offset, unsigned size, ir_value value);
void ir_store_imm(struct ir_function *f, ir_value base, int64_t offset, unsigned size,
		  int64_t value);
void ir_atomic_add(struct ir_function *f, ir_value base, int64_t offset, ir_value value);
ir_value ir_context(struct ir_function *f);
/* @offset: from 0, of what f->scratch counts. (What emit.c keeps in the same entry of the map, as
 * the mark that the program runs, stands before it and is not counted: see code.scratch.) */
ir_value ir_scratch(struct ir_function *f, uint32_t offset);
ir_value ir_global(struct ir_function *f, uint32_t offset);
ir_value ir_rodata(struct ir_function *f, uint32_t offset);
ir_value ir_map(struct ir_function *f, unsigned map, bool now);
/* @class: of what it returns; then come @nr of ir_value. */
ir_value ir_call(struct ir_function *f, int helper, enum ir_class class, size_t nr, ...);
ir_value ir_runtime(struct ir_function *f, const char *name, enum ir_class class, size_t nr, ...);

/* Another callback of @f's program. */
struct ir_function *ir_callback_new(struct ir_function *f);
void ir_for_each(struct ir_function *f, unsigned map, const struct ir_function *body);
/* Returns how often @body was called: @times, or less. */
ir_value ir_loop(struct ir_function *f, uint32_t times, const struct ir_function *body);

uint32_t ir_block(struct ir_function *f);	      /* a new one, empty */
void ir_enter(struct ir_function *f, uint32_t block); /* what follows goes there */
bool ir_ended(const struct ir_function *f);	      /* the block has an end already */
void ir_jump(struct ir_function *f, uint32_t block);
void ir_branch(struct ir_function *f, enum ir_cond cond, ir_value a, ir_value b, uint32_t then,
	       uint32_t otherwise);
void ir_branch_imm(struct ir_function *f, enum ir_cond cond, ir_value a, int64_t imm, uint32_t then,
		   uint32_t otherwise);
void ir_return(struct ir_function *f, int64_t value);

/* Calls @fn for each value that @i reads. */
void ir_each_read(const struct ir_insn *i, void (*fn)(void *ctx, ir_value v), void *ctx);

/* Is it well formed: classes, every value written before it is read on every way, blocks that end?
 * Returns NULL, or what is wrong, with the instruction: a defect of the compiler. */
const char *ir_check(const struct ir_function *f);
void ir_dump(const struct ir_function *f, FILE *out);

#endif
