/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <string.h>

#include "base/escape.h"
#include "script/ast.h"

const char *op_text(enum op op)
{
	static const char *const texts[] = {
		[OP_NONE] = "",
		[OP_ADD] = "+",
		[OP_SUB] = "-",
		[OP_MUL] = "*",
		[OP_DIV] = "/",
		[OP_MOD] = "%",
		[OP_AND] = "&",
		[OP_OR] = "|",
		[OP_XOR] = "^",
		[OP_SHL] = "<<",
		[OP_SHR] = ">>",
		[OP_EQ] = "==",
		[OP_NE] = "!=",
		[OP_LT] = "<",
		[OP_GT] = ">",
		[OP_LE] = "<=",
		[OP_GE] = ">=",
		[OP_LOGICAL_AND] = "&&",
		[OP_LOGICAL_OR] = "||",
		[OP_NOT] = "!",
		[OP_INVERT] = "~",
		[OP_NEGATE] = "-",
		[OP_DEREF] = "*",
		[OP_ADDRESS] = "&",
		[OP_PRE_INCREMENT] = "++",
		[OP_PRE_DECREMENT] = "--",
		[OP_POST_INCREMENT] = "++",
		[OP_POST_DECREMENT] = "--",
	};

	return texts[op];
}

const char *ast_provider_name(enum provider p)
{
	static const char *const names[PROVIDERS] = {
		"begin",	 "end",	       "interval",  "profile",	"tracepoint",
		"rawtracepoint", "kprobe",     "kretprobe", "fentry",	"fexit",
		"uprobe",	 "uretprobe",  "usdt",	    "software", "hardware",
		"self",		 "watchpoint", "iter",	    "test",	"bench",
	};

	return names[p];
}

void node_walk(struct node *n, void (*fn)(struct node *n, void *ctx), void *ctx)
{
	for (; n; n = n->next) {
		fn(n, ctx);
		node_walk(n->a, fn, ctx);
		node_walk(n->b, fn, ctx);
		node_walk(n->c, fn, ctx);
		for (size_t i = 0; i < n->nr_args; i++)
			node_walk(n->args[i], fn, ctx);
		node_walk(n->body, fn, ctx);
		node_walk(n->otherwise, fn, ctx);
	}
}

/* --- dump --- */

static void dump_list(const struct node *n, int depth, FILE *out);

static void indent(int depth, FILE *out)
{
	fprintf(out, "%*s", 2 * depth, "");
}

static void quote(const char *s, size_t len, FILE *out)
{
	char text[ESCAPE_MAX];

	putc('"', out);
	for (size_t i = 0; i < len; i++) {
		if (s[i] < ' ' || s[i] == 0x7f || s[i] == '"' || s[i] == '\\')
			fprintf(out, "%.*s", escape_byte(text, s[i]), text);
		else
			putc(s[i], out);
	}
	putc('"', out);
}

static void dump_int(const struct node *n, FILE *out)
{
	if (n->name)
		fprintf(out, "int %s", n->name);
	else if (n->is_unsigned)
		fprintf(out, "int %lluu", (unsigned long long)n->value);
	else
		fprintf(out, "int %lld", (long long)n->value);
}

static const char *kind_text(const struct node *n)
{
	static const char *const texts[] = {
		[NODE_INT] = "int",
		[NODE_STRING] = "string",
		[NODE_NAME] = "name",
		[NODE_VAR] = "variable",
		[NODE_MAP] = "map",
		[NODE_UNARY] = "unary",
		[NODE_BINARY] = "binary",
		[NODE_TERNARY] = "choice",
		[NODE_CAST] = "cast",
		[NODE_CALL] = "call",
		[NODE_FIELD] = "field",
		[NODE_INDEX] = "index",
		[NODE_TUPLE] = "tuple",
		[NODE_RECORD] = "record",
		[NODE_SIZEOF] = "sizeof",
		[NODE_OFFSETOF] = "offsetof",
		[NODE_BLOCK_VALUE] = "value",
		[NODE_ENTRY] = "entry",
		[NODE_EXPRESSION] = "expression",
		[NODE_ASSIGN] = "set",
		[NODE_LET] = "let",
		[NODE_IF] = "if",
		[NODE_WHILE] = "while",
		[NODE_UNROLL] = "unroll",
		[NODE_FOR_RANGE] = "for",
		[NODE_FOR_MAP] = "for",
		[NODE_RETURN] = "return",
		[NODE_BREAK] = "break",
		[NODE_CONTINUE] = "continue",
		[NODE_BLOCK] = "block",
	};

	return texts[n->kind];
}

/* What a line says of a node, without what is below it. */
static void dump_line(const struct node *n, FILE *out)
{
	if (n->kind == NODE_INT)
		dump_int(n, out);
	else
		fputs(kind_text(n), out);
	switch (n->kind) {
	case NODE_STRING:
		putc(' ', out);
		quote(n->text, n->length, out);
		break;
	case NODE_VAR:
	case NODE_LET:
	case NODE_FOR_RANGE:
	case NODE_FOR_MAP:
		fprintf(out, " $%s", n->name);
		break;
	case NODE_MAP:
		fprintf(out, " @%s", n->name);
		break;
	case NODE_NAME:
	case NODE_CALL:
	case NODE_OFFSETOF:
		fprintf(out, " %s", n->name);
		break;
	case NODE_FIELD:
		fprintf(out, " %s%s", n->arrow ? "->" : ".", n->name);
		break;
	case NODE_UNARY:
		fprintf(out, n->op >= OP_POST_INCREMENT ? " _%s" : " %s", op_text(n->op));
		break;
	case NODE_BINARY:
		fprintf(out, " %s", op_text(n->op));
		break;
	case NODE_ASSIGN:
		fprintf(out, " %s=", op_text(n->op));
		break;
	default:
		break;
	}
	if (n->type_name)
		fprintf(out, " (%s)", n->type_name);
	if (n->positional)
		fputs(" positional", out);
	putc('\n', out);
}

static void dump_one(const struct node *n, int depth, FILE *out)
{
	const struct node *parts[] = { n->a, n->b, n->c };

	if (n->kind == NODE_EXPRESSION) { /* it is what it does */
		dump_one(n->a, depth, out);
		return;
	}
	indent(depth, out);
	if (n->field)
		fprintf(out, ".%s = ", n->field);
	dump_line(n, out);
	if (n->kind == NODE_BLOCK_VALUE)
		dump_list(n->body, depth + 1, out);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (parts[i])
			dump_one(parts[i], depth + 1, out);
	for (size_t i = 0; i < n->nr_args; i++)
		dump_one(n->args[i], depth + 1, out);
	if (n->body && n->kind != NODE_BLOCK_VALUE) {
		if (n->kind != NODE_BLOCK) {
			indent(depth, out);
			fputs("do\n", out);
		}
		dump_list(n->body, depth + 1, out);
	}
	if (n->otherwise) {
		indent(depth, out);
		fputs("else\n", out);
		dump_list(n->otherwise, depth + 1, out);
	}
}

static void dump_list(const struct node *n, int depth, FILE *out)
{
	for (; n; n = n->next)
		dump_one(n, depth, out);
}

static void dump_point(const struct point *p, FILE *out)
{
	fprintf(out, "  probe %s%s", p->latency ? "latency " : "", ast_provider_name(p->provider));
	for (size_t i = 0; i < p->nr_parts; i++) {
		putc(' ', out);
		quote(p->parts[i], strlen(p->parts[i]), out);
	}
	if (p->has_number)
		fprintf(out, " %llu", (unsigned long long)p->number);
	if (p->has_offset)
		fprintf(out, " +%llu", (unsigned long long)p->offset);
	putc('\n', out);
}

static void dump_clause(const struct clause *c, FILE *out)
{
	fputs("clause\n", out);
	for (size_t i = 0; i < c->nr_points; i++)
		dump_point(&c->points[i], out);
	if (c->predicate) {
		fputs("  predicate\n", out);
		dump_one(c->predicate, 2, out);
	}
	fputs("  do\n", out);
	dump_list(c->body, 2, out);
}

void script_dump(const struct script *s, FILE *out)
{
	for (const struct setting *e = s->settings; e; e = e->next) {
		fprintf(out, "setting %s\n", e->name);
		dump_one(e->value, 1, out);
	}
	for (const struct constant *c = s->constants; c; c = c->next)
		fprintf(out, "constant %s %lld\n", c->name, (long long)c->value);
	for (const struct declaration *d = s->declarations; d; d = d->next) {
		fputs("declaration ", out);
		quote(s->source->text + d->span.from, d->span.to - d->span.from, out);
		putc('\n', out);
	}
	for (const struct map_declaration *m = s->maps; m; m = m->next)
		fprintf(out, "map @%s %s %llu\n", m->name, m->kind, (unsigned long long)m->entries);
	for (const struct clause *c = s->clauses; c; c = c->next)
		dump_clause(c, out);
}
