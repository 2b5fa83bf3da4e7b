/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <string.h>

#include "base/util.h"
#include "script/parse_expr.h"
#include "script/parse_type.h"

static struct node *parse_operand(struct parser *p);

/* What stands for an expression that could not be read. */
static struct node *nothing(struct parser *p, struct span span)
{
	return node_int(p->arena, span, 0, false);
}

/* --- lists of expressions --- */

/* Up to the bracket that closes, of which the first was taken. A comma may stand behind the last
 * one: *@comma. */
static void read_list(struct parser *p, int close, const char *what, struct node_array *list,
		      bool *comma)
{
	bool predicate = p->in_predicate;

	p->in_predicate = false;
	*comma = false;
	while (!p->panic && parser_kind(p) != close) {
		node_array_add(p->arena, list, parse_expr(p));
		p->as_text = false;
		*comma = parser_accept(p, ',');
		if (!*comma)
			break;
	}
	p->in_predicate = predicate;
	parser_expect(p, close, what);
}

static void set_args(struct node *n, const struct node_array *list)
{
	n->args = list->nodes;
	n->nr_args = list->nr;
}

/* --- $1 --- */

static struct node *positional_node(struct parser *p, const struct token *t)
{
	const struct positional *args = p->positional;
	const char *text = args && t->value <= args->nr ? args->args[t->value - 1] : NULL;
	struct node *n = node_new(p->arena, NODE_INT, t->span);
	bool negative;

	n->positional = true;
	n->text = arena_strdup(p->arena, text ? text : "");
	n->length = strlen(n->text);
	if (p->as_text ||
	    (text && lex_number(text, n->length, &n->value, &n->is_unsigned, &negative))) {
		n->kind = NODE_STRING;
		n->value = 0;
		n->is_unsigned = false;
	}
	return n;
}

/* str($1 + 2): the text from its third byte on. */
static void cut_positional(struct parser *p, struct node *call)
{
	struct node *sum = call->nr_args ? call->args[0] : NULL;
	struct node *text;

	if (!sum || sum->kind != NODE_BINARY || sum->op != OP_ADD || sum->a->kind != NODE_STRING ||
	    !sum->a->positional || sum->b->kind != NODE_INT)
		return;
	text = sum->a;
	if (!text->length) { /* perhaps it is missing: as good as empty */
		call->args[0] = text;
		return;
	}
	if (sum->b->value > text->length) {
		parser_error(p, sum->span, "the parameter has %zu bytes only", text->length);
		return;
	}
	text->text += sum->b->value;
	text->length -= sum->b->value;
	text->span = sum->span;
	call->args[0] = text;
}

/* --- names --- */

/* An expression that the script has #defined. */
static struct node *define_value(struct parser *p, struct define *d, struct span at)
{
	struct parser saved;
	struct node *n;

	if (d->is_wrong) {
		p->panic = true;
		return nothing(p, at);
	}
	if (d->has_arguments) {
		d->is_wrong = !p->lx.quiet;
		parser_error(p, at,
			     "%s is a #define with arguments, which is not expanded; "
			     "a macro of the language is: macro %s(...) { ... }",
			     d->name, d->name);
		return nothing(p, at);
	}
	if (d->body.from == d->body.to) {
		parser_error(p, at, "%s is #defined as nothing", d->name);
		return nothing(p, at);
	}
	parser_peek(p);
	saved = *p;
	p->lx.text = p->define_text;
	p->lx.at = d->body.from;
	p->lx.end = d->body.to;
	p->lx.reported = 0;
	p->have = false;
	p->in_predicate = false;
	d->open = true;
	n = parse_expr(p);
	if (!p->panic && parser_kind(p) != TOKEN_END)
		parser_error(p, d->body, "%s, which is #defined as this, can't be used as a value",
			     d->name);
	d->open = false;
	d->is_wrong = p->panic && !p->lx.quiet; /* then it was said */
	saved.panic = p->panic;
	saved.lx.failed |= p->lx.failed;
	*p = saved;
	n->span = at;
	return n;
}

/* typeof(type or expression): a node that only casts, let and macros know. */
static struct node *read_typeof(struct parser *p, struct span from)
{
	struct node *n = node_new(p->arena, NODE_NAME, from);
	struct parser saved;
	bool certain;

	n->name = "typeof";
	if (!parser_expect(p, '(', "'('"))
		return n;
	parser_peek(p);
	saved = *p;
	n->type_name = parse_type(p, &certain);
	if (!n->type_name || parser_kind(p) != ')' || (!certain && !strchr(n->type_name, '['))) {
		parser_rewind(p, &saved);
		n->type_name = NULL;
		n->a = parse_expr(p);
	}
	parser_expect(p, ')', "')'");
	n->span = parser_span(p, from);
	return parser_done(p, n);
}

/* sizeof and offsetof: a type, or an expression. */
static struct node *read_of_type(struct parser *p, struct token *name, enum node_kind kind)
{
	struct node *n = node_new(p->arena, kind, name->span);
	int end = kind == NODE_SIZEOF ? ')' : ',';
	struct parser saved;
	bool certain = false, predicate = p->in_predicate;

	n->name = kind == NODE_OFFSETOF ? "" : NULL;
	if (!parser_expect(p, '(', "'('"))
		return n;
	parser_peek(p);
	saved = *p;
	p->in_predicate = false;
	n->type_name = parse_type(p, &certain);
	if (!n->type_name || parser_kind(p) != end || (!certain && !strchr(n->type_name, '['))) {
		parser_rewind(p, &saved);
		p->in_predicate = false;
		n->type_name = NULL;
		n->a = parse_expr(p);
		if (n->a->kind == NODE_NAME && n->a->name && !strcmp(n->a->name, "typeof")) {
			n->type_name = n->a->type_name;
			n->a = n->a->a;
		}
	}
	if (kind == NODE_OFFSETOF && parser_expect(p, ',', "',' and a field")) {
		const char *field = NULL;

		do {
			struct token t = *parser_peek(p);

			if (!parser_expect(p, TOKEN_NAME, "the name of a field"))
				break;
			field = field ? arena_printf(p->arena, "%s.%s", field, t.name) : t.name;
		} while (parser_accept(p, '.'));
		n->name = field ? field : "";
	}
	p->in_predicate = predicate;
	parser_expect(p, ')', "')'");
	n->span = parser_span(p, name->span);
	return parser_done(p, n);
}

static struct node *read_call(struct parser *p, struct token *name)
{
	struct node *n = node_new(p->arena, NODE_CALL, name->span);
	bool comma, text = p->as_text;
	struct node_array args = { 0 };

	n->name = name->name;
	p->as_text = !strcmp(n->name, "str");
	read_list(p, ')', "',' or ')'", &args, &comma);
	set_args(n, &args);
	n->span = parser_span(p, name->span);
	if (p->positional && !strcmp(n->name, "str"))
		cut_positional(p, n);
	p->as_text = text;
	return parser_done(p, n);
}

static struct node *read_name(struct parser *p)
{
	struct token t = parser_take(p);
	struct define *d;
	struct node *n;

	if (!strcmp(t.name, "sizeof"))
		return read_of_type(p, &t, NODE_SIZEOF);
	if (!strcmp(t.name, "offsetof"))
		return read_of_type(p, &t, NODE_OFFSETOF);
	if (!strcmp(t.name, "typeof"))
		return read_typeof(p, t.span);
	if (!strcmp(t.name, "comptime"))
		return parse_operand(p);
	d = p->defines ? names_get(p->defines, t.name) : NULL;
	if (d && !d->open && !d->is_constant && (!d->has_arguments || parser_kind(p) == '('))
		return define_value(p, d, t.span);
	if (parser_accept(p, '('))
		return read_call(p, &t);
	if (!strcmp(t.name, "true") || !strcmp(t.name, "false"))
		n = node_int(p->arena, t.span, *t.name == 't', false);
	else
		n = node_new(p->arena, NODE_NAME, t.span);
	n->name = t.name;
	return n;
}

static struct node *read_map(struct parser *p)
{
	struct token t = parser_take(p);
	struct node *n = node_new(p->arena, NODE_MAP, t.span);
	struct node_array keys = { 0 };
	bool comma;

	n->name = t.name;
	if (!parser_accept(p, '['))
		return n;
	read_list(p, ']', "',' or ']'", &keys, &comma);
	n->span = parser_span(p, t.span);
	if (!keys.nr)
		parser_error(p, n->span, "a key is missing between '[' and ']'");
	if (keys.nr == 1 && keys.nodes[0]->kind == NODE_TUPLE && keys.nodes[0]->nr_args > 1) {
		n->args = keys.nodes[0]->args; /* @x[(1, 2)] is @x[1, 2] */
		n->nr_args = keys.nodes[0]->nr_args;
	} else {
		set_args(n, &keys);
	}
	return parser_done(p, n);
}

/* --- what begins with '(' --- */

/* (a = 1, b = 2), also with a '.' in front of the names. The '(' was taken. */
static struct node *read_record(struct parser *p, struct span from)
{
	struct node *n = node_new(p->arena, NODE_RECORD, from);
	struct node_array fields = { 0 };

	do {
		struct token name;
		struct node *value;

		if (fields.nr && parser_kind(p) == ')')
			break;
		parser_accept(p, '.');
		name = *parser_peek(p);
		if (!parser_expect(p, TOKEN_NAME, "the name of a field") ||
		    !parser_expect(p, '=', "'='"))
			break;
		value = parse_expr(p);
		if (value->field) { /* one that a #define has may not be in two lists */
			struct node *copy = node_new(p->arena, value->kind, value->span);

			*copy = *value;
			value = copy;
		}
		value->field = name.name;
		for (size_t i = 0; i < fields.nr && fields.nr < 256; i++)
			if (!strcmp(fields.nodes[i]->field, name.name))
				parser_error(p, name.span, "there are two fields %s", name.name);
		node_array_add(p->arena, &fields, value);
	} while (!p->panic && parser_accept(p, ','));
	parser_expect(p, ')', "',' or ')'");
	set_args(n, &fields);
	n->span = parser_span(p, from);
	return parser_done(p, n);
}

static bool is_record(struct parser *p)
{
	struct parser saved;
	bool record;

	if (parser_kind(p) == '.')
		return true;
	if (parser_kind(p) != TOKEN_NAME)
		return false;
	saved = *p;
	parser_take(p);
	record = parser_kind(p) == '=';
	parser_rewind(p, &saved);
	return record;
}

/* Does what comes next, behind "(T)", make it a cast? */
static bool is_cast(struct parser *p, bool certain)
{
	switch (parser_kind(p)) {
	case TOKEN_NAME:
	case TOKEN_INT:
	case TOKEN_STRING:
	case TOKEN_VARIABLE:
	case TOKEN_MAP:
	case TOKEN_POSITIONAL:
	case TOKEN_COUNT:
	case '!':
	case '~':
	case '(':
		return true; /* nothing else can be meant */
	case '*':
	case '-':
	case '+':
	case '&':
	case TOKEN_INCREMENT:
	case TOKEN_DECREMENT:
		return certain;
	default:
		return false;
	}
}

/* (type)operand, of which the '(' was taken. NULL: it is none, and nothing was taken. */
static struct node *read_cast(struct parser *p, struct span from)
{
	struct parser saved = *p;
	struct node *n;
	bool certain = true;

	n = node_new(p->arena, NODE_CAST, from);
	if (parser_is_word(p, "typeof")) {
		struct node *of = read_typeof(p, parser_take(p).span);

		n->type_name = of->type_name;
		n->b = of->a;
		if (p->panic)
			return n;
	} else {
		n->type_name = parse_type(p, &certain);
	}
	if ((!n->type_name && !n->b) || !parser_accept(p, ')') || !is_cast(p, certain)) {
		parser_rewind(p, &saved);
		return NULL;
	}
	p->in_predicate = false;
	n->a = parse_operand(p);
	n->span = span_join(from, n->a->span);
	return parser_done(p, n);
}

static struct node *read_parentheses(struct parser *p)
{
	struct span from = parser_take(p).span;
	bool comma, predicate = p->in_predicate;
	struct node_array list = { 0 };
	struct node *n = NULL;

	parser_peek(p);
	if (is_record(p)) {
		p->in_predicate = false;
		n = read_record(p, from);
	} else {
		n = read_cast(p, from);
	}
	p->in_predicate = predicate;
	if (n)
		return n;
	read_list(p, ')', "')'", &list, &comma);
	if (list.nr == 1 && !comma)
		return list.nodes[0];
	n = node_new(p->arena, NODE_TUPLE, parser_span(p, from));
	set_args(n, &list);
	return parser_done(p, n);
}

/* --- operands --- */

/* A block or an if that has a value. */
static struct node *read_block(struct parser *p)
{
	struct span from = parser_peek(p)->span;
	bool predicate = p->in_predicate, text = p->as_text;
	struct node *block, *value;

	p->in_predicate = p->as_text = false;
	block = p->statement(p);
	p->in_predicate = predicate;
	p->as_text = text;
	value = node_value(p->arena, block);
	if (value) {
		value->span = parser_span(p, from);
		return parser_done(p, value);
	}
	parser_error(p, parser_span(p, from),
		     "a value is wanted here, and this has none: its last statement must be an "
		     "expression without ';'");
	return nothing(p, from);
}

static struct node *read_primary(struct parser *p)
{
	const struct token *next = parser_peek(p);
	struct token t;
	struct node *n;

	switch (next->kind) {
	case '(':
		return read_parentheses(p);
	case TOKEN_MAP:
		return read_map(p);
	case TOKEN_NAME:
		if (p->statement && !strcmp(next->name, "if"))
			return read_block(p);
		return read_name(p);
	case '{':
		if (p->statement)
			return read_block(p);
		break;
	case TOKEN_INT:
		t = parser_take(p);
		return node_int(p->arena, t.span, t.value, t.is_unsigned);
	case TOKEN_STRING:
		t = parser_take(p);
		n = node_new(p->arena, NODE_STRING, t.span);
		n->text = t.text;
		n->length = t.length;
		return n;
	case TOKEN_VARIABLE:
		t = parser_take(p);
		n = node_new(p->arena, NODE_VAR, t.span);
		n->name = t.name;
		return n;
	case TOKEN_POSITIONAL:
		t = parser_take(p);
		return positional_node(p, &t);
	case TOKEN_COUNT:
		return node_int(p->arena, parser_take(p).span,
				p->positional ? p->positional->nr : 0, false);
	}
	parser_unexpected(p, "a value");
	return nothing(p, next->span);
}

static bool can_change(const struct node *n)
{
	return n->kind == NODE_VAR || n->kind == NODE_MAP;
}

static struct node *step(struct parser *p, struct span span, enum op op, struct node *n)
{
	if (!can_change(n))
		parser_error(p, span, "%s goes with a $variable or a @map only",
			     op == OP_PRE_INCREMENT || op == OP_POST_INCREMENT ? "++" : "--");
	return parser_done(p, node_unary(p->arena, span, op, n));
}

/* .field, .0, ->field */
static struct node *read_field(struct parser *p, struct node *of)
{
	bool arrow = parser_take(p).kind == TOKEN_ARROW;
	struct node *n = node_new(p->arena, NODE_FIELD, of->span);
	struct token t = *parser_peek(p);

	n->a = of;
	n->arrow = arrow;
	n->name = "";
	if (t.kind == TOKEN_INT && !arrow) {
		n->name = arena_printf(p->arena, "%llu", (unsigned long long)t.value);
		parser_take(p);
	} else if (parser_expect(p, TOKEN_NAME, "the name of a field")) {
		n->name = t.name;
	}
	n->span = parser_span(p, of->span);
	return parser_done(p, n);
}

static struct node *read_index(struct parser *p, struct node *of)
{
	struct node *n = node_new(p->arena, NODE_INDEX, of->span);
	bool predicate = p->in_predicate;

	parser_take(p);
	p->in_predicate = false;
	n->a = of;
	n->b = parse_expr(p);
	p->in_predicate = predicate;
	parser_expect(p, ']', "']'");
	n->span = parser_span(p, of->span);
	return parser_done(p, n);
}

static struct node *parse_postfix(struct parser *p)
{
	struct node *n = read_primary(p);

	while (!p->panic) {
		int kind = parser_kind(p);

		if (kind == '.' || kind == TOKEN_ARROW) {
			n = read_field(p, n);
		} else if (kind == '[') {
			n = read_index(p, n);
		} else if (kind == TOKEN_INCREMENT || kind == TOKEN_DECREMENT) {
			struct span sign = parser_take(p).span;

			n = step(p, can_change(n) ? span_join(n->span, sign) : sign,
				 kind == TOKEN_INCREMENT ? OP_POST_INCREMENT : OP_POST_DECREMENT,
				 n);
		} else {
			break;
		}
	}
	return n;
}

static enum op prefix_op(int kind)
{
	switch (kind) {
	case '!':
		return OP_NOT;
	case '~':
		return OP_INVERT;
	case '-':
		return OP_NEGATE;
	case '*':
		return OP_DEREF;
	case '&':
		return OP_ADDRESS;
	case TOKEN_INCREMENT:
		return OP_PRE_INCREMENT;
	case TOKEN_DECREMENT:
		return OP_PRE_DECREMENT;
	default:
		return OP_NONE;
	}
}

static struct node *parse_unary(struct parser *p)
{
	int kind = parser_kind(p);
	enum op op = prefix_op(kind);
	struct span from;
	struct node *n;

	if (op == OP_NONE && kind != '+')
		return parse_postfix(p);
	from = parser_take(p).span;
	n = parse_operand(p);
	if (p->panic || op == OP_NONE)
		return n;
	if (op == OP_PRE_INCREMENT || op == OP_PRE_DECREMENT)
		return step(p, can_change(n) ? span_join(from, n->span) : from, op, n);
	return parser_done(p, node_unary(p->arena, span_join(from, n->span), op, n));
}

/* What stands behind a sign or a cast: one level deeper. */
static struct node *parse_operand(struct parser *p)
{
	struct span at = parser_peek(p)->span;
	struct node *n = parser_enter(p) ? parse_unary(p) : nothing(p, at);

	parser_leave(p);
	return n;
}

/* --- operators between two --- */

static const struct binary {
	int kind;
	enum op op;
	int precedence;
} binaries[] = {
	{ TOKEN_LOGICAL_OR, OP_LOGICAL_OR, 1 },
	{ TOKEN_LOGICAL_AND, OP_LOGICAL_AND, 2 },
	{ '|', OP_OR, 3 },
	{ '^', OP_XOR, 4 },
	{ '&', OP_AND, 5 },
	{ TOKEN_EQ, OP_EQ, 6 },
	{ TOKEN_NE, OP_NE, 6 },
	{ '<', OP_LT, 7 },
	{ '>', OP_GT, 7 },
	{ TOKEN_LE, OP_LE, 7 },
	{ TOKEN_GE, OP_GE, 7 },
	{ TOKEN_SHL, OP_SHL, 8 },
	{ TOKEN_SHR, OP_SHR, 8 },
	{ '+', OP_ADD, 9 },
	{ '-', OP_SUB, 9 },
	{ '*', OP_MUL, 10 },
	{ '/', OP_DIV, 10 },
	{ '%', OP_MOD, 10 },
};

/* The '/' that comes next ends the predicate: a '{' is behind it. */
static bool ends_predicate(struct parser *p)
{
	struct lexer behind = p->lx;

	if (!p->in_predicate || parser_kind(p) != '/')
		return false;
	behind = p->lx;
	behind.quiet = true;
	lex_blank(&behind);
	return behind.at == behind.end || behind.text[behind.at] == '{';
}

static const struct binary *next_binary(struct parser *p)
{
	int kind = parser_kind(p);

	for (size_t i = 0; i < ARRAY_SIZE(binaries); i++)
		if (binaries[i].kind == kind)
			return ends_predicate(p) ? NULL : &binaries[i];
	return NULL;
}

static struct node *parse_binary(struct parser *p, int least)
{
	struct node *n = parse_unary(p);

	while (!p->panic) {
		const struct binary *b = next_binary(p);
		struct node *right;

		if (!b || b->precedence < least)
			break;
		parser_take(p);
		right = parse_binary(p, b->precedence + 1);
		n = parser_done(p, node_binary(p->arena, b->op, n, right));
	}
	return n;
}

struct node *parse_expr(struct parser *p)
{
	struct node *n, *choice;

	if (!parser_enter(p)) {
		parser_leave(p);
		return nothing(p, parser_peek(p)->span);
	}
	n = parse_binary(p, 1);
	if (!p->panic && parser_accept(p, '?')) {
		choice = node_new(p->arena, NODE_TERNARY, n->span);
		choice->a = n;
		if (!parser_accept(p, ':')) {
			bool predicate = p->in_predicate;

			p->in_predicate = false;
			choice->b = parse_expr(p);
			p->in_predicate = predicate;
			parser_expect(p, ':', "':'");
		}
		choice->c = p->panic ? nothing(p, p->last) : parse_expr(p);
		choice->span = span_join(n->span, choice->c->span);
		n = parser_done(p, choice);
	}
	parser_leave(p);
	return n;
}
