/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Instructions as the verifier's log has them, with names in the place of numbers. */
#include <inttypes.h>
#include <string.h>

#include "script/helpers.h"
#include "script/link.h"

static const char *const operators[16] = {
	[BPF_ADD >> 4] = "+=",	[BPF_SUB >> 4] = "-=",	[BPF_MUL >> 4] = "*=",
	[BPF_DIV >> 4] = "/=",	[BPF_OR >> 4] = "|=",	[BPF_AND >> 4] = "&=",
	[BPF_LSH >> 4] = "<<=", [BPF_RSH >> 4] = ">>=", [BPF_MOD >> 4] = "%=",
	[BPF_XOR >> 4] = "^=",	[BPF_MOV >> 4] = "=",	[BPF_ARSH >> 4] = "s>>=",
};

static const char *const conditions[16] = {
	[BPF_JEQ >> 4] = "==",	 [BPF_JGT >> 4] = ">",	  [BPF_JGE >> 4] = ">=",
	[BPF_JSET >> 4] = "&",	 [BPF_JNE >> 4] = "!=",	  [BPF_JSGT >> 4] = "s>",
	[BPF_JSGE >> 4] = "s>=", [BPF_JLT >> 4] = "<",	  [BPF_JLE >> 4] = "<=",
	[BPF_JSLT >> 4] = "s<",	 [BPF_JSLE >> 4] = "s<=",
};

/* 64 bits are r, 32 bits w. */
static char width_of(const struct bpf_insn *i)
{
	int class = BPF_CLASS(i->code);

	return class == BPF_ALU || class == BPF_JMP32 ? 'w' : 'r';
}

static void dump_alu(const struct bpf_insn *i, FILE *out)
{
	const char *op = operators[BPF_OP(i->code) >> 4];
	char w = width_of(i);

	if (BPF_OP(i->code) == BPF_NEG)
		fprintf(out, "%c%d = -%c%d", w, i->dst_reg, w, i->dst_reg);
	else if (BPF_OP(i->code) == BPF_END)
		fprintf(out, "r%d = %s%d r%d", i->dst_reg,
			BPF_SRC(i->code) == BPF_TO_BE ? "be" : "le", i->imm, i->dst_reg);
	else if (BPF_SRC(i->code) == BPF_X)
		fprintf(out, "%c%d %s %c%d", w, i->dst_reg, op ? op : "?", w, i->src_reg);
	else
		fprintf(out, "%c%d %s %d", w, i->dst_reg, op ? op : "?", i->imm);
}

static void dump_place(const struct bpf_insn *i, int reg, FILE *out)
{
	static const char *const sizes[] = {
		[BPF_W >> 3] = "u32",
		[BPF_H >> 3] = "u16",
		[BPF_B >> 3] = "u8",
		[BPF_DW >> 3] = "u64",
	};

	fprintf(out, "*(%s *)(r%d %+d)", sizes[BPF_SIZE(i->code) >> 3], reg, i->off);
}

static void dump_memory(const struct bpf_insn *i, FILE *out)
{
	if (BPF_CLASS(i->code) == BPF_LDX) {
		fprintf(out, "r%d = ", i->dst_reg);
		dump_place(i, i->src_reg, out);
	} else if (BPF_CLASS(i->code) == BPF_ST) {
		dump_place(i, i->dst_reg, out);
		fprintf(out, " = %d", i->imm);
	} else if (BPF_MODE(i->code) == BPF_ATOMIC && i->imm == BPF_XCHG) {
		fprintf(out, "r%d = xchg(", i->src_reg);
		dump_place(i, i->dst_reg, out);
		fprintf(out, ", r%d)", i->src_reg);
	} else {
		fputs(BPF_MODE(i->code) == BPF_ATOMIC ? "lock " : "", out);
		dump_place(i, i->dst_reg, out);
		fprintf(out, " %s r%d", BPF_MODE(i->code) == BPF_ATOMIC ? "+=" : "=", i->src_reg);
	}
}

/* The runtime's function that begins at an instruction, or NULL. */
static const char *function_at(const struct code *c, size_t n)
{
	for (size_t f = 0; f < c->nr_functions; f++)
		if (c->functions[f].start == n)
			return c->functions[f].name;
	return NULL;
}

static void dump_jump(const struct code *c, size_t n, FILE *out)
{
	const struct bpf_insn *i = &c->insns[n];
	const char *name;

	switch (BPF_OP(i->code)) {
	case BPF_EXIT:
		fputs("exit", out);
		return;
	case BPF_JA:
		fprintf(out, "goto %zu", n + i->off + 1);
		return;
	case BPF_CALL:
		name = i->src_reg == BPF_PSEUDO_CALL ? function_at(c, n + i->imm + 1)
						     : helper_name(i->imm);
		fprintf(out, "call %s", name ? name : "?");
		return;
	}
	name = conditions[BPF_OP(i->code) >> 4];
	fprintf(out, "if %c%d %s ", width_of(i), i->dst_reg, name ? name : "?");
	if (BPF_SRC(i->code) == BPF_X)
		fprintf(out, "%c%d", width_of(i), i->src_reg);
	else
		fprintf(out, "%d", i->imm);
	fprintf(out, " goto %zu", n + i->off + 1);
}

/* What two words load: a number, or what waits for a descriptor. */
static void dump_wide(const struct code *c, size_t n, FILE *out)
{
	static const char *const names[] = {
		[LINK_MAP] = "map",	    [LINK_MAP_NOW] = "maps",  [LINK_SCRATCH] = "scratch",
		[LINK_GLOBALS] = "globals", [LINK_RODATA] = "rodata", [LINK_RING] = "ring",
		[LINK_SEEN] = "seen",
	};
	const struct bpf_insn *i = &c->insns[n];
	const struct link_place *place = NULL;

	for (size_t p = 0; p < c->nr_places; p++)
		if (c->places[p].insn == n)
			place = &c->places[p];
	fprintf(out, "r%d = ", i->dst_reg);
	if (!place) {
		fprintf(out, "0x%" PRIx64 " ll",
			(uint64_t)(uint32_t)i->imm | (uint64_t)(uint32_t)i[1].imm << 32);
		return;
	}
	fputs(names[place->what], out);
	if (place->what == LINK_MAP || place->what == LINK_MAP_NOW || place->what == LINK_RING)
		fprintf(out, " %" PRIu32, place->number);
	else if (i[1].imm)
		fprintf(out, " %+d", i[1].imm);
	fputs(" ll", out);
}

static void dump_insn(const struct code *c, size_t n, FILE *out)
{
	const struct bpf_insn *i = &c->insns[n];

	fprintf(out, "%4zu: ", n);
	switch (BPF_CLASS(i->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		dump_alu(i, out);
		break;
	case BPF_JMP:
	case BPF_JMP32:
		dump_jump(c, n, out);
		break;
	case BPF_LD:
		dump_wide(c, n, out);
		break;
	default:
		dump_memory(i, out);
		break;
	}
	fputc('\n', out);
}

static bool is_wide(const struct bpf_insn *i)
{
	return i->code == (BPF_LD | BPF_IMM | BPF_DW);
}

void code_dump(const struct code *c, FILE *out)
{
	for (size_t n = 0; n < c->nr; n += is_wide(&c->insns[n]) ? 2 : 1) {
		const char *name = function_at(c, n);

		if (name)
			fprintf(out, "%s:\n", name);
		dump_insn(c, n, out);
	}
}
