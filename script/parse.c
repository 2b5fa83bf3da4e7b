/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <string.h>

#include "base/util.h"
#include "script/consts.h"
#include "script/parse_directives.h"
#include "script/fold.h"
#include "script/macro.h"
#include "script/parse_expr.h"
#include "script/parse_probe.h"
#include "script/parse_stmt.h"

/* A script while it is read. */
struct reader {
	struct parser p;
	struct script *script;
	struct names *macros;
	/* Where the next one of each list goes. */
	struct clause **clause;
	struct setting **setting;
	struct map_declaration **map;
	struct declaration **declaration;
	bool seen_config;
};

/* Back from words to bytes: what comes next may be the name of a probe. */
static void drop_word(struct parser *p)
{
	if (p->have)
		p->lx.at = p->token.span.from;
	p->have = false;
}

/* --- probes --- */

static struct node *read_predicate(struct parser *p)
{
	struct node *n;

	p->lx.at++;
	p->in_predicate = true;
	n = parse_expr(p);
	if (!p->panic)
		parser_expect(p, '/', "'/' at the end of the predicate");
	p->in_predicate = false;
	while (p->panic && parser_kind(p) != '{' && parser_kind(p) != TOKEN_END)
		parser_take(p);
	p->panic = false;
	return n;
}

static bool is_at(const struct parser *p, char c)
{
	return p->lx.at < p->lx.end && p->lx.text[p->lx.at] == c;
}

static void read_clause(struct reader *r)
{
	struct clause *c = arena_alloc(r->p.arena, sizeof(*c));
	struct parser *p = &r->p;
	unsigned errors = p->src->errors;
	bool known = parse_probe_list(p, c);

	if (known && is_at(p, '/'))
		c->predicate = read_predicate(p);
	while (!known && parser_kind(p) != '{' && parser_kind(p) != '}' &&
	       parser_kind(p) != TOKEN_END)
		parser_take(p);
	p->panic = false;
	if (parser_kind(p) == '{') {
		c->body = parse_stmt_block(p)->body;
	} else {
		if (p->src->errors == errors)
			parser_unexpected(p, "'{'");
		parser_accept(p, '}');
	}
	p->panic = false;
	*r->clause = c;
	r->clause = &c->next;
}

/* --- config = { name = value; } --- */

static struct node *setting_value(struct parser *p)
{
	struct token t = *parser_peek(p);

	if (t.kind == TOKEN_INT || t.kind == TOKEN_STRING)
		return parse_expr(p);
	if (t.kind == TOKEN_NAME) { /* a word, not one that something is done with */
		struct node *n = node_new(p->arena, NODE_NAME, t.span);

		parser_take(p);
		n->name = t.name;
		if (!strcmp(t.name, "true") || !strcmp(t.name, "false")) {
			n->kind = NODE_INT;
			n->value = *t.name == 't';
		}
		return n;
	}
	parser_unexpected(p, "a number, a word or a text");
	return node_int(p->arena, t.span, 0, false);
}

static void read_setting(struct reader *r)
{
	struct setting *s = arena_alloc(r->p.arena, sizeof(*s));
	struct parser *p = &r->p;
	struct token name = *parser_peek(p);

	if (!parser_expect(p, TOKEN_NAME, "the name of a setting") || !parser_expect(p, '=', "'='"))
		return;
	s->name = name.name;
	s->value = setting_value(p);
	s->span = parser_span(p, name.span);
	if (p->panic)
		return;
	*r->setting = s;
	r->setting = &s->next;
}

static void read_config(struct reader *r)
{
	struct parser *p = &r->p;
	struct span at = parser_take(p).span;

	if (r->seen_config)
		source_error(p->src, at, "there is a config block already");
	r->seen_config = true;
	if (!parser_expect(p, '=', "'='") || !parser_expect(p, '{', "'{'")) {
		parser_recover(p);
		return;
	}
	for (;;) {
		int kind;

		if (p->panic)
			parser_recover(p);
		kind = parser_kind(p);
		if (kind == TOKEN_END || kind == '}')
			break;
		if (kind == ';' || kind == ',')
			parser_take(p);
		else if (kind != TOKEN_BAD)
			read_setting(r);
	}
	if (!parser_accept(p, '}'))
		parser_error(p, at, "this has no '}'");
}

/* --- let @name = kind(entries); --- */

static bool constant_name(void *ctx, const char *name, int64_t *value)
{
	struct define *d = names_get(ctx, name);

	if (d && d->is_constant)
		*value = d->value;
	return (d && d->is_constant) || constant_find(name, value);
}

static uint64_t map_entries(struct parser *p, const char *kind)
{
	struct fold names = { .name = constant_name, .ctx = p->defines };
	struct node *n = parse_expr(p);
	int64_t value;

	if (p->panic)
		return 1;
	if (fold(n, &names, &value, NULL) && value > 0 && value <= UINT32_MAX)
		return value;
	parser_error(p, n->span,
		     "how many entries the map has at most must be a number here: %s(1000)", kind);
	return 1;
}

static bool is_map_kind(const char *name)
{
	static const char *const kinds[] = { "hash", "lruhash", "percpuhash", "percpulruhash",
					     "percpuarray" };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i], name))
			return true;
	return false;
}

static void read_map(struct reader *r)
{
	struct map_declaration *m = arena_alloc(r->p.arena, sizeof(*m));
	struct parser *p = &r->p;
	struct span from = parser_take(p).span;
	struct token name = *parser_peek(p), kind;

	if (name.kind == TOKEN_VARIABLE) {
		parser_error(p, name.span,
			     "$variables are declared inside of probes; here, it is "
			     "let @map = hash(1000);");
		return;
	}
	if (!parser_expect(p, TOKEN_MAP, "a @map") || !parser_expect(p, '=', "'='"))
		return;
	kind = *parser_peek(p);
	if (!parser_expect(p, TOKEN_NAME, "hash, lruhash, percpuhash or percpulruhash") ||
	    !parser_expect(p, '(', "'('"))
		return;
	if (!is_map_kind(kind.name))
		parser_error(p, kind.span,
			     "there is no kind of map %s; these are hash, lruhash, percpuhash, "
			     "percpulruhash and percpuarray",
			     kind.name);
	m->name = name.name;
	m->kind = kind.name;
	m->entries = map_entries(p, kind.name);
	if (!p->panic)
		parser_expect(p, ')', "')'");
	m->span = parser_span(p, from);
	if (p->panic)
		return;
	parser_accept(p, ';');
	*r->map = m;
	r->map = &m->next;
}

/* --- macro name($x, @m, y) { } --- */

static struct node *macro_parameter(struct parser *p)
{
	struct token t = parser_take(p);
	struct node *n = node_new(p->arena, NODE_NAME, t.span);

	n->name = t.name;
	if (t.kind == TOKEN_VARIABLE)
		n->kind = NODE_VAR;
	else if (t.kind == TOKEN_MAP)
		n->kind = NODE_MAP;
	else if (t.kind != TOKEN_NAME)
		parser_error(p, t.span, "expected a parameter: $variable, @map or a name");
	return n;
}

static void macro_parameters(struct parser *p, struct macro *m)
{
	struct node_array params = { 0 };

	while (!p->panic && parser_kind(p) != ')') {
		struct node *n = macro_parameter(p);

		for (size_t i = 0; i < params.nr && !p->panic; i++)
			if (params.nodes[i]->kind == n->kind &&
			    !strcmp(params.nodes[i]->name, n->name))
				parser_error(p, n->span, "there are two parameters of this name");
		node_array_add(p->arena, &params, n);
		if (!parser_accept(p, ','))
			break;
	}
	parser_expect(p, ')', "')'");
	m->params = params.nodes;
	m->nr_params = params.nr;
}

static void read_macro(struct reader *r)
{
	struct macro *m = arena_alloc(r->p.arena, sizeof(*m));
	struct parser *p = &r->p;
	struct span from = parser_take(p).span;
	struct token name = *parser_peek(p);

	if (!parser_expect(p, TOKEN_NAME, "the name of a macro") || !parser_expect(p, '(', "'('"))
		return;
	m->name = name.name;
	macro_parameters(p, m);
	m->span = parser_span(p, from);
	if (p->panic)
		return;
	if (parser_kind(p) != '{') {
		parser_unexpected(p, "'{'");
		return;
	}
	m->body = parse_stmt_block(p);
	m->other = names_get(r->macros, m->name);
	for (const struct macro *o = m->other; o; o = o->other)
		if (o->nr_params == m->nr_params)
			source_error(p->src, m->span,
				     "there is a macro %s with %zu parameters already", m->name,
				     m->nr_params);
	macro_check(p->src, m);
	names_put(r->macros, m->name, m);
}

/* --- struct, union, enum, typedef --- */

static bool is_at_word(const struct parser *p, const char *word)
{
	size_t len = strlen(word);

	return p->lx.end - p->lx.at >= len && !memcmp(p->lx.text + p->lx.at, word, len) &&
	       !(p->lx.end - p->lx.at > len && lex_is_name(p->lx.text[p->lx.at + len]));
}

/* What may stand behind the '}' of a struct; only there, for a probe may come next. */
static void read_attributes(struct parser *p)
{
	for (;;) {
		drop_word(p);
		lex_blank(&p->lx);
		if (!is_at_word(p, "__attribute__"))
			break;
		parser_take(p);
		if (parser_kind(p) == '(')
			parser_skip_brackets(p);
	}
	if (is_at(p, ';')) {
		p->last = (struct span){ p->lx.at, p->lx.at + 1 };
		p->lx.at++;
	}
}

/* Up to the ';' at its end; the last name in front of it is that of the type. */
static void read_typedef(struct parser *p)
{
	const char *name = NULL;

	for (;;) {
		int kind = parser_kind(p);

		if (kind == '{' || kind == '(' || kind == '[') {
			parser_skip_brackets(p);
			continue;
		}
		if (kind == TOKEN_NAME)
			name = p->token.name;
		if (kind == ';' || kind == TOKEN_END || kind == '}')
			break;
		parser_take(p);
	}
	if (name)
		names_put(p->types, name, p);
	parser_expect(p, ';', "';'");
}

static void read_declaration(struct reader *r)
{
	struct declaration *d = arena_alloc(r->p.arena, sizeof(*d));
	struct parser *p = &r->p;
	struct token keyword = parser_take(p);
	bool failed;

	if (!strcmp(keyword.name, "typedef")) {
		read_typedef(p);
	} else {
		while (parser_kind(p) == TOKEN_NAME || parser_kind(p) == '(') {
			if (parser_kind(p) == '(')
				parser_skip_brackets(p);
			else
				parser_take(p);
		}
		if (parser_kind(p) == '{') {
			if (!parser_skip_brackets(p))
				parser_error(p, keyword.span, "this %s has no '}'", keyword.name);
			failed = p->panic;
			read_attributes(p);
			p->panic |= failed;
		} else {
			parser_expect(p, ';', "'{'");
		}
	}
	d->span = parser_span(p, keyword.span);
	if (p->panic)
		return;
	*r->declaration = d;
	r->declaration = &d->next;
}

/* --- what is not here --- */

static void refuse(struct reader *r)
{
	struct parser *p = &r->p;
	struct token t = parser_take(p);

	if (!strcmp(t.name, "import")) {
		source_error(p->src, t.span, "import is not supported: put all into one script");
		while (parser_kind(p) == TOKEN_STRING || parser_kind(p) == ';')
			parser_take(p);
		return;
	}
	source_error(p->src, t.span,
		     "functions are not supported: a macro does the same, "
		     "macro name($x, y) { ... }");
	while (parser_kind(p) != '{' && parser_kind(p) != '}' && parser_kind(p) != TOKEN_END)
		parser_take(p);
	if (parser_kind(p) == '{')
		parser_skip_brackets(p);
}

/* --- all --- */

/* What a script has besides probes, by the word that it begins with. */
static const struct item {
	const char *word;
	void (*read)(struct reader *r);
} items[] = {
	{ "config", read_config },
	{ "macro", read_macro },
	{ "let", read_map },
	{ "struct", read_declaration },
	{ "union", read_declaration },
	{ "enum", read_declaration },
	{ "typedef", read_declaration },
	{ "import", refuse },
	{ "fn", refuse },
	{ "def", refuse },
};

static const struct item *next_item(const struct parser *p)
{
	for (size_t i = 0; i < sizeof(items) / sizeof(*items); i++) {
		struct lexer behind = p->lx;

		if (!is_at_word(p, items[i].word))
			continue;
		behind.at += strlen(items[i].word);
		behind.quiet = true;
		lex_blank(&behind);
		/* a probe of this name? Then a message will say that there is none */
		return behind.at < behind.end && behind.text[behind.at] == ':' ? NULL : &items[i];
	}
	return NULL;
}

/* After a mistake that may be anywhere: behind the next ';' or '}', whatever is between braces. */
static void recover(struct parser *p)
{
	if (!p->panic)
		return;
	parser_recover(p);
	p->panic = false;
	if (p->have && p->token.kind == '}')
		parser_take(p);
}

static void read_all(struct reader *r)
{
	struct parser *p = &r->p;

	for (;;) {
		const struct item *item;

		drop_word(p);
		lex_blank(&p->lx);
		if (p->lx.at >= p->lx.end || parser_is_full(p))
			break;
		item = next_item(p);
		if (item) {
			item->read(r);
			recover(p);
		} else if (is_at(p, '}')) {
			source_error(p->src, (struct span){ p->lx.at, p->lx.at + 1 },
				     "there is no '{' for this '}'");
			p->lx.at++;
		} else {
			read_clause(r);
		}
	}
}

struct script *script_parse(struct source *src, const struct positional *positional)
{
	struct script *script = arena_alloc(src->arena, sizeof(*script));
	struct reader r = { .script = script,
			    .macros = names_new(src->arena),
			    .clause = &script->clauses,
			    .setting = &script->settings,
			    .map = &script->maps,
			    .declaration = &script->declarations };
	static const struct positional none;
	struct directives d;

	script->source = src;
	parse_directives(&d, src);
	script->text = d.text;
	script->constants = d.constants;
	parser_init(&r.p, src, d.text, (struct span){ 0, src->size });
	r.p.defines = d.defines;
	r.p.define_text = d.define_text;
	r.p.types = names_new(src->arena);
	r.p.statement = parse_stmt;
	r.p.positional = positional ? positional : &none;
	read_all(&r);
	macro_expand(script, r.macros);
	return script;
}
