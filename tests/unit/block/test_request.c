/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "block/request.h"

/* What the running kernel's BTF would say. */
static void learn(const char *name, int64_t value)
{
	for (const struct kernel_fact *f = request_facts; f->name; f++)
		if (!strcmp(f->name, name)) {
			*f->value = value;
			return;
		}
	fail_msg("%s is never asked for", name);
}

static void assert_flags(uint64_t flags, const char *text)
{
	char buf[160];

	assert_string_equal(request_flags_str(flags, buf, sizeof(buf)), text);
}

/* A number means what the kernel says, and nothing where the kernel does not say. */
static void test_zone_operations(void **state)
{
	assert_flags(10, "Operation10");
	learn("REQ_OP_ZONE_OPEN", 11);
	learn("REQ_OP_ZONE_CLOSE", 13);
	learn("REQ_OP_ZONE_FINISH", 15);
	learn("REQ_OP_ZONE_APPEND", 7);
	learn("REQ_OP_ZONE_RESET", 17);
	learn("REQ_OP_ZONE_RESET_ALL", 19);
	assert_flags(10, "Operation10");
	assert_flags(11, "ZoneOpen");
	assert_flags(13, "ZoneClose");
	assert_flags(15, "ZoneFinish");
	assert_flags(7, "ZoneAppend");
	assert_flags(17, "ZoneReset");
	assert_flags(1 << REQUEST_SYNC | 19, "Sync-ZoneResetAll");
}

static void test_others(void **state)
{
	assert_flags(0, "Read");
	assert_flags(1 << REQUEST_SYNC | 1, "Sync-Write");
	assert_flags(9, "WriteZeroes");
	assert_flags(200, "Operation200");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zone_operations),
		cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
