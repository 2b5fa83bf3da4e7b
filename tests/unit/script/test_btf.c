/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/btf.h>
#include <cmocka.h>

#include "script/btf_internal.h"

static struct arena *arena;
static struct types *types;
static struct btf_types *btf;
static void *raw; /* of exactly its size, so that reading beyond is seen */
static uint32_t raw_size;

/* What a file would hold. */
static int btf_from_memory(struct btf_types *b, const void *data, size_t size)
{
	b->modules_read = true; /* those of the kernel are not split from it */
	b->state = btf_raw_memory(&b->vmlinux.raw, data, size, NULL);
	return b->state;
}

/* What the tests look at, made by libbpf. */
/* Bit fields in the older encoding, a packed record, and one that was declared before. */
static void add_odd_records(struct btf *b, int i32, int u8)
{
	int bits3 = btf__add_int(b, "int", 4, 0); /* of three bits, which begin at the second */

	((uint32_t *)(btf__type_by_id(b, bits3) + 1))[0] = 1 << 16 | 3;
	btf__add_struct(b, "old", 4);
	btf__add_field(b, "part", bits3, 8, 0);
	btf__add_struct(b, "packed", 5);
	btf__add_field(b, "a", u8, 0, 0);
	btf__add_field(b, "b", i32, 8, 0);
	btf__add_struct(b, "later", 8);
	btf__add_field(b, "value", i32, 32, 0);
}

static void add_functions(struct btf *b, int i32, int u8, int node, int pointer)
{
	int text = btf__add_ptr(b, btf__add_const(b, btf__find_by_name(b, "char")));
	int any = btf__add_ptr(b, 0), proto;

	proto = btf__add_func_proto(b, i32);
	btf__add_func_param(b, "n", pointer);
	btf__add_func_param(b, "text", text);
	btf__add_func_param(b, NULL, u8);
	btf__add_func(b, "work", BTF_FUNC_STATIC, proto);
	proto = btf__add_func_proto(b, 0);
	btf__add_func_param(b, "by_value", node);
	btf__add_func_param(b, "n", i32);
	btf__add_func_param(b, NULL, 0);
	btf__add_func(b, "odd", BTF_FUNC_STATIC, proto);
	proto = btf__add_func_proto(b, 0);
	btf__add_func_param(b, NULL, any);
	btf__add_func_param(b, NULL, pointer);
	btf__add_func_param(b, NULL, i32);
	proto = btf__add_ptr(b, proto);
	btf__add_typedef(b, "btf_trace_happened", proto);
	btf__add_typedef(b, "btf_trace_named", proto);
	proto = btf__add_func_proto(b, i32);
	btf__add_func_param(b, "__data", any);
	btf__add_func_param(b, "node", pointer);
	btf__add_func_param(b, "count", i32);
	assert_true(btf__add_func(b, "__traceiter_named", BTF_FUNC_STATIC, proto) > 0);
}

static struct btf *sample(void)
{
	struct btf *b = btf__new_empty();
	int i32 = btf__add_int(b, "int", 4, BTF_INT_SIGNED);
	int u64 = btf__add_int(b, "long unsigned int", 8, 0), ch = btf__add_int(b, "char", 1, 0);
	int u8 = btf__add_int(b, "unsigned char", 1, 0), boolean, inner, node, later, pointer;
	int comm, bytes, state, big, volatile_char, user, user_char, i128;
	int to_later, call;

	boolean = btf__add_int(b, "_Bool", 1, BTF_INT_BOOL);
	i128 = btf__add_int(b, "__int128", 16, BTF_INT_SIGNED);
	later = btf__add_fwd(b, "later", BTF_FWD_STRUCT);
	comm = btf__add_array(b, i32, ch, 16);
	bytes = btf__add_array(b, i32, u8, 16);
	state = btf__add_enum(b, "state", 4);
	btf__add_enum_value(b, "STATE_ON", 1);
	btf__add_enum_value(b, "STATE_HIGH", 0x80000000);
	btf__add_enum(b, NULL, 4);
	btf__add_enum_value(b, "NAMELESS", -1);
	big = btf__add_enum64(b, "big", 8, true);
	btf__add_enum64_value(b, "BIG_MINUS", -5);
	btf__add_enum64_value(b, "BIG_PLUS", 1ull << 40);
	volatile_char = btf__add_volatile(b, btf__add_const(b, ch));
	user = btf__add_type_tag(b, "user", volatile_char);
	user_char = btf__add_ptr(b, user);
	inner = btf__add_union(b, NULL, 8);
	btf__add_field(b, "as_u64", u64, 0, 0);
	btf__add_field(b, "as_i32", i32, 0, 0);
	to_later = btf__add_ptr(b, later);
	call = btf__add_ptr(b, btf__add_func_proto(b, i32));
	pointer = btf__add_ptr(b, btf__type_cnt(b) + 1);
	node = btf__add_struct(b, "node", 128);
	btf__add_field(b, "next", pointer, 0, 0);
	btf__add_field(b, NULL, inner, 64, 0);
	btf__add_field(b, "comm", comm, 128, 0);
	btf__add_field(b, "bytes", bytes, 256, 0);
	btf__add_field(b, "low", i32, 384, 3);
	btf__add_field(b, "high", u64, 387, 40);
	btf__add_field(b, "state", state, 448, 0);
	btf__add_field(b, "later", to_later, 512, 0);
	btf__add_field(b, "user", user_char, 576, 0);
	btf__add_field(b, "flag", boolean, 640, 0);
	btf__add_field(b, "wide", i128, 768, 0);
	btf__add_field(b, "big", big, 896, 0);
	btf__add_field(b, "call", call, 960, 0);
	add_odd_records(b, i32, u8);
	btf__add_typedef(b, "node_t", node);
	add_functions(b, i32, u8, node, pointer);
	return b;
}

static void use(struct btf *b)
{
	const void *data = btf__raw_data(b, &raw_size);

	raw = malloc(raw_size);
	memcpy(raw, data, raw_size);
	btf__free(b);
}

static void open_arena(void)
{
	arena = arena_new();
	types = types_new(arena);
	btf = btf_types_new(types, arena, NULL);
}

static int begin(void **state)
{
	(void)state;
	use(sample());
	open_arena();
	assert_int_equal(btf_from_memory(btf, raw, raw_size), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	btf_types_free(btf);
	arena_free(arena);
	free(raw);
	raw = NULL;
	return 0;
}

/* As text, for shorter tests: "struct node * @0". */
static const char *field_text(const struct type *record, const char *name)
{
	uint32_t offset;
	const struct field *f = type_field(record, name, &offset);

	if (!f)
		return "none";
	if (f->bits)
		return arena_printf(arena, "%s @%u:%u/%u", type_text(types, f->type), offset,
				    f->bit_offset, f->bits);
	return arena_printf(arena, "%s @%u", type_text(types, f->type), offset);
}

static void test_record(void **state)
{
	const struct type *node = btf_type(btf, "struct", "node");

	(void)state;
	assert_non_null(node);
	assert_int_equal(node->size, 128);
	assert_int_equal(node->align, 8);
	assert_int_equal(node->nr_fields, 0);
	record_complete(node);
	assert_int_equal(node->btf_id, 0);
	assert_string_equal(field_text(node, "next"), "struct node * @0");
	assert_string_equal(field_text(node, "as_u64"), "uint64 @8");
	assert_string_equal(field_text(node, "as_i32"), "int32 @8");
	assert_string_equal(field_text(node, "comm"), "string[16] @16");
	assert_string_equal(field_text(node, "bytes"), "uint8[16] @32");
	assert_string_equal(field_text(node, "low"), "int32 @48:0/3");
	assert_string_equal(field_text(node, "high"), "uint64 @48:3/40");
	assert_string_equal(field_text(node, "state"), "enum state @56");
	assert_string_equal(field_text(node, "later"), "struct later * @64");
	assert_string_equal(field_text(node, "user"), "int8 * @72");
	assert_string_equal(field_text(node, "flag"), "bool @80");
	assert_string_equal(field_text(node, "wide"), "uint8[16] @96");
	assert_string_equal(field_text(node, "big"), "enum big @112");
	assert_string_equal(field_text(node, "call"), "void * @120");
	assert_string_equal(field_text(node, "nothing"), "none");
	record_complete(node); /* once more does nothing */
	assert_int_equal(node->nr_fields, 13);
}

static void test_one_of_each(void **state)
{
	const struct type *node = btf_type(btf, "struct", "node"), *next;
	uint32_t offset;

	(void)state;
	record_complete(node);
	next = type_field(node, "next", &offset)->type;
	assert_ptr_equal(next->to, node);
	assert_int_equal(next->space, SPACE_KERNEL);
	assert_int_equal(type_field(node, "user", &offset)->type->space, SPACE_USER);
	assert_ptr_equal(btf_type(btf, NULL, "node_t"), node);
	assert_ptr_equal(btf_type(btf, NULL, "int"), type_int(types, 4, true));
	assert_null(btf_type(btf, "union", "node"));
	assert_null(btf_type(btf, "struct", "node_t"));
	assert_null(btf_type(btf, "enum", "node"));
	assert_null(btf_type(btf, NULL, "node"));
	assert_null(btf_type(btf, "struct", ""));
	assert_null(btf_type(btf, "struct", "nod"));
	assert_null(btf_type(btf, "struct", "odes"));
}

/* What is declared only is found when it is asked for its fields, and is the same type. */
static void test_forward(void **state)
{
	const struct type *node = btf_type(btf, "struct", "node"), *later;
	uint32_t offset;

	(void)state;
	record_complete(node);
	later = type_field(node, "later", &offset)->type->to;
	record_complete(later);
	assert_int_equal(later->size, 8);
	assert_string_equal(field_text(later, "value"), "int32 @4");
	assert_ptr_equal(btf_type(btf, "struct", "later"), later);
	assert_ptr_equal(btf_type_later(btf, "struct", "later"), later);
}

static void test_later_by_name(void **state)
{
	const struct type *node = btf_type_later(btf, "struct", "node");
	const struct type *none = btf_type_later(btf, "union", "none");

	(void)state;
	assert_int_equal(node->size, 0);
	assert_ptr_equal(btf_type_later(btf, "struct", "node"), node);
	assert_ptr_equal(btf_type(btf, "struct", "node"), node);
	assert_int_equal(node->size, 128);
	record_complete(node);
	assert_string_equal(field_text(node, "as_i32"), "int32 @8");
	record_complete(none);
	assert_int_equal(none->nr_fields, 0);
	assert_string_equal(type_text(types, none), "union none");
}

static void test_odd_records(void **state)
{
	const struct type *old = btf_type(btf, "struct", "old");
	const struct type *packed = btf_type(btf, "struct", "packed");

	(void)state;
	record_complete(old);
	assert_string_equal(field_text(old, "part"), "uint32 @0:9/3");
	record_complete(packed);
	assert_string_equal(field_text(packed, "b"), "int32 @1");
	assert_int_equal(packed->align, 1);
	assert_int_equal(packed->size, 5);
}

static void test_enums(void **state)
{
	const struct type *type = btf_type(btf, "enum", "big");
	int64_t value;

	(void)state;
	assert_int_equal(type->nr_enumerators, 2);
	assert_int_equal(type->size, 8);
	assert_true(type->is_signed);
	assert_true(btf_enumerator(btf, "BIG_MINUS", &value, &type));
	assert_int_equal(value, -5);
	assert_string_equal(type_text(types, type), "enum big");
	assert_true(btf_enumerator(btf, "BIG_PLUS", &value, &type));
	assert_true(value == 1ll << 40);
	assert_true(btf_enumerator(btf, "STATE_HIGH", &value, &type));
	assert_true(value == 0x80000000);
	assert_true(btf_enumerator(btf, "NAMELESS", &value, &type));
	assert_int_equal(value, -1);
	assert_ptr_equal(type, type_int(types, 4, true));
	assert_false(btf_enumerator(btf, "node", &value, &type));
	assert_false(btf_enumerator(btf, "", &value, &type));
}

static void test_functions(void **state)
{
	struct function f;

	(void)state;
	assert_true(btf_function(btf, NULL, "work", &f));
	assert_string_equal(f.name, "work");
	assert_string_equal(f.module, "vmlinux");
	assert_int_equal(f.btf_fd, 0);
	assert_true(f.btf_id > 0);
	assert_true(f.args_fit);
	assert_ptr_equal(f.ret, type_int(types, 4, true));
	assert_int_equal(f.args->size, 24);
	assert_string_equal(field_text(f.args, "n"), "struct node * @0");
	assert_string_equal(field_text(f.args, "text"), "int8 * @8");
	assert_string_equal(field_text(f.args, "arg2"), "uint8 @16");
	assert_int_equal(f.args->fields[0].type->space, SPACE_KERNEL);
	assert_int_equal(f.args->fields[1].type->space, SPACE_NONE);

	assert_true(btf_function(btf, "vmlinux", "odd", &f));
	assert_false(f.args_fit);
	assert_null(f.ret);
	assert_string_equal(field_text(f.args, "n"), "int32 @128");
	assert_false(btf_function(btf, "none", "work", &f));
	assert_false(btf_function(btf, NULL, "node", &f));
}

static void test_tracepoints(void **state)
{
	struct function f;

	(void)state;
	assert_true(btf_tracepoint(btf, "happened", &f));
	assert_string_equal(f.name, "happened");
	assert_string_equal(field_text(f.args, "arg0"), "struct node * @0");
	assert_string_equal(field_text(f.args, "arg1"), "int32 @8");
	assert_int_equal(f.args->nr_fields, 2);
	assert_true(btf_tracepoint(btf, "named", &f));
	assert_string_equal(field_text(f.args, "node"), "struct node * @0");
	assert_string_equal(field_text(f.args, "count"), "int32 @8");
	assert_true(btf_has_tracepoint(btf, "named"));
	assert_false(btf_tracepoint(btf, "nothing", &f));
	assert_false(btf_has_tracepoint(btf, "nothing"));
}

static void count(void *ctx, const char *what, const char *name)
{
	char *text = ctx;

	sprintf(text + strlen(text), "%s %s,", what, name);
}

static void test_all_names(void **state)
{
	char text[1024] = "";

	(void)state;
	btf_each_function(btf, true, count, text);
	assert_string_equal(text, "vmlinux work,vmlinux odd,vmlinux __traceiter_named,");
	text[0] = '\0';
	btf_each_tracepoint(btf, count, text);
	assert_string_equal(text, "vmlinux happened,vmlinux named,");
	text[0] = '\0';
	btf_each_record(btf, count, text);
	assert_string_equal(text, "enum state,enum big,struct node,struct old,struct packed,"
				  "struct later,");
}

/* Beyond so many questions, the answers come from an index. */
static void test_many_questions(void **state)
{
	const struct type *type;
	struct function f;
	int64_t value;

	(void)state;
	for (int i = 0; i < 100; i++) {
		assert_true(btf_function(btf, NULL, "work", &f));
		assert_null(btf_type(btf, "struct", "work"));
		assert_false(btf_function(btf, NULL, "later", &f));
		assert_non_null(btf_type(btf, "struct", "later"));
		assert_non_null(btf_type(btf, NULL, "node_t"));
		assert_true(btf_enumerator(btf, "BIG_MINUS", &value, &type));
		assert_int_equal(value, -5);
		assert_true(btf_enumerator(btf, "STATE_ON", &value, &type));
		assert_int_equal(value, 1);
		assert_false(btf_enumerator(btf, "STATE", &value, &type));
	}
}

static void test_text(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_true(btf_print_record(btf, "struct", "node", out));
	assert_true(btf_print_record(btf, "enum", "state", out));
	assert_true(btf_print_function(btf, NULL, "work", true, "    ", out));
	assert_true(btf_print_tracepoint(btf, "named", "  ", out));
	assert_false(btf_print_record(btf, "union", "node", out));
	fclose(out);
	assert_string_equal(text, "struct node {\n"
				  "\tstruct node *next;\n"
				  "\tunion {\n"
				  "\t\tlong unsigned int as_u64;\n"
				  "\t\tint as_i32;\n"
				  "\t};\n"
				  "\tchar comm[16];\n"
				  "\tunsigned char bytes[16];\n"
				  "\tint low: 3;\n"
				  "\tlong unsigned int high: 40;\n"
				  "\tenum state state;\n"
				  "\tstruct later *later;\n"
				  "\tconst char *user;\n"
				  "\t_Bool flag;\n"
				  "\t__int128 wide;\n"
				  "\tenum big big;\n"
				  "\tint (*call)(void);\n"
				  "};\n"
				  "enum state {\n"
				  "\tSTATE_ON = 1,\n"
				  "\tSTATE_HIGH = 2147483648,\n"
				  "};\n"
				  "    struct node * n\n"
				  "    const char * text\n"
				  "    unsigned char\n"
				  "    int retval\n"
				  "  struct node * node\n"
				  "  int count\n");
	free(text);
}

/* --- what nobody should make --- */

/* Asks all there is to ask; whatever is in memory, nothing is read beyond it. */
static void ask_everything(void)
{
	static const char *const names[] = { "node", "old", "packed", "later" };
	const struct type *type;
	struct function f;
	char text[65536] = "";
	int64_t value;
	FILE *out = fopen("/dev/null", "w");

	for (size_t i = 0; i < 4; i++) {
		type = btf_type(btf, "struct", names[i]);
		if (!type)
			continue;
		record_complete(type);
		for (size_t k = 0; k < type->nr_fields; k++)
			type_text(types, type->fields[k].type);
		btf_print_record(btf, "struct", names[i], out);
	}
	btf_function(btf, NULL, "work", &f);
	btf_function(btf, NULL, "odd", &f);
	btf_print_function(btf, NULL, "odd", true, "", out);
	btf_tracepoint(btf, "happened", &f);
	btf_tracepoint(btf, "named", &f);
	btf_type(btf, NULL, "node_t");
	btf_enumerator(btf, "BIG_PLUS", &value, &type);
	btf_each_record(btf, count, text);
	fclose(out);
}

static void ask_changed(const void *data, uint32_t size)
{
	void *copy = malloc(size ? size : 1);

	memcpy(copy, data, size);
	open_arena();
	if (!btf_from_memory(btf, copy, size))
		ask_everything();
	btf_types_free(btf);
	arena_free(arena);
	free(copy);
}

static void test_cut(void **state)
{
	(void)state;
	use(sample());
	for (uint32_t size = 0; size < raw_size; size++)
		ask_changed(raw, size);
	free(raw);
}

static void test_changed(void **state)
{
	uint32_t seed = 1;
	uint8_t *bytes;

	(void)state;
	use(sample());
	bytes = raw;
	for (int i = 0; i < 6000; i++) {
		uint32_t at, was;

		seed = seed * 1664525 + 1013904223;
		at = (seed >> 8) % (raw_size / 4) * 4;
		memcpy(&was, bytes + at, 4);
		switch (seed >> 29) { /* other ids, sizes and kinds */
		case 0:
			bytes[at] = seed >> 16;
			break;
		case 1:
			bytes[at] = (seed >> 16) % 80;
			break;
		case 2:
			bytes[at + 3] = seed >> 16;
			break;
		default:
			bytes[at] = (seed >> 16) % 80;
			bytes[at + 1] = bytes[at + 2] = bytes[at + 3] = 0;
			break;
		}
		ask_changed(raw, raw_size);
		memcpy(bytes + at, &was, 4);
	}
	free(raw);
}

static void test_circles(void **state)
{
	struct btf *b = btf__new_empty();
	const struct type *type;
	int id;

	(void)state;
	id = btf__add_typedef(b, "itself", 1);
	assert_int_equal(id, 1);
	btf__add_ptr(b, 2); /* to itself */
	btf__add_typedef(b, "star", 2);
	btf__add_struct(b, "snake", 8);
	btf__add_field(b, NULL, 4, 0, 0);
	btf__add_field(b, "tail", 4, 0, 0);
	btf__add_array(b, 5, 5, 3);
	btf__add_typedef(b, "mirror", 5);
	use(b);
	open_arena();
	assert_int_equal(btf_from_memory(btf, raw, raw_size), 0);
	assert_int_equal(btf_type(btf, NULL, "itself")->kind, TYPE_VOID);
	type = btf_type(btf, NULL, "star");
	assert_int_equal(type->kind, TYPE_POINTER);
	type_text(types, type);
	type = btf_type(btf, "struct", "snake");
	record_complete(type);
	assert_string_equal(field_text(type, "tail"), "struct snake @0");
	assert_string_equal(field_text(type, "none"), "none");
	assert_non_null(btf_type(btf, NULL, "mirror"));
	end(NULL);
}

/* --- the kernel's own --- */

static bool has_size(const struct btf *b, uint32_t id)
{
	int resolved = btf__resolve_type(b, id);
	const struct btf_type *t = resolved >= 0 ? btf__type_by_id(b, resolved) : NULL;

	return t && !btf_is_func_proto(t) && !btf_is_fwd(t);
}

/* Each field of a record is where libbpf says that it is, and as large. */
static void compare_record(const struct btf *b, const struct btf_type *t, const struct type *record)
{
	const struct btf_member *m = btf_members(t);
	size_t at = 0;

	assert_int_equal(record->size, t->size);
	for (int i = 0; i < btf_vlen(t); i++) {
		uint32_t offset = btf_member_bit_offset(t, i);
		uint32_t bits = btf_member_bitfield_size(t, i);
		const char *name = btf__name_by_offset(b, m[i].name_off);
		const struct field *f = &record->fields[at];

		if (at >= record->nr_fields || strcmp(f->name, name)) {
			assert_false(name[0]);
			continue;
		}
		at++;
		if (f->offset * 8 + f->bit_offset != offset || f->bits != bits)
			fail_msg("%s.%s: %u:%u/%u", record->name, name, f->offset, f->bit_offset,
				 f->bits);
		if (!bits && has_size(b, m[i].type) &&
		    (f->type->kind != TYPE_RECORD || f->type->size) &&
		    f->type->size != btf__resolve_size(b, m[i].type))
			fail_msg("%s.%s: %s has %u bytes", record->name, name,
				 type_text(types, f->type), f->type->size);
	}
	assert_int_equal(at, record->nr_fields);
}

static bool is_first_of_name(const struct btf *b, const char *name, const struct btf_type *t)
{
	int id = btf__find_by_name_kind(b, name, btf_kind(t));

	return id > 0 && btf__type_by_id(b, id) == t;
}

static void test_kernel(void **state)
{
	const struct type *task;
	struct function f;
	struct btf *b;
	int compared = 0;

	(void)state;
	if (access("/sys/kernel/btf/vmlinux", R_OK)) {
		print_message("this kernel has no BTF\n");
		skip();
	}
	open_arena();
	assert_int_equal(btf_types_error(btf), 0);
	task = btf_type(btf, "struct", "task_struct");
	assert_non_null(task);
	record_complete(task);
	assert_true(strstr(field_text(task, "pid"), "int32 @"));
	assert_true(strstr(field_text(task, "comm"), "string[16] @"));
	assert_true(btf_function(btf, NULL, "vfs_read", &f));
	assert_string_equal(field_text(f.args, "count"), "uint64 @16");
	assert_true(btf_tracepoint(btf, "sched_switch", &f));
	b = btf__parse("/sys/kernel/btf/vmlinux", NULL);
	assert_non_null(b);
	/* one in 16 of them: that many find all that can be wrong, in a tenth of the time */
	for (uint32_t id = 1; id < btf__type_cnt(b);
	     id += btf_is_struct(btf__type_by_id(b, id)) ? 16 : 1) {
		const struct btf_type *t = btf__type_by_id(b, id);
		const char *name = btf__name_by_offset(b, t->name_off);
		const struct type *record;

		if (!btf_is_composite(t) || !name[0] || !is_first_of_name(b, name, t))
			continue;
		record = btf_type(btf, btf_is_union(t) ? "union" : "struct", name);
		assert_non_null(record);
		record_complete(record);
		compare_record(b, t, record);
		compared++;
	}
	assert_true(compared > 500);
	btf__free(b);
	btf_types_free(btf);
	arena_free(arena);
}

static void test_no_file(void **state)
{
	struct function f;

	(void)state;
	arena = arena_new();
	types = types_new(arena);
	btf = btf_types_new(types, arena, "/nonexistent");
	assert_int_equal(btf_types_error(btf), -ENOENT);
	assert_null(btf_type(btf, "struct", "task_struct"));
	assert_false(btf_function(btf, NULL, "vfs_read", &f));
	assert_false(btf_tracepoint(btf, "sched_switch", &f));
	btf_types_free(btf);
	btf = btf_types_new(types, arena, "/dev/null");
	assert_true(btf_types_error(btf) < 0);
	btf_types_free(btf);
	arena_free(arena);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_record),
		TEST(test_one_of_each),
		TEST(test_forward),
		TEST(test_later_by_name),
		TEST(test_odd_records),
		TEST(test_enums),
		TEST(test_functions),
		TEST(test_tracepoints),
		TEST(test_all_names),
		TEST(test_many_questions),
		TEST(test_text),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_circles),
		cmocka_unit_test(test_kernel),
		cmocka_unit_test(test_no_file),
	};

	return cmocka_run_group_tests_name("btf of scripts", tests, NULL, NULL);
}
