/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The text of three-address code, for -d ir and for goldens: it is stable. */
#include <inttypes.h>

#include "script/helpers.h"
#include "script/ir.h"

static const char *const op_names[] = {
	[IR_ADD] = "add",   [IR_SUB] = "sub", [IR_MUL] = "mul", [IR_UDIV] = "udiv",
	[IR_UMOD] = "umod", [IR_AND] = "and", [IR_OR] = "or",	[IR_XOR] = "xor",
	[IR_SHL] = "shl",   [IR_SHR] = "shr", [IR_SAR] = "sar",
};

static const char *const cond_names[] = {
	[IR_EQ] = "==",	 [IR_NE] = "!=",  [IR_ULT] = "<",   [IR_ULE] = "<=", [IR_UGT] = ">",
	[IR_UGE] = ">=", [IR_SLT] = "s<", [IR_SLE] = "s<=", [IR_SGT] = "s>", [IR_SGE] = "s>=",
};

/* %3, or the number. */
static void dump_operand(ir_value v, int64_t imm, FILE *out)
{
	if (v)
		fprintf(out, "%%%" PRIu32, v);
	else
		fprintf(out, "%" PRId64, imm);
}

/* u32 [%3 + 8] */
static void dump_place(const struct ir_insn *i, FILE *out)
{
	fprintf(out, "%c%d [%%%" PRIu32, i->is_signed ? 's' : 'u', 8 * i->size, i->a);
	if (i->imm)
		fprintf(out, " %c %" PRIu64, i->imm < 0 ? '-' : '+',
			i->imm < 0 ? -(uint64_t)i->imm : (uint64_t)i->imm);
	fputc(']', out);
}

static void dump_call(const struct ir_insn *i, FILE *out)
{
	if (i->op == IR_CALL_RUNTIME)
		fputs(i->name, out);
	else
		fputs(helper_name(i->imm), out);
	fputc('(', out);
	for (size_t n = 0; n < i->nr_args; n++)
		fprintf(out, "%s%%%" PRIu32, n ? ", " : "", i->args[n]);
	fputc(')', out);
}

static void dump_address(const struct ir_insn *i, FILE *out)
{
	static const char *const names[] = {
		[IR_ADDRESS_CONTEXT] = "context", [IR_ADDRESS_SCRATCH] = "scratch",
		[IR_ADDRESS_GLOBAL] = "globals",  [IR_ADDRESS_RODATA] = "rodata",
		[IR_ADDRESS_MAP] = "map",	  [IR_ADDRESS_MAP_NOW] = "map now",
	};

	fputs(names[i->op], out);
	if (i->op != IR_ADDRESS_CONTEXT)
		fprintf(out, " %" PRId64, i->imm);
}

static void dump_end(const struct ir_insn *i, FILE *out)
{
	if (i->op == IR_JUMP) {
		fprintf(out, "jump b%" PRIu32, i->then);
	} else if (i->op == IR_RETURN) {
		fputs("return ", out);
		dump_operand(i->a, i->imm, out);
	} else {
		fprintf(out, "if %%%" PRIu32 " %s ", i->a, cond_names[i->cond]);
		dump_operand(i->b, i->imm, out);
		fprintf(out, " then b%" PRIu32 " else b%" PRIu32, i->then, i->otherwise);
	}
}

static void dump_insn(const struct ir_insn *i, FILE *out)
{
	fputs("  ", out);
	if (i->to)
		fprintf(out, "%%%" PRIu32 " = ", i->to);
	switch (i->op) {
	case IR_CONST:
	case IR_COPY:
		dump_operand(i->a, i->imm, out);
		break;
	case IR_ADD ... IR_SAR:
		fprintf(out, "%s %%%" PRIu32 ", ", op_names[i->op], i->a);
		dump_operand(i->b, i->imm, out);
		break;
	case IR_NEG:
		fprintf(out, "neg %%%" PRIu32, i->a);
		break;
	case IR_EXTEND:
		fprintf(out, "%c%d %%%" PRIu32, i->is_signed ? 's' : 'u', 8 * i->size, i->a);
		break;
	case IR_BSWAP:
		fprintf(out, "bswap%d %%%" PRIu32, 8 * i->size, i->a);
		break;
	case IR_LOAD:
		dump_place(i, out);
		break;
	case IR_STORE:
	case IR_ATOMIC_ADD:
		dump_place(i, out);
		fputs(i->op == IR_STORE ? " = " : " += ", out);
		dump_operand(i->b, i->imm2, out);
		break;
	case IR_ADDRESS_CONTEXT ... IR_ADDRESS_MAP_NOW:
		dump_address(i, out);
		break;
	case IR_CALL:
	case IR_CALL_RUNTIME:
		dump_call(i, out);
		break;
	case IR_LOOP:
		fprintf(out, "%" PRId64 " times callback %" PRId64, i->imm, i->imm2);
		break;
	case IR_FOR_EACH:
		fprintf(out, "for each of map %" PRId64 ": callback %" PRId64, i->imm, i->imm2);
		break;
	case IR_JUMP:
	case IR_BRANCH:
	case IR_RETURN:
		dump_end(i, out);
		break;
	}
	fputc('\n', out);
}

void ir_dump(const struct ir_function *f, FILE *out)
{
	fprintf(out, "%s: scratch %" PRIu32 "\n", f->name, f->scratch);
	for (size_t b = 0; b < f->nr_blocks; b++) {
		fprintf(out, "b%zu:\n", b);
		for (size_t n = 0; n < f->blocks[b].nr; n++)
			dump_insn(&f->blocks[b].insns[n], out);
	}
	for (size_t n = 0; n < f->nr_callbacks; n++) {
		fprintf(out, "callback %zu of ", n);
		ir_dump(f->callbacks[n], out);
	}
}
