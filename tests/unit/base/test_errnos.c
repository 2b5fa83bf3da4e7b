/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/errnos.h"

/* glibc has it from 2.32 on, musl does not. */
extern const char *strerrorname_np(int err) __attribute__((weak));

static void test_errno(void **state)
{
	int i;

	(void)state;
	assert_string_equal(errno_name(2), "ENOENT");
	assert_string_equal(errno_name(EAGAIN), "EAGAIN");
	assert_string_equal(errno_name(EOPNOTSUPP), "EOPNOTSUPP");
	assert_string_equal(errno_name(EHWPOISON), "EHWPOISON");
	assert_string_equal(errno_name(512), "ERESTARTSYS");
	assert_string_equal(errno_name(531), "ENOGRACE");
	assert_null(errno_name(0));
	assert_null(errno_name(-2));
	assert_null(errno_name(INT32_MIN));
	assert_null(errno_name(INT32_MAX));
	assert_null(errno_name(520));
	assert_null(errno_name(532));

	if (!strerrorname_np)
		return;
	for (i = 1; i < 512; i++) {
		const char *want = strerrorname_np(i);

		if (!want)
			assert_null(errno_name(i));
		else if (strcmp(want, "ENOTSUP")) /* another name of EOPNOTSUPP */
			assert_string_equal(errno_name(i), want);
	}
}

static void test_number(void **state)
{
	(void)state;
	for (int err = 1; err < 532; err++)
		if (errno_name(err))
			assert_int_equal(errno_number(errno_name(err)), err);
	assert_int_equal(errno_number("EWOULDBLOCK"), EAGAIN);
	assert_int_equal(errno_number("EDEADLOCK"), EDEADLK);
	assert_int_equal(errno_number("ENOTSUP"), EOPNOTSUPP);
	assert_int_equal(errno_number("ENOSUCH"), 0);
	assert_int_equal(errno_number("enoent"), 0);
	assert_int_equal(errno_number(""), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errno),
		cmocka_unit_test(test_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
