/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "base/syscalls.h"

static void test_native(void **state)
{
	(void)state;
	assert_string_equal(syscall_name(SYS_read, false), "read");
	assert_string_equal(syscall_name(SYS_exit_group, false), "exit_group");
	assert_string_equal(syscall_name(451, false), "cachestat");
	assert_string_equal(syscall_name(462, false), "mseal");
	assert_null(syscall_name(-1, false));
	assert_null(syscall_name(INT32_MIN, false));
	assert_null(syscall_name(INT32_MAX, false));
	assert_null(syscall_name(1000, false));
	assert_int_equal(syscall_number("read", false), SYS_read);
	assert_int_equal(syscall_number("no_such_call", false), -1);
	assert_int_equal(syscall_number("", false), -1);
}

static void test_round(void **state)
{
	int named = 0;

	(void)state;
	for (int nr = 0; nr < 600; nr++) {
		if (syscall_name(nr, false))
			assert_int_equal(syscall_number(syscall_name(nr, false), false), nr);
		if (syscall_name(nr, true))
			assert_int_equal(syscall_number(syscall_name(nr, true), true), nr);
		named += !!syscall_name(nr, false);
	}
	assert_in_range(named, 300, 500);
}

/* Numbers that mean something else to 32-bit callers, and to those of x32. */
static void test_other_tables(void **state)
{
	(void)state;
#ifdef __x86_64__
	assert_string_equal(syscall_name(1, true), "exit");
	assert_string_equal(syscall_name(252, true), "exit_group");
	assert_string_equal(syscall_name(462, true), "mseal");
	assert_int_equal(syscall_number("socketcall", true), 102);
	assert_int_equal(syscall_number("socketcall", false), -1);
	assert_string_equal(syscall_name_in(SYSCALL_ABI_X32, 0), "read");
	assert_string_equal(syscall_name_in(SYSCALL_ABI_X32, 520), "execve");
	assert_string_equal(syscall_name_in(SYSCALL_ABI_X32, 547), "pwritev2");
	assert_null(syscall_name_in(SYSCALL_ABI_X32, 548));
	assert_null(syscall_name_in(SYSCALL_ABI_X32, -1));
	assert_int_equal(syscall_number_in(SYSCALL_ABI_X32, "execve"), 520);
	assert_int_equal(syscall_number_in(SYSCALL_ABI_X32, "read"), 0);
	assert_int_equal(syscall_number_in(SYSCALL_ABI_X32, "socketcall"), -1);
#else
	assert_null(syscall_name(1, true));
#endif
}

static void test_all(void **state)
{
	const char *const *names = syscall_names();
	int read = 0, nr;

	(void)state;
	for (nr = 0; names[nr]; nr++) {
		assert_true(!nr || strcmp(names[nr - 1], names[nr]) < 0);
		read += !strcmp(names[nr], "read");
	}
	assert_int_equal(read, 1);
	assert_in_range(nr, 300, 700);
	assert_string_equal(syscall_abi_name(SYSCALL_ABI_X32), "x32");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_native),
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_other_tables),
		cmocka_unit_test(test_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
