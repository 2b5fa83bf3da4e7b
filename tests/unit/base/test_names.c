/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/names.h"

static void test_uid(void **state)
{
	uint32_t uid = 77;

	(void)state;
	assert_int_equal(uid_parse("root", &uid), 0);
	assert_int_equal(uid, 0);
	assert_int_equal(uid_parse("1000", &uid), 0);
	assert_int_equal(uid, 1000);
	assert_int_equal(uid_parse("4294967294", &uid), 0);
	assert_int_equal(uid, 4294967294);
	uid = 77;
	assert_int_equal(uid_parse("4294967295", &uid), -ENOENT);
	assert_int_equal(uid_parse("99999999999999999999999", &uid), -ENOENT);
	assert_int_equal(uid_parse("", &uid), -ENOENT);
	assert_int_equal(uid_parse("-1", &uid), -ENOENT);
	assert_int_equal(uid_parse("+1", &uid), -ENOENT);
	assert_int_equal(uid_parse(" 1", &uid), -ENOENT);
	assert_int_equal(uid_parse("12x", &uid), -ENOENT);
	assert_int_equal(uid_parse("0x10", &uid), -ENOENT);
	assert_int_equal(uid_parse("no such user", &uid), -ENOENT);
	assert_int_equal(uid, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
