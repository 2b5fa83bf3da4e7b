/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which waits are asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/util.h"
#include "lib/core/task.shared.h"
#include "tasks/offcpu.h"

static void check(const char *arg, __u32 letters, __u32 bits)
{
	struct offcpu_states s;

	assert_null(offcpu_parse_states(arg, &s));
	assert_int_equal(s.letters, letters);
	assert_int_equal(s.bits, bits);
}

static void test_states(void **state)
{
	static const char *const wrong[] = { "",   "S,2", "2,S",	 "2x",
					     "0x", "-1",  "0x100000000", "99999999999999999999",
					     " 2", "+2",  "S," };
	struct offcpu_states s;

	(void)state;
	check("D", 1 << TASK_IS_BLOCKED, 0);
	check("S,D", 1 << TASK_IS_SLEEPING | 1 << TASK_IS_BLOCKED, 0);
	check("2", 0, 2);
	check("0x402", 0, 0x402);
	check("4294967295", 0, UINT32_MAX);
	check("0", 1 << TASK_IS_RUNNABLE, 0);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_non_null(offcpu_parse_states(wrong[i], &s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
