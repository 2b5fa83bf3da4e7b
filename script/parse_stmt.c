/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <string.h>

#include "script/parse_expr.h"
#include "script/parse_stmt.h"
#include "script/parse_type.h"

/* --- the end of a statement --- */

static bool same_line(const struct parser *p, uint32_t from, uint32_t to)
{
	return !memchr(p->lx.text + from, '\n', to - from);
}

/* A ';', which may be missing in front of '}'. Where it is missing elsewhere and a new line begins,
 * the next statement is read as if it were there. */
static void read_end(struct parser *p)
{
	struct span at = { p->last.to, p->last.to };
	int kind;

	if (p->panic)
		return;
	kind = parser_kind(p);
	if (p->panic || kind == '}' || parser_accept(p, ';'))
		return;
	if (kind == TOKEN_END)
		return; /* the block around says that its '}' is missing */
	if (same_line(p, at.from, p->token.span.from))
		parser_unexpected(p, "';'");
	else
		parser_error(p, at, "expected ';'");
}

/* --- what has a block --- */

static struct node *block_or_nothing(struct parser *p)
{
	if (!p->panic && parser_kind(p) == '{')
		return parse_stmt_block(p)->body;
	if (!p->panic)
		parser_unexpected(p, "'{'");
	return NULL;
}

static struct node *read_if(struct parser *p)
{
	struct span from = parser_take(p).span;
	struct node *n = node_new(p->arena, NODE_IF, from);

	n->a = parse_expr(p);
	n->body = block_or_nothing(p);
	if (!p->panic && parser_accept_word(p, "else")) {
		if (parser_is_word(p, "if"))
			n->otherwise = parse_stmt(p);
		else
			n->otherwise = block_or_nothing(p);
	}
	n->span = parser_span(p, from);
	return parser_done(p, n);
}

static struct node *read_while(struct parser *p, enum node_kind kind)
{
	struct span from = parser_take(p).span;
	struct node *n = node_new(p->arena, kind, from);

	n->a = parse_expr(p);
	n->body = block_or_nothing(p);
	n->span = parser_span(p, from);
	return parser_done(p, n);
}

/* for ($kv : @map) { }, for $i : 0..10 { } */
static struct node *read_for(struct parser *p)
{
	struct span from = parser_take(p).span;
	struct node *n = node_new(p->arena, NODE_FOR_RANGE, from);
	bool open = parser_accept(p, '(');
	struct token variable = *parser_peek(p);

	n->name = "";
	n->a = n->b = node_int(p->arena, from, 0, false);
	if (!parser_expect(p, TOKEN_VARIABLE, "a $variable, as in: for ($i : 0..10) { }") ||
	    !parser_expect(p, ':', "':'"))
		return n;
	n->name = variable.name;
	n->a = parse_expr(p);
	if (p->panic)
		return n;
	if (parser_accept(p, TOKEN_RANGE)) {
		n->b = parse_expr(p);
	} else if (n->a->kind == NODE_MAP && !n->a->nr_args) {
		n->kind = NODE_FOR_MAP;
		n->b = NULL;
	} else {
		parser_error(p, n->a->span, "a loop goes over a @map, or over numbers: 0..10");
		return n;
	}
	if (open && !p->panic)
		parser_expect(p, ')', "')'");
	n->body = block_or_nothing(p);
	n->span = parser_span(p, from);
	return parser_done(p, n);
}

/* --- others --- */

/* let $x: type = value; */
static struct node *read_let(struct parser *p)
{
	struct span from = parser_take(p).span;
	struct node *n = node_new(p->arena, NODE_LET, from);
	struct token name = *parser_peek(p);
	bool certain;

	n->name = "";
	if (name.kind == TOKEN_MAP) {
		parser_error(p, name.span,
			     "maps are declared outside of probes: let @%s = hash(1000);",
			     *name.name ? name.name : "x");
		return n;
	}
	if (!parser_expect(p, TOKEN_VARIABLE, "a $variable"))
		return n;
	n->name = name.name;
	if (parser_accept(p, ':')) {
		if (parser_is_word(p, "typeof")) {
			struct node *of = parse_expr(p);

			n->type_name = of->type_name;
			n->a = of->type_name ? NULL : of->a;
		} else {
			n->type_name = parse_type(p, &certain);
			if (!n->type_name)
				parser_unexpected(p, "a type");
		}
	}
	if (!p->panic && parser_accept(p, '='))
		n->b = parse_expr(p);
	n->span = parser_span(p, from);
	read_end(p);
	return parser_done(p, n);
}

static struct node *read_return(struct parser *p)
{
	struct node *n = node_new(p->arena, NODE_RETURN, parser_take(p).span);
	int kind = parser_kind(p);

	if (kind != ';' && kind != '}' && kind != TOKEN_END)
		n->a = parse_expr(p);
	n->span = parser_span(p, n->span);
	read_end(p);
	return parser_done(p, n);
}

static struct node *read_jump(struct parser *p, enum node_kind kind)
{
	struct node *n = node_new(p->arena, kind, parser_take(p).span);

	read_end(p);
	return n;
}

static struct node *read_assignment(struct parser *p, struct node *target)
{
	struct token sign = parser_take(p);
	struct node *n = node_new(p->arena, NODE_ASSIGN, target->span);

	n->op = sign.kind == '=' ? OP_NONE : OP_ADD + (sign.kind - TOKEN_ADD_ASSIGN);
	n->a = target;
	if (target->kind == NODE_FIELD || target->kind == NODE_INDEX)
		parser_error(p, target->span,
			     "what is part of something else can't be set; only a "
			     "$variable or a @map can");
	else if (target->kind != NODE_VAR && target->kind != NODE_MAP)
		parser_error(p, target->span, "this can't be set; only a $variable or a @map can");
	n->b = parse_expr(p);
	n->span = parser_span(p, target->span);
	return parser_done(p, n);
}

static struct node *read_expression(struct parser *p)
{
	struct span from = parser_peek(p)->span;
	struct node *value, *n;
	int kind;

	if (parser_is_word(p, "_")) { /* _ = value; is for those that warn of a value not used */
		parser_take(p);
		parser_expect(p, '=', "'=': a value that is thrown away is _ = value");
	}
	value = parse_expr(p);
	kind = p->panic ? TOKEN_END : parser_kind(p);
	if (kind == '=' || (kind >= TOKEN_ADD_ASSIGN && kind <= TOKEN_SHR_ASSIGN)) {
		n = read_assignment(p, value);
	} else {
		n = node_new(p->arena, NODE_EXPRESSION, parser_span(p, from));
		n->a = value;
		n->is_last = kind == '}';
	}
	read_end(p);
	return parser_done(p, n);
}

/* What there is elsewhere, and not here. */
static bool refuse(struct parser *p)
{
	const struct token *t = parser_peek(p);

	if (!strcmp(t->name, "import"))
		parser_error(p, t->span, "import is not supported: put all into one script");
	else if (!strcmp(t->name, "else"))
		parser_error(p, t->span, "there is no if in front of this else");
	else
		return false;
	return true;
}

static struct node *read_statement(struct parser *p)
{
	const struct token *t = parser_peek(p);

	if (t->kind == '{')
		return parse_stmt_block(p);
	if (t->kind != TOKEN_NAME)
		return read_expression(p);
	if (!strcmp(t->name, "if"))
		return read_if(p);
	if (!strcmp(t->name, "for"))
		return read_for(p);
	if (!strcmp(t->name, "while"))
		return read_while(p, NODE_WHILE);
	if (!strcmp(t->name, "unroll"))
		return read_while(p, NODE_UNROLL);
	if (!strcmp(t->name, "let"))
		return read_let(p);
	if (!strcmp(t->name, "return"))
		return read_return(p);
	if (!strcmp(t->name, "break"))
		return read_jump(p, NODE_BREAK);
	if (!strcmp(t->name, "continue"))
		return read_jump(p, NODE_CONTINUE);
	if (refuse(p))
		return node_new(p->arena, NODE_BLOCK, t->span);
	return read_expression(p);
}

struct node *parse_stmt(struct parser *p)
{
	struct node *n;

	if (parser_enter(p))
		n = read_statement(p);
	else
		n = node_new(p->arena, NODE_BLOCK, parser_peek(p)->span);
	parser_leave(p);
	return n;
}

struct node *parse_stmt_block(struct parser *p)
{
	struct span from = parser_take(p).span;
	struct node *n = node_new(p->arena, NODE_BLOCK, from);
	struct node_list list = { 0 };

	for (;;) {
		int kind;

		if (p->panic)
			parser_recover(p);
		kind = parser_kind(p);
		if (kind == TOKEN_END || kind == '}')
			break;
		if (kind == ';')
			parser_take(p);
		else if (kind != TOKEN_BAD)
			node_list_add(&list, parse_stmt(p));
	}
	if (!parser_accept(p, '}') && !p->lx.open_comment && !parser_is_full(p))
		parser_error(p, from, "this '{' has no '}'");
	n->body = list.first;
	n->span = parser_span(p, from);
	return parser_done(p, n);
}
