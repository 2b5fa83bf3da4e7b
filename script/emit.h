/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * emit: BPF instructions of a function. Opcodes that every kernel from 5.10 on has.
 */
#ifndef BORESCOPE_SCRIPT_EMIT_H
#define BORESCOPE_SCRIPT_EMIT_H

#include <linux/bpf.h>

#include "script/ir.h"

/* An instruction whose immediate waits for a descriptor. */
enum link_what {
	LINK_MAP,     /* a map of the script: .number in compiled.maps */
	LINK_MAP_NOW, /* the array of maps that stands before it */
	LINK_SCRATCH, /* a per-CPU array, a value for each program */
	LINK_GLOBALS, /* value address: an array of one struct rt_globals */
	LINK_RODATA,  /* value address */
	LINK_RING,    /* ring .number */
	LINK_SEEN,    /* the LRU hash of ids that were sent */
};
struct link_place {
	uint32_t insn;
	enum link_what what;
	uint32_t number;
};

struct emit_config {
	unsigned rings; /* how many: a power of two, up to 32 */
	bool cmpxchg;	/* the kernel has atomic exchange (5.12) */
};

/* A call of the runtime: link.c says where that function will stand. */
struct emit_call {
	uint32_t insn;
	const char *name;
};

struct emitted {
	struct arena *arena;
	struct bpf_insn *insns;
	struct span *at; /* of each */
	size_t nr, capacity, at_capacity;
	struct link_place *places;
	size_t nr_places, places_capacity;
	struct emit_call *calls;
	size_t nr_calls, calls_capacity;
	uint32_t scratch;    /* as in struct code */
	uint32_t *callbacks; /* where those of the function begin */
	size_t nr_callbacks;
	uint32_t *loads; /* instructions that want the address of callback number .imm */
	size_t nr_loads, loads_capacity;
};

/* False after saying what is wrong at the place in the script. */
bool emit_function(struct source *src, const struct ir_function *f,
		   const struct emit_config *config, struct emitted *e);

/* Adds an instruction; also of code that is no function's. */
void emit_insn(struct emitted *e, struct bpf_insn insn, struct span at);
/* Adds one of two words whose immediate waits for a descriptor; @offset: into the value. */
void emit_place(struct emitted *e, int reg, enum link_what what, uint32_t number, int32_t offset,
		struct span at);

#endif
