/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * values: a value of the script's types, out of a record, a key or a map, as text or as JSON, in
 * the forms that bpftrace has.
 */
#ifndef BORESCOPE_SCRIPT_VALUES_H
#define BORESCOPE_SCRIPT_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "script/program.h"
#include "script/text.h"
#include "script/texts.h"

/* What showing a value takes besides. */
struct values {
	struct texts *texts;
	const struct compiled *compiled; /* names of probes, what stands behind what was cut */
	bool raw;    /* strings as they are, whatever a terminal makes of them */
	bool compat; /* as bpftrace does it where the two differ */
};

/* A value, and where its bytes are. */
struct value {
	const struct type *type;
	const void *data;
	/* Of TYPE_STRING and TYPE_BUFFER, whose bytes may stand elsewhere: */
	const char *bytes;
	uint32_t len;
	bool cut;
};

/* The value at @data, as maps, keys and places have it: type->size bytes. */
struct value value_at(const struct type *type, const void *data);

/* The values of a record of @s, of @size bytes, into @values (of .nr_args). False: the record is
 * shorter than what it should have. */
bool value_record(const struct statement *s, const void *record, size_t size, struct value *values);

/* As a number, for %d: integers, enums, addresses. False: it is none. */
bool value_number(const struct value *v, int64_t *number);

/* As text, safe for a terminal unless @v->raw. Numbers are divided by @div (0: by 1), if they are
 * not keys. Histograms as rows. */
void value_text(const struct values *v, struct text *to, const struct value *value, uint64_t div);
/* The same as it is, escaping nothing: for what JSON escapes as a whole. */
void value_raw(const struct values *v, struct text *to, const struct value *value);
/* As JSON. */
void value_json(const struct values *v, struct text *to, const struct value *value, uint64_t div);

/* A key: a tuple without its parentheses. */
void value_key_text(const struct values *v, struct text *to, const struct value *key);
/* The same as a string of JSON, without blanks behind the commas. */
void value_key_json(const struct values *v, struct text *to, const struct value *key);

/* Keys and values in the order of their type: < 0, 0, > 0. @a, @b: type->size bytes. */
int value_compare(const struct values *v, const struct type *type, const void *a, const void *b);

/* The bytes of a buffer. @ascii: those that are printable as they are; @escape: "\x00", else "00 ".
 */
void value_bytes(struct text *to, const char *bytes, size_t len, bool ascii, bool escape);

#endif
