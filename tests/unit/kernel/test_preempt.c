/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Whether a kernel preempts tasks inside it, by what it and its build say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/util.h"
#include "kernel/preempt.h"

struct saying {
	const char *text;
	enum preempt preempt;
};

#define CHECK(function, ...)                                                                       \
	do {                                                                                       \
		static const struct saying all[] = { __VA_ARGS__ };                                \
                                                                                                   \
		for (size_t i = 0; i < ARRAY_SIZE(all); i++)                                       \
			if (function(all[i].text) != all[i].preempt)                               \
				fail_msg("'%s': %d", all[i].text, function(all[i].text));          \
	} while (0)

/* As Debian's 5.10, 6.12, a 6.6 that was built with it, and one for real time have it. */
static void test_version(void **state)
{
	CHECK(preempt_by_version, { "#1 SMP Debian 5.10.262-1 (2026-10-30)", PREEMPT_NOT },
	      { "#1 SMP PREEMPT_DYNAMIC Debian 6.12.94-1", PREEMPT_UNKNOWN },
	      { "#1 SMP PREEMPT Fri Nov 3", PREEMPT_INSIDE },
	      { "#1 SMP PREEMPT_RT Debian 6.12.94-1", PREEMPT_INSIDE }, { "", PREEMPT_NOT });
}

static void test_setting(void **state)
{
	CHECK(preempt_by_setting, { "none (voluntary) full \n", PREEMPT_NOT },
	      { "(none) voluntary full lazy \n", PREEMPT_NOT },
	      { "none voluntary (full) \n", PREEMPT_INSIDE }, { "full (lazy) \n", PREEMPT_INSIDE },
	      { "(full) lazy \n", PREEMPT_INSIDE }, { "full lazy \n", PREEMPT_UNKNOWN },
	      { "full (laz", PREEMPT_UNKNOWN }, { "(something)", PREEMPT_UNKNOWN },
	      { "", PREEMPT_UNKNOWN });
}

static void test_boot(void **state)
{
	CHECK(preempt_by_boot, { "root=/dev/vda1 quiet\n", PREEMPT_UNKNOWN },
	      { "quiet preempt=full\n", PREEMPT_INSIDE }, { "preempt=lazy quiet", PREEMPT_INSIDE },
	      { "preempt=full preempt=none\n", PREEMPT_NOT },
	      { "nopreempt=full x=preempt=full", PREEMPT_UNKNOWN },
	      { "preempt=fuller", PREEMPT_UNKNOWN }, { "preempt=", PREEMPT_UNKNOWN },
	      { "", PREEMPT_UNKNOWN });
}

static void test_config(void **state)
{
	CHECK(preempt_by_config_line, { "CONFIG_PREEMPT_VOLUNTARY=y", PREEMPT_NOT },
	      { "CONFIG_PREEMPT_NONE=y", PREEMPT_NOT }, { "CONFIG_PREEMPT_LAZY=y", PREEMPT_INSIDE },
	      { "CONFIG_PREEMPT=y", PREEMPT_INSIDE },
	      { "# CONFIG_PREEMPT is not set", PREEMPT_UNKNOWN },
	      { "CONFIG_PREEMPT_BUILD=y", PREEMPT_UNKNOWN },
	      { "CONFIG_PREEMPT_DYNAMIC=y", PREEMPT_UNKNOWN }, { "", PREEMPT_UNKNOWN });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_setting),
		cmocka_unit_test(test_boot),
		cmocka_unit_test(test_config),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
