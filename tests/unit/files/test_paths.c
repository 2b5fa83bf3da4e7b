/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "files/paths.h"

static const char *join(const char *base, const char *name)
{
	static char text[64];
	size_t len;

	memset(text, '#', sizeof(text));
	len = paths_join(text, base, base ? strlen(base) : 0, name, strlen(name));
	assert_int_equal(text[len], '#'); /* nothing behind it was touched */
	text[len] = '\0';
	return text;
}

static void test_join(void **state)
{
	(void)state;
	assert_string_equal(join(NULL, "a"), "a");
	assert_string_equal(join(NULL, "/a"), "/a");
	assert_string_equal(join("/usr/lib", "a/b"), "/usr/lib/a/b");
	assert_string_equal(join("", "a"), "/a"); /* the root directory */
	assert_string_equal(join("", "/a"), "/a");
	assert_string_equal(join("/jail", "/a"), "/jail/a"); /* inside a chroot */
	assert_string_equal(join("?", "a"), "?/a");
	assert_string_equal(join(NULL, ""), "?");
	assert_string_equal(join("/usr", ""), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_join),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
