/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdio.h>
#include <string.h>

#include "script/btf_internal.h"

#define NESTED_MAX  8 /* records without a name in one another, and functions in functions' types */
#define PRINTED_MAX 20000 /* lines of one record */

/* What stands around a name in C: "(*name)[4]" grows from the name outwards. */
struct declarator {
	char text[512];
};

static void before(struct declarator *d, const char *what)
{
	size_t len = strlen(what), have = strlen(d->text);

	if (have + len >= sizeof(d->text))
		return;
	memmove(d->text + len, d->text, have + 1);
	memcpy(d->text, what, len);
}

static void behind(struct declarator *d, const char *what)
{
	size_t len = strlen(what), have = strlen(d->text);

	if (have + len < sizeof(d->text))
		memcpy(d->text + have, what, len + 1);
}

struct printer {
	const struct btf_raw *raw;
	FILE *out;
	bool spaced; /* "char * name", as tracepoints' formats have it; else "char *name" */
	unsigned int lines;
};

static void print_declaration(struct printer *p, uint32_t id, const char *name, int depth,
			      int indent);

static const char *keyword_of(const struct btf_type *t)
{
	switch (btf_raw_kind(t)) {
	case BTF_KIND_STRUCT:
		return "struct ";
	case BTF_KIND_UNION:
		return "union ";
	case BTF_KIND_FWD:
		return btf_raw_flag(t) ? "union " : "struct ";
	case BTF_KIND_ENUM:
	case BTF_FILE_ENUM64:
		return "enum ";
	default:
		return "";
	}
}

static bool has_body(const struct btf_raw *r, const struct btf_type *t)
{
	return BTF_RECORD_KINDS >> btf_raw_kind(t) & 1 && !btf_raw_string(r, t->name_off)[0];
}

/* An array or a function binds closer to a name than a star does. */
static bool binds(const struct btf_raw *r, uint32_t id)
{
	const struct btf_type *t = btf_raw_type(r, id);

	for (int depth = BTF_DEPTH_MAX; t && depth; depth--) {
		uint32_t kind = btf_raw_kind(t);

		if (kind == BTF_KIND_ARRAY || kind == BTF_KIND_FUNC_PROTO)
			return true;
		if (kind != BTF_KIND_CONST && kind != BTF_KIND_VOLATILE &&
		    kind != BTF_KIND_RESTRICT && kind != BTF_FILE_TYPE_TAG)
			return false;
		t = btf_raw_type(r, t->type);
	}
	return false;
}

static void print_fields(struct printer *p, const struct btf_type *t, int depth, int indent)
{
	const struct btf_member *m = (const void *)(t + 1);

	for (uint32_t i = 0; i < btf_raw_vlen(t) && ++p->lines < PRINTED_MAX; i++) {
		uint32_t bits = btf_raw_flag(t) ? m[i].offset >> 24 : 0;

		fprintf(p->out, "%.*s", indent, "\t\t\t\t\t\t\t\t\t\t");
		print_declaration(p, m[i].type, btf_raw_string(p->raw, m[i].name_off), depth,
				  indent);
		if (bits)
			fprintf(p->out, ": %u", bits);
		fputs(";\n", p->out);
	}
}

/* The names of the parameters of a function's type are of no use here. */
static void add_params(struct printer *p, const struct btf_type *t, struct declarator *d)
{
	const struct btf_param *param = (const void *)(t + 1);
	struct printer inner = *p;
	char text[384] = "";

	inner.spaced = false;
	inner.out = fmemopen(text, sizeof(text) - 1, "w");
	if (!inner.out)
		return;
	for (uint32_t i = 0; i < btf_raw_vlen(t) && i < 12; i++) {
		if (i)
			fputs(", ", inner.out);
		if (param[i].type)
			print_declaration(&inner, param[i].type, "", 0, 0);
		else
			fputs("...", inner.out);
	}
	fclose(inner.out);
	behind(d, "(");
	behind(d, text[0] ? text : "void");
	behind(d, ")");
}

/* Goes through pointers, arrays and functions to what the type is of. Returns that one's id; *@word
 * is what stands before it. */
static uint32_t declare(struct printer *p, uint32_t id, struct declarator *d, int depth,
			const char **word)
{
	const struct btf_type *t = btf_raw_type(p->raw, id);
	char number[24];

	*word = "";
	for (int steps = BTF_DEPTH_MAX; t && steps; steps--) {
		bool is_const = false;

		switch (btf_raw_kind(t)) {
		case BTF_KIND_PTR:
			before(d, "*");
			if (binds(p->raw, t->type)) {
				before(d, "(");
				behind(d, ")");
			}
			id = t->type;
			break;
		case BTF_KIND_ARRAY:
			snprintf(number, sizeof(number), "[%u]",
				 ((const struct btf_array *)(t + 1))->nelems);
			behind(d, number);
			id = ((const struct btf_array *)(t + 1))->type;
			break;
		case BTF_KIND_FUNC_PROTO:
			if (depth > 0)
				add_params(p, t, d);
			else
				behind(d, "()");
			id = t->type;
			break;
		case BTF_KIND_CONST:
			is_const = true;
			/* fall through */
		case BTF_KIND_VOLATILE:
		case BTF_KIND_RESTRICT:
		case BTF_FILE_TYPE_TAG:
			id = t->type;
			t = btf_raw_type(p->raw, id);
			if (is_const && t && btf_raw_kind(t) == BTF_KIND_PTR)
				before(d, d->text[0] ? " const " : " const");
			else if (is_const)
				*word = "const ";
			continue;
		default:
			return id;
		}
		t = btf_raw_type(p->raw, id);
	}
	return id;
}

static void print_declaration(struct printer *p, uint32_t id, const char *name, int depth,
			      int indent)
{
	struct declarator d = { "" };
	const struct btf_type *t;
	const char *word;

	if (!p->spaced)
		behind(&d, name);
	id = declare(p, id, &d, depth, &word);
	t = btf_raw_type(p->raw, id);
	fputs(word, p->out);
	if (!t) {
		fputs("void", p->out);
	} else if (has_body(p->raw, t) && depth > 0 && indent > 0) {
		fprintf(p->out, "%s{\n", keyword_of(t));
		print_fields(p, t, depth - 1, indent + 1);
		fprintf(p->out, "%.*s}", indent, "\t\t\t\t\t\t\t\t\t\t");
	} else {
		const char *own = btf_raw_string(p->raw, t->name_off);

		fprintf(p->out, "%s%s", keyword_of(t), own[0] ? own : "{ ... }");
	}
	if (d.text[0])
		fprintf(p->out, " %s", d.text + (d.text[0] == ' '));
	if (p->spaced && name[0])
		fprintf(p->out, " %s", name);
}

void btf_print_params(const struct btf_raw *raw, const struct btf_type *proto, uint32_t skip,
		      bool retval, const char *indent, FILE *out)
{
	const struct btf_param *param = (const void *)(proto + 1);
	struct printer p = { .raw = raw, .out = out, .spaced = true };

	for (uint32_t i = skip; i < btf_raw_vlen(proto); i++) {
		fputs(indent, out);
		if (param[i].type)
			print_declaration(&p, param[i].type, btf_raw_string(raw, param[i].name_off),
					  1, 0);
		else
			fputs("...", out);
		putc('\n', out);
	}
	if (!retval || !proto->type)
		return;
	fputs(indent, out);
	print_declaration(&p, proto->type, "retval", 1, 0);
	putc('\n', out);
}

static void print_enumerators(const struct btf_raw *raw, const struct btf_type *t, FILE *out)
{
	bool is_64 = btf_raw_kind(t) == BTF_FILE_ENUM64, is_signed = btf_raw_flag(t);
	const uint32_t *m = (const void *)(t + 1);

	for (uint32_t i = 0; i < btf_raw_vlen(t); i++, m += is_64 ? 3 : 2) {
		uint64_t value = is_64 ? (uint64_t)m[2] << 32 | m[1] : m[1];

		fprintf(out, "\t%s = ", btf_raw_string(raw, m[0]));
		if (is_signed)
			fprintf(out, "%lld,\n", is_64 ? (long long)value : (int32_t)m[1]);
		else
			fprintf(out, "%llu,\n", (unsigned long long)value);
	}
}

void btf_print_type(const struct btf_raw *raw, const struct btf_type *t, FILE *out)
{
	struct printer p = { .raw = raw, .out = out };

	fprintf(out, "%s%s {\n", keyword_of(t), btf_raw_string(raw, t->name_off));
	if (BTF_RECORD_KINDS >> btf_raw_kind(t) & 1)
		print_fields(&p, t, NESTED_MAX, 1);
	else
		print_enumerators(raw, t, out);
	fputs("};\n", out);
}
