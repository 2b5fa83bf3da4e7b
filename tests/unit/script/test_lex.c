/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Words, numbers, and where the name of a probe ends. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "script/lex.h"

/* --- numbers --- */

static const struct {
	const char *text;
	const char *wrong; /* NULL: it is one */
	uint64_t value;
	bool is_unsigned;
} numbers[] = {
	{ "0", NULL, 0 },
	{ "42", NULL, 42 },
	{ "0x2A", NULL, 42 },
	{ "0XfF", NULL, 255 },
	{ "0777", NULL, 511 },
	{ "00", NULL, 0 },
	{ "0b1010", NULL, 10 },
	{ "1_000_000", NULL, 1000000 },
	{ "0x1_0", NULL, 16 },
	{ "1e6", NULL, 1000000 },
	{ "5e9", NULL, 5000000000 },
	{ "12e2", NULL, 1200 },
	{ "0e9999999999", NULL, 0 },
	{ "1e1_0", NULL, 10000000000 },
	{ "0xe5", NULL, 0xe5 },
	{ "0x5e5", NULL, 0x5e5 },
	{ "1ns", NULL, 1 },
	{ "1us", NULL, 1000 },
	{ "5ms", NULL, 5000000 },
	{ "5s", NULL, 5000000000 },
	{ "1m", NULL, 60000000000 },
	{ "1h", NULL, 3600000000000 },
	{ "1d", NULL, 86400000000000 },
	{ "1e3s", NULL, 1000000000000 },
	{ "7u", NULL, 7, true },
	{ "7UL", NULL, 7, true },
	{ "7ull", NULL, 7, true },
	{ "7L", NULL, 7 },
	{ "7ll", NULL, 7 },
	{ "9223372036854775807", NULL, INT64_MAX },
	{ "9223372036854775808", NULL, (uint64_t)INT64_MAX + 1, true },
	{ "18446744073709551615", NULL, UINT64_MAX, true },
	{ "18446744073709551616", "this number does not fit into 64 bits" },
	{ "0x10000000000000000", "this number does not fit into 64 bits" },
	{ "1e20", "this number does not fit into 64 bits" },
	{ "300000d", "this number does not fit into 64 bits" },
	{ "", "digits are missing in this number" },
	{ "0x", "digits are missing in this number" },
	{ "0b", "digits are missing in this number" },
	{ "1e", "digits are missing in this number" },
	{ "1e-3", "digits are missing in this number" },
	{ "1_", "this number ends with a '_'" },
	{ "1e1_", "this number ends with a '_'" },
	{ "089", "a number that begins with 0 is octal: its digits are 0 to 7" },
	{ "x", "this is not a number" },
	{ "-1", "this is not a number" },
	{ "vfs", "this is not a number" },
};

static void test_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		bool is_unsigned = false;
		uint64_t value = 0;
		const char *text = numbers[i].text;
		const char *wrong = lex_number(text, strlen(text), &value, &is_unsigned, NULL);

		if (!wrong != !numbers[i].wrong)
			fail_msg("%s: %s", text, wrong ? wrong : "is a number");
		if (wrong) {
			assert_string_equal(wrong, numbers[i].wrong);
			continue;
		}
		assert_true(value == numbers[i].value);
		assert_int_equal(is_unsigned, numbers[i].is_unsigned);
	}
}

static void test_suffixes(void **state)
{
	static const char *const none[] = { "1M",   "1S",  "1x",  "1lul", "1uu",
					    "1lll", "1ss", "1 s", "0x1g", "1.5" };
	bool is_unsigned;
	uint64_t value;

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		assert_string_equal(
			lex_number(none[i], strlen(none[i]), &value, &is_unsigned, NULL),
			"this number ends with something that is no suffix: these are "
			"ns, us, ms, s, m, h, d, u, l, ul, ll, ull");
}

static void test_negative(void **state)
{
	bool is_unsigned, is_negative;
	uint64_t value;

	(void)state;
	assert_null(lex_number("-5", 2, &value, &is_unsigned, &is_negative));
	assert_true(is_negative && !is_unsigned && (int64_t)value == -5);
	assert_null(lex_number("-9223372036854775808", 20, &value, &is_unsigned, &is_negative));
	assert_true((int64_t)value == INT64_MIN && !is_unsigned);
	assert_non_null(lex_number("-9223372036854775809", 20, &value, &is_unsigned, &is_negative));
	assert_non_null(lex_number("-", 1, &value, &is_unsigned, &is_negative));
	assert_non_null(lex_number("--1", 3, &value, &is_unsigned, &is_negative));
	assert_null(lex_number("5", 1, &value, &is_unsigned, &is_negative));
	assert_false(is_negative);
}

/* --- words --- */

static struct source *src;
static struct lexer lx;
static char *messages;
static size_t messages_size;

static void begin(const char *text, size_t size)
{
	src = source_new("stdin", text, size);
	src->messages = open_memstream(&messages, &messages_size);
	lx = (struct lexer){ src, src->text, 0, size };
}

static void end(const char *expected)
{
	struct token t;

	for (int i = 0; i < 2; i++) {
		lex_token(&lx, &t);
		assert_int_equal(t.kind, TOKEN_END);
	}
	fclose(src->messages);
	assert_string_equal(messages, expected);
	free(messages);
	source_free(src);
}

static struct token word(int kind, uint32_t from, uint32_t to)
{
	struct token t;

	lex_token(&lx, &t);
	assert_int_equal(t.kind, kind);
	assert_int_equal(t.span.from, from);
	assert_int_equal(t.span.to, to);
	return t;
}

static void test_words(void **state)
{
	static const char text[] = "a_1 $b @c @ 5ms \"x\\ty\" $12 $# //c\n/* d */ e";

	(void)state;
	begin(text, strlen(text));
	assert_string_equal(word(TOKEN_NAME, 0, 3).name, "a_1");
	assert_string_equal(word(TOKEN_VARIABLE, 4, 6).name, "b");
	assert_string_equal(word(TOKEN_MAP, 7, 9).name, "c");
	assert_string_equal(word(TOKEN_MAP, 10, 11).name, "");
	assert_int_equal(word(TOKEN_INT, 12, 15).value, 5000000);
	assert_string_equal(word(TOKEN_STRING, 16, 22).text, "x\ty");
	assert_int_equal(word(TOKEN_POSITIONAL, 23, 26).value, 12);
	word(TOKEN_COUNT, 27, 29);
	word(TOKEN_NAME, 42, 43);
	end("");
}

/* The longest sign that there is. */
static void test_signs(void **state)
{
	static const char text[] = "<<= >>= ... -> ++ -- && || == != <= >= << >> += -= *= /= %= &= "
				   "|= ^= .. < > = ! - + & | a.b 0..3";
	static const int kinds[] = {
		TOKEN_SHL_ASSIGN,
		TOKEN_SHR_ASSIGN,
		TOKEN_ELLIPSIS,
		TOKEN_ARROW,
		TOKEN_INCREMENT,
		TOKEN_DECREMENT,
		TOKEN_LOGICAL_AND,
		TOKEN_LOGICAL_OR,
		TOKEN_EQ,
		TOKEN_NE,
		TOKEN_LE,
		TOKEN_GE,
		TOKEN_SHL,
		TOKEN_SHR,
		TOKEN_ADD_ASSIGN,
		TOKEN_SUB_ASSIGN,
		TOKEN_MUL_ASSIGN,
		TOKEN_DIV_ASSIGN,
		TOKEN_MOD_ASSIGN,
		TOKEN_AND_ASSIGN,
		TOKEN_OR_ASSIGN,
		TOKEN_XOR_ASSIGN,
		TOKEN_RANGE,
		'<',
		'>',
		'=',
		'!',
		'-',
		'+',
		'&',
		'|',
		TOKEN_NAME,
		'.',
		TOKEN_NAME,
		TOKEN_INT,
		TOKEN_RANGE,
		TOKEN_INT,
	};
	struct token t;

	(void)state;
	begin(text, strlen(text));
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		lex_token(&lx, &t);
		assert_int_equal(t.kind, kinds[i]);
	}
	end("");
}

static void test_strings(void **state)
{
	static const char text[] = "\"\\a\\b\\e\\f\\n\\r\\t\\v\\\"\\'\\\\\\?\" \"\\x41\\x7\\X5aB\" "
				   "\"\\101\\7\\0008\" \"a\0b\" \"\xff\xc3\xa9\" \"\"";
	struct token t;

	(void)state;
	begin(text, sizeof(text) - 1);
	lex_token(&lx, &t);
	assert_string_equal(t.text, "\a\b\033\f\n\r\t\v\"'\\?");
	lex_token(&lx, &t);
	assert_string_equal(t.text, "A\aZB");
	lex_token(&lx, &t);
	assert_int_equal(t.length, 4);
	assert_memory_equal(t.text,
			    "A\a\0"
			    "8",
			    4);
	lex_token(&lx, &t);
	assert_int_equal(t.length, 3);
	assert_memory_equal(t.text, "a\0b", 3);
	lex_token(&lx, &t);
	assert_string_equal(t.text, "\xff\xc3\xa9");
	lex_token(&lx, &t);
	assert_int_equal(t.length, 0);
	end("");
}

/* What is wrong is said once, also where a word is read again. */
static void test_said_once(void **state)
{
	static const char text[] = "09 \"\\q\" \"x";
	struct token t;

	(void)state;
	begin(text, strlen(text));
	for (int i = 0; i < 3; i++) {
		lx.at = 0;
		lex_token(&lx, &t);
		assert_int_equal(t.kind, TOKEN_BAD);
		lex_token(&lx, &t);
		assert_int_equal(t.kind, TOKEN_STRING);
		lex_token(&lx, &t);
		assert_int_equal(t.kind, TOKEN_BAD);
	}
	assert_true(lx.failed);
	end("stdin:1:1-3: ERROR: a number that begins with 0 is octal: its digits are 0 to 7\n"
	    "09 \"\\q\" \"x\n"
	    "~~\n"
	    "stdin:1:5-7: ERROR: there is no such escape in texts\n"
	    "09 \"\\q\" \"x\n"
	    "    ~~\n"
	    "stdin:1:9-11: ERROR: this text has no end: \" is missing\n"
	    "09 \"\\q\" \"x\n"
	    "        ~~\n");
}

static void test_quiet(void **state)
{
	struct token t;

	(void)state;
	begin("`", 1);
	lx.quiet = true;
	lex_token(&lx, &t);
	assert_int_equal(t.kind, TOKEN_BAD);
	assert_true(lx.failed);
	end("");
}

/* --- names of probes --- */

static void test_probe_end(void **state)
{
	static const struct {
		const char *text;
		const char *name; /* of the probe */
	} rows[] = {
		{ "kprobe:f {", "kprobe:f" },
		{ "kprobe:f{", "kprobe:f" },
		{ "kprobe:f,g", "kprobe:f" },
		{ "kprobe:f/pid/{", "kprobe:f" },
		{ "kprobe:f// c", "kprobe:f" },
		{ "BEGIN/1/", "BEGIN" },
		{ "begin", "begin" },
		{ "interval:s:1/pid/", "interval:s:1" },
		{ "i:s:1/pid/", "i:s:1" },
		{ "uprobe:/bin/bash:f /pid/", "uprobe:/bin/bash:f" },
		{ "uprobe:/bin/*:f {", "uprobe:/bin/*:f" },
		{ "usdt:/a//b:c{", "usdt:/a//b:c" },
		{ "*:/bin/sh:f{", "*:/bin/sh:f" },
		{ "it:task:/sys/x {", "it:task:/sys/x" },
		{ "iter:task:/sys/x {", "iter:task:/sys/x" },
		{ "name=uprobe:/a:b {", "name=uprobe:/a:b" },
		{ "$1:/a:b {", "$1:/a:b" },
		{ "uprobe:\"/a b,{\":f {", "uprobe:\"/a b,{\":f" },
		{ "uprobe:/x:\"g\\\"h i\" {", "uprobe:/x:\"g\\\"h i\"" },
		/* a quotation mark that is missing ends with its line */
		{ "k:\"open\n {", "k:\"open\n" },
		{ "", "" },
		{ "/pid/", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *text = rows[i].text;
		uint32_t to = lex_probe_end(text, 0, strlen(text));

		if (strlen(rows[i].name) != to || strncmp(text, rows[i].name, to))
			fail_msg("%s: ends at %u", text, to);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),	  cmocka_unit_test(test_suffixes),
		cmocka_unit_test(test_negative),  cmocka_unit_test(test_words),
		cmocka_unit_test(test_signs),	  cmocka_unit_test(test_strings),
		cmocka_unit_test(test_said_once), cmocka_unit_test(test_quiet),
		cmocka_unit_test(test_probe_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
