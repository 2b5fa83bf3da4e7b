/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "script/regs.h"

#define SLOTS_MAX ((REGS_FRAME - REGS_FRAME_HEAD) / 8)

/* From where a value is written first to where it is read last, in the order of the blocks: an
 * instruction of number n reads at 2 n and writes at 2 n + 1. */
struct interval {
	ir_value value;
	uint32_t start, end;
	uint64_t weight; /* how often it is read or written; more in loops */
	struct span at;
};

struct assign {
	const struct ir_function *f;
	struct regs *r;
	uint32_t *rank;	 /* of each block: where in the order, + 1; 0: it can't be reached */
	uint32_t *first; /* of each place in the order: the number of the first instruction */
	uint32_t *depth; /* of each place in the order: in how many loops */
	uint32_t *calls; /* of each instruction: how many calls come before it */
	uint32_t nr_insns;

	/* values that live from one block to another */
	uint32_t *bit_of, *local;
	size_t nr_bits, words;
	uint64_t *in, *out, *written; /* of each place in the order */
	ir_value *of_bit;

	struct interval *intervals; /* of each value */
};

bool regs_has_effect(const struct ir_insn *i)
{
	return i->op == IR_STORE || i->op == IR_ATOMIC_ADD || i->op == IR_CALL ||
	       i->op == IR_CALL_RUNTIME || i->op >= IR_LOOP;
}

static bool is_call(const struct ir_insn *i)
{
	return i->op == IR_CALL || i->op == IR_CALL_RUNTIME || i->op == IR_ADDRESS_MAP_NOW ||
	       i->op == IR_LOOP || i->op == IR_FOR_EACH;
}

static const struct ir_insn *end_of(const struct ir_function *f, uint32_t block)
{
	return &f->blocks[block].insns[f->blocks[block].nr - 1];
}

static const struct ir_block *at_rank(const struct assign *a, size_t n)
{
	return &a->f->blocks[a->r->order[n]];
}

/* --- the order of the blocks --- */

/* Depth first, the way of .then last, so that it stands right behind its branch once the order in
 * which blocks were left is reversed. By a stack of our own: scripts of strangers may be deep. */
static void order_blocks(struct assign *a)
{
	const struct ir_function *f = a->f;
	uint32_t *stack = arena_alloc(f->arena, f->nr_blocks * sizeof(*stack));
	uint8_t *state = arena_alloc(f->arena, f->nr_blocks);
	size_t top = 0, left = 0;

	a->r->order = arena_alloc(f->arena, f->nr_blocks * sizeof(*a->r->order));
	stack[top++] = 0;
	state[0] = 1;
	while (top) {
		uint32_t b = stack[top - 1], next = b;
		const struct ir_insn *end = end_of(f, b);

		/* state: 1 new, 2 the first way was gone, 3 both were */
		if (state[b] == 1)
			next = end->op == IR_BRANCH ? end->otherwise : b;
		else if (state[b] == 2)
			next = end->op == IR_RETURN ? b : end->then;
		if (state[b]++ == 3) {
			a->r->order[left++] = b;
			top--;
		} else if (!state[next]) {
			state[next] = 1;
			stack[top++] = next;
		}
	}
	for (size_t i = 0; i < left / 2; i++) {
		uint32_t swap = a->r->order[i];

		a->r->order[i] = a->r->order[left - 1 - i];
		a->r->order[left - 1 - i] = swap;
	}
	a->r->nr_order = left;
}

/* A jump back makes a loop of all that stands between. */
static void find_loop(struct assign *a, size_t from, uint32_t to)
{
	for (size_t n = a->rank[to] - 1; a->rank[to] - 1 <= from && n <= from; n++)
		a->depth[n]++;
}

static void number_insns(struct assign *a)
{
	const struct ir_function *f = a->f;
	size_t nr = a->r->nr_order;
	uint32_t calls = 0;

	a->rank = arena_alloc(f->arena, f->nr_blocks * sizeof(*a->rank));
	a->first = arena_alloc(f->arena, nr * sizeof(*a->first));
	a->depth = arena_alloc(f->arena, nr * sizeof(*a->depth));
	for (size_t n = 0; n < nr; n++) {
		a->rank[a->r->order[n]] = n + 1;
		a->first[n] = a->nr_insns;
		a->nr_insns += at_rank(a, n)->nr;
	}
	a->calls = arena_alloc(f->arena, (a->nr_insns + 1) * sizeof(*a->calls));
	for (size_t n = 0; n < nr; n++) {
		const struct ir_block *b = at_rank(a, n);
		const struct ir_insn *end = &b->insns[b->nr - 1];

		for (size_t i = 0; i < b->nr; i++) {
			a->calls[a->first[n] + i] = calls;
			calls += is_call(&b->insns[i]);
		}
		if (end->op != IR_RETURN)
			find_loop(a, n, end->then);
		if (end->op == IR_BRANCH)
			find_loop(a, n, end->otherwise);
	}
	a->calls[a->nr_insns] = calls;
}

/* --- what is made again where it is wanted --- */

static bool is_small(int64_t v)
{
	return v >= INT32_MIN && v <= INT32_MAX;
}

/* What is written once, by something that is as good anywhere else. */
static void try_fix(struct assign *a, const struct ir_insn *i, const uint32_t *definitions)
{
	struct regs_place *to = &a->r->places[i->to], *from = &a->r->places[i->a];
	int64_t offset;

	if (!i->to || definitions[i->to] != 1)
		return;
	if (i->op == IR_CONST || (i->op >= IR_ADDRESS_CONTEXT && i->op <= IR_ADDRESS_MAP)) {
		*to = (struct regs_place){ .kind = REGS_FIXED, .base = i->op, .offset = i->imm };
		if (i->op == IR_ADDRESS_MAP)
			*to = (struct regs_place){ .kind = REGS_FIXED,
						   .base = i->op,
						   .map = i->imm };
		return;
	}
	if (!i->a || from->kind != REGS_FIXED)
		return;
	if (i->op == IR_COPY)
		*to = *from;
	if ((i->op != IR_ADD && i->op != IR_SUB) || i->b || from->base == IR_CONST ||
	    !is_small(i->imm))
		return;
	offset = from->offset + (i->op == IR_ADD ? i->imm : -i->imm);
	if (!is_small(offset) || (offset < 0 && from->base != IR_ADDRESS_SCRATCH))
		return;
	*to = *from;
	to->offset = offset;
}

static void fix_values(struct assign *a)
{
	const struct ir_function *f = a->f;
	uint32_t *definitions = arena_alloc(f->arena, f->nr_values * sizeof(*definitions));

	for (size_t n = 0; n < a->r->nr_order; n++)
		for (size_t i = 0; i < at_rank(a, n)->nr; i++)
			definitions[at_rank(a, n)->insns[i].to]++;
	for (size_t n = 0; n < a->r->nr_order; n++)
		for (size_t i = 0; i < at_rank(a, n)->nr; i++)
			try_fix(a, &at_rank(a, n)->insns[i], definitions);
}

static bool is_placed(const struct assign *a, ir_value v)
{
	return v && a->r->places[v].kind != REGS_FIXED;
}

/* Is nothing left of it? */
static bool is_gone(const struct assign *a, const struct ir_insn *i)
{
	return !regs_has_effect(i) && !is_placed(a, i->to);
}

/* --- who lives where --- */

struct reading {
	struct assign *a;
	size_t rank;
	uint32_t at;
	struct span span;
};

static void give_bit(void *ctx, ir_value v)
{
	struct reading *r = ctx;
	struct assign *a = r->a;

	if (is_placed(a, v) && a->local[v] != r->rank + 1 && !a->bit_of[v])
		a->bit_of[v] = ++a->nr_bits;
}

static void find_bits(struct assign *a)
{
	const struct ir_function *f = a->f;

	a->bit_of = arena_alloc(f->arena, f->nr_values * sizeof(*a->bit_of));
	a->local = arena_alloc(f->arena, f->nr_values * sizeof(*a->local));
	for (size_t n = 0; n < a->r->nr_order; n++)
		for (size_t i = 0; i < at_rank(a, n)->nr; i++) {
			const struct ir_insn *insn = &at_rank(a, n)->insns[i];
			struct reading r = { .a = a, .rank = n };

			if (is_gone(a, insn))
				continue;
			ir_each_read(insn, give_bit, &r);
			a->local[insn->to] = n + 1;
		}
	a->of_bit = arena_alloc(f->arena, (a->nr_bits + 1) * sizeof(*a->of_bit));
	for (ir_value v = 1; v < f->nr_values; v++)
		if (a->bit_of[v])
			a->of_bit[a->bit_of[v]] = v;
	a->words = a->nr_bits / 64 + 1;
}

static bool has_bit(const uint64_t *bits, uint32_t bit)
{
	return bits[bit / 64] >> bit % 64 & 1;
}

static void set_bit(uint64_t *bits, uint32_t bit)
{
	bits[bit / 64] |= 1ull << bit % 64;
}

static void read_first(void *ctx, ir_value v)
{
	struct reading *r = ctx;
	struct assign *a = r->a;
	uint32_t bit = is_placed(a, v) ? a->bit_of[v] : 0;

	if (bit && !has_bit(&a->written[r->rank * a->words], bit))
		set_bit(&a->in[r->rank * a->words], bit);
}

/* What each block reads before it writes it, and what it writes. */
static void look_at_blocks(struct assign *a)
{
	size_t bytes = a->r->nr_order * a->words * sizeof(uint64_t);

	a->in = arena_alloc(a->f->arena, bytes);
	a->out = arena_alloc(a->f->arena, bytes);
	a->written = arena_alloc(a->f->arena, bytes);
	for (size_t n = 0; n < a->r->nr_order; n++)
		for (size_t i = 0; i < at_rank(a, n)->nr; i++) {
			const struct ir_insn *insn = &at_rank(a, n)->insns[i];
			struct reading r = { .a = a, .rank = n };

			if (is_gone(a, insn))
				continue;
			ir_each_read(insn, read_first, &r);
			if (a->bit_of[insn->to])
				set_bit(&a->written[n * a->words], a->bit_of[insn->to]);
		}
}

/* Live at the end of a block: what is at the begin of one behind it. */
static bool add_successor(struct assign *a, size_t n, uint32_t block)
{
	const uint64_t *in = &a->in[(a->rank[block] - 1) * a->words];
	bool changed = false;

	for (size_t w = 0; w < a->words; w++) {
		uint64_t more = in[w] & ~a->out[n * a->words + w];

		if (!more)
			continue;
		a->out[n * a->words + w] |= more;
		a->in[n * a->words + w] |= more & ~a->written[n * a->words + w];
		changed = true;
	}
	return changed;
}

static void solve(struct assign *a)
{
	bool changed = true;

	while (changed) {
		changed = false;
		for (size_t n = a->r->nr_order; n-- > 0;) {
			const struct ir_insn *end = end_of(a->f, a->r->order[n]);

			if (end->op != IR_RETURN)
				changed |= add_successor(a, n, end->then);
			if (end->op == IR_BRANCH)
				changed |= add_successor(a, n, end->otherwise);
		}
	}
}

/* --- intervals --- */

static void extend(struct assign *a, ir_value v, uint32_t at, struct span span)
{
	struct interval *i = &a->intervals[v];

	if (!i->value)
		*i = (struct interval){ .value = v, .start = at, .end = at, .at = span };
	if (at < i->start)
		i->start = at;
	if (at > i->end)
		i->end = at;
}

static void weigh(struct assign *a, ir_value v, size_t rank)
{
	uint32_t depth = a->depth[rank];

	a->intervals[v].weight += 1ull << 3 * (depth < 8 ? depth : 8);
}

static void read_at(void *ctx, ir_value v)
{
	struct reading *r = ctx;

	if (!is_placed(r->a, v))
		return;
	extend(r->a, v, r->at, r->span);
	weigh(r->a, v, r->rank);
}

static void extend_live(struct assign *a, const uint64_t *live, uint32_t at, struct span span)
{
	for (size_t w = 0; w < a->words; w++)
		for (uint64_t rest = live[w]; rest; rest &= rest - 1)
			extend(a, a->of_bit[64 * w + __builtin_ctzll(rest)], at, span);
}

static void find_intervals(struct assign *a)
{
	a->intervals = arena_alloc(a->f->arena, a->f->nr_values * sizeof(*a->intervals));
	for (size_t n = 0; n < a->r->nr_order; n++) {
		const struct ir_block *b = at_rank(a, n);
		uint32_t last = a->first[n] + b->nr - 1;

		extend_live(a, &a->in[n * a->words], 2 * a->first[n], b->insns[0].at);
		for (size_t i = 0; i < b->nr; i++) {
			const struct ir_insn *insn = &b->insns[i];
			struct reading r = { a, n, 2 * (a->first[n] + i), insn->at };

			if (is_gone(a, insn))
				continue;
			ir_each_read(insn, read_at, &r);
			if (is_placed(a, insn->to)) {
				extend(a, insn->to, r.at + 1, insn->at);
				weigh(a, insn->to, n);
			}
		}
		extend_live(a, &a->out[n * a->words], 2 * last + 1, b->insns[b->nr - 1].at);
	}
}

/* Does a call come between? One that it is an argument of, or the result, does not. */
static bool crosses_call(const struct assign *a, const struct interval *i)
{
	uint32_t from = (i->start + 1) / 2;

	return i->end && from <= (i->end - 1) / 2 &&
	       a->calls[from] != a->calls[(i->end - 1) / 2 + 1];
}

static int by_start(const void *x, const void *y)
{
	const struct interval *a = x, *b = y;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return a->value < b->value ? -1 : a->value > b->value;
}

/* --- places --- */

/* Worth of a register: how often it is used for each instruction that it keeps it from others. */
static bool gains_more(const struct interval *x, const struct interval *y)
{
	uint64_t length_x = x->end - x->start + 1, length_y = y->end - y->start + 1;

	return (double)x->weight * length_y > (double)y->weight * length_x;
}

/* By linear scan: each in turn gets a register that is free, or that of one that gains less. */
static void give_registers(struct assign *a, struct interval *sorted, size_t nr)
{
	static const int registers[] = { 2, 3, 4, 5, 8, 9 };
	struct interval *holds[10] = { 0 };

	for (size_t n = 0; n < nr; n++) {
		struct interval *i = &sorted[n];
		size_t from = crosses_call(a, i) ? 4 : 0;
		int best = 0;

		for (size_t k = from; k < 6; k++) {
			int reg = registers[k];

			if (!holds[reg] || holds[reg]->end < i->start) {
				best = reg;
				holds[reg] = NULL;
				break;
			}
			if (gains_more(i, holds[reg]) &&
			    (!best || gains_more(holds[best], holds[reg])))
				best = reg;
		}
		if (!best)
			continue;
		if (holds[best])
			a->r->places[holds[best]->value].kind = REGS_NONE;
		holds[best] = i;
		a->r->places[i->value] = (struct regs_place){ .kind = REGS_REGISTER, .reg = best };
	}
}

struct slots {
	uint32_t *ends; /* of each: until when it is taken */
	size_t nr, capacity, max;
};

/* The number of a slot that is free from @i's start on; .max: there is none. */
static size_t take_slot(struct arena *arena, struct slots *s, const struct interval *i)
{
	size_t n = 0;

	while (n < s->nr && s->ends[n] >= i->start)
		n++;
	if (n == s->max)
		return n;
	if (n == s->capacity)
		s->ends = arena_grow(arena, s->ends, &s->capacity, n + 1, sizeof(*s->ends));
	if (n == s->nr)
		s->nr++;
	s->ends[n] = i->end;
	return n;
}

static void place_on_stack(struct assign *a, ir_value v, size_t slot)
{
	a->r->places[v] = (struct regs_place){
		.kind = REGS_STACK,
		.offset = -(int64_t)(REGS_FRAME_HEAD + 8 * (slot + 1)),
	};
}

/* How many slots of the stack a function has. */
static size_t stack_slots(const struct ir_function *f)
{
	int frame = f->root != f      ? REGS_FRAME_CALLBACK
		    : f->nr_callbacks ? REGS_FRAME_LOOPS
				      : REGS_FRAME;

	return (frame - REGS_FRAME_HEAD) / 8;
}

/* Addresses have to be on the stack: 5.10 follows them nowhere else. Returns how many slots they
 * take; more than there are: it failed. */
static size_t give_addresses(struct assign *a, const struct interval *sorted, size_t nr)
{
	struct slots slots = { .max = stack_slots(a->f) };

	for (size_t n = 0; n < nr; n++) {
		ir_value v = sorted[n].value;
		size_t slot;

		if (a->r->places[v].kind != REGS_NONE || a->f->classes[v] == IR_SCALAR)
			continue;
		slot = take_slot(a->f->arena, &slots, &sorted[n]);
		if (slot == slots.max) {
			a->r->too_many = sorted[n].at;
			return slots.max + 1;
		}
		place_on_stack(a, v, slot);
	}
	return slots.nr;
}

/* Numbers may be there; those that gain most are, for a constant is known there, too: what counts
 * the rounds of a loop, so that the verifier sees its end. */
static void give_numbers(struct assign *a, const struct interval *sorted, size_t nr, size_t taken)
{
	const struct interval *holds[SLOTS_MAX] = { 0 };
	size_t nr_slots = stack_slots(a->f);

	for (size_t n = 0; n < nr; n++) {
		const struct interval *i = &sorted[n];
		size_t best = nr_slots;

		if (a->r->places[i->value].kind != REGS_NONE)
			continue;
		for (size_t slot = taken; slot < nr_slots; slot++) {
			if (!holds[slot] || holds[slot]->end < i->start) {
				best = slot;
				holds[slot] = NULL;
				break;
			}
			if (gains_more(i, holds[slot]) &&
			    (best == nr_slots || gains_more(holds[best], holds[slot])))
				best = slot;
		}
		if (best == nr_slots)
			continue;
		if (holds[best])
			a->r->places[holds[best]->value].kind = REGS_NONE;
		holds[best] = i;
		place_on_stack(a, i->value, best);
	}
}

/* And the rest in the scratch, in front, where instructions reach it. */
static void give_scratch(struct assign *a, const struct interval *sorted, size_t nr)
{
	struct slots slots = { .max = SIZE_MAX };

	for (size_t n = 0; n < nr; n++) {
		struct regs_place *p = &a->r->places[sorted[n].value];

		if (p->kind != REGS_NONE)
			continue;
		*p = (struct regs_place){
			.kind = REGS_SCRATCH,
			.offset =
				REGS_SCRATCH_HEAD + 8 * take_slot(a->f->arena, &slots, &sorted[n]),
		};
	}
	a->r->base = REGS_SCRATCH_HEAD + 8 * slots.nr;
	if (a->f->scratch || slots.nr || a->f->context_has_pointers)
		a->r->scratch = a->r->base + ((a->f->scratch + 7) & ~7u);
}

bool regs_assign(const struct ir_function *f, struct regs *r)
{
	struct assign a = { .f = f, .r = r };
	struct interval *sorted;
	size_t nr = 0, taken;

	*r = (struct regs){ 0 };
	r->places = arena_alloc(f->arena, f->nr_values * sizeof(*r->places));
	order_blocks(&a);
	number_insns(&a);
	fix_values(&a);
	find_bits(&a);
	look_at_blocks(&a);
	solve(&a);
	find_intervals(&a);
	sorted = arena_alloc(f->arena, f->nr_values * sizeof(*sorted));
	for (ir_value v = 1; v < f->nr_values; v++)
		if (a.intervals[v].value && a.intervals[v].end > a.intervals[v].start)
			sorted[nr++] = a.intervals[v];
	qsort(sorted, nr, sizeof(*sorted), by_start);
	give_registers(&a, sorted, nr);
	taken = give_addresses(&a, sorted, nr);
	if (taken > stack_slots(f))
		return false;
	give_numbers(&a, sorted, nr, taken);
	give_scratch(&a, sorted, nr);
	return true;
}
