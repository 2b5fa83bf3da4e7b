/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Tracepoints of many system calls by one program: tracepoint:syscalls:sys_enter_* is some 350 perf
 * events, each of which takes 50 ms to come off; here it is one raw tracepoint, sys_enter or
 * sys_exit, and a table in the read-only data that says of each number whether it is meant, and
 * which probe that is.
 *
 * As the kernel's own tracepoints of system calls do it (kernel/trace/trace_syscalls.c), calls of
 * the 32-bit tables are left out, whose numbers mean other calls (trace_get_syscall_nr() is -1 for
 * them: ARCH_TRACE_IGNORE_COMPAT_SYSCALLS), and numbers that no table has: -1, by which seccomp and
 * ptrace suppress a call, and those of x32, which have a bit set.
 */
#include <linux/bpf.h>
#include <string.h>

#include "base/syscalls.h"
#include "script/compile.h"

#define FOLDED_FROM 8	/* more tracepoints than these */
#define NUMBERS	    512 /* of the 64-bit table; a power of two */

/* The kernel's record of a call (struct syscall_trace_enter, syscall_trace_exit): behind a struct
 * trace_entry its number, and then either six arguments or what it returned. */
#define RECORD_NR	  8
#define RECORD_ARGS	  16
#define RECORD_ARGS_MAX	  6
#define RECORD_ENTER_SIZE (RECORD_ARGS + 8 * RECORD_ARGS_MAX)
#define RECORD_EXIT_SIZE  (RECORD_ARGS + 8)

/* Where struct pt_regs has the number of the call, and its arguments; and where the task says by
 * which table its call is done. */
#if defined(__x86_64__)
#define REGISTERS_SIZE	   128
#define REGISTERS_NUMBER   120 /* orig_ax */
#define REGISTERS_NR_BYTES 8
#define COMPAT_FIELD	   "status"
#define COMPAT_FIELD_BYTES 4
#define COMPAT_BIT	   1 /* arch/x86/include/asm/thread_info.h: TS_COMPAT */
static const int argument_registers[RECORD_ARGS_MAX] = { 112, 104, 96, 56, 72, 64 };
#else /* arm64 */
#define REGISTERS_SIZE	   288
#define REGISTERS_NUMBER   280 /* syscallno */
#define REGISTERS_NR_BYTES 4
#define COMPAT_FIELD	   "flags"
#define COMPAT_FIELD_BYTES 8
#define COMPAT_BIT	   22 /* arch/arm64/include/asm/thread_info.h: TIF_32BIT */
static const int argument_registers[RECORD_ARGS_MAX] = { 272 /* orig_x0 */, 8, 16, 24, 32, 40 };
#endif

static const char sys_enter[] = "sys_enter", sys_exit[] = "sys_exit";

/* --- which ones --------------------------------------------------------------------------- */

/* The number of a call by the name of the function that does it, which the tracepoint has. -1: it
 * is not known. */
static int number_of(const char *function)
{
	/* arm64's table is the generic one, whose functions have some names of their own */
	static const char *const others[][2] = {
		{ "newfstat", "fstat" },	 { "newlstat", "lstat" },
		{ "newstat", "stat" },		 { "newuname", "uname" },
		{ "sendfile64", "sendfile" },	 { "umount", "umount2" },
		{ "fadvise64_64", "fadvise64" }, { "arm64_personality", "personality" },
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!strcmp(others[i][0], function))
			function = others[i][1];
	return syscall_number(function, false);
}

static const char *raw_name(const struct target *t, const char **function)
{
	if (t->attach != ATTACH_TRACEPOINT || strcmp(t->category, "syscalls"))
		return NULL;
	if (!strncmp(t->function, "sys_enter_", 10)) {
		*function = t->function + 10;
		return sys_enter;
	}
	if (!strncmp(t->function, "sys_exit_", 9)) {
		*function = t->function + 9;
		return sys_exit;
	}
	return NULL;
}

/* What a clause does with args and with the context. */
struct uses {
	size_t names, fields; /* how often args is written; and as args.field */
	bool context;
	const struct type *args, *like; /* of the tracepoint that is looked at; of one like it */
	uint32_t size;			/* of what of its record can be made here */
	bool unknown;			/* there is a field that can't, or is another one */
};

static bool is_args(const struct node *n)
{
	return n && n->kind == NODE_NAME &&
	       (!strcmp(n->name, "args") || !strcmp(n->name, "__builtin_args"));
}

static void find_uses(struct node *n, void *ctx)
{
	struct uses *u = ctx;
	const struct field *f, *other;
	uint32_t at = 0, other_at = 0;

	u->names += is_args(n);
	if (n->kind == NODE_NAME && !strcmp(n->name, "ctx"))
		u->context = true;
	if (n->kind != NODE_FIELD || !is_args(n->a))
		return;
	u->fields++;
	f = u->args ? type_field(u->args, n->name, &at) : NULL;
	other = u->like ? type_field(u->like, n->name, &other_at) : NULL;
	/* later kernels have texts behind the arguments; common_pid and the like are the event's
	 * own */
	if (!f || f->data_loc || f->rel_loc || at < RECORD_NR || at + f->type->size > u->size ||
	    !other || other_at != at || other->type != f->type)
		u->unknown = true;
}

/* Has the program all that the clause wants of the record of @t, where @like's record has it? */
static bool has_fields(const struct clause *clause, const struct target *t,
		       const struct target *like, const char *raw)
{
	struct uses u = { .args = t->args,
			  .like = like->args,
			  .size = raw == sys_enter ? RECORD_ENTER_SIZE : RECORD_EXIT_SIZE };

	node_walk(clause->predicate, find_uses, &u);
	node_walk(clause->body, find_uses, &u);
	return !u.context && !u.unknown && u.names == u.fields;
}

/* The field of the task that says by which table its call is done; -1: not known. */
static int64_t status_offset(struct compiler *c)
{
	const struct type *task = btf_type(c->btf, "struct", "task_struct"), *info = NULL;
	const struct field *f = NULL;
	uint32_t at = 0, in = 0;

	if (task) {
		record_complete(task);
		f = type_field(task, "thread_info", &at);
	}
	if (f && f->type->kind == TYPE_RECORD)
		info = f->type;
	if (!info)
		return -1;
	record_complete(info);
	f = type_field(info, COMPAT_FIELD, &in);
	return f && f->type->size == COMPAT_FIELD_BYTES ? (int64_t)at + in : -1;
}

/* The first of these and those that are like it: one program would do for them. */
struct fold {
	const struct clause *clause;
	struct target **targets;
	size_t nr;
	const char *raw;
};

/* Gives the targets, if they are enough, to one program. With the @why: how many. */
static size_t fold_like(const struct fold *f, const char *why)
{
	bool taken[NUMBERS] = { false };
	size_t nr = 0;

	for (size_t i = 0; i < f->nr; i++) {
		struct target *t = f->targets[i];
		const char *function = NULL;
		int number;

		if (raw_name(t, &function) != f->raw ||
		    !has_fields(f->clause, t, f->targets[0], f->raw))
			continue;
		number = number_of(function);
		if (number < 0 || number >= NUMBERS || taken[number])
			continue;
		taken[number] = true;
		nr++;
		if (!why)
			continue;
		t->attach = ATTACH_FOLDED;
		t->folded = f->raw;
		t->syscall = number;
		t->args = f->targets[0]->args;
		t->why = why;
	}
	return nr;
}

void lower_folded_choose(struct compiler *c, const struct clause *clause, struct target **targets,
			 size_t nr)
{
	for (size_t i = 0; i + FOLDED_FROM < nr; i++) {
		struct fold f = { .clause = clause, .targets = targets + i, .nr = nr - i };
		const char *function = NULL;
		size_t like;

		f.raw = raw_name(targets[i], &function);
		if (!f.raw || !has_fields(clause, targets[i], targets[i], f.raw))
			continue;
		like = fold_like(&f, NULL);
		if (like > FOLDED_FROM && btf_has_tracepoint(c->btf, f.raw) &&
		    status_offset(c) >= 0)
			fold_like(&f, arena_printf(c->arena, "%s, one for %zu system calls", f.raw,
						   like));
	}
}

/* --- the program -------------------------------------------------------------------------- */

/* Of each number one more than which of the targets it is; 0: none. */
static uint32_t make_table(struct compiler *c, const struct variant *v)
{
	uint16_t table[NUMBERS] = { 0 };

	for (size_t i = 0; i < v->nr_targets; i++)
		table[v->targets[i]->syscall] = i + 1;
	return lower_rodata(c, table, sizeof(table));
}

static void keep_native(struct compiler *c)
{
	uint32_t place = lower_place(c, 8, c->f->at);
	ir_value task = ir_call(c->f, BPF_FUNC_get_current_task, IR_SCALAR, 0), status;

	lower_read(c, SPACE_KERNEL, place, 4, ir_binary_imm(c->f, IR_ADD, task, status_offset(c)));
	status = ir_load(c->f, ir_scratch(c->f, place), 0, 4, false);
	lower_keep_if(c, IR_EQ, ir_binary_imm(c->f, IR_AND, status, 1 << COMPAT_BIT), 0);
}

/* The record as the tracepoint of the call would have it. */
static void make_record(struct compiler *c, bool at_exit, ir_value number, ir_value registers)
{
	ir_value record = ir_scratch(c->f, c->record);

	ir_store(c->f, record, RECORD_NR, 8, number);
	if (at_exit) {
		ir_store(c->f, record, RECORD_ARGS, 8,
			 ir_load(c->f, ir_context(c->f), 8, 8, false));
		return;
	}
	for (int i = 0; i < RECORD_ARGS_MAX; i++)
		ir_store(c->f, record, RECORD_ARGS + 8 * i, 8,
			 ir_load(c->f, registers, argument_registers[i], 8, false));
}

void lower_folded(struct compiler *c, const struct variant *v)
{
	const bool at_exit = c->target->folded == sys_exit, wants_args = c->target->args;
	uint32_t saved = lower_place(c, REGISTERS_SIZE, c->f->at), table = make_table(c, v);
	ir_value registers = ir_scratch(c->f, saved), number, at, slot, which, from;

	c->which = lower_place(c, 8, c->f->at);
	c->record = lower_place(c, RECORD_ENTER_SIZE, c->f->at);
	from = ir_load(c->f, ir_context(c->f), 0, 8, false);
	if (wants_args && !at_exit)
		lower_read(c, SPACE_KERNEL, saved, REGISTERS_SIZE, from);
	else if (at_exit)
		lower_read(c, SPACE_KERNEL, saved + REGISTERS_NUMBER, REGISTERS_NR_BYTES,
			   ir_binary_imm(c->f, IR_ADD, from, REGISTERS_NUMBER));
	number = at_exit ? ir_load(c->f, registers, REGISTERS_NUMBER, REGISTERS_NR_BYTES, false)
			 : ir_load(c->f, ir_context(c->f), 8, 8, false);
	lower_keep_if(c, IR_ULT, number, NUMBERS);
	/* once more, and right before it is used: 5.10 forgets the bounds of a number that has
	 * been on the stack meanwhile */
	at = ir_binary_imm(c->f, IR_AND, number, NUMBERS - 1);
	at = ir_binary_imm(c->f, IR_SHL, at, 1);
	slot = ir_load(c->f, ir_binary(c->f, IR_ADD, ir_rodata(c->f, table), at), 0, 2, false);
	lower_keep_if(c, IR_NE, slot, 0);
	which = ir_binary_imm(c->f, IR_ADD, slot, (int64_t)v->first_name - 1);
	ir_store(c->f, ir_scratch(c->f, c->which), 0, 8, which);
	keep_native(c);
	if (wants_args)
		make_record(c, at_exit, number, registers);
}

ir_value lower_folded_probe(struct compiler *c)
{
	return ir_load(c->f, ir_scratch(c->f, c->which), 0, 8, false);
}

struct location lower_folded_args(struct compiler *c, uint32_t offset)
{
	return (struct location){ .base = ir_scratch(c->f, c->record),
				  .offset = offset,
				  .space = SPACE_PROGRAM };
}
