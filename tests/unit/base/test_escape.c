/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/escape.h"
#include "base/util.h"

static void test_utf8_every_code_point(void **state)
{
	uint32_t cp, got;
	char s[4];
	int n;

	(void)state;
	for (cp = 0; cp < 0x120000; cp++) {
		if (cp < 0x80) {
			s[0] = cp;
			n = 1;
		} else if (cp < 0x800) {
			s[0] = 0xc0 | cp >> 6;
			s[1] = 0x80 | (cp & 0x3f);
			n = 2;
		} else if (cp < 0x10000) {
			s[0] = 0xe0 | cp >> 12;
			s[1] = 0x80 | (cp >> 6 & 0x3f);
			s[2] = 0x80 | (cp & 0x3f);
			n = 3;
		} else {
			s[0] = 0xf0 | cp >> 18;
			s[1] = 0x80 | (cp >> 12 & 0x3f);
			s[2] = 0x80 | (cp >> 6 & 0x3f);
			s[3] = 0x80 | (cp & 0x3f);
			n = 4;
		}
		if ((cp >= 0xd800 && cp < 0xe000) || cp > 0x10ffff) {
			assert_int_equal(utf8_decode(s, n, &got), 0);
			continue;
		}
		assert_int_equal(utf8_decode(s, n, &got), n);
		assert_int_equal(got, cp);
		assert_int_equal(utf8_decode(s, n - 1, &got), 0);
	}
}

static void test_utf8_controls(void **state)
{
	static const uint32_t ranges[][2] = { { 0, 0x1f },	  { 0x7f, 0x9f },
					      { 0x61c, 0x61c },	  { 0x200e, 0x200f },
					      { 0x2028, 0x202e }, { 0x2066, 0x2069 },
					      { 0xfeff, 0xfeff } };
	uint32_t cp;
	size_t i;

	(void)state;
	for (cp = 0; cp <= 0x10ffff; cp++) {
		bool want = false;

		for (i = 0; i < ARRAY_SIZE(ranges); i++)
			want |= cp >= ranges[i][0] && cp <= ranges[i][1];
		assert_int_equal(utf8_is_control(cp), want);
	}
}

static void assert_line(const char *in, size_t len, const char *want)
{
	char buf[256];
	size_t n = escape_line(buf, sizeof(buf), in, len);

	assert_int_equal(n, strlen(want));
	assert_memory_equal(buf, want, n);
}

#define LINE(in, want) assert_line(in, sizeof(in) - 1, want)

static void test_line(void **state)
{
	(void)state;
	LINE("", "");
	LINE("plain 'text' \"é\" 漢字", "plain 'text' \"é\" 漢字");
	LINE("a\033]0;title\007b\033[31m", "a\\033]0;title\\ab\\033[31m");
	LINE("two\nlines\r\t\x7f", "two\\nlines\\r\\t\\177");
	LINE("C1: \xc2\x9b", "C1: \\302\\233");
	LINE("raw: \x9b\xff", "raw: \\233\\377");
	LINE("cut: \xe6\xbc", "cut: \\346\\274");
	LINE("bidi: \u202eabc", "bidi: \\342\\200\\256abc");
	LINE("NUL: \0.", "NUL: \\000.");
	LINE("a backslash stays: \\d", "a backslash stays: \\d");
}

static void test_line_that_does_not_fit(void **state)
{
	char buf[16];

	(void)state;
	for (size_t size = 0; size < 12; size++) {
		size_t n = escape_line(buf, size, "ab\n\033é", 6);

		/* only whole characters: a, b, \n, \033, é */
		assert_int_equal(n, size < 2	? size
				    : size < 4	? 2
				    : size < 8	? 4
				    : size < 10 ? 8
						: 10);
	}
}

#define TEST(f) cmocka_unit_test(f)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_utf8_every_code_point),
		TEST(test_utf8_controls),
		TEST(test_line),
		TEST(test_line_that_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
