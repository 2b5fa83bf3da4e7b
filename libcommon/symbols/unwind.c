/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <linux/types.h>
#include <string.h>

#include "lib/stacks/stacks.shared.h"
#include "symbols/unwind.h"

/* DWARF 5, table 7.9: those that tables of real programs have. */
enum {
	DW_OP_deref = 0x06,
	DW_OP_const1u = 0x08,
	DW_OP_const1s,
	DW_OP_const2u,
	DW_OP_const2s,
	DW_OP_const4u,
	DW_OP_const4s,
	DW_OP_const8u,
	DW_OP_const8s,
	DW_OP_constu,
	DW_OP_consts,
	DW_OP_dup,
	DW_OP_drop,
	DW_OP_over,
	DW_OP_swap = 0x16,
	DW_OP_and = 0x1a,
	DW_OP_minus = 0x1c,
	DW_OP_mul = 0x1e,
	DW_OP_neg,
	DW_OP_not,
	DW_OP_or,
	DW_OP_plus,
	DW_OP_plus_uconst,
	DW_OP_shl,
	DW_OP_shr,
	DW_OP_xor = 0x27,
	DW_OP_eq = 0x29,
	DW_OP_ge,
	DW_OP_gt,
	DW_OP_le,
	DW_OP_lt,
	DW_OP_ne,
	DW_OP_lit0 = 0x30,
	DW_OP_breg0 = 0x70,
	DW_OP_bregx = 0x92,
	DW_OP_nop = 0x96,
};

#define MAX_VALUES 16 /* on an expression's stack */

struct walk {
	struct unwind_from *from;
	unwind_find find;
	void *arg;
	unsigned int steps;
	bool is_exact; /* pc is where it was interrupted, not where a call returns to */
	bool uncopied; /* something was to be read that was not copied */
};

#if defined(__x86_64__)
/* struct pt_regs (arch/x86/include/asm/ptrace.h) in DWARF's order */
static const uint8_t place_of[CFI_REGS - 1] = {
	10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0
};

void unwind_registers(struct unwind_from *from, const uint64_t *saved)
{
	for (int i = 0; i < CFI_REGS - 1; i++)
		from->regs[i] = saved[place_of[i]];
	from->pc = from->regs[CFI_REGS - 1] = saved[STACK_REG_PC];
}
#else
void unwind_registers(struct unwind_from *from, const uint64_t *saved)
{
	memcpy(from->regs, saved, sizeof(from->regs));
	from->pc = saved[STACK_REG_PC];
}
#endif

/* arm64 may sign an address that a function returns to, in the bits above the 48 of an address. */
static uint64_t code_address(uint64_t value)
{
#if defined(__aarch64__)
	return value & ((1ull << 48) - 1);
#else
	return value;
#endif
}

static bool read_word(struct walk *w, uint64_t at, uint64_t *value)
{
	const struct unwind_from *f = w->from;

	if (at - f->base > f->size || f->size - (at - f->base) < sizeof(*value)) {
		w->uncopied = at >= f->base;
		return false;
	}
	memcpy(value, f->stack + (at - f->base), sizeof(*value));
	return true;
}

/* --- expressions -------------------------------------------------------------------------- */

struct values {
	uint64_t value[MAX_VALUES];
	unsigned int nr;
	bool bad;
};

static void push(struct values *v, uint64_t value)
{
	if (v->nr == MAX_VALUES)
		v->bad = true;
	else
		v->value[v->nr++] = value;
}

static uint64_t pop(struct values *v)
{
	if (v->nr)
		return v->value[--v->nr];
	v->bad = true;
	return 0;
}

static void push_constant(struct values *v, struct cfi_cursor *c, uint8_t op)
{
	size_t size = 1 << (op - DW_OP_const1u) / 2;

	if (op == DW_OP_constu)
		push(v, cfi_take_uleb(c));
	else if (op == DW_OP_consts)
		push(v, cfi_take_sleb(c));
	else if ((op - DW_OP_const1u) & 1)
		push(v, cfi_take_signed(c, size));
	else
		push(v, cfi_take(c, size));
}

/* Of two values; @b was pushed last. */
static uint64_t combine(struct values *v, uint8_t op, uint64_t a, uint64_t b)
{
	int64_t sa = a, sb = b;

	switch (op) {
	case DW_OP_and:
		return a & b;
	case DW_OP_minus:
		return a - b;
	case DW_OP_mul:
		return a * b;
	case DW_OP_or:
		return a | b;
	case DW_OP_plus:
		return a + b;
	case DW_OP_shl:
		return b < 64 ? a << b : 0;
	case DW_OP_shr:
		return b < 64 ? a >> b : 0;
	case DW_OP_xor:
		return a ^ b;
	case DW_OP_eq:
		return a == b;
	case DW_OP_ge:
		return sa >= sb;
	case DW_OP_gt:
		return sa > sb;
	case DW_OP_le:
		return sa <= sb;
	case DW_OP_lt:
		return sa < sb;
	case DW_OP_ne:
		return a != b;
	default:
		v->bad = true;
		return 0;
	}
}

static void push_register(struct walk *w, struct values *v, struct cfi_cursor *c, uint64_t reg)
{
	int64_t n = cfi_take_sleb(c);

	if (reg >= CFI_REGS)
		v->bad = true;
	else
		push(v, w->from->regs[reg] + n);
}

static void evaluate_other(struct walk *w, struct values *v, struct cfi_cursor *c, uint8_t op)
{
	uint64_t a, b;

	switch (op) {
	case DW_OP_deref:
		if (!read_word(w, pop(v), &a))
			v->bad = true;
		else
			push(v, a);
		return;
	case DW_OP_dup:
		a = pop(v);
		push(v, a);
		push(v, a);
		return;
	case DW_OP_drop:
		pop(v);
		return;
	case DW_OP_over:
		b = pop(v);
		a = pop(v);
		push(v, a);
		push(v, b);
		push(v, a);
		return;
	case DW_OP_swap:
		b = pop(v);
		a = pop(v);
		push(v, b);
		push(v, a);
		return;
	case DW_OP_neg:
		push(v, -pop(v));
		return;
	case DW_OP_not:
		push(v, ~pop(v));
		return;
	case DW_OP_plus_uconst:
		push(v, pop(v) + cfi_take_uleb(c));
		return;
	case DW_OP_nop:
		return;
	default:
		b = pop(v);
		a = pop(v);
		push(v, combine(v, op, a, b));
	}
}

static bool evaluate(struct walk *w, struct cfi_cursor c, struct values *v, uint64_t *value)
{
	while (c.at < c.end && !c.bad && !v->bad && w->steps) {
		uint8_t op = cfi_take(&c, 1);

		w->steps--;
		if (op >= DW_OP_lit0 && op < DW_OP_lit0 + 32)
			push(v, op - DW_OP_lit0);
		else if (op >= DW_OP_breg0 && op < DW_OP_breg0 + 32)
			push_register(w, v, &c, op - DW_OP_breg0);
		else if (op == DW_OP_bregx)
			push_register(w, v, &c, cfi_take_uleb(&c));
		else if (op >= DW_OP_const1u && op <= DW_OP_consts)
			push_constant(v, &c, op);
		else
			evaluate_other(w, v, &c, op);
	}
	*value = pop(v);
	return !c.bad && !v->bad && w->steps;
}

/* --- frames ------------------------------------------------------------------------------- */

static bool find_cfa(struct walk *w, const struct cfi_row *row, uint64_t *cfa)
{
	struct values v = { .nr = 0 };

	if (row->cfa.how == CFI_SUM) {
		*cfa = w->from->regs[row->cfa.reg] + row->cfa.n;
		return true;
	}
	return row->cfa.how == CFI_EXPR && evaluate(w, cfi_expression(&row->cfa), &v, cfa);
}

/* The caller's value of a register, by its rule; @value has what it is now. */
static bool find_register(struct walk *w, const struct cfi_rule *rule, uint64_t cfa,
			  uint64_t *value)
{
	struct values v = { .value = { cfa }, .nr = 1 };

	switch (rule->how) {
	case CFI_SAVED:
		return read_word(w, cfa + rule->n, value);
	case CFI_SUM:
		*value = cfa + rule->n;
		return true;
	case CFI_REGISTER:
		*value = w->from->regs[rule->reg];
		return true;
	case CFI_EXPR:
		return evaluate(w, cfi_expression(rule), &v, value);
	case CFI_SAVED_EXPR:
		return evaluate(w, cfi_expression(rule), &v, value) && read_word(w, *value, value);
	default:
		return true;
	}
}

/* Goes to the caller, by the table. False: the stack ends here. */
static bool step_by_table(struct walk *w, const struct cfi_row *row, enum unwind_end *end)
{
	struct unwind_from *f = w->from;
	uint64_t next[CFI_REGS], cfa;

	if (row->regs[row->ra].how == CFI_UNDEFINED) {
		*end = UNWIND_ROOT;
		return false;
	}
	if (!find_cfa(w, row, &cfa))
		return false;
	/* callers are further up; but a function that is interrupted may have no frame, and a
	 * signal's handler may have a stack of its own */
	if (cfa < f->regs[CFI_SP] + !w->is_exact && !row->is_signal)
		return false;
	memcpy(next, f->regs, sizeof(next));
	next[CFI_SP] = cfa;
	for (unsigned int i = 0; i < CFI_REGS; i++)
		if (!find_register(w, &row->regs[i], cfa, &next[i]))
			return false;
	memcpy(f->regs, next, sizeof(next));
	f->pc = code_address(next[row->ra]);
	w->is_exact = row->is_signal;
	return true;
}

/* Goes to the caller by the frame pointer: it points to the caller's frame pointer, behind which is
 * the address to return to. */
static bool step_by_pointer(struct walk *w, enum unwind_end *end)
{
	struct unwind_from *f = w->from;
	uint64_t fp = f->regs[CFI_FP], up, pc, vaddr;
	const struct cfi *table;

	if (!fp && !w->is_exact) {
		*end = UNWIND_ROOT; /* a thread begins so */
		return false;
	}
	if (fp < f->regs[CFI_SP] || fp % 8 || !read_word(w, fp, &up) ||
	    !read_word(w, fp + 8, &pc)) {
		w->uncopied = false; /* it may be anything */
		return false;
	}
	pc = code_address(pc);
	if (pc && !w->find(w->arg, pc, &table, &vaddr))
		return false;
	f->regs[CFI_FP] = up;
	f->regs[CFI_SP] = fp + 16;
	f->pc = pc;
	w->is_exact = false;
	return true;
}

/* On arm64 a function that calls no other keeps no frame: the link register has the address to
 * return to, and the stack is the caller's. The vdso is made of such, and has no tables. In any
 * other code that register may hold anything; so it has to lead to a function with a table. */
static bool step_by_link(struct walk *w)
{
#if defined(__aarch64__)
	struct unwind_from *f = w->from;
	uint64_t pc = code_address(f->regs[CFI_LINK]), vaddr;
	const struct cfi *table = NULL;
	struct cfi_row row;

	if (!w->is_exact || f->regs[CFI_FP] == f->regs[CFI_SP] || /* it has a frame */
	    !w->find(w->arg, pc - 1, &table, &vaddr) || !table ||
	    !cfi_find(table, vaddr, &row, &w->steps))
		return false;
	f->pc = pc;
	w->is_exact = false;
	return true;
#else
	(void)w;
	return false;
#endif
}

static bool step(struct walk *w, enum unwind_end *end)
{
	const struct cfi *table = NULL;
	struct cfi_row row;
	uint64_t vaddr;

	/* a call may be a function's last instruction: what it returns to is another's */
	if (!w->find(w->arg, w->from->pc - !w->is_exact, &table, &vaddr))
		return false;
	if (table && cfi_find(table, vaddr, &row, &w->steps))
		return step_by_table(w, &row, end);
	return w->steps && (step_by_link(w) || step_by_pointer(w, end));
}

size_t unwind(struct unwind_from *from, unwind_find find, void *arg, uint64_t *frames, size_t max,
	      enum unwind_end *end)
{
	struct walk w = {
		.from = from, .find = find, .arg = arg, .steps = UNWIND_STEPS, .is_exact = true
	};
	size_t nr = 0;

	*end = UNWIND_UNKNOWN;
	frames[nr++] = from->pc;
	while (step(&w, end)) {
		if (!from->pc) {
			*end = UNWIND_ROOT;
			return nr;
		}
		if (nr == max) {
			*end = UNWIND_DEEP;
			return nr;
		}
		frames[nr++] = from->pc;
	}
	if (*end == UNWIND_UNKNOWN && w.uncopied)
		*end = UNWIND_UNCOPIED;
	return nr;
}
