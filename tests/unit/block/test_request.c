/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
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

static void assert_operation(uint64_t flags, char letter, const char *text)
{
	char buf[32];

	assert_int_equal(request_letter(flags), letter);
	assert_string_equal(request_operation(flags, buf, sizeof(buf)), text);
}

static void test_operations(void **state)
{
	assert_operation(1 << REQUEST_SYNC | 0, 'R', "read");
	assert_operation(1, 'W', "write");
	assert_operation(2, 'F', "flush");
	assert_operation(3, 'D', "discard");
	assert_operation(5, 'S', "secure_erase");
	assert_operation(9, 'W', "write_zeroes");
	assert_operation(200, '?', "operation_200");
	learn("REQ_OP_ZONE_RESET_ALL", 19);
	assert_operation(19, 'Z', "zone_reset_all");
}

/* By -errno, and by blk_status_t, as far as its numbers never moved. */
static void test_errors(void **state)
{
	assert_int_equal(request_errno(0), 0);
	assert_int_equal(request_errno(-EIO), EIO);
	assert_int_equal(request_errno(1), EOPNOTSUPP);
	assert_int_equal(request_errno(10), EIO);
	assert_int_equal(request_errno(13), EBUSY);
	assert_int_equal(request_errno(14), -1);
	assert_int_equal(request_errno(255), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zone_operations),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_operations),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
