/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/signals.h"

/* glibc has it from 2.32 on, musl does not. */
extern const char *sigabbrev_np(int number) __attribute__((weak));

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(signal_name(9), "KILL");
	assert_string_equal(signal_name(11), "SEGV");
	assert_string_equal(signal_name(32), "RT");
	assert_string_equal(signal_name(64), "RT");
	assert_null(signal_name(0));
	assert_null(signal_name(65));
	assert_null(signal_name(-1));
	assert_null(signal_name(INT32_MIN));
	for (int i = 1; i < 32; i++) {
		assert_non_null(signal_name(i));
		if (sigabbrev_np && strcmp(signal_name(i), "IO"))
			assert_string_equal(signal_name(i), sigabbrev_np(i));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
