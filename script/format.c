/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/msg.h"
#include "base/status.h"
#include "base/util.h"
#include "script/format.h"

#define WIDTH_MAX 4096 /* columns, and digits */

enum length { LENGTH_NONE, LENGTH_CHAR, LENGTH_SHORT, LENGTH_LONG };

/* What stands before a conversion, and the conversion. */
struct piece {
	size_t at, len; /* in .text */
	bool left, plus, blank, alternate, zero;
	unsigned width;
	int precision; /* -1: none */
	enum length length;
	char letter[3]; /* "d", "rx"; "": none, this is the end */
};

struct format {
	char *text; /* what stands between the conversions, with %% as % */
	char other; /* the first letter behind a % that makes no conversion */
	size_t text_len;
	struct piece *pieces;
	size_t nr; /* the last one has no conversion */
};

static void *need(void *memory)
{
	if (memory)
		return memory;
	error("not enough memory for a format");
	exit(STATUS_FAILED);
}

/* --- parsing ------------------------------------------------------------------------------ */

static unsigned take_number(const char **s, const char *end)
{
	unsigned v = 0;

	for (; *s < end && **s >= '0' && **s <= '9'; (*s)++)
		v = min_u64(v * 10 + (**s - '0'), WIDTH_MAX);
	return v;
}

static bool take_char(const char **s, const char *end, char c)
{
	if (*s == end || **s != c)
		return false;
	(*s)++;
	return true;
}

static void take_flags(struct piece *p, const char **s, const char *end)
{
	for (; *s < end; (*s)++) {
		if (**s == '-')
			p->left = true;
		else if (**s == '+')
			p->plus = true;
		else if (**s == ' ')
			p->blank = true;
		else if (**s == '#')
			p->alternate = true;
		else if (**s == '0')
			p->zero = true;
		else
			return;
	}
}

static void take_length(struct piece *p, const char **s, const char *end)
{
	for (; *s < end && strchr("hlLjzt", **s) && **s; (*s)++) {
		if (**s == 'h')
			p->length = p->length == LENGTH_SHORT ? LENGTH_CHAR : LENGTH_SHORT;
		else
			p->length = LENGTH_LONG;
	}
}

/* The conversion behind the % at @s. Returns where it ends; NULL: there is none. */
static const char *take_conversion(struct piece *p, const char *s, const char *end)
{
	p->precision = -1;
	take_flags(p, &s, end);
	p->width = take_number(&s, end);
	if (take_char(&s, end, '.'))
		p->precision = take_number(&s, end);
	take_length(p, &s, end);
	if (s == end || !*s || !strchr("diouxXpcsreEfFgGaA", *s))
		return NULL;
	p->letter[0] = *s++;
	if (p->letter[0] == 'r' && (s < end && (*s == 'x' || *s == 'h')))
		p->letter[1] = *s++;
	else if (p->letter[0] == 'g' && s < end && *s == 'r')
		p->letter[1] = *s++;
	return s;
}

/* Up to the next conversion, or to the end. Returns where that ends. */
static const char *take_piece(struct format *f, struct piece *p, const char *s, const char *end)
{
	*p = (struct piece){ .at = f->text_len, .precision = -1 };
	while (s < end) {
		const char *after;

		if (*s == '%' && end - s > 1 && s[1] == '%') {
			s++;
		} else if (*s == '%') {
			struct piece found = *p;

			after = take_conversion(&found, s + 1, end);
			if (after) {
				*p = found;
				p->len = f->text_len - p->at;
				return after;
			}
			if (!f->other && end - s > 1 && isalpha((unsigned char)s[1]))
				f->other = s[1];
		}
		f->text[f->text_len++] = *s++;
	}
	p->len = f->text_len - p->at;
	return s;
}

struct format *format_new(const char *format, size_t len)
{
	struct format *f = need(calloc(1, sizeof(*f)));
	const char *s = format, *end = format + len;
	size_t room = 0;

	f->text = need(malloc(len + 1));
	do {
		if (f->nr == room) {
			room = room ? room * 2 : 8;
			f->pieces = need(reallocarray(f->pieces, room, sizeof(*f->pieces)));
		}
		s = take_piece(f, &f->pieces[f->nr++], s, end);
	} while (f->pieces[f->nr - 1].letter[0]);
	return f;
}

void format_free(struct format *f)
{
	if (!f)
		return;
	free(f->text);
	free(f->pieces);
	free(f);
}

size_t format_args(const struct format *f)
{
	return f->nr - 1;
}

/* --- checking ----------------------------------------------------------------------------- */

static const char *kind_text(const struct type *type)
{
	switch (type->kind) {
	case TYPE_STRING:
	case TYPE_STRING_ID:
	case TYPE_COMM:
		return "string";
	case TYPE_BUFFER:
		return "buffer";
	case TYPE_FLOAT:
		return "float";
	case TYPE_USYM:
		return "usym_t";
	case TYPE_KSTACK:
		return "kstack_t";
	case TYPE_USTACK:
		return "ustack_t";
	case TYPE_INET:
		return "inet_t";
	case TYPE_MAC:
		return "mac_address_t";
	case TYPE_RECORD:
		return "record";
	case TYPE_ARRAY:
		return "array";
	case TYPE_TUPLE:
		return "tuple";
	case TYPE_VOID:
		return "none";
	default:
		return "an aggregate";
	}
}

/* NULL: it suits. */
static const char *misfit(const struct piece *p, const struct type *type)
{
	if (type->kind == TYPE_VOID)
		return "there is no value to print";
	if (p->letter[0] == 's')
		return NULL;
	if (p->letter[0] == 'r')
		return type->kind == TYPE_BUFFER || type_is_text(type) ||
				       type->kind == TYPE_STRING_ID
			       ? NULL
			       : "takes a buffer or a string";
	if (strchr("eEfFaA", p->letter[0]) || !strcmp(p->letter, "g") || p->letter[0] == 'G')
		return "is not supported: there are no floating-point numbers";
	return type_is_scalar(type) && type->kind != TYPE_FLOAT ? NULL : "takes an integer";
}

bool format_check(struct source *src, struct span at, const char *format, size_t len,
		  const struct type *const *types, size_t nr)
{
	struct format *f = format_new(format, len);
	bool fits = true;

	if (format_args(f) != nr) {
		source_error(src, at, "%s arguments for format string (%zu supplied, %zu expected)",
			     nr < format_args(f) ? "not enough" : "too many", nr, format_args(f));
		if (f->other)
			source_hint(src, "%%%c is no conversion: it is printed as it is", f->other);
		fits = false;
	}
	for (size_t i = 0; fits && i < nr; i++) {
		const struct piece *p = &f->pieces[i];
		const char *why = types[i] ? misfit(p, types[i]) : NULL;

		if (!why)
			continue;
		source_error(
			src, at,
			"unsupported format specifier for type '%s': %%%s (argument %zu: it %s)",
			kind_text(types[i]), p->letter, i + 1, why);
		fits = false;
	}
	format_free(f);
	return fits;
}

/* --- printing ----------------------------------------------------------------------------- */

/* As wide as the format or, without a length modifier, the type says. bpftrace has an int there,
 * whatever the type is. */
static int64_t narrow(const struct piece *p, const struct values *v, const struct type *type,
		      int64_t n, bool is_signed)
{
	unsigned bytes = type->size && type->size < 8 ? type->size : 8, unused;

	if (type->kind != TYPE_INT && type->kind != TYPE_ENUM)
		bytes = 8;
	if (p->length == LENGTH_CHAR)
		bytes = 1;
	else if (p->length == LENGTH_SHORT)
		bytes = 2;
	else if (p->length == LENGTH_LONG && v->compat)
		bytes = 8;
	else if (p->length == LENGTH_NONE && v->compat && p->letter[0] != 'p')
		bytes = 4;
	unused = 64 - 8 * bytes;
	if (is_signed)
		return (int64_t)((uint64_t)n << unused) >> unused;
	return (int64_t)((uint64_t)n << unused >> unused);
}

static void put_octal(struct text *to, uint64_t v)
{
	char digits[22], *s = digits + sizeof(digits);

	do {
		*--s = '0' + (v & 7);
		v >>= 3;
	} while (v);
	text_mem(to, s, digits + sizeof(digits) - s);
}

static void put_upper(struct text *to, uint64_t v)
{
	size_t from = to->len;

	text_hex(to, v);
	for (size_t i = from; i < to->len; i++)
		if (to->bytes[i] >= 'a')
			to->bytes[i] -= 'a' - 'A';
}

static void put_digits(struct text *to, char letter, uint64_t v)
{
	switch (letter) {
	case 'o':
		put_octal(to, v);
		break;
	case 'X':
		put_upper(to, v);
		break;
	case 'x':
	case 'p':
		text_hex(to, v);
		break;
	default:
		text_u64(to, v);
	}
}

/* A number with its sign or 0x, and zeros in between. */
static void put_number(struct text *to, const struct piece *p, const struct values *v,
		       const struct type *type, int64_t number)
{
	const char letter = p->letter[0];
	const bool is_signed = letter == 'd' || letter == 'i';
	const int64_t n = narrow(p, v, type, number, is_signed);
	const size_t from = to->len;
	size_t digits;

	if (is_signed && n < 0)
		text_char(to, '-');
	else if (is_signed && (p->plus || p->blank))
		text_char(to, p->plus ? '+' : ' ');
	if (letter == 'p' || (p->alternate && n && (letter == 'x' || letter == 'X')))
		text_str(to, letter == 'X' ? "0X" : "0x");
	else if (p->alternate && letter == 'o')
		text_char(to, '0');
	digits = to->len;
	put_digits(to, letter, is_signed && n < 0 ? -(uint64_t)n : (uint64_t)n);
	if (p->precision > 0)
		text_pad(to, digits, p->precision, false, '0');
	else if (p->zero && !p->left && p->width > digits - from)
		text_pad(to, digits, p->width - (digits - from), false, '0');
}

/* One byte: what might drive a terminal is escaped, but for a newline and a tab. */
static void put_char(struct text *to, char c, bool raw)
{
	if (raw || c == '\n' || c == '\t' || (c >= 0x20 && c < 0x7f))
		text_char(to, c);
	else
		text_escaped(to, &c, 1);
}

/* %r of a buffer is its printable bytes and \x00, of a text its bytes as they are. */
static void put_raw(struct text *to, const struct piece *p, const struct values *v,
		    const struct value *value)
{
	struct text bytes = { 0 };

	if (value->type->kind == TYPE_BUFFER)
		text_mem(&bytes, value->bytes, value->len);
	else
		value_raw(v, &bytes, value);
	if (value->type->kind == TYPE_BUFFER || p->letter[1])
		value_bytes(to, bytes.bytes, bytes.len, !p->letter[1], p->letter[1] != 'h');
	else
		text_mem(to, bytes.bytes, bytes.len);
	text_free(&bytes);
}

/* The first @columns of what stands behind @from. */
static void cut_columns(struct text *to, size_t from, size_t columns)
{
	for (size_t i = from; i < to->len; i++)
		if ((to->bytes[i] & 0xc0) != 0x80 && !columns--) {
			to->len = i;
			return;
		}
}

static const struct {
	uint32_t bit;
	const char *name;
} gfp_bits[] = {
	{ 0x01, "GFP_DMA" },	 { 0x02, "GFP_HIGHMEM" },     { 0x04, "GFP_DMA32" },
	{ 0x08, "GFP_MOVABLE" }, { 0x10, "GFP_RECLAIMABLE" }, { 0x20, "GFP_HIGH" },
	{ 0x40, "GFP_IO" },	 { 0x80, "GFP_FS" },
};

/* Flags of the kernel's page allocator, those that all kernels number alike; the rest as a number.
 */
static void put_gfp(struct text *to, uint64_t flags)
{
	const char *between = "";

	for (size_t i = 0; i < ARRAY_SIZE(gfp_bits); i++) {
		if (!(flags & gfp_bits[i].bit))
			continue;
		text_printf(to, "%s%s", between, gfp_bits[i].name);
		flags &= ~(uint64_t)gfp_bits[i].bit;
		between = "|";
	}
	if (flags || !*between)
		text_printf(to, "%s0x%llx", between, (unsigned long long)flags);
}

static void put_value(const struct piece *p, const struct values *v, struct text *to,
		      const struct value *value, bool raw)
{
	const size_t from = to->len;
	int64_t number = 0;

	if (p->letter[0] == 's' || (p->letter[0] != 'r' && !value_number(value, &number))) {
		if (raw)
			value_raw(v, to, value);
		else
			value_text(v, to, value, 1);
		if (p->precision >= 0)
			cut_columns(to, from, p->precision);
		return;
	}
	if (p->letter[0] == 'r')
		put_raw(to, p, v, value);
	else if (p->letter[0] == 'c')
		put_char(to, (char)number, raw || v->raw);
	else if (!strcmp(p->letter, "gr"))
		put_gfp(to, number);
	else
		put_number(to, p, v, value->type, number);
}

void format_print(const struct format *f, const struct values *v, struct text *to,
		  const struct value *values, bool raw)
{
	for (size_t i = 0; i < f->nr; i++) {
		const struct piece *p = &f->pieces[i];
		size_t from;

		text_mem(to, f->text + p->at, p->len);
		if (!p->letter[0])
			break;
		from = to->len;
		put_value(p, v, to, &values[i], raw);
		text_pad(to, from, p->width, p->left, ' ');
	}
}
