/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * link: BPF instructions of a function, with those of the runtime (bpf/script.bpf.c, which is part
 * of this program as an ELF image) that it calls behind them.
 */
#ifndef BORESCOPE_SCRIPT_LINK_H
#define BORESCOPE_SCRIPT_LINK_H

#include "script/emit.h"

struct code {
	struct bpf_insn *insns;
	size_t nr;
	size_t own;	    /* the first of them are the function's, the others the runtime's */
	struct span *at;    /* of each of its own: what of the script it comes from */
	bool has_callbacks; /* so the kernel wants types of all functions */
	/* The functions that stand behind it, in their order: callbacks, and the runtime's. */
	struct link_function {
		const char *name;
		uint32_t start;
	} * functions;
	size_t nr_functions;
	struct link_place *places;
	size_t nr_places;
	uint32_t scratch; /* bytes of its entry of the map scratch, in all; 0: it needs none */
};

/* Code of @f, complete but for .places. What is wrong (too many values for the stack) is said at
 * the place in the script. NULL: so it was. */
struct code *code_make(struct source *src, const struct ir_function *f,
		       const struct emit_config *config);
/* -d bpf: one instruction a line, with the names of helpers and functions. */
void code_dump(const struct code *c, FILE *out);

#endif
