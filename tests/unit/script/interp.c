/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "script/interp_internal.h"
#include "script/load.h"

#define STACK	   512
#define FRAMES_MAX 8
#define STEPS_MAX  20000000 /* where nobody says less */

/* A function that runs: its registers, and its own part of the stack. */
struct interp_frame {
	struct interp_frame *caller;
	size_t back; /* where the caller goes on */
	uint64_t regs[11];
	uint16_t known; /* a bit for each register that was written */
	char stack[STACK];
	bool written[STACK];
};

struct run {
	struct interp *i;
	const struct code *code;
	size_t at;
	char *context;
	size_t context_size;
	unsigned depth;
};

static struct run *running; /* whose context interp_may() knows */

void interp_fail(struct interp *i, const char *what)
{
	if (i->fault)
		return;
	i->fault = what;
	fprintf(stderr, "interp: instruction %zu: %s\n", running->at, what);
}

static void end_it(struct interp *i)
{
	i->endless = true;
	interp_fail(i, "it does not end");
}

static bool within(uint64_t address, size_t size, const void *begin, size_t room)
{
	uint64_t from = (uintptr_t)begin;

	return begin && address >= from && size <= room && address - from <= room - size;
}

/* Bytes of a stack that are read must have been written, and are after a write. */
static bool stack_may(struct interp *i, uint64_t address, size_t size, bool write)
{
	for (struct interp_frame *f = i->frame; f; f = f->caller) {
		size_t from;

		if (!within(address, size, f->stack, STACK))
			continue;
		from = address - (uintptr_t)f->stack;
		for (size_t n = from; n < from + size; n++) {
			if (!write && !f->written[n])
				return false;
			f->written[n] = true;
		}
		return true;
	}
	return false;
}

bool interp_may(struct interp *i, uint64_t address, size_t size, bool write)
{
	const struct compiled *c = i->compiled;

	if (!size)
		return true;
	if (stack_may(i, address, size, write) ||
	    within(address, size, i->scratch, i->scratch_size) ||
	    within(address, size, i->globals, sizeof(*i->globals) + 8 * c->nr_lost))
		return true;
	if (!write && within(address, size, i->rodata, i->rodata_size))
		return true;
	for (size_t n = 0; n < c->nr_maps; n++)
		if (interp_map_has(i->maps[n].inner ? i->maps[n].inner : &i->maps[n], address,
				   size))
			return true;
	for (const struct interp_map *m = i->element; m; m = m->outer)
		if (interp_map_has(m, address, size))
			return true;
	return interp_map_has(i->seen, address, size);
}

/* --- instructions --- */

static uint64_t get(struct run *r, int reg)
{
	struct interp_frame *f = r->i->frame;

	if (!(f->known >> reg & 1))
		interp_fail(r->i, "a register is read that was not written");
	return f->regs[reg];
}

static bool step(struct run *r);

static void set(struct run *r, int reg, uint64_t v)
{
	if (reg == 10)
		interp_fail(r->i, "r10 is written");
	r->i->frame->regs[reg] = v;
	r->i->frame->known |= 1 << reg;
}

static uint64_t swapped(uint64_t v, int bits)
{
	return bits == 16   ? __builtin_bswap16(v)
	       : bits == 32 ? __builtin_bswap32(v)
			    : __builtin_bswap64(v);
}

static uint64_t alu64(int op, uint64_t a, uint64_t b)
{
	switch (op) {
	case BPF_ADD:
		return a + b;
	case BPF_SUB:
		return a - b;
	case BPF_MUL:
		return a * b;
	case BPF_DIV:
		return b ? a / b : 0;
	case BPF_MOD:
		return b ? a % b : a;
	case BPF_OR:
		return a | b;
	case BPF_AND:
		return a & b;
	case BPF_XOR:
		return a ^ b;
	case BPF_LSH:
		return a << (b & 63);
	case BPF_RSH:
		return a >> (b & 63);
	case BPF_ARSH:
		return (int64_t)a >> (b & 63);
	case BPF_NEG:
		return -a;
	default: /* BPF_MOV */
		return b;
	}
}

static uint32_t alu32(int op, uint32_t a, uint32_t b)
{
	switch (op) {
	case BPF_LSH:
		return a << (b & 31);
	case BPF_RSH:
		return a >> (b & 31);
	case BPF_ARSH:
		return (int32_t)a >> (b & 31);
	default:
		return alu64(op, a, b);
	}
}

static void run_alu(struct run *r, const struct bpf_insn *insn)
{
	int op = BPF_OP(insn->code);
	bool wide = BPF_CLASS(insn->code) == BPF_ALU64;
	uint64_t a, b;

	if (op == BPF_END) {
		a = get(r, insn->dst_reg);
		/* this machine is little endian, as those are that the tests run on */
		if (BPF_SRC(insn->code) == BPF_TO_LE)
			interp_fail(r->i, "to little endian");
		set(r, insn->dst_reg, swapped(a, insn->imm));
		return;
	}
	a = op == BPF_MOV ? 0 : get(r, insn->dst_reg);
	b = op == BPF_NEG		   ? 0
	    : BPF_SRC(insn->code) == BPF_X ? get(r, insn->src_reg)
					   : (uint64_t)(int64_t)insn->imm;
	if (BPF_SRC(insn->code) == BPF_K && op >= BPF_LSH &&
	    (op == BPF_LSH || op == BPF_RSH || op == BPF_ARSH) && b >= (wide ? 64 : 32))
		interp_fail(r->i, "shifted too far");
	if (BPF_SRC(insn->code) == BPF_K && (op == BPF_DIV || op == BPF_MOD) && !b)
		interp_fail(r->i, "divided by the constant 0");
	set(r, insn->dst_reg, wide ? alu64(op, a, b) : alu32(op, a, b));
}

static bool holds(int op, uint64_t a, uint64_t b)
{
	switch (op) {
	case BPF_JEQ:
		return a == b;
	case BPF_JNE:
		return a != b;
	case BPF_JGT:
		return a > b;
	case BPF_JGE:
		return a >= b;
	case BPF_JLT:
		return a < b;
	case BPF_JLE:
		return a <= b;
	case BPF_JSGT:
		return (int64_t)a > (int64_t)b;
	case BPF_JSGE:
		return (int64_t)a >= (int64_t)b;
	case BPF_JSLT:
		return (int64_t)a < (int64_t)b;
	case BPF_JSLE:
		return (int64_t)a <= (int64_t)b;
	default: /* BPF_JSET */
		return a & b;
	}
}

static void enter_function(struct run *r, size_t start)
{
	struct interp_frame *f, *old = r->i->frame;

	if (++r->depth > FRAMES_MAX) {
		interp_fail(r->i, "calls are nested too deep");
		return;
	}
	f = calloc(1, sizeof(*f));
	f->caller = old;
	f->back = r->at + 1;
	for (int n = 1; n <= 5; n++)
		f->regs[n] = old->regs[n];
	f->known = (old->known & 0x3e) | 1 << 10;
	f->regs[10] = (uintptr_t)f->stack + STACK;
	r->i->frame = f;
	r->at = start;
}

/* What a call leaves undefined. */
static void clobber(struct interp_frame *f)
{
	f->known &= ~0x3f;
}

/* Calls a function back, whose arguments stand in the registers; returns what it does. */
static uint64_t call_back(struct run *r, uint64_t start)
{
	struct interp_frame *here = r->i->frame;
	size_t at = r->at;

	enter_function(r, start);
	while (r->i->frame != here && !r->i->fault) {
		if (r->i->steps++ >= r->i->steps_max)
			end_it(r->i);
		else
			step(r);
	}
	r->at = at;
	return r->i->fault ? 1 : get(r, 0);
}

/* bpf_for_each_map_elem(map, callback, context, flags): the entries that there are when it begins;
 * each is copied, for the callback may take it out. */
static uint64_t run_for_each(struct run *r, const uint64_t args[5])
{
	struct interp_frame *here = r->i->frame;
	struct interp_map each, *outer = r->i->element;
	uint64_t n = 0, stop = 0;

	if (!interp_map_copy(r->i, args[0], &each))
		return 0;
	each.outer = outer;
	r->i->element = &each;
	for (const struct interp_entry *e = each.entries; e && !stop; e = e->next) {
		here->regs[1] = args[0];
		here->regs[2] = (uintptr_t)e->key;
		here->regs[3] = (uintptr_t)e->value;
		here->regs[4] = args[2];
		here->known |= 0x1e;
		stop = call_back(r, args[1]);
		n++;
	}
	r->i->element = outer;
	interp_map_clear(&each);
	clobber(here);
	return n;
}

/* bpf_loop(times, callback, context, flags) */
static uint64_t run_loop(struct run *r, const uint64_t args[5])
{
	struct interp_frame *here = r->i->frame;
	uint64_t n = 0, stop = 0;

	if (args[0] > 1 << 23)
		return -E2BIG;
	while (n < args[0] && !stop) {
		here->regs[1] = n++;
		here->regs[2] = args[2];
		here->known |= 6;
		stop = call_back(r, args[1]);
	}
	clobber(here);
	return n;
}

static uint64_t kernel(struct run *r, int number, const uint64_t args[5])
{
	if (number == BPF_FUNC_for_each_map_elem)
		return run_for_each(r, args);
	if (number == BPF_FUNC_loop)
		return run_loop(r, args);
	return interp_helper(r->i, number, args);
}

static void run_call(struct run *r, const struct bpf_insn *insn)
{
	struct interp_frame *f = r->i->frame;
	uint64_t args[5];

	if (insn->src_reg == BPF_PSEUDO_CALL) {
		enter_function(r, r->at + insn->imm + 1);
		return;
	}
	memcpy(args, f->regs + 1, sizeof(args));
	args[0] = f->known >> 1 & 1 ? args[0] : 0;
	clobber(f);
	set(r, 0, kernel(r, insn->imm, args));
	r->at++;
}

/* Returns true where the program ends. */
static bool run_exit(struct run *r)
{
	struct interp_frame *f = r->i->frame;
	uint64_t result = f->regs[0];
	bool known = f->known & 1;

	if (!f->caller) {
		get(r, 0);
		return true;
	}
	r->at = f->back;
	r->depth--;
	r->i->frame = f->caller;
	clobber(r->i->frame);
	if (known)
		set(r, 0, result);
	free(f);
	return false;
}

static bool run_jump(struct run *r, const struct bpf_insn *insn)
{
	bool wide = BPF_CLASS(insn->code) == BPF_JMP;
	uint64_t a, b;

	switch (BPF_OP(insn->code)) {
	case BPF_EXIT:
		return run_exit(r);
	case BPF_CALL:
		run_call(r, insn);
		return false;
	case BPF_JA:
		r->at += insn->off + 1;
		return false;
	}
	a = get(r, insn->dst_reg);
	b = BPF_SRC(insn->code) == BPF_X ? get(r, insn->src_reg) : (uint64_t)(int64_t)insn->imm;
	if (!wide) {
		a = (uint32_t)a;
		b = (uint32_t)b;
	}
	r->at += 1 + (holds(BPF_OP(insn->code), a, b) ? insn->off : 0);
	return false;
}

static size_t size_of(const struct bpf_insn *insn)
{
	switch (BPF_SIZE(insn->code)) {
	case BPF_B:
		return 1;
	case BPF_H:
		return 2;
	case BPF_W:
		return 4;
	default:
		return 8;
	}
}

/* The place, if it may be accessed. */
static void *place(struct run *r, uint64_t address, size_t size, bool write)
{
	if (!write && within(address, size, r->context, r->context_size))
		return (void *)(uintptr_t)address;
	if (interp_may(r->i, address, size, write))
		return (void *)(uintptr_t)address;
	interp_fail(r->i, write ? "writes outside of all memory" : "reads outside of all memory");
	return NULL;
}

static void run_load(struct run *r, const struct bpf_insn *insn)
{
	size_t size = size_of(insn);
	void *from = place(r, get(r, insn->src_reg) + insn->off, size, false);
	uint64_t v = 0;

	if (from)
		memcpy(&v, from, size);
	set(r, insn->dst_reg, v);
}

static void run_store(struct run *r, const struct bpf_insn *insn)
{
	size_t size = size_of(insn);
	bool atomic = BPF_MODE(insn->code) == BPF_ATOMIC;
	uint64_t v = BPF_CLASS(insn->code) == BPF_ST ? (uint64_t)(int64_t)insn->imm
						     : get(r, insn->src_reg);
	uint64_t *to = place(r, get(r, insn->dst_reg) + insn->off, size, true), old = 0;

	if (!to)
		return;
	if (atomic)
		memcpy(&old, to, size);
	if (atomic && insn->imm == BPF_XCHG)
		set(r, insn->src_reg, old);
	else if (atomic && insn->imm == BPF_ADD)
		v += old;
	else if (atomic)
		interp_fail(r->i, "an atomic operation that is not known here");
	memcpy(to, &v, size);
}

/* What two words load: what link.c left open is an address here. */
static void run_wide(struct run *r, const struct bpf_insn *insn)
{
	struct interp *i = r->i;
	uint64_t v = (uint32_t)insn->imm | (uint64_t)(uint32_t)insn[1].imm << 32;

	if (insn->src_reg == BPF_PSEUDO_FUNC)
		v = r->at + insn->imm + 1;
	for (size_t n = 0; n < r->code->nr_places; n++) {
		const struct link_place *p = &r->code->places[n];

		if (p->insn != r->at)
			continue;
		v = p->what == LINK_MAP || p->what == LINK_MAP_NOW ? (uintptr_t)&i->maps[p->number]
		    : p->what == LINK_SCRATCH			   ? (uintptr_t)i->scratches
		    : p->what == LINK_GLOBALS ? (uintptr_t)i->globals + insn[1].imm
		    : p->what == LINK_RODATA  ? (uintptr_t)i->rodata + insn[1].imm
		    : p->what == LINK_SEEN    ? (uintptr_t)i->seen
					      : (uintptr_t)&i->ring_filled;
	}
	set(r, insn->dst_reg, v);
}

/* Returns true where the program ends. */
static bool step(struct run *r)
{
	const struct bpf_insn *insn = &r->code->insns[r->at];

	switch (BPF_CLASS(insn->code)) {
	case BPF_JMP:
	case BPF_JMP32:
		return run_jump(r, insn);
	case BPF_ALU:
	case BPF_ALU64:
		run_alu(r, insn);
		break;
	case BPF_LD:
		run_wide(r, insn);
		r->at++;
		break;
	case BPF_LDX:
		run_load(r, insn);
		break;
	default:
		run_store(r, insn);
		break;
	}
	r->at++;
	return false;
}

/* The map scratch has an entry of as many bytes as this program asked for, and not one more. What
 * was in it before, another program had left. */
static void make_scratch(struct interp *i, const struct code *code)
{
	if (i->scratch_size == code->scratch && i->scratch)
		return;
	free(i->scratch);
	i->scratch_size = code->scratch;
	i->scratch = malloc(i->scratch_size ? i->scratch_size : 1);
	memset(i->scratch, 0xa5, i->scratch_size);
	if (i->scratch_size >= 8)
		memset(i->scratch, 0, 8); /* the mark: it does not run */
}

int interp_run_code(struct interp *i, const struct code *code, void *context, size_t size)
{
	struct run r = { .i = i, .code = code, .context = context, .context_size = size };
	struct interp_frame *caller;
	bool ended = false;

	running = &r;
	i->fault = NULL;
	i->endless = false;
	make_scratch(i, code);
	i->frame = calloc(1, sizeof(*i->frame));
	i->frame->regs[1] = (uintptr_t)context;
	i->frame->regs[10] = (uintptr_t)i->frame->stack + STACK;
	i->frame->known = 1 << 1 | 1 << 10;
	r.depth = 1;
	for (i->steps = 0; !ended && !i->fault; i->steps++) {
		if (i->steps >= i->steps_max)
			end_it(i);
		else if (r.at >= code->nr)
			interp_fail(i, "it runs over its end");
		else
			ended = step(&r);
	}
	for (; i->frame; i->frame = caller) {
		caller = i->frame->caller;
		free(i->frame);
	}
	if (!i->fault && code->scratch && *(uint64_t *)i->scratch)
		interp_fail(i, "it ends, and is marked as running");
	return i->fault ? -1 : 0;
}

int interp_run(struct interp *i, size_t program)
{
	return interp_run_code(i, i->codes[program], NULL, 0);
}

/* --- life --- */

static void make_maps(struct interp *i)
{
	const struct compiled *c = i->compiled;

	i->maps = calloc(c->nr_maps + 1, sizeof(*i->maps));
	for (size_t n = 0; n < c->nr_maps; n++) {
		const struct script_map *m = c->maps[n];
		struct interp_map *made = &i->maps[m->index];

		interp_map_init(made, m->key ? (m->key->size + 7) & ~7u : 4, load_value_size(m),
				m->key ? m->entries : 1);
		made->is_array = !m->key;
		made->is_lru = m->lru;
		if (!m->generations)
			continue;
		made->inner = calloc(1, sizeof(*made));
		*made->inner = *made;
		made->inner->inner = NULL;
		made->key_size = 4;
	}
	i->seen = calloc(1, sizeof(*i->seen));
	interp_map_init(i->seen, sizeof(struct rt_id), 8, 16384);
	i->seen->is_lru = true;
	i->scratches = calloc(1, sizeof(*i->scratches));
	interp_map_init(i->scratches, 4, 8, UINT32_MAX);
}

static void make_memory(struct interp *i)
{
	const struct compiled *c = i->compiled;
	struct loaded seeds = { .compiled = c };

	i->globals = calloc(1, sizeof(*i->globals) + 8 * c->nr_lost);
	i->globals->gate = 1;
	i->globals->wake_bytes = 1 << 20;
	i->globals->seed[0] = 0x1234567890abcdef;
	i->globals->seed[1] = 0xfedcba0987654321;
	seeds.globals = i->globals;
	i->rodata_size = (c->rodata_size + 7) & ~7ull;
	i->rodata = calloc(1, i->rodata_size ? i->rodata_size : 1);
	if (c->rodata_size)
		memcpy(i->rodata, c->rodata, c->rodata_size);
	for (size_t n = 0; n < c->nr_literals; n++) {
		struct rt_id id;

		loaded_text_id(&seeds, c->literals[n].text, c->literals[n].len, &id);
		memcpy(i->rodata + c->literals[n].offset, &id, sizeof(id));
	}
	i->world = (struct interp_world){
		.ktime_ns = 1000000000,
		.pid = 4242,
		.tid = 4243,
		.uid = 1000,
		.gid = 100,
		.cgroup = 77,
		.task = 0xffff888000001000,
		.comm = "interp",
		.stack = { 0xffffffff81000010, 0xffffffff81000020, 0xffffffff81000030 },
		.nr_stack = 3,
		.ring_room = 8 << 20,
	};
}

struct interp *interp_new(const struct compiled *c)
{
	static const struct emit_config config = { .rings = 4, .cmpxchg = true };
	struct interp *i = calloc(1, sizeof(*i));

	i->compiled = c;
	i->steps_max = STEPS_MAX;
	i->codes = calloc(c->nr_programs + 1, sizeof(*i->codes));
	make_maps(i);
	make_memory(i);
	for (size_t n = 0; n < c->nr_programs; n++) {
		i->codes[n] = code_make(c->source, c->programs[n]->code, &config);
		if (!i->codes[n]) {
			interp_free(i);
			return NULL;
		}
	}
	return i;
}

void interp_free(struct interp *i)
{
	struct interp_outside *next;

	for (size_t n = 0; n < i->compiled->nr_maps; n++) {
		interp_map_clear(i->maps[n].inner ? i->maps[n].inner : &i->maps[n]);
		free(i->maps[n].inner);
	}
	interp_map_clear(i->seen);
	for (size_t n = 0; n < i->nr_records; n++)
		free((void *)i->records[n].bytes);
	for (struct interp_outside *o = i->outside; o; o = next) {
		next = o->next;
		free(o);
	}
	free(i->records);
	free(i->maps);
	free(i->seen);
	free(i->scratches);
	free(i->codes);
	free(i->globals);
	free(i->rodata);
	free(i->scratch);
	free(i);
}

void interp_outside(struct interp *i, enum interp_space space, const void *bytes, size_t size)
{
	struct interp_outside *o = calloc(1, sizeof(*o));

	*o = (struct interp_outside){ i->outside, space, bytes, size };
	i->outside = o;
}

static struct interp_map *map_now(struct interp *i, unsigned map)
{
	return i->maps[map].inner ? i->maps[map].inner : &i->maps[map];
}

void *interp_map_value(struct interp *i, unsigned map, const void *key)
{
	static const uint32_t zero;

	return interp_map_lookup(map_now(i, map), key ? key : &zero);
}

size_t interp_map_each(struct interp *i, unsigned map,
		       void (*fn)(void *ctx, const void *key, const void *value), void *ctx)
{
	const struct interp_map *m = map_now(i, map);

	for (const struct interp_entry *e = m->entries; fn && e; e = e->next)
		fn(ctx, e->key, e->value);
	return m->nr;
}
