/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Formats of printf(): what they make, and what is said of arguments that do not suit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "script.shared.h"
#include "script/format.h"
#include "script/shown.h"

static struct value number(int64_t v, unsigned size, bool is_signed)
{
	static int64_t kept[8];
	static unsigned next;
	int64_t *at = &kept[next++ % ARRAY_SIZE(kept)];

	*at = v;
	return value_at(type_int(types, size, is_signed), at);
}

static struct value text_value(const char *s)
{
	return (struct value){ .type = type_string(types, 64), .bytes = s, .len = strlen(s) };
}

/* What the format makes of these. */
static const char *print(const char *format, size_t nr, const struct value *v, bool raw)
{
	struct format *f = format_new(format, strlen(format));

	assert_int_equal(format_args(f), nr);
	made.len = 0;
	format_print(f, &values, &made, v, raw);
	text_char(&made, '\0');
	format_free(f);
	return made.bytes;
}

static const char *one(const char *format, struct value v)
{
	return print(format, 1, &v, false);
}

static void test_numbers(void **state)
{
	(void)state;
	assert_string_equal(one("%d", number(-5, 8, true)), "-5");
	assert_string_equal(one("%i|", number(5, 8, true)), "5|");
	assert_string_equal(one("%u", number(-1, 8, true)), "18446744073709551615");
	assert_string_equal(one("%u", number(-1, 4, true)), "4294967295");
	assert_string_equal(one("%x", number(255, 8, true)), "ff");
	assert_string_equal(one("%X", number(0xabc, 8, true)), "ABC");
	assert_string_equal(one("%#x", number(255, 8, true)), "0xff");
	assert_string_equal(one("%o", number(8, 8, true)), "10");
	assert_string_equal(one("%p", number(0xabc, 8, false)), "0xabc");
	assert_string_equal(one("%5d|", number(42, 8, true)), "   42|");
	assert_string_equal(one("%-5d|", number(42, 8, true)), "42   |");
	assert_string_equal(one("%05d|", number(-42, 8, true)), "-0042|");
	assert_string_equal(one("%04x", number(2, 8, true)), "0002");
	assert_string_equal(one("%+d", number(2, 8, true)), "+2");
	assert_string_equal(one("% d", number(2, 8, true)), " 2");
	assert_string_equal(one("%.3d", number(2, 8, true)), "002");
	assert_string_equal(one("%d", number(1ll << 40, 8, true)), "1099511627776");
	assert_string_equal(one("%lld", number(INT64_MIN, 8, true)), "-9223372036854775808");
	assert_string_equal(one("%c", number('A', 8, true)), "A");
	assert_string_equal(one("%c", number(0x1b, 8, true)), "\\033");
	assert_string_equal(one("%c", number('\n', 8, true)), "\n");
}

/* As bpftrace's own test has it; there, a %x without a modifier is an int's. */
static void test_lengths(void **state)
{
	const int64_t v = 0x12345678abcdef;
	const struct value all[] = { number(v, 8, true), number(v, 8, true), number(v, 8, true),
				     number(v, 8, true) };

	(void)state;
	assert_string_equal(print("%hhx %hx %x %jx", 4, all, false),
			    "ef cdef 12345678abcdef 12345678abcdef");
	values.compat = true;
	assert_string_equal(print("%hhx %hx %x %jx", 4, all, false),
			    "ef cdef 78abcdef 12345678abcdef");
	assert_string_equal(one("%d", number(1ll << 40, 8, true)), "0");
	assert_string_equal(one("%ld", number(1ll << 40, 8, true)), "1099511627776");
	values.compat = false;
	assert_string_equal(one("%hhd", number(0xff, 8, true)), "-1");
}

static void test_texts(void **state)
{
	(void)state;
	assert_string_equal(one("%s", text_value("hi")), "hi");
	assert_string_equal(one("%5s|", text_value("hi")), "   hi|");
	assert_string_equal(one("%-5s|", text_value("h\xc3\xa9")), "h\xc3\xa9   |");
	assert_string_equal(one("%.2s|", text_value("h\xc3\xa9llo")), "h\xc3\xa9|");
	assert_string_equal(one("%s", number(-5, 8, true)), "-5");
	assert_string_equal(one("100%% %s 50%", text_value("hi")), "100% hi 50%");
	assert_string_equal(print("%", 0, NULL, false), "%");
	assert_string_equal(print("%%d %z 5%", 0, NULL, false), "%d %z 5%");
	assert_string_equal(print("", 0, NULL, false), "");
	assert_string_equal(one("%s", text_value("\x1b[2J")), "\\033[2J");
	assert_string_equal(one("%r", text_value("\x1b[2J")), "\x1b[2J");
	assert_string_equal(one("%rx", text_value("Hel")), "\\x48\\x65\\x6c");
	assert_string_equal(one("%rh", text_value("Hel")), "48 65 6c");
}

/* What goes into JSON, or to a shell, is escaped there. */
static void test_raw(void **state)
{
	struct value v = text_value("\x1b\\");

	(void)state;
	assert_string_equal(print("%s", 1, &v, true), "\x1b\\");
	v = number(0x1b, 8, true);
	assert_string_equal(print("%c", 1, &v, true), "\x1b");
}

static void test_buffers(void **state)
{
	struct value v = { .type = type_buffer(types, 8), .bytes = "ok\0\x07", .len = 4 };

	(void)state;
	assert_string_equal(one("%r", v), "ok\\x00\\x07");
	assert_string_equal(one("%rx", v), "\\x6f\\x6b\\x00\\x07");
	assert_string_equal(one("%rh", v), "6f 6b 00 07");
	assert_string_equal(one("%s", v), "ok\\x00\\x07");
	assert_string_equal(one("%gr", number(1, 8, true)), "GFP_DMA");
	assert_string_equal(one("%gr", number(0x81, 8, true)), "GFP_DMA|GFP_FS");
	assert_string_equal(one("%gr", number(0, 8, true)), "0x0");
}

static void test_widths_are_bounded(void **state)
{
	struct format *f;
	struct value v = number(1, 8, true);

	(void)state;
	f = format_new("%99999999999d%.99999999999d", 27);
	made.len = 0;
	format_print(f, &values, &made, (struct value[]){ v, v }, false);
	assert_int_equal(made.len, 2 * 4096);
	format_free(f);
}

/* --- what is said of those that do not suit --- */

static char *said;
static size_t said_len;

static bool check(const char *format, const struct type *const *args, size_t nr)
{
	struct source *src = source_new("stdin", "printf()", 8);
	bool fits;

	free(said);
	src->messages = open_memstream(&said, &said_len);
	fits = format_check(src, (struct span){ 0, 8 }, format, strlen(format), args, nr);
	fclose(src->messages);
	assert_int_equal(src->errors, !fits);
	source_free(src);
	return fits;
}

static void test_check(void **state)
{
	const struct type *i = type_int(types, 8, true), *s = type_string(types, 64);
	const struct type *tuple = type_tuple(types, (const struct type *[]){ i, i }, 2);
	const struct type *both[] = { i, s };

	(void)state;
	assert_true(check("%d %s", both, 2));
	assert_true(check("%s %s", both, 2));
	assert_true(check("%%", NULL, 0));
	assert_false(check("%d", both, 2));
	assert_non_null(strstr(said, "stdin:1:1-9: ERROR: too many arguments for format string "
				     "(2 supplied, 1 expected)"));
	assert_false(check("%d %d %d", both, 2));
	assert_non_null(strstr(said, "not enough arguments for format string (2 supplied, 3 "
				     "expected)"));
	assert_false(check("%d %d", both, 2));
	assert_non_null(strstr(said, "unsupported format specifier for type 'string': %d"));
	assert_false(check("%r", &i, 1));
	assert_false(check("%f", &i, 1));
	assert_false(check("%x", &tuple, 1));
	assert_true(check("%s", &tuple, 1));
	assert_true(check("%r", &s, 1));
	assert_false(check("%s", (const struct type *[]){ type_void(types) }, 1));
	free(said);
	said = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers), cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_texts),	cmocka_unit_test(test_raw),
		cmocka_unit_test(test_buffers), cmocka_unit_test(test_widths_are_bounded),
		cmocka_unit_test(test_check),
	};

	return cmocka_run_group_tests(tests, shown_setup, shown_teardown);
}
