/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/open_flags.h"
#include "base/util.h"

static const char *flags(uint32_t f)
{
	static char buf[OPEN_FLAGS_LEN];

	return open_flags_str(f, buf, sizeof(buf));
}

static void test_open_flags_str(void **state)
{
	char small[10];

	(void)state;
	assert_string_equal(flags(O_RDONLY), "O_RDONLY");
	assert_string_equal(flags(O_WRONLY), "O_WRONLY");
	assert_string_equal(flags(3), "O_ACCMODE");
	assert_string_equal(flags(O_RDWR | O_CREAT | O_CLOEXEC), "O_RDWR|O_CREAT|O_CLOEXEC");
	assert_string_equal(flags(O_WRONLY | O_TRUNC | O_CREAT | O_APPEND | O_EXCL),
			    "O_WRONLY|O_CREAT|O_EXCL|O_TRUNC|O_APPEND");
	/* a flag that has another one's bits is told by itself */
	assert_string_equal(flags(O_SYNC), "O_RDONLY|O_SYNC");
	assert_string_equal(flags(O_DSYNC), "O_RDONLY|O_DSYNC");
	assert_string_equal(flags(O_RDWR | O_TMPFILE), "O_RDWR|O_TMPFILE");
	assert_string_equal(flags(O_DIRECTORY | O_NOFOLLOW | O_PATH),
			    "O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_PATH");
	assert_string_equal(flags(O_NONBLOCK | O_NOCTTY | O_ASYNC | O_DIRECT | O_NOATIME),
			    "O_RDONLY|O_NOCTTY|O_NONBLOCK|O_ASYNC|O_DIRECT|O_NOATIME");
#ifdef __x86_64__
	assert_string_equal(flags(0100000), "O_RDONLY|O_LARGEFILE");
	assert_string_equal(flags(O_SYNC & ~O_DSYNC), "O_RDONLY|0x100000");
	assert_string_equal(flags(O_TMPFILE & ~O_DIRECTORY), "O_RDONLY|0x400000");
	assert_string_equal(flags(0x80000020 | O_CLOEXEC), "O_RDONLY|O_CLOEXEC|0x80000020");
#endif
	assert_true(strlen(flags(UINT32_MAX)) < OPEN_FLAGS_LEN - 1);
	assert_null(strstr(flags(UINT32_MAX), "O_DSYNC"));

	assert_string_equal(open_flags_str(O_RDWR | O_CREAT, small, sizeof(small)), "O_RDWR|O_");
	assert_string_equal(open_flags_str(O_RDWR | O_CREAT, small, 1), "");
}

static void test_open_flags_parse(void **state)
{
	static const char *const bad[] = { "",
					   "|",
					   "O_CREAT|",
					   ",O_CREAT",
					   "O_CREAT||O_EXCL",
					   "O_",
					   "O_NOPE",
					   "CREA",
					   "CREATE",
					   "O_CREAT ",
					   "12x",
					   "-1",
					   "0x",
					   "4294967296",
					   "O_CREAT|12x",
					   "0x1g",
					   "99999999999999999999999",
					   "O_O_CREAT",
					   "1 2" };
	uint32_t f = 77;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		if (open_flags_parse(bad[i], &f) != -EINVAL || f != 77)
			fail_msg("'%s' was taken", bad[i]);
	}
	assert_int_equal(open_flags_parse("O_RDONLY", &f), 0);
	assert_int_equal(f, 0);
	assert_int_equal(open_flags_parse("O_RDWR|O_CREAT|O_CLOEXEC", &f), 0);
	assert_int_equal(f, O_RDWR | O_CREAT | O_CLOEXEC);
	assert_int_equal(open_flags_parse("wronly,TRUNC,o_append", &f), 0);
	assert_int_equal(f, O_WRONLY | O_TRUNC | O_APPEND);
	assert_int_equal(open_flags_parse("SYNC", &f), 0);
	assert_int_equal(f, O_SYNC);
	assert_int_equal(open_flags_parse("DSYNC", &f), 0);
	assert_int_equal(f, O_DSYNC);
	assert_int_equal(open_flags_parse("TMPFILE", &f), 0);
	assert_int_equal(f, O_TMPFILE);
	assert_int_equal(open_flags_parse("NDELAY", &f), 0);
	assert_int_equal(f, O_NONBLOCK);
	assert_int_equal(open_flags_parse("64", &f), 0);
	assert_int_equal(f, 64);
	assert_int_equal(open_flags_parse("0100|0x200,1", &f), 0);
	assert_int_equal(f, 0100 | 0x200 | 1);
	assert_int_equal(open_flags_parse("4294967295", &f), 0);
	assert_int_equal(f, UINT32_MAX);
}

static void test_open_flags_there_and_back(void **state)
{
	int i;

	(void)state;
	srandom(8);
	for (i = 0; i < 100000; i++) {
		uint32_t in = (uint32_t)random() << 1 ^ random(), out;

		if (i % 2)
			in &= random() & random();
		assert_int_equal(open_flags_parse(flags(in), &out), 0);
		assert_int_equal(out, in);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open_flags_str),
		cmocka_unit_test(test_open_flags_parse),
		cmocka_unit_test(test_open_flags_there_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
