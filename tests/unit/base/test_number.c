/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Numbers out of the kernel's texts. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/number.h"

static char path[] = "/tmp/borescope-unit-number-XXXXXX";

static int number(const char *text, unsigned int nth, uint64_t *v)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	*v = 99;
	return number_read(path, nth, v);
}

static void test_number(void **state)
{
	uint64_t v;

	(void)state;
	assert_int_equal(number("127\n", 1, &v), 0);
	assert_int_equal(v, 127);
	assert_int_equal(number("0.20 0.18 0.12 1/80 11206\n", 5, &v), 0);
	assert_int_equal(v, 80);
	assert_int_equal(number(" 12\t34/5", 3, &v), 0);
	assert_int_equal(v, 5);
	assert_int_equal(number("18446744073709551615", 1, &v), 0);
	assert_int_equal(v, UINT64_MAX);
	assert_int_equal(number("18446744073709551616", 1, &v), -EINVAL);
	assert_int_equal(number("0.20 1", 1, &v), -EINVAL);
	assert_int_equal(number("-1", 1, &v), -EINVAL);
	assert_int_equal(number("12x", 1, &v), -EINVAL);
	assert_int_equal(number("1 2", 3, &v), -EINVAL);
	assert_int_equal(number("", 1, &v), -EINVAL);
	assert_int_equal(v, 99);
	unlink(path);
	assert_int_equal(number_read(path, 1, &v), -ENOENT);
	assert_int_equal(number_read("/proc", 1, &v), -EISDIR);
	assert_int_equal(v, 99);
}

static void test_number_field(void **state)
{
	uint64_t v;

	(void)state;
	number("Name:\tTgid: 7\nxTgid:\t8\nTgid:\t12\nTgid:\t13\nCapEff:\t000001ffffffffff\n", 1,
	       &v);
	assert_int_equal(number_field(path, "Tgid", 10, &v), 0);
	assert_int_equal(v, 12); /* a line of its own, and the first */
	assert_int_equal(number_field(path, "CapEff", 16, &v), 0);
	assert_int_equal(v, 0x1ffffffffff);
	assert_int_equal(number_field(path, "Cap", 16, &v), -ENOENT);
	unlink(path);
	assert_int_equal(number_field(path, "Tgid", 10, &v), -ENOENT);
	assert_int_equal(v, 0x1ffffffffff);
	assert_int_equal(number_field("/proc/self/status", "Tgid", 10, &v), 0);
	assert_int_equal(v, getpid());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_number_field),
	};
	int fd = mkstemp(path);

	if (fd < 0)
		return 1;
	close(fd);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
