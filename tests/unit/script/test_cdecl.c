/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a script declares lies as the compiler of this test lays it out. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "script/cdecl.h"

/* The same text for both. */
#define DECLARE(name, ...)                                                                         \
	__VA_ARGS__                                                                                \
	static const char name[] = #__VA_ARGS__ " k:f { }";

DECLARE(
	plain_text, struct plain {
		char a;
		int b;
		short c;
		long d;
		unsigned char e[3];
		const char *f;
		int *g[2], h;
		_Bool i;
		double j;
		float k;
	};)

DECLARE(
	nested_text,
	struct inner {
		short s;
		char c;
	};
	struct nested {
		char first;
		struct inner one, many[2][3];
		struct {
			int x;
			union {
				char y;
				long z;
			};
		};
		struct named {
			unsigned short u;
		} n;
		struct nested *next;
		int (*function)(int, char *);
		void (*functions[4])(void);
		int(*array)[4];
		char last;
	};)

DECLARE(
	bits_text,
	struct bits {
		int a : 3;
		unsigned b : 5, c : 30;
		char d;
		unsigned char e : 1;
		short : 0;
		unsigned char f : 2;
		int : 5;
		long g : 40;
		unsigned long h : 60;
		_Bool i : 1;
	};
	union bits_union {
		int a : 3;
		unsigned b : 20;
		char c;
	};)

DECLARE(
	packed_text,
	struct packed {
		char a;
		long b;
		int c : 7;
		int d : 30;
		short e;
		struct {
			int f;
		} g;
	} __attribute__((packed));
	struct aligned {
		char a;
		int b __attribute__((aligned(16)));
		char c;
	} __attribute__((aligned(32)));
	struct __attribute__((packed)) early {
		char a;
		int b;
	};)

DECLARE(
	named_text, typedef unsigned long int word_t; typedef struct {
		word_t a;
		uint8_t b;
	} pair_t;
	enum colour{ RED = 1, GREEN, BLUE = GREEN << 4, LAST = -1 };
	enum large{ LARGE = 0x100000000 }; typedef enum colour colour_t;
	typedef int (*callback_t)(void *); typedef char name_t[16]; struct named2 {
		char c;
		pair_t pair;
		enum colour colour;
		colour_t other;
		callback_t call;
		name_t name;
		char rest[BLUE + sizeof(pair_t)];
		enum large large;
	};)

/* One script at a time. */
static struct source *src;
static struct types *types;
static struct btf_types *btf;
static struct cdecl *c;
static struct script *script;
static char *messages;
static size_t messages_size;

static void declare(const char *text)
{
	src = source_new("stdin", text, strlen(text));
	free(messages);
	src->messages = open_memstream(&messages, &messages_size);
	types = types_new(src->arena);
	btf = btf_types_new(types, src->arena, "/dev/null"); /* there is no kernel's BTF */
	script = script_parse(src, NULL);
	c = cdecl_new(script, types, btf);
	fflush(src->messages);
}

static void end(const char *expected)
{
	fclose(src->messages);
	assert_string_equal(messages, expected);
	btf_types_free(btf);
	source_free(src);
}

/* A field by its path, with its place in the outermost record. */
static const struct field *field_at(const char *record, const char *path, uint32_t *offset)
{
	const struct type *type = cdecl_find(c, record, SPACE_KERNEL);
	const struct field *f = NULL;
	char *copy = strdup(path), *rest = copy, *name;

	*offset = 0;
	while ((name = strsep(&rest, "."))) {
		uint32_t at;

		assert_non_null(type);
		f = type_field(type, name, &at);
		if (!f)
			fail_msg("%s has no %s", record, path);
		*offset += at;
		type = f->type;
	}
	free(copy);
	return f;
}

#define CHECK_SIZE(type)                                                                           \
	do {                                                                                       \
		assert_non_null(cdecl_find(c, #type, SPACE_KERNEL));                               \
		assert_int_equal(cdecl_find(c, #type, SPACE_KERNEL)->size, sizeof(type));          \
		assert_int_equal(cdecl_find(c, #type, SPACE_KERNEL)->align, _Alignof(type));       \
	} while (0)

#define CHECK(record, path)                                                                        \
	do {                                                                                       \
		uint32_t at_;                                                                      \
		const struct field *f_ = field_at(#record, #path, &at_);                           \
                                                                                                   \
		assert_int_equal(at_, offsetof(record, path));                                     \
		assert_int_equal(f_->type->size, sizeof(((record *)0)->path));                     \
	} while (0)

/* The bits that are set when the compiler sets all those of the field. */
#define CHECK_BITS(record, field)                                                                  \
	do {                                                                                       \
		record value;                                                                      \
                                                                                                   \
		memset(&value, 0, sizeof(value));                                                  \
		value.field = -1;                                                                  \
		check_bits(#record, #field, &value, sizeof(value));                                \
	} while (0)

static void check_bits(const char *record, const char *name, const void *value, size_t size)
{
	unsigned char expected[64] = { 0 };
	uint32_t at;
	const struct field *f = field_at(record, name, &at);

	assert_true(f->bits > 0 && f->bit_offset + f->bits <= 64);
	for (unsigned bit = f->bit_offset; bit < (unsigned)f->bit_offset + f->bits; bit++)
		expected[at + bit / 8] |= 1 << bit % 8;
	assert_memory_equal(value, expected, size);
}

static void test_plain(void **state)
{
	(void)state;
	declare(plain_text);
	CHECK_SIZE(struct plain);
	CHECK(struct plain, a);
	CHECK(struct plain, b);
	CHECK(struct plain, c);
	CHECK(struct plain, d);
	CHECK(struct plain, e);
	CHECK(struct plain, f);
	CHECK(struct plain, g);
	CHECK(struct plain, h);
	CHECK(struct plain, i);
	CHECK(struct plain, j);
	CHECK(struct plain, k);
	end("");
}

static void test_nested(void **state)
{
	uint32_t at;
	const struct field *f;

	(void)state;
	declare(nested_text);
	CHECK_SIZE(struct nested);
	CHECK_SIZE(struct inner);
	CHECK_SIZE(struct named);
	CHECK(struct nested, one);
	CHECK(struct nested, one.c);
	CHECK(struct nested, many);
	CHECK(struct nested, x);
	CHECK(struct nested, y);
	CHECK(struct nested, z);
	CHECK(struct nested, n.u);
	CHECK(struct nested, next);
	CHECK(struct nested, function);
	CHECK(struct nested, functions);
	CHECK(struct nested, array);
	CHECK(struct nested, last);
	f = field_at("struct nested", "next", &at);
	assert_ptr_equal(f->type->to, cdecl_find(c, "struct nested", SPACE_KERNEL));
	f = field_at("struct nested", "many", &at);
	assert_int_equal(f->type->count, 2);
	assert_int_equal(f->type->to->count, 3);
	f = field_at("struct nested", "array", &at);
	assert_int_equal(f->type->kind, TYPE_POINTER);
	assert_int_equal(f->type->to->count, 4);
	end("");
}

static void test_bits(void **state)
{
	(void)state;
	declare(bits_text);
	CHECK_SIZE(struct bits);
	CHECK_SIZE(union bits_union);
	CHECK(struct bits, d);
	CHECK_BITS(struct bits, a);
	CHECK_BITS(struct bits, b);
	CHECK_BITS(struct bits, c);
	CHECK_BITS(struct bits, e);
	CHECK_BITS(struct bits, f);
	CHECK_BITS(struct bits, g);
	CHECK_BITS(struct bits, h);
	CHECK_BITS(struct bits, i);
	CHECK_BITS(union bits_union, a);
	CHECK_BITS(union bits_union, b);
	end("");
}

static void test_attributes(void **state)
{
	(void)state;
	declare(packed_text);
	CHECK_SIZE(struct packed);
	CHECK(struct packed, b);
	CHECK_BITS(struct packed, c);
	CHECK_BITS(struct packed, d);
	CHECK(struct packed, e);
	CHECK(struct packed, g.f);
	CHECK_SIZE(struct aligned);
	CHECK(struct aligned, b);
	CHECK(struct aligned, c);
	CHECK_SIZE(struct early);
	CHECK(struct early, b);
	end("");
}

static int64_t constant(const char *name)
{
	for (const struct constant *k = script->constants; k; k = k->next)
		if (!strcmp(k->name, name))
			return k->value;
	fail_msg("there is no %s", name);
	return 0;
}

static void test_names(void **state)
{
	uint32_t at;

	(void)state;
	declare(named_text);
	CHECK_SIZE(struct named2);
	CHECK_SIZE(word_t);
	CHECK_SIZE(pair_t);
	CHECK_SIZE(colour_t);
	CHECK_SIZE(callback_t);
	CHECK_SIZE(name_t);
	CHECK_SIZE(enum colour);
	CHECK_SIZE(enum large);
	CHECK(struct named2, pair.b);
	CHECK(struct named2, colour);
	CHECK(struct named2, name);
	CHECK(struct named2, rest);
	CHECK(struct named2, large);
	assert_int_equal(constant("GREEN"), GREEN);
	assert_int_equal(constant("BLUE"), BLUE);
	assert_int_equal(constant("LAST"), LAST);
	assert_true(constant("LARGE") == LARGE);
	assert_string_equal(field_at("struct named2", "other", &at)->type->name, "colour");
	assert_int_equal(field_at("struct named2", "other", &at)->type->nr_enumerators, 4);
	end("");
}

/* --- names of types --- */

static void check_text(const char *name, const char *text)
{
	const struct type *type = cdecl_find(c, name, SPACE_USER);

	if (!type && text)
		fail_msg("there is no type %s", name);
	if (type)
		assert_string_equal(type_text(types, type), text ? text : "none");
}

static void test_types(void **state)
{
	const struct type *type;

	(void)state;
	declare("#define N 4\nstruct foo { int x; }; k:f { }");
	check_text("uint64", "uint64");
	check_text("unsigned long", "uint64");
	check_text("long unsigned int", "uint64");
	check_text("char", "int8");
	check_text("unsigned char", "uint8");
	check_text("__u16", "uint16");
	check_text("size_t", "uint64");
	check_text("struct foo *", "struct foo *");
	check_text("int32 *[4]", "int32 *[4]");
	check_text("int32[4] *", "int32[4] *");
	check_text("uint8[N]", "uint8[4]");
	check_text("unsigned unsigned", NULL);
	check_text("long char", NULL);
	check_text("", NULL);
	check_text("struct bar", NULL);
	check_text("nothing_t", NULL);
	check_text("int[M]", NULL);
	check_text("void[3]", NULL);
	check_text("uint64[1000000000]", NULL);
	type = cdecl_find(c, "int32 **", SPACE_USER);
	assert_int_equal(type->space, SPACE_USER);
	assert_int_equal(type->to->space, SPACE_USER);
	type = cdecl_find(c, "string[64]", SPACE_KERNEL);
	assert_int_equal(type->kind, TYPE_STRING);
	assert_int_equal(type->count, 64);
	assert_int_equal(cdecl_find(c, "buffer[7]", SPACE_KERNEL)->count, 7);
	assert_int_equal(cdecl_find(c, "inet", SPACE_KERNEL)->kind, TYPE_INET);
	assert_int_equal(cdecl_find(c, "uint8[]", SPACE_KERNEL)->count, 0);
	assert_ptr_equal(cdecl_type(c, "struct foo", SPACE_USER, (struct span){ 0, 1 }),
			 cdecl_find(c, "struct foo", SPACE_KERNEL));
	end("");
}

static void test_unknown(void **state)
{
	(void)state;
	declare("struct foobar { int x; }; k:f { }");
	assert_null(cdecl_type(c, "struct foobaz *", SPACE_USER, (struct span){ 0, 6 }));
	assert_null(cdecl_type(c, "foobar", SPACE_USER, (struct span){ 0, 6 }));
	end("stdin:1:1-7: ERROR: there is no type struct foobaz\n"
	    "struct foobar { int x; }; k:f { }\n"
	    "~~~~~~\n"
	    "HINT: did you mean struct foobar?\n"
	    "stdin:1:1-7: ERROR: there is no type foobar\n"
	    "struct foobar { int x; }; k:f { }\n"
	    "~~~~~~\n"
	    "HINT: did you mean struct foobar?\n");
}

/* --- mistakes --- */

/* A struct may use one that is declared behind it, but not itself. */
static void test_order(void **state)
{
	(void)state;
	declare("struct a { struct b b; struct a *a; }; struct b { long x; }; k:f { }");
	assert_int_equal(cdecl_find(c, "struct a", SPACE_KERNEL)->size, 16);
	end("");
	declare("struct a { struct b b; }; struct b { struct a a; }; k:f { }");
	end("stdin:1:47-48: ERROR: struct a is not known here: only pointers to it can be\n"
	    "struct a { struct b b; }; struct b { struct a a; }; k:f { }\n"
	    "                                              ~\n");
}

static const struct {
	const char *text, *error; /* the first line of what is said */
} mistakes[] = {
	{ "struct a { foo x; };", "12-15: ERROR: there is no type foo" },
	{ "struct a { int; long char x; };", "17-26: ERROR: these words are no type" },
	{ "struct a { int x int y; };", "18-21: ERROR: expected ';', not 'int'" },
	{ "struct a { int x[-1]; };", "19-20: ERROR: there can't be such an array" },
	{ "struct a { int x[N]; };", "18-19: ERROR: this must be a constant" },
	{ "struct a { int x[1 << 27]; };", "25-26: ERROR: this is larger than 268435456 bytes" },
	{ "struct a { char x[1 << 28], y[1 << 28]; };",
	  "29-30: ERROR: this is larger than 268435456 bytes" },
	{ "struct a { int x; char x; };", "24-25: ERROR: there are two fields x" },
	{ "struct a { int x : 33; };", "16-17: ERROR: a bit field of this type can't have so many "
				       "bits" },
	{ "struct a { int x : 0; };", "16-17: ERROR: a field can't have 0 bits" },
	{ "struct a { int *x : 1; };", "17-18: ERROR: only integers can be bit fields" },
	{ "struct a { void x; };", "17-18: ERROR: a field can't be void" },
	{ "struct a { int (x)(void); };", "17-18: ERROR: a field can't be a function" },
	{ "struct a { int ****************** x; };", "33-34: ERROR: these are more than 16 stars" },
	{ "struct a { struct zz x; };", "22-23: ERROR: struct zz is not known here: only pointers "
					"to it can be" },
	{ "struct a { } __attribute__((aligned(3)));",
	  "29-36: ERROR: an alignment is a power of two" },
	{ "struct a { int x; }; struct a { int y; };", "31-32: ERROR: struct a is declared twice" },
	{ "enum a { B = x };", "14-15: ERROR: this must be a constant" },
	{ "enum a { 5 };", "10-11: ERROR: expected a name, not '5'" },
	{ "enum a { B C };", "12-13: ERROR: expected ',' or '}', not 'C'" },
	{ "typedef int;", "12-13: ERROR: expected a name, not ';'" },
	{ "struct foo BEGIN { };",
	  "12-17: ERROR: expected the end of the declaration, not 'BEGIN'" },
	{ "struct a { char x:3; long y:40; } __attribute__((packed)); struct b { char c; "
	  "unsigned long u:60; } __attribute__((packed)); struct d { int :3; unsigned long u:62; } "
	  "__attribute__((packed));",
	  "159-160: ERROR: this bit field lies in nine bytes" },
};

static void test_mistakes(void **state)
{
	char line[256];

	(void)state;
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(*mistakes); i++) {
		declare(mistakes[i].text);
		assert_int_equal(src->errors, 1);
		snprintf(line, sizeof(line), "%.*s", (int)strcspn(messages, "\n"), messages);
		assert_string_equal(line + strlen("stdin:1:"), mistakes[i].error);
		fclose(src->messages);
		btf_types_free(btf);
		source_free(src);
	}
}

/* --- constants --- */

static void test_constants(void **state)
{
	const char *const *names = constant_names();
	int64_t value = 0;
	size_t nr = 0;

	(void)state;
	assert_true(constant_find("AF_INET6", &value) && value == 10);
	assert_true(constant_find("ENOENT", &value) && value == 2);
	assert_true(constant_find("SIGKILL", &value) && value == 9);
	assert_true(constant_find("S_IFDIR", &value) && value == 0040000);
	assert_true(constant_find("INT64_MIN", &value) && value == INT64_MIN);
	assert_true(constant_find("PF_KTHREAD", &value) && value == 0x200000);
	assert_true(constant_find("NSEC_PER_SEC", &value) && value == 1000000000);
	assert_false(constant_find("AF_INET7", &value));
	for (; names[nr]; nr++) {
		assert_true(constant_find(names[nr], &value));
		for (size_t i = 0; i < nr; i++)
			assert_string_not_equal(names[i], names[nr]);
	}
	assert_true(nr > 250);
}

static int teardown(void **state)
{
	(void)state;
	free(messages);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),	 cmocka_unit_test(test_nested),
		cmocka_unit_test(test_bits),	 cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_names),	 cmocka_unit_test(test_types),
		cmocka_unit_test(test_unknown),	 cmocka_unit_test(test_order),
		cmocka_unit_test(test_mistakes), cmocka_unit_test(test_constants),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
