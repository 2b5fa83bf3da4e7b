/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <string.h>

#include "script/parser.h"

void parser_init(struct parser *p, struct source *src, const char *text, struct span span)
{
	*p = (struct parser){ .src = src,
			      .arena = src->arena,
			      .lx = { src, text, span.from, span.to },
			      .words = arena_alloc(src->arena, sizeof(*p->words)),
			      .last = { span.from, span.from } };
}

bool parser_is_full(const struct parser *p)
{
	return *p->words > PARSER_WORDS_MAX;
}

const struct token *parser_peek(struct parser *p)
{
	if (!p->have) {
		if (!parser_is_full(p) && ++*p->words > PARSER_WORDS_MAX)
			parser_error(p, p->last, "this script has more than %d words",
				     PARSER_WORDS_MAX);
		if (parser_is_full(p))
			p->lx.at = p->lx.end;
		lex_token(&p->lx, &p->token);
		p->have = true;
		if (p->token.kind == TOKEN_BAD)
			p->panic = true;
	}
	return &p->token;
}

int parser_kind(struct parser *p)
{
	return parser_peek(p)->kind;
}

struct token parser_take(struct parser *p)
{
	struct token t = *parser_peek(p);

	p->have = false;
	p->last = t.span;
	return t;
}

bool parser_accept(struct parser *p, int kind)
{
	if (parser_kind(p) != kind)
		return false;
	parser_take(p);
	return true;
}

bool parser_is_word(struct parser *p, const char *word)
{
	return parser_kind(p) == TOKEN_NAME && !strcmp(p->token.name, word);
}

bool parser_accept_word(struct parser *p, const char *word)
{
	if (!parser_is_word(p, word))
		return false;
	parser_take(p);
	return true;
}

bool parser_expect(struct parser *p, int kind, const char *what)
{
	if (parser_accept(p, kind))
		return true;
	parser_unexpected(p, what);
	return false;
}

struct span parser_span(const struct parser *p, struct span from)
{
	return p->last.to > from.to ? span_join(from, p->last) : from;
}

void parser_rewind(struct parser *p, const struct parser *saved)
{
	uint32_t reported = p->lx.reported;
	bool failed = p->lx.failed;

	*p = *saved;
	p->lx.reported = reported;
	p->lx.failed = failed;
}

void parser_error(struct parser *p, struct span at, const char *fmt, ...)
{
	va_list args;

	if (!p->panic && !p->lx.quiet) {
		va_start(args, fmt);
		source_verror(p->src, at, fmt, args);
		va_end(args);
	}
	p->panic = true;
	p->lx.failed = true;
}

void parser_unexpected(struct parser *p, const char *what)
{
	const struct token *t = parser_peek(p);

	parser_error(p, t->span, "expected %s, not %s", what, lex_describe(&p->lx, t));
}

/* Behind a '}': is there an else, which belongs to what was left out? Looks without reading, since
 * what comes next may be the name of a probe. */
static bool else_follows(const struct parser *p)
{
	struct lexer behind = p->lx;

	behind.quiet = true;
	lex_blank(&behind);
	return behind.end - behind.at > 4 && !memcmp(behind.text + behind.at, "else", 4) &&
	       !lex_is_name(behind.text[behind.at + 4]);
}

void parser_recover(struct parser *p)
{
	unsigned braces = 0;

	for (;;) {
		int kind = parser_kind(p);

		if (kind == TOKEN_END)
			return; /* what is missing now is no mistake of its own */
		if (kind == '}' && !braces)
			break;
		if (kind == '{')
			braces++;
		parser_take(p);
		if (kind == '}' && !--braces && !else_follows(p))
			break;
		if (kind == ';' && !braces)
			break;
	}
	p->panic = false;
}

bool parser_skip_brackets(struct parser *p)
{
	unsigned open = 0;

	do {
		int kind = parser_take(p).kind;

		if (kind == '(' || kind == '[' || kind == '{')
			open++;
		else if (kind == ')' || kind == ']' || kind == '}')
			open--;
		else if (kind == TOKEN_END)
			return false;
	} while (open);
	return true;
}

bool parser_enter(struct parser *p)
{
	if (p->depth++ < PARSER_DEPTH_MAX)
		return true;
	parser_error(p, parser_peek(p)->span, "this is nested more than %d levels deep",
		     PARSER_DEPTH_MAX);
	return false;
}

void parser_leave(struct parser *p)
{
	p->depth--;
}

struct node *parser_done(struct parser *p, struct node *n)
{
	if (node_measure(n))
		return n;
	parser_error(p, n->span, "this has too many parts: its tree is more than %d levels high",
		     AST_HEIGHT_MAX);
	return node_new(p->arena, n->kind >= NODE_EXPRESSION ? NODE_BLOCK : NODE_INT, n->span);
}
