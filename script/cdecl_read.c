/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <string.h>

#include "base/util.h"
#include "script/cdecl_read.h"
#include "script/cdecl_scalar.h"
#include "script/consts.h"
#include "script/fold.h"
#include "script/parse_expr.h"

#define SIZE_MOST  (1u << 28) /* bytes of a type */
#define DEPTH_MAX  32	      /* records in records that are declared later */
#define STARS_MAX  16
#define DIMENSIONS 16

/* A struct, union or enum of the script. */
struct tag {
	struct declaration *declaration; /* NULL: it is inside of another one */
	bool pending;			 /* .declaration has not been read */
	const char *name;		 /* "struct foo" */
	const struct type *type;	 /* NULL: not read yet */
	bool complete;			 /* its fields and its size are known */
	bool open;			 /* being read */
};

struct attributes {
	bool packed;
	uint64_t align; /* 0: not said */
};

struct declarator {
	const char *name; /* NULL: none */
	struct span span;
	const struct type *type;
	struct attributes attributes;
	bool is_bits;
	uint64_t bits;
};

/* The fields of a record as they are declared: how they lie may be said behind the last one. */
struct fields {
	struct declarator *list;
	size_t nr, capacity;
};

/* A record while its fields get their places. */
struct layout {
	struct field *fields;
	size_t nr;
	uint64_t bit; /* the next that is free; of a union the most so far */
	uint32_t align;
	bool is_union, packed;
};

static const struct type *read_specifiers(struct cdecl *c, struct parser *p);
static void read_tag(struct cdecl *c, struct tag *tag);

/* --- constants --- */

bool cdecl_read_constant(struct cdecl *c, const char *name, int64_t *value)
{
	const struct constant *own = names_get(c->constants, name);

	if (own)
		*value = own->value;
	return own || constant_find(name, value);
}

static bool name_value(void *ctx, const char *name, int64_t *value)
{
	return cdecl_read_constant(ctx, name, value);
}

static bool size_value(void *ctx, const char *name, int64_t *value)
{
	struct cdecl *c = ctx;
	const struct type *type = c->find(c, name, SPACE_KERNEL);

	if (!type || !type->size)
		return false;
	*value = type->size;
	return true;
}

static int64_t read_constant(struct cdecl *c, struct parser *p)
{
	struct fold names = { .name = name_value, .size = size_value, .ctx = c };
	struct node *n = parse_expr(p);
	int64_t value = 0;

	if (!p->panic && !fold(n, &names, &value, NULL))
		parser_error(p, n->span, "this must be a constant");
	return value;
}

static void add_enumerator(struct cdecl *c, const char *name, int64_t value,
			   const struct type *type)
{
	struct constant *constant = arena_alloc(c->arena, sizeof(*constant));

	constant->name = name;
	constant->value = value;
	constant->type = type;
	*c->last = constant;
	c->last = &constant->next;
	names_put(c->constants, name, constant);
}

/* --- attributes --- */

static void read_attribute(struct cdecl *c, struct parser *p, struct attributes *to)
{
	struct token t = parser_take(p);

	if (t.kind != TOKEN_NAME)
		return;
	if (!strcmp(t.name, "packed") || !strcmp(t.name, "__packed__"))
		to->packed = true;
	if (parser_kind(p) != '(')
		return;
	if (strcmp(t.name, "aligned") && strcmp(t.name, "__aligned__")) {
		parser_skip_brackets(p);
		return;
	}
	parser_take(p);
	to->align = read_constant(c, p);
	if (!p->panic && (!to->align || to->align > 4096 || (to->align & (to->align - 1))))
		parser_error(p, t.span, "an alignment is a power of two");
	if (p->panic)
		to->align = 0;
	parser_expect(p, ')', "')'");
}

/* __attribute__((packed, aligned(8))), any number of them */
static void read_attributes(struct cdecl *c, struct parser *p, struct attributes *to)
{
	while (parser_accept_word(p, "__attribute__")) {
		if (!parser_expect(p, '(', "'('") || !parser_expect(p, '(', "'('"))
			return;
		while (!p->panic && parser_kind(p) != ')' && parser_kind(p) != TOKEN_END)
			read_attribute(c, p, to);
		if (!parser_expect(p, ')', "')'") || !parser_expect(p, ')', "')'"))
			return;
	}
}

/* --- enums --- */

static void read_enumerators(struct cdecl *c, struct parser *p, struct type *type)
{
	struct enumerator *list = NULL;
	size_t capacity = 0;
	int64_t value = 0;

	while (!p->panic && parser_kind(p) != '}') {
		struct token name = *parser_peek(p);

		if (!parser_expect(p, TOKEN_NAME, "a name"))
			break;
		if (parser_accept(p, '='))
			value = read_constant(c, p);
		if (type->nr_enumerators == capacity)
			list = arena_grow(c->arena, list, &capacity, 8, sizeof(*list));
		list[type->nr_enumerators++] = (struct enumerator){ name.name, value };
		add_enumerator(c, name.name, value, type);
		type->is_signed |= value < 0;
		if (value > UINT32_MAX || value < INT32_MIN)
			type->size = type->align = 8;
		value = (int64_t)((uint64_t)value + 1);
		if (!parser_accept(p, ','))
			break;
	}
	type->enumerators = list;
	parser_expect(p, '}', "',' or '}'");
}

/* --- tags --- */

static struct tag *add_tag(struct cdecl *c, const char *name)
{
	struct tag *tag = arena_alloc(c->arena, sizeof(*tag));

	tag->name = name;
	names_put(c->tags, name, tag);
	return tag;
}

static const char *without_keyword(const char *name)
{
	const char *blank = strchr(name, ' ');

	return blank ? blank + 1 : name;
}

/* The type that a tag will be: pointers to it may be made before it is read. */
static struct type *new_type(struct cdecl *c, const char *keyword, const char *name)
{
	struct type *type = arena_alloc(c->arena, sizeof(*type));

	type->kind = strcmp(keyword, "enum") ? TYPE_RECORD : TYPE_ENUM;
	type->is_union = !strcmp(keyword, "union");
	type->name = name;
	type->align = 1;
	if (type->kind == TYPE_ENUM)
		type->size = type->align = 4;
	return type;
}

/* --- layouts --- */

static uint64_t round_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

static void take_align(struct layout *l, uint32_t align)
{
	if (l->align < align)
		l->align = align;
}

/* A field of whole bytes. */
static uint64_t place_bytes(struct layout *l, const struct declarator *d)
{
	uint64_t align = l->packed || d->attributes.packed || !d->type->align ? 1 : d->type->align;
	uint64_t at;

	if (d->attributes.align > align)
		align = d->attributes.align;
	take_align(l, align);
	at = l->is_union ? 0 : round_up(l->bit, align * 8);
	if (at + d->type->size * 8ull > l->bit)
		l->bit = at + d->type->size * 8ull;
	return at;
}

/*
 * A bit field: next to the one before, unless it would cross from one unit of its type into the
 * next. Only one with a name has an alignment for the record. Returns its first bit.
 */
static uint64_t place_bits(struct layout *l, const struct declarator *d)
{
	uint64_t unit = d->type->size * 8ull, at = l->is_union ? 0 : l->bit;
	bool packed = l->packed || d->attributes.packed;

	if (!d->bits) {
		l->bit = round_up(l->bit, unit);
		return at;
	}
	if (!packed && at / unit != (at + d->bits - 1) / unit)
		at = round_up(at, unit);
	if (d->name)
		take_align(l, packed ? 1 : d->type->align);
	if (at + d->bits > l->bit)
		l->bit = at + d->bits;
	return at;
}

/* As btf has it: the bytes of the field's type, or, where it crosses these, eight from its first
 * byte on. */
static void set_bits(struct cdecl *c, struct field *f, uint64_t at, uint64_t bits)
{
	uint64_t unit = f->type->size * 8ull;

	f->bits = bits;
	f->offset = at / unit * f->type->size;
	f->bit_offset = at % unit;
	if (f->bit_offset + bits <= unit)
		return;
	f->offset = at / 8;
	f->bit_offset = at % 8;
	f->type = type_int(c->types, 8, f->type->is_signed);
}

static bool bits_are_right(struct parser *p, const struct declarator *d)
{
	if (!type_is_integer(d->type))
		parser_error(p, d->span, "only integers can be bit fields");
	else if (d->bits > d->type->size * 8ull)
		parser_error(p, d->span, "a bit field of this type can't have so many bits");
	else if (!d->bits && d->name)
		parser_error(p, d->span, "a field can't have 0 bits");
	return !p->panic;
}

static void add_field(struct cdecl *c, struct parser *p, struct layout *l, struct declarator *d)
{
	struct field f = { .name = d->name ? d->name : "", .type = d->type };

	if (d->type->kind == TYPE_VOID) {
		parser_error(p, d->span, "a field can't be void");
		return;
	}
	for (size_t i = 0; d->name && i < l->nr && l->nr < 512; i++)
		if (!strcmp(l->fields[i].name, d->name))
			parser_error(p, d->span, "there are two fields %s", d->name);
	if (d->is_bits) {
		uint64_t at;

		if (!bits_are_right(p, d))
			return;
		at = place_bits(l, d);
		if (!d->name)
			return;
		set_bits(c, &f, at, d->bits);
		if (f.bit_offset + f.bits > 64)
			parser_error(p, d->span, "this bit field lies in nine bytes");
	} else {
		f.offset = place_bytes(l, d) / 8;
	}
	if (l->bit / 8 > SIZE_MOST) {
		parser_error(p, d->span, "this is larger than %u bytes", SIZE_MOST);
		l->bit = 0;
		return;
	}
	l->fields[l->nr++] = f;
}

/* --- declarators --- */

static unsigned read_stars(struct parser *p)
{
	unsigned stars = 0;

	for (;;) {
		if (parser_accept(p, '*'))
			stars++;
		else if (!parser_accept_word(p, "const") && !parser_accept_word(p, "volatile") &&
			 !parser_accept_word(p, "restrict") && !parser_accept_word(p, "__user") &&
			 !parser_accept_word(p, "__rcu") && !parser_accept_word(p, "__restrict"))
			break;
	}
	if (stars > STARS_MAX)
		parser_error(p, p->last, "these are more than %d stars", STARS_MAX);
	return stars;
}

static const struct type *add_stars(struct cdecl *c, const struct type *type, unsigned stars)
{
	while (stars--)
		type = type_pointer(c->types, type, SPACE_KERNEL);
	return type;
}

/* [4][2]: the last one is nearest to the elements. */
static const struct type *read_dimensions(struct cdecl *c, struct parser *p, const struct type *of)
{
	uint32_t sizes[DIMENSIONS];
	size_t nr = 0;

	while (!p->panic && parser_accept(p, '[')) {
		int64_t size = parser_kind(p) == ']' ? 0 : read_constant(c, p);

		if (size < 0 || size > SIZE_MOST || nr == DIMENSIONS)
			parser_error(p, p->last, "there can't be such an array");
		else
			sizes[nr++] = size;
		parser_expect(p, ']', "']'");
	}
	while (nr--) {
		if ((uint64_t)of->size * sizes[nr] > SIZE_MOST) {
			parser_error(p, p->last, "this is larger than %u bytes", SIZE_MOST);
			return of;
		}
		of = type_array(c->types, of, sizes[nr]);
	}
	return of;
}

static void take_name(struct parser *p, struct declarator *d)
{
	if (parser_kind(p) != TOKEN_NAME)
		return;
	d->name = p->token.name;
	d->span = p->token.span;
	parser_take(p);
}

/* (*name)(arguments), (*name[4])(arguments), (*name)[4]. The '(' was taken. */
static void read_inner(struct cdecl *c, struct parser *p, const struct type *base,
		       struct declarator *d)
{
	unsigned stars = read_stars(p);
	struct parser dimensions, behind;

	take_name(p, d);
	parser_peek(p);
	dimensions = *p;
	while (parser_kind(p) == '[')
		parser_skip_brackets(p);
	if (!parser_expect(p, ')', "')'"))
		return;
	if (parser_kind(p) == '(') {
		parser_skip_brackets(p);
		base = type_void(c->types); /* of functions only the address is of use */
		if (!stars)
			parser_error(p, d->span, "a field can't be a function");
	} else {
		base = read_dimensions(c, p, base);
	}
	parser_peek(p);
	behind = *p;
	parser_rewind(p, &dimensions);
	d->type = read_dimensions(c, p, add_stars(c, base, stars));
	behind.panic |= p->panic;
	behind.lx.failed |= p->lx.failed;
	*p = behind;
}

static void read_declarator(struct cdecl *c, struct parser *p, const struct type *base,
			    struct declarator *d)
{
	*d = (struct declarator){ .span = parser_peek(p)->span };
	base = add_stars(c, base, read_stars(p));
	if (parser_accept(p, '(')) {
		read_inner(c, p, base, d);
	} else {
		take_name(p, d);
		d->type = read_dimensions(c, p, base);
	}
	if (!d->type)
		d->type = base;
	if (parser_accept(p, ':')) {
		int64_t bits = read_constant(c, p);

		d->is_bits = true;
		d->bits = bits < 0 ? UINT32_MAX : (uint64_t)bits;
	}
	read_attributes(c, p, &d->attributes);
}

/* Can it lie inside of something? Pointers may point to what is not known. */
static bool is_complete(struct cdecl *c, const struct type *type)
{
	while (type->kind == TYPE_ARRAY)
		type = type->to;
	if (type->kind != TYPE_RECORD)
		return true;
	if (type->btf)
		record_complete(type);
	/* of our own, one is without an alignment until it has been read */
	return type->btf ? type->size > 0 : type->align > 0;
}

static void keep_field(struct cdecl *c, struct fields *fields, const struct declarator *d)
{
	if (fields->nr == fields->capacity)
		fields->list = arena_grow(c->arena, fields->list, &fields->capacity, 8,
					  sizeof(*fields->list));
	fields->list[fields->nr++] = *d;
}

/* "int a, *b, c[4];" */
static void read_fields(struct cdecl *c, struct parser *p, struct fields *fields)
{
	const struct type *base = read_specifiers(c, p);
	struct declarator d = { 0 };

	if (p->panic)
		return;
	if (parser_kind(p) == ';') { /* a record without a name: its fields are found through it */
		d.span = p->last;
		d.type = base;
		if (base->kind == TYPE_RECORD && !base->name)
			keep_field(c, fields, &d);
	} else {
		do {
			read_declarator(c, p, base, &d);
			if (!p->panic && !d.name && !d.is_bits)
				parser_unexpected(p, "the name of a field");
			if (!p->panic && !is_complete(c, d.type))
				parser_error(p, d.span,
					     "%s is not known here: only pointers to it "
					     "can be",
					     type_text(c->types, d.type));
			if (!p->panic)
				keep_field(c, fields, &d);
		} while (!p->panic && parser_accept(p, ','));
	}
	if (parser_kind(p) != '}') /* behind the last one compilers only warn of its lack */
		parser_expect(p, ';', "';'");
}

/* From '{', which was taken, to '}', and the attributes behind it. */
static void read_record(struct cdecl *c, struct parser *p, struct type *type,
			struct attributes *attributes)
{
	struct layout l = { .is_union = type->is_union, .align = 1 };
	struct fields fields = { 0 };
	bool failed = false;

	while (parser_kind(p) != '}' && parser_kind(p) != TOKEN_END) {
		if (!parser_accept(p, ';'))
			read_fields(c, p, &fields);
		failed |= p->panic;
		if (p->panic)
			parser_recover(p);
	}
	parser_expect(p, '}', "'}'");
	read_attributes(c, p, attributes);
	l.packed = attributes->packed;
	l.fields = arena_alloc(c->arena, fields.nr * sizeof(*l.fields));
	for (size_t i = 0; i < fields.nr; i++)
		add_field(c, p, &l, &fields.list[i]);
	if (attributes->align)
		take_align(&l, attributes->align);
	p->panic |= failed;
	type->fields = l.fields;
	type->nr_fields = l.nr;
	type->align = l.align;
	type->size = round_up((l.bit + 7) / 8, l.align);
}

/* --- specifiers --- */

static const char *tag_name(struct parser *p, const char *keyword, const char *name)
{
	return arena_printf(p->arena, "%s %s", keyword, name);
}

/* The body of a struct, union or enum that has this tag, or none. */
static const struct type *read_body(struct cdecl *c, struct parser *p, const char *keyword,
				    struct tag *tag, struct attributes *attributes)
{
	struct type *type = tag ? (struct type *)tag->type : NULL;
	struct span at = parser_take(p).span;

	if (!type)
		type = new_type(c, keyword, tag ? without_keyword(tag->name) : NULL);
	if (tag && tag->complete)
		parser_error(p, at, "%s is declared twice", tag->name);
	if (tag) {
		tag->type = type;
		tag->open = true;
	}
	if (!parser_enter(p) || p->panic) {
		parser_leave(p);
		return type;
	}
	if (type->kind == TYPE_ENUM) {
		read_enumerators(c, p, type);
		read_attributes(c, p, attributes);
	} else {
		type->align = 0;
		read_record(c, p, type, attributes);
	}
	parser_leave(p);
	if (tag) {
		tag->open = false;
		tag->complete = true;
	}
	return type;
}

/* struct, union or enum, behind the keyword. */
static const struct type *read_tagged(struct cdecl *c, struct parser *p, const char *keyword)
{
	struct attributes attributes = { 0 };
	struct tag *tag = NULL;
	const char *name = NULL;

	read_attributes(c, p, &attributes);
	if (parser_kind(p) == TOKEN_NAME)
		name = tag_name(p, keyword, parser_take(p).name);
	read_attributes(c, p, &attributes);
	if (parser_kind(p) == '{') {
		if (name) {
			tag = names_get(c->tags, name);
			if (!tag)
				tag = add_tag(c, name);
		}
		return read_body(c, p, keyword, tag, &attributes);
	}
	if (!name) {
		parser_unexpected(p, "a name or '{'");
		return type_void(c->types);
	}
	if (cdecl_read_own(c, name))
		return cdecl_read_own(c, name);
	if (!strcmp(keyword, "enum")) {
		const struct type *type = btf_type(c->btf, "enum", without_keyword(name));

		return type ? type : type_int(c->types, 4, false);
	}
	return btf_type_later(c->btf, keyword, without_keyword(name));
}

static bool is_ignored(struct parser *p)
{
	static const char *const words[] = { "const",  "volatile", "static",
					     "extern", "register", "__extension__" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (parser_accept_word(p, words[i]))
			return true;
	return false;
}

static const struct type *named_type(struct cdecl *c, struct parser *p, const struct token *t)
{
	const struct type *type = names_get(c->typedefs, t->name);

	if (!type)
		type = cdecl_scalar(c->types, t->name);
	if (!type)
		type = btf_type(c->btf, NULL, t->name);
	if (!type)
		parser_error(p, t->span, "there is no type %s", t->name);
	return type ? type : type_void(c->types);
}

static const struct type *read_specifiers(struct cdecl *c, struct parser *p)
{
	struct attributes attributes = { 0 };
	const struct type *type = NULL;
	struct span from = parser_peek(p)->span;
	struct cdecl_words words = { 0 };

	while (!p->panic && parser_kind(p) == TOKEN_NAME) {
		struct token t;

		if (is_ignored(p))
			continue;
		read_attributes(c, p, &attributes);
		if (p->panic || parser_kind(p) != TOKEN_NAME)
			break;
		t = *parser_peek(p);
		if (!type && cdecl_scalar_add(&words, t.name)) {
			parser_take(p);
			continue;
		}
		if (type || words.all)
			break;
		parser_take(p);
		if (!strcmp(t.name, "struct") || !strcmp(t.name, "union") ||
		    !strcmp(t.name, "enum"))
			type = read_tagged(c, p, t.name);
		else
			type = named_type(c, p, &t);
	}
	if (words.all)
		type = cdecl_scalar_of(c->types, &words);
	if (!type) {
		if (words.all)
			parser_error(p, parser_span(p, from), "these words are no type");
		else
			parser_unexpected(p, "a type");
	}
	return type ? type : type_void(c->types);
}

/* --- declarations --- */

static void read_declaration(struct cdecl *c, const struct declaration *declaration)
{
	struct parser p;

	parser_init(&p, c->script->source, c->script->text, declaration->span);
	if (parser_accept_word(&p, "typedef")) {
		const struct type *base = read_specifiers(c, &p);
		struct declarator d;

		do {
			read_declarator(c, &p, base, &d);
			if (!p.panic && !d.name)
				parser_unexpected(&p, "a name");
			if (!p.panic)
				names_put(c->typedefs, d.name, (void *)d.type);
		} while (!p.panic && parser_accept(&p, ','));
	} else {
		read_specifiers(c, &p);
	}
	if (!p.panic) {
		parser_accept(&p, ';');
		if (parser_kind(&p) != TOKEN_END)
			parser_unexpected(&p, "the end of the declaration");
	}
}

static void read_tag(struct cdecl *c, struct tag *tag)
{
	if (!tag->pending)
		return;
	tag->pending = false;
	if (c->depth++ < DEPTH_MAX)
		read_declaration(c, tag->declaration);
	else
		source_error(c->script->source, tag->declaration->span,
			     "declare this before what it is part of");
	c->depth--;
}

const struct type *cdecl_read_own(struct cdecl *c, const char *name)
{
	struct tag *tag = names_get(c->tags, name);

	if (!tag)
		return names_get(c->typedefs, name);
	read_tag(c, tag);
	return tag->type;
}

/* "struct foo", where the declaration is one of that; NULL: it has no tag. */
static const char *tag_of(struct cdecl *c, const struct declaration *declaration)
{
	const char *keyword;
	struct parser p;

	parser_init(&p, c->script->source, c->script->text, declaration->span);
	p.lx.quiet = true;
	keyword = parser_take(&p).name;
	while (parser_accept_word(&p, "__attribute__"))
		if (parser_kind(&p) == '(')
			parser_skip_brackets(&p);
	if (!keyword || !strcmp(keyword, "typedef") || parser_kind(&p) != TOKEN_NAME)
		return NULL;
	keyword = tag_name(&p, keyword, parser_take(&p).name);
	while (parser_accept_word(&p, "__attribute__"))
		if (parser_kind(&p) == '(')
			parser_skip_brackets(&p);
	return parser_kind(&p) == '{' ? keyword : NULL;
}

void cdecl_read_all(struct cdecl *c)
{
	struct declaration *d;

	for (d = c->script->declarations; d; d = d->next) {
		const char *name = tag_of(c, d);
		struct tag *tag;

		if (!name || names_get(c->tags, name))
			continue;
		tag = add_tag(c, name);
		tag->declaration = d;
		tag->pending = true;
	}
	for (d = c->script->declarations; d; d = d->next) {
		const char *name = tag_of(c, d);
		struct tag *tag = name ? names_get(c->tags, name) : NULL;

		if (tag && tag->declaration == d)
			read_tag(c, tag); /* perhaps it was, for one before it */
		else
			read_declaration(c, d);
	}
}
