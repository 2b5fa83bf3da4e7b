/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What programs send, and any format: records, texts and stacks that are not as they should be are
 * neither read beyond their end nor shown to a terminal as they are. */
#include <stdlib.h>
#include <string.h>

#include "script.shared.h"
#include "script/format.h"
#include "script/store.h"
#include "script/values.h"

#define ARGS 7

/* A control character in what is shown came from a value, and not from the format. */
static void check_safe(const struct text *made, bool format_has_controls)
{
	for (size_t i = 0; i < made->len && !format_has_controls; i++)
		if ((unsigned char)made->bytes[i] < 0x20 && made->bytes[i] != '\n' &&
		    made->bytes[i] != '\t')
			abort();
}

static bool is_plain(const char *format, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)format[i] < 0x20 || format[i] == 'r') /* %r is as it is */
			return false;
	return true;
}

static void print(const char *format, size_t len, const struct values *v, const void *record,
		  size_t size, const struct type *const *types)
{
	struct argument args[ARGS];
	struct statement st = { .args = args, .nr_args = ARGS, .size = sizeof(struct rt_record) };
	struct format *f = format_new(format, len);
	struct value values[ARGS];
	struct text made = { 0 };

	for (size_t i = 0; i < ARGS; i++) {
		args[i] = (struct argument){ types[i], st.size };
		st.size += types[i]->kind == TYPE_STRING || types[i]->kind == TYPE_BUFFER
				   ? sizeof(struct rt_tail)
				   : (types[i]->size + 7) & ~7u;
	}
	if (value_record(&st, record, size, values)) {
		if (format_args(f) <= ARGS)
			format_print(f, v, &made, values, false);
		for (size_t i = 0; i < ARGS; i++)
			value_text(v, &made, &values[i], 3);
		check_safe(&made, !is_plain(format, len));
		for (size_t i = 0; i < ARGS; i++) {
			value_json(v, &made, &values[i], 1);
			value_key_json(v, &made, &values[i]);
		}
	}
	text_free(&made);
	format_free(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte: how long the format is; then it, and the record. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct script_config config = { .str_trunc_trailer = ".." };
	struct compiled compiled = { .config = &config };
	struct values values = { .compiled = &compiled };
	size_t len = size ? data[0] : 0;
	struct arena *arena;
	struct types *t;
	char *record;

	if (size < 1 + len)
		return 0;
	arena = arena_new();
	t = types_new(arena);
	values.texts = texts_new(NULL, 1 << 16);
	size -= 1 + len;
	record = malloc(size + 1); /* its end is watched */
	memcpy(record, data + 1 + len, size);
	if (size >= sizeof(struct rt_bytes))
		texts_add(values.texts, (void *)record, size);
	print((const char *)data + 1, len, &values, record, size,
	      (const struct type *[ARGS]){
		      type_string(t, 64), type_int(t, 8, true), type_buffer(t, 32),
		      type_of_kind(t, TYPE_KSTACK), type_of_kind(t, TYPE_INET),
		      type_of_kind(t, TYPE_COMM),
		      type_tuple(t,
				 (const struct type *[]){ type_of_kind(t, TYPE_STRING_ID),
							  type_string(t, 16) },
				 2) });
	free(record);
	texts_free(values.texts);
	arena_free(arena);
	return 0;
}
