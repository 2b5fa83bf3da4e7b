/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which tasks a tool looks at: the arguments that say it, and the judgement in user space. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "run/filter.h"
#include "base/util.h"
#include "lib/core/events.shared.h"

static void test_ids(void **state)
{
	static const char *const wrong[] = {
		"",	",",  "0",  "-1", "12x", "12,",	       ",12",
		"1,,2", " 1", "1 ", "+1", "0x1", "2147483648", "0000000000000001"
	};
	struct filter f = { 0 };

	assert_false(filter_is_set(&f));
	assert_null(filter_parse_pids("1234", &f));
	assert_null(filter_parse_pids("1,2147483647", &f)); /* given again: it adds to them */
	assert_int_equal(f.nr_pids, 3);
	assert_int_equal(f.pids[0], 1234);
	assert_int_equal(f.pids[2], 2147483647);
	assert_int_equal(f.nr_tids, 0);
	assert_true(filter_is_set(&f));
	assert_null(filter_parse_tids("7", &f));
	assert_int_equal(f.nr_tids, 1);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		f = (struct filter){ 0 };
		assert_non_null(filter_parse_pids(wrong[i], &f));
		assert_non_null(filter_parse_tids(wrong[i], &f));
	}
}

static void test_too_many_ids(void **state)
{
	struct filter f = { 0 };

	for (int i = 0; i < FILTER_IDS_MAX; i++)
		assert_null(filter_parse_pids("23", &f));
	assert_non_null(filter_parse_pids("23", &f));
	assert_int_equal(f.nr_pids, FILTER_IDS_MAX);
}

static void test_uid(void **state)
{
	static const char *const wrong[] = {
		"",	"4294967295",	"99999999999999999999999", "-1", "+1", " 1", "12x",
		"0x10", "no such user",
	};
	struct filter f = { .uid = 77 };

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_non_null(filter_parse_uid(wrong[i], &f));
	assert_int_equal(f.uid, 77);
	assert_false(filter_is_set(&f));
	assert_null(filter_parse_uid("root", &f));
	assert_int_equal(f.uid, 0);
	assert_true(filter_is_set(&f));
	assert_null(filter_parse_uid("1000", &f));
	assert_int_equal(f.uid, 1000);
	assert_null(filter_parse_uid("4294967294", &f));
	assert_int_equal(f.uid, 4294967294);
}

static void test_comm(void **state)
{
	struct filter f = { 0 };

	assert_non_null(filter_parse_comm("", &f));
	assert_non_null(filter_parse_comm("sixteen-bytes-16", &f));
	assert_non_null(filter_parse_comm_part("", &f));
	assert_non_null(filter_parse_comm_part("sixteen-bytes-16", &f));
	assert_false(filter_is_set(&f));
	assert_null(filter_parse_comm("fifteen-bytes15", &f));
	assert_null(filter_parse_comm("nginx", &f)); /* nothing of the longer one stays */
	assert_memory_equal(f.comm, "nginx\0\0\0\0\0\0\0\0\0\0", sizeof(f.comm));
	assert_null(filter_parse_comm_part("gin", &f));
	assert_int_equal(f.comm_part_len, 3);
}

static void test_cgroup(void **state)
{
	struct filter f = { 0 };

	assert_non_null(filter_parse_cgroup("", &f));
	assert_non_null(filter_parse_cgroup("/no/such/directory", &f));
	assert_non_null(filter_parse_cgroup("/tmp", &f));
	assert_false(filter_is_set(&f));
}

/* -p, --tid and --comm, judged in user space. */
static void test_passes(void **state)
{
	struct event_head known = { .pid = 7, .tid = 8, .comm = "nginx" };
	struct event_head unknown = { .pid = EVENT_UNKNOWN, .tid = EVENT_UNKNOWN };
	struct filter f = { 0 };

	assert_true(filter_passes(&f, &known));
	assert_true(filter_passes(&f, &unknown));
	f = (struct filter){ .nr_pids = 2, .pids = { 6, 7 } };
	assert_true(filter_passes(&f, &known));
	assert_false(filter_passes(&f, &unknown));
	f.nr_pids = 1;
	assert_false(filter_passes(&f, &known));
	f = (struct filter){ .nr_tids = 1, .tids = { 7 } };
	assert_false(filter_passes(&f, &known));
	f.tids[0] = 8;
	assert_true(filter_passes(&f, &known));
	f = (struct filter){ .by_comm = 1, .comm = "nginx" };
	assert_true(filter_passes(&f, &known));
	assert_false(filter_passes(&f, &unknown));
	f = (struct filter){ .by_comm = 1, .comm = "ngin" };
	assert_false(filter_passes(&f, &known));
	f = (struct filter){ .comm_part_len = 3, .comm_part = "gin" };
	assert_true(filter_passes(&f, &known));
	f = (struct filter){ .comm_part_len = 3, .comm_part = "gim" };
	assert_false(filter_passes(&f, &known));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids),    cmocka_unit_test(test_too_many_ids),
		cmocka_unit_test(test_uid),    cmocka_unit_test(test_comm),
		cmocka_unit_test(test_cgroup), cmocka_unit_test(test_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
