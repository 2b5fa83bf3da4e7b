/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <string.h>

#include "base/util.h"
#include "script.shared.h"
#include "script/btf.h"
#include "script/hists.h"
#include "script/values.h"
#include "script/words.h"

#define DEPTH_MAX 16 /* of records, tuples and arrays in one another */

/* How a value is written, all the way down. */
struct writer {
	const struct values *v;
	struct text *to;
	bool json;
	bool raw;     /* nothing is escaped */
	uint64_t div; /* 1 below the top */
	int depth;
};

/* --- where a value is --------------------------------------------------------------------- */

struct value value_at(const struct type *type, const void *data)
{
	struct value v = { .type = type, .data = data };
	const struct rt_string *s = data;

	if (type->kind != TYPE_STRING && type->kind != TYPE_BUFFER)
		return v;
	v.bytes = s->bytes;
	v.len = min_u64(s->len, type->count);
	v.cut = s->cut;
	return v;
}

static size_t record_bytes(const struct type *type)
{
	if (type->kind == TYPE_STRING || type->kind == TYPE_BUFFER)
		return sizeof(struct rt_tail);
	return type_is_scalar(type) ? 8 : (type->size + 7) & ~7u;
}

bool value_record(const struct statement *s, const void *record, size_t size, struct value *values)
{
	size_t tail = s->size;

	if (size < s->size)
		return false;
	for (size_t i = 0; i < s->nr_args; i++) {
		const struct argument *a = &s->args[i];
		const char *data = (const char *)record + a->offset;
		const struct rt_tail *t = (const void *)data;

		if (a->offset > s->size || record_bytes(a->type) > s->size - a->offset)
			return false;
		values[i] = (struct value){ .type = a->type, .data = data };
		if (a->type->kind != TYPE_STRING && a->type->kind != TYPE_BUFFER)
			continue;
		if (t->len > size - tail)
			return false;
		values[i].bytes = (const char *)record + tail;
		values[i].len = t->len;
		values[i].cut = t->cut;
		tail += min_u64((t->len + 7ull) & ~7ull, size - tail);
	}
	return true;
}

/* --- numbers ------------------------------------------------------------------------------ */

static int64_t read_number(const struct type *type, const void *data)
{
	uint64_t v = 0;
	unsigned unused;

	if (type->kind == TYPE_BOOL)
		return *(const unsigned char *)data != 0;
	memcpy(&v, data, type->size < 8 ? type->size : 8);
	if (!type->is_signed || !type->size || type->size >= 8)
		return v;
	unused = 64 - 8 * type->size;
	return (int64_t)(v << unused) >> unused;
}

/* A bit field within the bytes at @data, which are those of its type. */
static int64_t read_bits(const struct field *f, const void *data)
{
	uint64_t v = 0;

	memcpy(&v, data, min_u64(8, (f->bit_offset + f->bits + 7) / 8));
	v <<= 64 - f->bit_offset - f->bits;
	return f->type->is_signed ? (int64_t)v >> (64 - f->bits) : (int64_t)(v >> (64 - f->bits));
}

bool value_number(const struct value *v, int64_t *number)
{
	if (!type_is_scalar(v->type))
		return false;
	*number = read_number(v->type, v->data);
	return true;
}

static int64_t divided(int64_t v, uint64_t div, bool is_signed)
{
	if (div <= 1)
		return v;
	return is_signed && div <= INT64_MAX ? v / (int64_t)div : (int64_t)((uint64_t)v / div);
}

/* JSON's numbers are those of a double, as bpftrace has it: others are strings there. */
static void put_number(struct writer *w, int64_t v, bool is_signed)
{
	bool quoted = w->json && w->v->compat &&
		      (is_signed ? (double)v >= 0x1p63 || (int64_t)(double)v != v
				 : (double)(uint64_t)v >= 0x1p64 ||
					   (uint64_t)(double)(uint64_t)v != (uint64_t)v);

	if (quoted)
		text_char(w->to, '"');
	if (is_signed)
		text_s64(w->to, v);
	else
		text_u64(w->to, v);
	if (quoted)
		text_char(w->to, '"');
}

/* --- texts -------------------------------------------------------------------------------- */

static void put_bytes(struct writer *w, const char *bytes, size_t len)
{
	if (w->json)
		text_json(w->to, bytes, len);
	else if (w->raw)
		text_mem(w->to, bytes, len);
	else
		text_escaped(w->to, bytes, len);
}

/* With what stands behind a text of which there was more. */
static void put_string(struct writer *w, const char *bytes, size_t len, bool cut)
{
	const struct script_config *config = w->v->compiled->config;
	struct text whole = { 0 };

	if (!cut) {
		put_bytes(w, bytes, len);
		return;
	}
	text_mem(&whole, bytes, len);
	text_str(&whole, config && config->str_trunc_trailer ? config->str_trunc_trailer : "..");
	put_bytes(w, whole.bytes, whole.len);
	text_free(&whole);
}

/* What @len bytes behind @from are, written there as they are, becomes as it has to be. */
static void escape_from(struct writer *w, size_t from)
{
	struct text written = { 0 };

	if (!w->json && w->raw)
		return;
	text_mem(&written, w->to->bytes + from, w->to->len - from);
	w->to->len = from;
	put_bytes(w, written.bytes ? written.bytes : "", written.len);
	text_free(&written);
}

void value_bytes(struct text *to, const char *bytes, size_t len, bool ascii, bool escape)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = bytes[i];

		if (ascii && c >= 0x20 && c < 0x7f)
			text_char(to, c);
		else if (escape)
			text_printf(to, "\\x%02x", c);
		else
			text_printf(to, i + 1 < len ? "%02x " : "%02x", c);
	}
}

static void put_buffer(struct writer *w, const char *bytes, size_t len)
{
	if (!w->json) {
		value_bytes(w->to, bytes, len, true, true);
		return;
	}
	text_char(w->to, '[');
	for (size_t i = 0; i < len; i++) {
		if (i)
			text_char(w->to, ',');
		text_s64(w->to, w->v->compat ? (signed char)bytes[i] : (unsigned char)bytes[i]);
	}
	text_char(w->to, ']');
}

static bool is_none(const struct rt_id *id)
{
	return !id->word[0] && !id->word[1];
}

static void put_text_id(struct writer *w, const struct rt_id *id)
{
	const struct texts_entry *e = is_none(id) ? NULL : texts_find(w->v->texts, id);

	if (e)
		put_string(w, e->bytes, e->len, e->cut);
	else
		put_string(w, is_none(id) ? "" : "[lost text]", is_none(id) ? 0 : 11, false);
}

static void put_stack(struct writer *w, const struct type *type, const struct rt_id *id)
{
	const struct texts_entry *e = is_none(id) ? NULL : texts_find(w->v->texts, id);
	char mode = type->stack_mode ? type->stack_mode : 'b';
	size_t from = w->to->len;

	if (e)
		texts_stack(w->v->texts, w->to, e, mode, type->depth,
			    w->json || w->raw ? TEXTS_RAW : TEXTS_SAFE);
	else
		text_str(w->to, is_none(id) ? "\n" : "\n        [lost stack]\n");
	if (w->json)
		escape_from(w, from);
}

/* --- one scalar --------------------------------------------------------------------------- */

static void put_enum(struct writer *w, const struct type *type, int64_t v)
{
	for (size_t i = 0; !w->json && i < type->nr_enumerators; i++)
		if (type->enumerators[i].value == v) {
			text_str(w->to, type->enumerators[i].name);
			return;
		}
	put_number(w, v, type->is_signed);
}

static void put_probe(struct writer *w, uint64_t number)
{
	const struct compiled *c = w->v->compiled;

	text_str(w->to, number < c->nr_probe_names ? c->probe_names[number] : "?");
}

/* Those of which the words are written first, and are then made safe. */
static void put_words(struct writer *w, const struct type *type, int64_t v)
{
	size_t from = w->to->len;

	switch (type->kind) {
	case TYPE_KSYM:
		texts_kernel(w->v->texts, w->to, v, false, TEXTS_RAW);
		break;
	case TYPE_TIMESTAMP:
		words_time(w->to, type->name ? type->name : "%H:%M:%S\n", words_since_epoch(v));
		break;
	case TYPE_STRERROR:
		words_error(w->to, v);
		break;
	case TYPE_SYSCALL_NAME:
		words_syscall(w->to, v);
		break;
	case TYPE_SIGNAL_NAME:
		words_signal(w->to, v);
		break;
	case TYPE_USERNAME:
		words_user(w->to, v);
		break;
	case TYPE_CGROUP_PATH:
		words_cgroup(w->to, v);
		break;
	default:
		put_probe(w, v);
	}
	/* the format of a time is the script's own: its newline stays one */
	if (w->json || type->kind != TYPE_TIMESTAMP)
		escape_from(w, from);
}

/* With all digits that it has. JSON knows neither infinity nor what is no number. */
static void put_float(struct writer *w, const struct type *type, int64_t bits)
{
	uint32_t half = bits;
	double d;
	float f;

	memcpy(&f, &half, sizeof(f));
	memcpy(&d, &bits, sizeof(d));
	d = type->size == 4 ? (double)f : d;
	if (w->json && (w->v->compat || d - d != 0))
		text_str(w->to, "null");
	else
		text_printf(w->to, "%.*g", type->size == 4 ? 7 : 15, d);
}

static void put_scalar(struct writer *w, const struct type *type, int64_t v)
{
	switch (type->kind) {
	case TYPE_FLOAT:
		put_float(w, type, v);
		break;
	case TYPE_INT:
		put_number(w, divided(v, w->div, type->is_signed), type->is_signed);
		break;
	case TYPE_BOOL:
		text_str(w->to, v ? "true" : "false");
		break;
	case TYPE_ENUM:
		put_enum(w, type, v);
		break;
	case TYPE_POINTER:
		if (w->json) {
			put_number(w, v, false);
			break;
		}
		text_str(w->to, "0x");
		text_hex(w->to, v);
		break;
	default:
		put_words(w, type, v);
	}
}

/* --- what has parts ----------------------------------------------------------------------- */

static void put(struct writer *w, const struct value *value);

static bool is_text_array(const struct type *type)
{
	return type->to->kind == TYPE_INT && type->to->size == 1 && type->to->is_signed;
}

static void put_array(struct writer *w, const struct type *type, const char *data)
{
	if (is_text_array(type)) {
		put_string(w, data, strnlen(data, type->count), false);
		return;
	}
	text_char(w->to, '[');
	for (uint32_t i = 0; i < type->count; i++) {
		struct value v = value_at(type->to, data + (size_t)i * type->to->size);

		if (i)
			text_char(w->to, ',');
		put(w, &v);
	}
	text_char(w->to, ']');
}

static void put_field(struct writer *w, const struct field *f, const char *data)
{
	uint32_t location;
	struct value v;

	if (f->data_loc || f->rel_loc) {
		memcpy(&location, data + f->offset, sizeof(location));
		put_number(w, location, false);
	} else if (f->bits) {
		put_scalar(w, f->type, read_bits(f, data + f->offset));
	} else {
		v = value_at(f->type, data + f->offset);
		put(w, &v);
	}
}

static void put_tuple(struct writer *w, const struct type *type, const char *data)
{
	text_char(w->to, w->json ? '[' : '(');
	for (size_t i = 0; i < type->nr_fields; i++) {
		if (i)
			text_str(w->to, w->json ? "," : ", ");
		put_field(w, &type->fields[i], data);
	}
	text_char(w->to, w->json ? ']' : ')');
}

static void put_record(struct writer *w, const struct type *type, const char *data)
{
	if (type->kind == TYPE_RECORD)
		record_complete(type);
	if (!type->nr_fields) {
		text_str(w->to, "{}");
		return;
	}
	text_str(w->to, w->json ? "{" : "{ ");
	for (size_t i = 0; i < type->nr_fields; i++) {
		const struct field *f = &type->fields[i];

		if (i)
			text_str(w->to, ", ");
		if (w->json)
			text_json(w->to, f->name, strlen(f->name));
		else
			text_printf(w->to, ".%s", f->name);
		text_str(w->to, w->json ? ": " : " = ");
		put_field(w, f, data);
	}
	text_str(w->to, w->json ? "}" : " }");
}

/* --- aggregates --------------------------------------------------------------------------- */

static int64_t average(const struct type *type, const struct rt_sum *s)
{
	if (!s->count)
		return 0;
	return type->is_signed ? s->sum / (int64_t)s->count
			       : (int64_t)((uint64_t)s->sum / s->count);
}

static void put_stats(struct writer *w, const struct type *type, const struct rt_sum *s)
{
	text_str(w->to, w->json ? "{\"count\": " : "{ .count = ");
	put_number(w, s->count, false);
	text_str(w->to, w->json ? ", \"average\": " : ", .average = ");
	put_number(w, divided(average(type, s), w->div, type->is_signed), type->is_signed);
	text_str(w->to, w->json ? ", \"total\": " : ", .total = ");
	put_number(w, s->sum, type->is_signed);
	text_str(w->to, w->json ? "}" : " }");
}

static void put_aggregate(struct writer *w, const struct type *type, const void *data)
{
	const struct rt_extreme *e = data;
	const struct rt_sum *s = data;

	switch (type->kind) {
	case TYPE_COUNT:
		put_number(w, divided(*(const int64_t *)data, w->div, false), false);
		break;
	case TYPE_SUM:
		put_number(w, divided(s->sum, w->div, type->is_signed), type->is_signed);
		break;
	case TYPE_MIN:
	case TYPE_MAX:
		put_number(w, divided(e->is_set ? e->value : 0, w->div, type->is_signed),
			   type->is_signed);
		break;
	case TYPE_AVG:
		put_number(w, divided(average(type, s), w->div, type->is_signed), type->is_signed);
		break;
	case TYPE_STATS:
		put_stats(w, type, s);
		break;
	default:
		if (w->json)
			hists_rows_json(w->to, type, data, w->div);
		else
			hists_rows_text(w->to, type, data, w->div);
	}
}

/* --- any value ---------------------------------------------------------------------------- */

static void put_place(struct writer *w, const struct value *value)
{
	const struct type *type = value->type;
	const struct rt_usym *usym = value->data;
	size_t from = w->to->len;

	switch (type->kind) {
	case TYPE_STRING:
		put_string(w, value->bytes, value->len, value->cut);
		break;
	case TYPE_BUFFER:
		put_buffer(w, value->bytes, value->len);
		break;
	case TYPE_COMM:
		put_bytes(w, value->data, strnlen(value->data, 16));
		break;
	case TYPE_STRING_ID:
		put_text_id(w, value->data);
		break;
	case TYPE_KSTACK:
	case TYPE_USTACK:
		put_stack(w, type, value->data);
		break;
	case TYPE_USYM:
		texts_user(w->v->texts, w->to, usym->pid, usym->address, false, TEXTS_RAW);
		escape_from(w, from);
		break;
	case TYPE_INET:
		words_inet(w->to, value->data);
		escape_from(w, from);
		break;
	case TYPE_MAC:
		words_mac(w->to, value->data);
		escape_from(w, from);
		break;
	default:
		text_str(w->to, "null");
	}
}

static void put(struct writer *w, const struct value *value)
{
	const struct type *type = value->type;
	uint64_t div = w->div;

	if (type_is_scalar(type)) {
		put_scalar(w, type, read_number(type, value->data));
		return;
	}
	if (type_is_aggregate(type)) {
		put_aggregate(w, type, value->data);
		return;
	}
	if (type->kind != TYPE_RECORD && type->kind != TYPE_ARRAY && type->kind != TYPE_TUPLE) {
		put_place(w, value);
		return;
	}
	if (w->depth == DEPTH_MAX) {
		text_str(w->to, w->json ? "null" : "...");
		return;
	}
	w->depth++;
	w->div = 1;
	if (type->kind == TYPE_RECORD || (type->kind == TYPE_TUPLE && type_has_names(type)))
		put_record(w, type, value->data);
	else if (type->kind == TYPE_ARRAY)
		put_array(w, type, value->data);
	else
		put_tuple(w, type, value->data);
	w->div = div;
	w->depth--;
}

void value_text(const struct values *v, struct text *to, const struct value *value, uint64_t div)
{
	struct writer w = { .v = v, .to = to, .raw = v->raw, .div = div };

	put(&w, value);
}

void value_raw(const struct values *v, struct text *to, const struct value *value)
{
	struct writer w = { .v = v, .to = to, .raw = true };

	put(&w, value);
}

void value_json(const struct values *v, struct text *to, const struct value *value, uint64_t div)
{
	struct writer w = { .v = v, .to = to, .json = true, .div = div };

	put(&w, value);
}

/* --- keys --------------------------------------------------------------------------------- */

static void put_key(struct writer *w, const struct value *key, const char *between)
{
	const struct type *type = key->type;

	if (type->kind != TYPE_TUPLE || type_has_names(type)) {
		put(w, key);
		return;
	}
	for (size_t i = 0; i < type->nr_fields; i++) {
		if (i)
			text_str(w->to, between);
		put_field(w, &type->fields[i], key->data);
	}
}

void value_key_text(const struct values *v, struct text *to, const struct value *key)
{
	struct writer w = { .v = v, .to = to, .raw = v->raw };

	put_key(&w, key, ", ");
}

void value_key_json(const struct values *v, struct text *to, const struct value *key)
{
	struct text name = { 0 };
	struct writer w = { .v = v, .to = &name, .raw = true };
	size_t len = 0;

	put_key(&w, key, ",");
	/* bpftrace takes out all blanks, those of the texts, too */
	for (size_t i = 0; v->compat && i < name.len; i++)
		if (name.bytes[i] != ' ')
			name.bytes[len++] = name.bytes[i];
	text_json(to, name.bytes ? name.bytes : "", v->compat ? len : name.len);
	text_free(&name);
}

/* --- order -------------------------------------------------------------------------------- */

static int compare_signed(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int compare_unsigned(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_numbers(int64_t a, int64_t b, bool is_signed)
{
	return is_signed ? compare_signed(a, b) : compare_unsigned(a, b);
}

static int compare_bytes(const char *a, size_t len_a, const char *b, size_t len_b)
{
	int order = memcmp(a, b, min_u64(len_a, len_b));

	return order ? order : compare_unsigned(len_a, len_b);
}

static int compare_ids(const struct values *v, const void *a, const void *b)
{
	const struct texts_entry *found = texts_look(v->texts, a),
				 first = found ? *found : (struct texts_entry){ 0 };
	const struct texts_entry *second = texts_look(v->texts, b);

	if (!found || !second)
		return found || second ? (found ? 1 : -1) : memcmp(a, b, sizeof(struct rt_id));
	return compare_bytes(first.bytes, first.len, second->bytes, second->len);
}

static int64_t aggregate_order(const struct type *type, const void *data)
{
	const struct rt_extreme *e = data;
	const struct rt_sum *s = data;

	switch (type->kind) {
	case TYPE_COUNT:
		return *(const int64_t *)data;
	case TYPE_SUM:
		return s->sum;
	case TYPE_MIN:
	case TYPE_MAX:
		return e->is_set ? e->value : 0;
	case TYPE_AVG:
	case TYPE_STATS:
		return average(type, s);
	default:
		return hists_total(type, data);
	}
}

static int compare_fields(const struct values *v, const struct type *type, const char *a,
			  const char *b)
{
	int order = 0;

	for (size_t i = 0; !order && i < type->nr_fields; i++) {
		const struct field *f = &type->fields[i];

		order = value_compare(v, f->type, a + f->offset, b + f->offset);
	}
	return order;
}

int value_compare(const struct values *v, const struct type *type, const void *a, const void *b)
{
	struct value x = value_at(type, a), y = value_at(type, b);

	if (type_is_scalar(type))
		return compare_numbers(read_number(type, a), read_number(type, b), type->is_signed);
	if (type_is_aggregate(type))
		return compare_numbers(aggregate_order(type, a), aggregate_order(type, b),
				       type->is_signed);
	switch (type->kind) {
	case TYPE_STRING:
	case TYPE_BUFFER:
		return compare_bytes(x.bytes, x.len, y.bytes, y.len);
	case TYPE_STRING_ID:
		return compare_ids(v, a, b);
	case TYPE_TUPLE:
		return compare_fields(v, type, a, b);
	default:
		return memcmp(a, b, type->size);
	}
}
