/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Calls for what they do: printf() and its like, exit(), time(), join(), signal() ... */
#include <linux/bpf.h>
#include <signal.h>
#include <string.h>

#include "base/signals.h"
#include "script/compile.h"
#include "script/format.h"

/* --- what takes a format ------------------------------------------------------------------ */

static const struct {
	const char *name;
	enum action action;
} formatted[] = {
	{ "printf", ACTION_PRINTF }, { "errorf", ACTION_ERRORF }, { "warnf", ACTION_WARNF },
	{ "system", ACTION_SYSTEM }, { "cat", ACTION_CAT },
};

static bool is_literal(struct compiler *c, struct node *n, const char *what)
{
	n->type = type_void(c->types);
	if (n->kind == NODE_STRING)
		return true;
	check_error(c, n->span, "%s has to be a literal text", what);
	return false;
}

static const struct type *check_format(struct compiler *c, struct node *n)
{
	const struct type **types = arena_alloc(c->arena, n->nr_args * sizeof(*types) + 1);
	bool known = true;

	if (!is_literal(c, n->args[0], "a format"))
		return NULL;
	for (size_t i = 1; i < n->nr_args; i++) {
		types[i - 1] = check_expr(c, n->args[i]);
		if (!types[i - 1])
			known = false;
		else if (types[i - 1]->kind == TYPE_VOID || type_is_aggregate(types[i - 1])) {
			check_error(c, n->args[i]->span, "%s() can't show %s", n->name,
				    check_text(c, types[i - 1]));
			known = false;
		}
	}
	if (known && c->final && !c->format_checked &&
	    !format_check(c->source, n->span, n->args[0]->text, n->args[0]->length, types,
			  n->nr_args - 1))
		return NULL;
	return known ? type_void(c->types) : NULL;
}

static ir_value lower_format(struct compiler *c, struct node *n)
{
	struct statement *s;
	size_t i = 0;

	while (strcmp(formatted[i].name, n->name))
		i++;
	s = lower_send(c, n, formatted[i].action, n->args + 1, n->nr_args - 1);
	s->format = n->args[0]->text;
	s->format_len = n->args[0]->length;
	return 0;
}

/* --- time(), exit() ----------------------------------------------------------------------- */

static const struct type *check_time(struct compiler *c, struct node *n)
{
	if (n->nr_args && !is_literal(c, n->args[0], "a format"))
		return NULL;
	return type_void(c->types);
}

static ir_value lower_time(struct compiler *c, struct node *n)
{
	struct statement *s = lower_send(c, n, ACTION_TIME, NULL, 0);

	s->format = n->nr_args ? n->args[0]->text : "%H:%M:%S\n";
	s->format_len = strlen(s->format);
	return 0;
}

static const struct type *check_exit(struct compiler *c, struct node *n)
{
	if (n->nr_args && !check_number(c, n->args[0], "the exit status"))
		return NULL;
	return type_void(c->types);
}

static void lower_exit_with(struct compiler *c, struct node *n, struct node *status)
{
	lower_send(c, n, ACTION_EXIT, &status, 1);
	/* nothing is counted from now on */
	ir_store_imm(c->f, ir_global(c->f, offsetof(struct rt_globals, gate)), 0, 8,
		     RT_GATE_CLOSED);
	ir_jump(c->f, c->leave);
}

static ir_value lower_exit(struct compiler *c, struct node *n)
{
	struct node zero = { .kind = NODE_INT, .type = type_int(c->types, 8, true) };

	lower_exit_with(c, n, n->nr_args ? n->args[0] : &zero);
	/* what is left of an expression is never reached */
	ir_enter(c->f, ir_block(c->f));
	return ir_const(c->f, 0);
}

static const struct type *check_assert(struct compiler *c, struct node *n)
{
	if (!is_literal(c, n->args[1], "assert()'s message") || !check_expr(c, n->args[1]) ||
	    !check_number(c, n->args[0], "what assert() looks at"))
		return NULL;
	return type_void(c->types);
}

/* assert(condition, "message"): where it does not hold, that is said, and it ends with 1. */
static ir_value lower_assert(struct compiler *c, struct node *n)
{
	struct node one = { .kind = NODE_INT, .type = type_int(c->types, 8, true), .value = 1 };
	uint32_t fine = ir_block(c->f), failed = ir_block(c->f);
	struct statement *s;

	lower_condition(c, n->args[0], fine, failed);
	ir_enter(c->f, failed);
	s = lower_send(c, n, ACTION_ERRORF, &n->args[1], 1);
	s->format = "assert failed: %s";
	s->format_len = strlen(s->format);
	lower_exit_with(c, n, &one);
	ir_enter(c->f, fine);
	return ir_const(c->f, 0);
}

/* --- join() ------------------------------------------------------------------------------- */

#define JOIN_WORDS 16
#define JOIN_ROOM  256 /* bytes of a word */

static const struct type *check_join_call(struct compiler *c, struct node *n)
{
	if (!check_number(c, n->args[0], "what join() reads"))
		return NULL;
	if (n->nr_args > 1 && !is_literal(c, n->args[1], "join()'s delimiter"))
		return NULL;
	return type_void(c->types);
}

/* Where the argv is, as the pointer says; a number as bpftrace has it: a process's. */
static enum space space_of(const struct node *n)
{
	return n->type->kind == TYPE_POINTER ? n->type->space : SPACE_USER;
}

static ir_value join_word(struct compiler *c, const struct statement *s, uint32_t record,
			  ir_value size, ir_value word, unsigned i, enum space space)
{
	/* words of an array of the kernel's may be a process's all the same */
	const char *append = space == SPACE_USER ? "rt_append_user" : "rt_append_any";
	int64_t most = s->size + i * JOIN_ROOM;
	int64_t where = (int64_t)s->args[i + 1].offset << 32 | most;
	ir_value to = ir_scratch(c->f, record), room = ir_const(c->f, JOIN_ROOM);

	return ir_runtime(c->f, append, IR_SCALAR, 5, to, size, room, word, ir_const(c->f, where));
}

static ir_value lower_join(struct compiler *c, struct node *n)
{
	struct statement *s = lower_statement_new(c, n, ACTION_JOIN, JOIN_WORDS + 1, JOIN_ROOM);
	uint32_t all = s->size + JOIN_WORDS * JOIN_ROOM, place = lower_place(c, 8, n->span);
	uint32_t record = lower_place(c, all, n->span), done = ir_block(c->f);
	ir_value argv = lower_expr(c, n->args[0]), size = ir_variable(c->f, IR_SCALAR);
	ir_value words = ir_variable(c->f, IR_SCALAR), word;
	enum space space = space_of(n->args[0]);

	s->format = n->nr_args > 1 ? n->args[1]->text : " ";
	s->format_len = strlen(s->format);
	ir_set(c->f, size, ir_const(c->f, s->size));
	ir_set(c->f, words, ir_const(c->f, 0));
	lower_zero(c, ir_scratch(c->f, record), s->args[1].offset, 8 * JOIN_WORDS);
	for (unsigned i = 0; i < JOIN_WORDS; i++) {
		uint32_t more = ir_block(c->f);

		ir_store_imm(c->f, ir_scratch(c->f, place), 0, 8, 0);
		lower_read(c, space, place, 8, ir_binary_imm(c->f, IR_ADD, argv, 8 * i));
		word = ir_load(c->f, ir_scratch(c->f, place), 0, 8, false);
		ir_branch_imm(c->f, IR_NE, word, 0, more, done);
		ir_enter(c->f, more);
		ir_set(c->f, size, join_word(c, s, record, size, word, i, space));
		ir_set(c->f, words, ir_const(c->f, i + 1));
	}
	ir_jump(c->f, done);
	ir_enter(c->f, done);
	ir_store(c->f, ir_scratch(c->f, record), s->args[0].offset, 8, words);
	lower_send_record(c, s, record, size, all);
	return 0;
}

/* --- signal() ----------------------------------------------------------------------------- */

static int signal_number(const char *name)
{
	if (!strncmp(name, "SIG", 3))
		name += 3;
	if (!strcmp(name, "POLL"))
		return SIGPOLL; /* also SIGIO */
	/* behind SIGSYS are those without a name of their own */
	for (int i = 1; i <= SIGSYS; i++)
		if (!strcmp(signal_name(i), name))
			return i;
	return -1;
}

static const struct type *check_signal(struct compiler *c, struct node *n)
{
	struct node *a = n->args[0];

	if (c->target->attach == ATTACH_RUN)
		return check_error(c, n->span,
				   "there is no process here that a signal could go to");
	if (a->kind == NODE_STRING) {
		a->type = type_void(c->types);
		if (signal_number(a->text) < 0)
			return check_error(c, a->span, "unknown signal: %s", a->text);
		return type_void(c->types);
	}
	return check_number(c, a, "a signal") ? type_void(c->types) : NULL;
}

static ir_value lower_signal(struct compiler *c, struct node *n)
{
	struct node *a = n->args[0];
	ir_value number =
		a->kind == NODE_STRING ? ir_const(c->f, signal_number(a->text)) : lower_expr(c, a);

	return ir_call(c->f, BPF_FUNC_send_signal, IR_SCALAR, 1, number);
}

const struct function_def function_actions[] = {
	{ "printf", 1, 64, check_format, lower_format, .where = CALL_STATEMENT },
	{ "errorf", 1, 64, check_format, lower_format, .where = CALL_STATEMENT },
	{ "warnf", 1, 64, check_format, lower_format, .where = CALL_STATEMENT },
	{ "system", 1, 64, check_format, lower_format, true, CALL_STATEMENT },
	{ "cat", 1, 64, check_format, lower_format, .where = CALL_STATEMENT },
	{ "time", 0, 1, check_time, lower_time, .where = CALL_STATEMENT },
	{ "exit", 0, 1, check_exit, lower_exit, .where = CALL_STATEMENT },
	{ "assert", 2, 2, check_assert, lower_assert, .where = CALL_STATEMENT },
	{ "join", 1, 2, check_join_call, lower_join, .where = CALL_STATEMENT },
	{ "signal", 1, 1, check_signal, lower_signal, true, CALL_STATEMENT },
	{ 0 },
};
