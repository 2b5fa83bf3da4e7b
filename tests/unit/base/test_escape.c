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
			assert_int_equal(escape_utf8_decode(s, n, &got), 0);
			continue;
		}
		assert_int_equal(escape_utf8_decode(s, n, &got), n);
		assert_int_equal(got, cp);
		assert_int_equal(escape_utf8_decode(s, n - 1, &got), 0);
	}
}

static void test_utf8_controls(void **state)
{
	/* soft hyphen, grapheme joiner, fillers, zero width, bidi, invisible operators, selectors,
	 * BOM, musical and shorthand format, tags and spaces that are none */
	static const uint32_t hidden[] = {
		0,	 0x1b,	  0x7f,	   0x80,    0x9f,    0xa0,    0xad,   0x34f,  0x61c,
		0x115f,	 0x1160,  0x17b4,  0x180e,  0x2003,  0x200b,  0x200d, 0x200f, 0x2028,
		0x2029,	 0x202a,  0x202e,  0x202f,  0x2060,  0x2064,  0x2066, 0x2069, 0x206f,
		0x2800,	 0x3000,  0x3164,  0xfe00,  0xfe0f,  0xfeff,  0xffa0, 0xfff9, 0x1bca0,
		0x1d173, 0xe0001, 0xe0020, 0xe007f, 0xe0100, 0xe01ef,
	};
	static const uint32_t shown[] = { ' ',	  '~',	  0xa1,	  0xe9,	  0x301,   0x5d0,
					  0x627,  0x915,  0x2010, 0x2027, 0x20ac,  0x2801,
					  0x3001, 0x6f22, 0xfe10, 0xfffd, 0x1f600, 0x10ffff };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++)
		assert_true(escape_utf8_is_control(hidden[i]));
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
		assert_false(escape_utf8_is_control(shown[i]));
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
	LINE("unseen: a\u200bb \U000e0041", "unseen: a\\342\\200\\213b \\363\\240\\201\\201");
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
