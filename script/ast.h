/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ast: the tree of a script. script/parse.c makes it, script/check.c gives every expression its
 * type, script/lower.c makes instructions of it.
 */
#ifndef BORESCOPE_SCRIPT_AST_H
#define BORESCOPE_SCRIPT_AST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "script/source.h"

struct type;

enum node_kind {
	/* --- expressions --- */
	NODE_INT,	  /* .value, .is_unsigned (a suffix u, or beyond int64) */
	NODE_STRING,	  /* .text, .length: without quotation marks, escapes done */
	NODE_NAME,	  /* .name: a builtin (comm, nsecs, argN ...), a constant, an enumerator */
	NODE_VAR,	  /* .name, without its $ */
	NODE_MAP,	  /* .name, without its @ ("" for @), .args: its keys; none: a scalar */
	NODE_UNARY,	  /* .op, .a */
	NODE_BINARY,	  /* .op, .a, .b */
	NODE_TERNARY,	  /* .a ? .b : .c; .b NULL: the short form, ?: */
	NODE_CAST,	  /* (.type_name).a; without .type_name: (typeof(.b)).a */
	NODE_CALL,	  /* .name(.args) */
	NODE_FIELD,	  /* .a . .name, or -> (.arrow); a number as .name: of a tuple */
	NODE_INDEX,	  /* .a[.b] */
	NODE_TUPLE,	  /* (.args): two or more, or one with a comma behind it, or none */
	NODE_RECORD,	  /* (.a = 1, .b = 2): .args, each with .field */
	NODE_SIZEOF,	  /* .a, or .type_name */
	NODE_OFFSETOF,	  /* .type_name or .a; .name: the field, perhaps a.b.c */
	NODE_BLOCK_VALUE, /* { .body; .a }: of a macro that gives a value */
	/* of latency: what .a was at the entry, the .value-th that was kept */
	NODE_ENTRY,
	/* --- statements --- */
	NODE_EXPRESSION, /* .a, for what it does */
	NODE_ASSIGN,	 /* .a .op= .b; .op OP_NONE: a plain = */
	NODE_LET,	 /* let .name : .type_name = .b; the last two may be missing. With .a: of
			    the type of that expression, which is not evaluated */
	NODE_IF,	 /* .a, .body, .otherwise */
	NODE_WHILE,	 /* .a, .body */
	NODE_UNROLL,	 /* .a times, .body */
	NODE_FOR_RANGE,	 /* for $.name : .a .. .b { .body } */
	NODE_FOR_MAP,	 /* for $.name : .a (a NODE_MAP without keys) { .body } */
	NODE_RETURN,	 /* .a may be missing */
	NODE_BREAK,
	NODE_CONTINUE,
	NODE_BLOCK, /* .body: with a scope of its own */
};

enum op {
	OP_NONE,
	OP_ADD,
	OP_SUB,
	OP_MUL,
	OP_DIV,
	OP_MOD,
	OP_AND,
	OP_OR,
	OP_XOR,
	OP_SHL,
	OP_SHR,
	OP_EQ,
	OP_NE,
	OP_LT,
	OP_GT,
	OP_LE,
	OP_GE,
	OP_LOGICAL_AND,
	OP_LOGICAL_OR,
	/* unary */
	OP_NOT,	   /* ! */
	OP_INVERT, /* ~ */
	OP_NEGATE,
	OP_DEREF,
	OP_ADDRESS, /* & */
	OP_PRE_INCREMENT,
	OP_PRE_DECREMENT,
	OP_POST_INCREMENT,
	OP_POST_DECREMENT,
};
const char *op_text(enum op op); /* "+", "==" ... */

struct node {
	enum node_kind kind;
	enum op op;
	struct span span;
	const char *name;
	struct node *a, *b, *c;
	struct node **args;
	size_t nr_args;
	struct node *body, *otherwise; /* the first of a list of statements, linked by .next */
	struct node *next;
	const char *field; /* of an element of NODE_RECORD */
	/* "struct task_struct *", "uint64", "int8[4]", "enum foo", "string[64]": with one space
	 * between words and before the stars, none elsewhere. NULL: none. */
	const char *type_name;
	const char *text;
	size_t length;
	uint64_t value;
	bool is_unsigned;
	bool arrow;
	/* It came from $1: a number, or a text. Of a number .text has what was given. */
	bool positional;
	bool is_last; /* of NODE_EXPRESSION: without a ';' in front of '}', so the block's value */
	uint32_t height; /* of the tree below it, without .next: AST_HEIGHT_MAX at most */

	/* --- check.c's --- */
	const struct type *type;
	void *info; /* what it found for this node: see check.h */
};

/* So deep may a tree be; what walks it calls itself. */
#define AST_HEIGHT_MAX 600

/* What a script calls its probes. The order is that of names in messages. */
enum provider {
	PROVIDER_BEGIN,
	PROVIDER_END,
	PROVIDER_INTERVAL,
	PROVIDER_PROFILE,
	PROVIDER_TRACEPOINT,
	PROVIDER_RAWTRACEPOINT,
	PROVIDER_KPROBE,
	PROVIDER_KRETPROBE,
	PROVIDER_FENTRY,
	PROVIDER_FEXIT,
	PROVIDER_UPROBE,
	PROVIDER_URETPROBE,
	PROVIDER_USDT,
	PROVIDER_SOFTWARE,
	PROVIDER_HARDWARE,
	PROVIDER_SELF,
	PROVIDER_WATCHPOINT, /* also asyncwatchpoint; known, so that a message can say: not here */
	PROVIDER_ITER,
	PROVIDER_TEST,
	PROVIDER_BENCH,
	PROVIDERS,
};

/* One probe as it is written, also with wildcards: its parts between colons, without quotation
 * marks. Short names (t, k, kr, u, ur, i, p, h, s, U, f, fr, it, rt, kfunc, kretfunc, BEGIN) have
 * become the provider. */
struct point {
	struct span span;
	const char *text; /* as written */
	enum provider provider;
	/*
	 * begin, end: none. interval, profile: unit ("s", "ms", "us", "hz"; none: .number counts
	 * as the language has it), .number. tracepoint: category, event. rawtracepoint: event,
	 * or module, event. kprobe, fentry ...: function, or module, function. uprobe: path,
	 * function (none where .number is an address), or path, language, function. usdt: path,
	 * provider, name; or path, name. software, hardware: event, .number (0: none).
	 * self: "signal", name.
	 */
	const char **parts;
	size_t nr_parts;
	bool has_number;
	uint64_t number; /* rate, count, or address */
	bool has_offset;
	uint64_t offset; /* function+offset */
	/* latency: the entry, by .provider (KPROBE, FENTRY, UPROBE or TRACEPOINT), and what ends
	 * it. */
	bool latency;
};

struct clause {
	struct span span;
	struct point *points;
	size_t nr_points;
	struct node *predicate; /* NULL: none */
	struct node *body;	/* a list of statements */
	struct clause *next;
};

struct setting { /* of config = { name = value; } */
	struct span span;
	const char *name;
	struct node *value; /* NODE_INT, NODE_STRING or NODE_NAME */
	struct setting *next;
};

/* let @name = lruhash(100); */
struct map_declaration {
	struct span span;
	const char *name;
	const char *kind; /* "hash", "lruhash", "percpuhash", "percpulruhash", "percpuarray" */
	uint64_t entries;
	struct map_declaration *next;
};

/* A struct, union or enum of the script's own, as text: script/cdecl.c reads it. */
struct declaration {
	struct span span;
	struct declaration *next;
};

/* #define NAME integer, and enumerators of the script's own enums. */
struct constant {
	const char *name;
	int64_t value;
	const struct type *type; /* of an enumerator: its enum. NULL: a number */
	struct constant *next;
};

struct script {
	struct source *source;
	const char *text;	/* of the source, with blanks in the place of its directives */
	struct clause *clauses; /* in the order of the text, as are the other lists */
	struct setting *settings;
	struct map_declaration *maps;
	struct declaration *declarations;
	struct constant *constants;
};

/* What $1 ... stand for. */
struct positional {
	const char *const *args;
	size_t nr;
	/* "--name" and "--name=value": what getopt() gives. */
	const char *const *named;
	size_t nr_named;
};

/*
 * Reads the text of @src: macros are expanded, positional parameters have become numbers or texts,
 * #include is dropped. Errors are printed, and the reading goes on behind the next ';' or '}'.
 * Returns the tree, also where there were errors (source.errors), for the checks that still make
 * sense; never NULL.
 */
struct script *script_parse(struct source *src, const struct positional *positional);

/* -d ast: the tree as indented lines. */
void script_dump(const struct script *s, FILE *out);

/* Calls @fn for each node below @n, and @n, from the outside in; for lists, also those that
 * follow. NULL: none. */
void node_walk(struct node *n, void (*fn)(struct node *n, void *ctx), void *ctx);

/* Of enum provider: "tracepoint". */
const char *ast_provider_name(enum provider p);

#endif
