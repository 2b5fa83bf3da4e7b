/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdbool.h>

#include "output/json.h"
#include "output.h"

static struct json j;

static int setup(void **state)
{
	json_init(&j, &o);
	return setup_output(state);
}

static void test_structure(void **state)
{
	(void)state;
	json_object(&j, NULL);
	json_end_object(&j);
	assert_string_equal(text(), "{}\n");

	json_object(&j, NULL);
	json_u64(&j, "a", 1);
	json_array(&j, "empty");
	json_end_array(&j);
	json_object(&j, "empty_object");
	json_end_object(&j);
	json_array(&j, "list");
	json_u64(&j, NULL, 1);
	json_str(&j, NULL, "x");
	json_object(&j, NULL);
	json_s64(&j, "b", -2);
	json_end_object(&j);
	json_array(&j, NULL);
	json_null(&j, NULL);
	json_end_array(&j);
	json_end_array(&j);
	json_bool(&j, "t", true);
	json_bool(&j, "f", false);
	json_end_object(&j);
	json_object(&j, NULL);
	json_str(&j, "next", "line");
	json_end_object(&j);
	assert_string_equal(text(), "{\"a\":1,\"empty\":[],\"empty_object\":{},"
				    "\"list\":[1,\"x\",{\"b\":-2},[null]],\"t\":true,\"f\":false}\n"
				    "{\"next\":\"line\"}\n");
}

static void test_values(void **state)
{
	(void)state;
	json_object(&j, NULL);
	json_u64(&j, "u", UINT64_MAX);
	json_s64(&j, "s", INT64_MIN);
	json_fixed(&j, "x", 1234567, 3);
	json_fixed(&j, "y", 5, 3);
	json_fixed(&j, "z", 5, 0);
	json_str(&j, "null", NULL);
	json_str(&j, "empty", "");
	json_strn(&j, "cut", "abc\0def", 7);
	json_strn(&j, "cut2", "abcdef", 2);
	json_strn(&j, "none", NULL, 7);
	json_u64_known(&j, "known", true, 0);
	json_u64_known(&j, "unknown", false, 7);
	json_time(&j, "time", 1792637911123456789);
	json_end_object(&j);
	assert_string_equal(text(),
			    "{\"u\":18446744073709551615,\"s\":-9223372036854775808,"
			    "\"x\":1234.567,\"y\":0.005,\"z\":5,\"null\":null,\"empty\":\"\","
			    "\"cut\":\"abc\",\"cut2\":\"ab\","
			    "\"none\":null,\"known\":0,\"unknown\":null,"
			    "\"time\":\"2026-10-22T02:58:31.123456789Z\"}\n");
}

static const char *string(const char *s, size_t len)
{
	char *t;

	json_array(&j, NULL);
	json_strn(&j, NULL, s, len);
	json_end_array(&j);
	t = text();
	t[strlen(t) - 3] = '\0'; /* "]\n */
	return t + 2;
}

static void test_strings(void **state)
{
	(void)state;
	assert_string_equal(string("a\"b\\c/", 16), "a\\\"b\\\\c/");
	assert_string_equal(string("\b\t\n\f\r", 16), "\\b\\t\\n\\f\\r");
	assert_string_equal(string("\001\a\v\033\037 \177", 16),
			    "\\u0001\\u0007\\u000b\\u001b\\u001f \\u007f");
	assert_string_equal(string("\302\200\302\237\302\241", 16), "\\u0080\\u009f\302\241");
	assert_string_equal(string("\u200b\u3164\U000e0041\U0001f600", 16),
			    "\\u200b\\u3164\\udb40\\udc41\U0001f600");
	assert_string_equal(string("\342\200\250\342\200\256\330\234\357\273\277", 16),
			    "\\u2028\\u202e\\u061c\\ufeff");
	assert_string_equal(string("\303\244\342\202\254\360\237\230\200", 16),
			    "\303\244\342\202\254\360\237\230\200");
	/* each byte that is not valid: one U+FFFD */
	assert_string_equal(string("a\377b", 3), "a\357\277\275b");
	assert_string_equal(string("\342\202", 2), "\357\277\275\357\277\275");
	assert_string_equal(string("\342\202\254", 2), "\357\277\275\357\277\275");
	assert_string_equal(string("\355\240\200", 3), "\357\277\275\357\277\275\357\277\275");
	assert_string_equal(string("\300\200x", 3), "\357\277\275\357\277\275x");
}

/* A strict reader of one value: the JSON grammar, UTF-8, no control character. NULL: not valid. */
static const unsigned char *value(const unsigned char *s, int depth);

static const unsigned char *string_value(const unsigned char *s)
{
	uint32_t cp, least;
	int i, more;

	if (*s++ != '"')
		return NULL;
	while (*s != '"') {
		if (*s < 0x20 || *s == 0x7f)
			return NULL;
		if (*s == '\\') {
			if (s[1] == 'u') {
				for (i = 2; i < 6; i++)
					if (!s[i] || !strchr("0123456789abcdef", s[i]))
						return NULL;
				s += 6;
			} else if (s[1] && strchr("\"\\/bfnrt", s[1])) {
				s += 2;
			} else {
				return NULL;
			}
			continue;
		}
		cp = *s++;
		if (cp < 0x80)
			continue;
		if (cp < 0xc0 || cp >= 0xf8)
			return NULL;
		more = cp >= 0xf0 ? 3 : cp >= 0xe0 ? 2 : 1;
		least = more == 3 ? 0x10000 : more == 2 ? 0x800 : 0x80;
		cp &= 0x3f >> more;
		for (; more; more--) {
			if (*s >> 6 != 2)
				return NULL;
			cp = cp << 6 | (*s++ & 0x3f);
		}
		if (cp < least || cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000) || cp < 0xa0 ||
		    (cp >= 0x2028 && cp <= 0x202e))
			return NULL;
	}
	return s + 1;
}

static const unsigned char *number_value(const unsigned char *s)
{
	if (*s == '-')
		s++;
	if (*s == '0')
		s++;
	else if (*s >= '1' && *s <= '9')
		s += strspn((const char *)s, "0123456789");
	else
		return NULL;
	if (*s == '.') {
		size_t n = strspn((const char *)s + 1, "0123456789");

		if (!n)
			return NULL;
		s += 1 + n;
	}
	return s;
}

static const unsigned char *list_value(const unsigned char *s, int depth)
{
	unsigned char close = *s == '{' ? '}' : ']';

	if (*++s == close)
		return s + 1;
	for (;;) {
		if (close == '}') {
			s = string_value(s);
			if (!s || *s++ != ':')
				return NULL;
		}
		s = value(s, depth + 1);
		if (!s)
			return NULL;
		if (*s == close)
			return s + 1;
		if (*s++ != ',')
			return NULL;
	}
}

static const unsigned char *value(const unsigned char *s, int depth)
{
	static const char *const words[] = { "true", "false", "null" };
	size_t i;

	if (depth > 100)
		return NULL;
	if (*s == '{' || *s == '[')
		return list_value(s, depth);
	if (*s == '"')
		return string_value(s);
	for (i = 0; i < 3; i++)
		if (!strncmp((const char *)s, words[i], strlen(words[i])))
			return s + strlen(words[i]);
	return number_value(s);
}

static bool valid_line(const char *s)
{
	const unsigned char *end = value((const unsigned char *)s, 0);

	return end && end[0] == '\n' && end[1] == '\0';
}

static void test_the_reader_itself(void **state)
{
	(void)state;
	assert_true(valid_line("{\"a\":[1,-2.5,null,\"x\\n\\u00ff\"],\"b\":{}}\n"));
	assert_false(valid_line("{\"a\":1,}\n"));
	assert_false(valid_line("{\"a\":01}\n"));
	assert_false(valid_line("{\"a\":1.}\n"));
	assert_false(valid_line("[1 2]\n"));
	assert_false(valid_line("[\"\t\"]\n"));
	assert_false(valid_line("[\"\\x\"]\n"));
	assert_false(valid_line("[\"\377\"]\n"));
	assert_false(valid_line("[\"\302\233\"]\n"));
	assert_false(valid_line("[]"));
	assert_false(valid_line("[]\n\n"));
}

static void random_members(int depth, bool in_array)
{
	static const char *const keys[] = { "pid", "comm", "latency_ns" };
	int n = random() % 4, i;

	for (i = 0; i < n; i++) {
		const char *key = in_array ? NULL : keys[random() % 3];
		size_t len = random() % 40, k;
		char *s;

		switch (random() % (depth < 12 ? 9 : 7)) {
		case 0:
			json_u64(&j, key, (uint64_t)random() << (random() % 33));
			break;
		case 1:
			json_s64(&j, key, -random());
			break;
		case 2:
			json_bool(&j, key, random() & 1);
			break;
		case 3:
			json_fixed(&j, key, random(), random() % 10);
			break;
		case 4:
			json_time(&j, key, (uint64_t)random() << 30);
			break;
		case 5:
			json_null(&j, key);
			break;
		case 6:
			s = malloc(len ? len : 1);
			for (k = 0; k < len; k++)
				s[k] = random() % 3 ? random()
						    : "\342\200\250\033\"\\"[random() % 6];
			json_strn(&j, key, s, len);
			free(s);
			break;
		case 7:
			json_object(&j, key);
			random_members(depth + 1, false);
			json_end_object(&j);
			break;
		case 8:
			json_array(&j, key);
			random_members(depth + 1, true);
			json_end_array(&j);
			break;
		}
	}
}

static void test_always_valid(void **state)
{
	int i;

	(void)state;
	srandom(3);
	for (i = 0; i < 20000; i++) {
		const char *line;

		json_object(&j, NULL);
		random_members(0, false);
		json_end_object(&j);
		line = text();
		if (!valid_line(line))
			fail_msg("not valid: %s", line);
	}
}

static void test_long_strings(void **state)
{
	size_t len = 3 * OUT_SIZE;
	char *s = malloc(len + 1), *got;

	(void)state;
	memset(s, '\\', len);
	s[len] = '\0';
	json_object(&j, NULL);
	json_str(&j, "s", s);
	json_end_object(&j);
	got = text();
	assert_int_equal(strlen(got), 2 * len + strlen("{\"s\":\"\"}\n"));
	assert_true(valid_line(got));
	free(s);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown_output)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_structure),	      TEST(test_values),       TEST(test_strings),
		TEST(test_the_reader_itself), TEST(test_always_valid), TEST(test_long_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
