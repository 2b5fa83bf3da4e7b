/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "script.shared.h"
#include "script/types.h"

static struct arena *arena;
static struct types *types;

static int begin(void **state)
{
	(void)state;
	arena = arena_new();
	types = types_new(arena);
	return 0;
}

static int end(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static void test_made_once(void **state)
{
	const struct type *i32 = type_int(types, 4, true), *p;

	(void)state;
	assert_ptr_equal(type_int(types, 4, true), i32);
	assert_ptr_not_equal(type_int(types, 4, false), i32);
	assert_ptr_not_equal(type_int(types, 8, true), i32);
	p = type_pointer(types, i32, SPACE_USER);
	assert_ptr_equal(type_pointer(types, i32, SPACE_USER), p);
	assert_ptr_not_equal(type_pointer(types, i32, SPACE_KERNEL), p);
	assert_ptr_equal(p->to, i32);
	assert_ptr_equal(type_string(types, 64), type_string(types, 64));
	assert_ptr_not_equal(type_string(types, 64), type_string(types, 65));
	assert_ptr_not_equal(type_string(types, 64), type_buffer(types, 64));
	assert_ptr_equal(type_array(types, p, 3), type_array(types, p, 3));
	assert_ptr_equal(type_of_kind(types, TYPE_KSTACK), type_of_kind(types, TYPE_KSTACK));
}

/* Also when there are many: the table grows meanwhile. */
static void test_many(void **state)
{
	const struct type *first[5000];

	(void)state;
	for (uint32_t i = 0; i < 5000; i++)
		first[i] = type_string(types, i);
	for (uint32_t i = 0; i < 5000; i++) {
		assert_ptr_equal(type_string(types, i), first[i]);
		assert_int_equal(first[i]->count, i);
	}
}

static void assert_layout(const struct type *type, uint32_t size, uint32_t align)
{
	if (type->size != size || type->align != align)
		fail_msg("%s has %u bytes aligned to %u", type_text(types, type), type->size,
			 type->align);
}

static void test_layouts(void **state)
{
	struct type lhist = { .kind = TYPE_LHIST, .lhist = { 0, 100, 10 } };

	(void)state;
	assert_layout(type_void(types), 0, 1);
	assert_layout(type_int(types, 2, false), 2, 2);
	assert_layout(type_bool(types), 1, 1);
	assert_layout(type_string(types, 10), sizeof(struct rt_string) + 16, 8);
	assert_layout(type_buffer(types, 64), sizeof(struct rt_string) + 64, 8);
	assert_layout(type_of_kind(types, TYPE_COMM), 16, 1);
	assert_layout(type_of_kind(types, TYPE_USYM), 16, 8);
	assert_layout(type_of_kind(types, TYPE_USTACK), 16, 8);
	assert_layout(type_of_kind(types, TYPE_INET), sizeof(struct rt_inet), 8);
	assert_layout(type_of_kind(types, TYPE_MAC), 8, 8);
	assert_layout(type_of_kind(types, TYPE_KSYM), 8, 8);
	assert_layout(type_of_kind(types, TYPE_COUNT), 8, 8);
	assert_layout(type_of_kind(types, TYPE_AVG), sizeof(struct rt_sum), 8);
	assert_layout(type_of_kind(types, TYPE_MIN), sizeof(struct rt_extreme), 8);
	assert_layout(type_intern(types, &(struct type){ .kind = TYPE_HIST, .count = 2 }),
		      RT_HIST_SIZE(2), 8);
	assert_layout(type_intern(types, &lhist), 8 * 12, 8);
	assert_layout(type_array(types, type_int(types, 4, true), 5), 20, 4);
	assert_layout(type_array(types, type_int(types, 8, true), UINT32_MAX), UINT32_MAX, 8);
}

static void test_tuples(void **state)
{
	const struct type *of[] = { type_int(types, 1, true), type_int(types, 8, true),
				    type_of_kind(types, TYPE_COMM), type_int(types, 2, false),
				    type_string(types, 8) };
	const struct type *t = type_tuple(types, of, 5), *small = type_tuple(types, of, 1);
	struct c {
		int8_t a;
		int64_t b;
		char comm[16];
		uint16_t d;
		struct {
			uint32_t len, cut;
			char bytes[8];
		} __attribute__((aligned(8))) e;
	};

	(void)state;
	assert_int_equal(t->nr_fields, 5);
	assert_string_equal(t->fields[4].name, "4");
	assert_int_equal(t->fields[1].offset, offsetof(struct c, b));
	assert_int_equal(t->fields[2].offset, offsetof(struct c, comm));
	assert_int_equal(t->fields[3].offset, offsetof(struct c, d));
	assert_int_equal(t->fields[4].offset, offsetof(struct c, e));
	assert_layout(t, sizeof(struct c), 8);
	assert_layout(small, 1, 1);
	assert_ptr_equal(type_tuple(types, of, 5), t);
	assert_ptr_not_equal(type_tuple(types, of, 4), t);
	assert_layout(type_tuple(types, NULL, 0), 0, 1);
}

static void test_text(void **state)
{
	struct type record = { .kind = TYPE_RECORD, .name = "sock" };
	const struct type *sock = type_intern(types, &record), *pair[2];

	(void)state;
	record.is_union = true;
	record.name = NULL;
	pair[0] = type_int(types, 8, true);
	pair[1] = type_string(types, 64);
	assert_string_equal(type_text(types, sock), "struct sock");
	assert_string_equal(type_text(types, type_intern(types, &record)), "union");
	assert_string_equal(type_text(types, type_pointer(types, sock, SPACE_KERNEL)),
			    "struct sock *");
	assert_string_equal(
		type_text(types, type_pointer(types, type_pointer(types, pair[0], SPACE_USER),
					      SPACE_NONE)),
		"int64 **");
	assert_string_equal(type_text(types, type_int(types, 2, false)), "uint16");
	assert_string_equal(type_text(types, type_array(types, pair[0], 4)), "int64[4]");
	assert_string_equal(type_text(types, type_tuple(types, pair, 2)), "(int64,string[64])");
	assert_string_equal(type_text(types, type_of_kind(types, TYPE_COUNT)), "count_t");
}

/* Tuples in tuples, as deep as a script likes: the text has an end. */
static void test_deep_text(void **state)
{
	const struct type *t = type_int(types, 4, true);

	(void)state;
	for (int i = 0; i < 1000; i++)
		t = type_tuple(types, &t, 1);
	assert_non_null(strstr(type_text(types, t), "(...)"));
	for (int i = 0; i < 1000; i++)
		t = type_pointer(types, t, SPACE_KERNEL);
	assert_non_null(strstr(type_text(types, t), " ********"));
}

static void test_fields(void **state)
{
	const struct type *i32 = type_int(types, 4, true), *type;
	struct field inner[] = { { .name = "x", .type = i32 },
				 { .name = "y", .type = i32, .offset = 4 } };
	struct type anonymous = { .kind = TYPE_RECORD, .fields = inner, .nr_fields = 2, .size = 8 };
	struct field outer[] = { { .name = "a", .type = i32 },
				 { .name = "", .offset = 8 },
				 { .name = "y", .type = i32, .offset = 20 } };
	struct type record = { .kind = TYPE_RECORD, .name = "r", .fields = outer, .nr_fields = 3 };
	const struct field *f;
	uint32_t offset = 99;

	(void)state;
	outer[1].type = type_intern(types, &anonymous);
	type = type_intern(types, &record);
	outer[0].name = "changed"; /* the type has a copy */
	f = type_field(type, "a", &offset);
	assert_ptr_equal(f->type, i32);
	assert_int_equal(offset, 0);
	assert_non_null(type_field(type, "x", &offset));
	assert_int_equal(offset, 8);
	assert_non_null(type_field(type, "y", &offset)); /* its own comes first */
	assert_int_equal(offset, 20);
	assert_null(type_field(type, "z", &offset));
	assert_null(type_field(type, "", &offset));
}

static void test_kinds(void **state)
{
	(void)state;
	for (int kind = TYPE_VOID; kind <= TYPE_LHIST; kind++) {
		struct type t = { .kind = kind };

		assert_int_equal(type_is_scalar(&t), kind >= TYPE_INT && kind <= TYPE_PROBE);
		assert_int_equal(type_is_integer(&t),
				 kind == TYPE_INT || kind == TYPE_BOOL || kind == TYPE_ENUM);
		assert_int_equal(type_is_text(&t), kind == TYPE_STRING || kind == TYPE_COMM);
		assert_int_equal(type_is_aggregate(&t), kind >= TYPE_COUNT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_made_once, begin, end),
		cmocka_unit_test_setup_teardown(test_many, begin, end),
		cmocka_unit_test_setup_teardown(test_layouts, begin, end),
		cmocka_unit_test_setup_teardown(test_tuples, begin, end),
		cmocka_unit_test_setup_teardown(test_text, begin, end),
		cmocka_unit_test_setup_teardown(test_deep_text, begin, end),
		cmocka_unit_test_setup_teardown(test_fields, begin, end),
		cmocka_unit_test(test_kinds),
	};

	return cmocka_run_group_tests_name("types", tests, NULL, NULL);
}
