/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdio.h>

#include "output.h"

#include "output/table.h"

struct call_event {
	struct event_head head;
	__u32 size;
	__s32 ret;
	char name[8];
};

static const struct call_event opened = {
	.head = { .ts = 1, .pid = 12, .tid = 13, .uid = 14, .comm = "shopd" },
	.size = 4096,
	.ret = -2,
	.name = "a,b",
};
static bool show_size;

static void print_mark(struct out *out, const void *event)
{
	out_str(out, ((const struct call_event *)event)->ret < 0 ? "!" : "-");
}

static void print_double(struct out *out, const void *size)
{
	out_u64(out, 2ULL * *(const __u32 *)size);
}

static void json_mark(struct json *j, const void *event)
{
	json_bool(j, "failed", ((const struct call_event *)event)->ret < 0);
}

static const struct column columns[] = {
	COL_HEAD(pid, "PID", .width = 5),
	COL_CUSTOM(NULL, .json = json_mark, .keys = "failed"),
	COL(call_event, size, "SIZE", .width = -6, .show = &show_size, .key = "size_bytes"),
	COL(call_event, ret, "RET", .width = -4, .fmt = FMT_INT, .key = "ret"),
	COL(call_event, ret, NULL, .fmt = FMT_ERRNO, .key = "errno"),
	COL(call_event, size, "TWICE", .width = 6, .text = print_double, .key = "size_again"),
	COL_CUSTOM("M", .width = 3, .text = print_mark),
	COL(call_event, name, "NAME", .width = 9, .fmt = FMT_STR),
	COL(call_event, size, NULL),
	COL_CUSTOM(NULL, .text = print_mark),
	COL_END,
	COL_HEAD(tid, "NEVER", .key = "never"),
};

static void test_header(void **state)
{
	table_header(&o, columns);
	assert_string_equal(text(), "PID    RET TWICE  M   NAME\n");
	assert_int_equal(table_width(columns), 5 + 1 + 4 + 1 + 6 + 1 + 3 + 1 + 9);
	show_size = true;
	assert_int_equal(table_width(columns), 5 + 1 + 6 + 1 + 4 + 1 + 6 + 1 + 3 + 1 + 9);
	table_header(&o, columns);
	assert_string_equal(text(), "PID     SIZE  RET TWICE  M   NAME\n");
	show_size = false;
}

static void test_row(void **state)
{
	struct call_event e = opened;

	table_row(&o, columns, &e.head);
	assert_string_equal(text(), "12      -2 8192   !   a,b\n");
	e.head.pid = EVENT_UNKNOWN;
	table_row(&o, columns, &e.head);
	assert_string_equal(text(), "?       -2 8192   !   a,b\n");
}

/* Whose user is known of a task that is not, and whose is not. */
static void test_unknown_task(void **state)
{
	struct call_event e = opened;

	e.head.pid = EVENT_UNKNOWN;
	table_json(&o, columns, &e.head);
	assert_non_null(strstr(text(), "\"pid\":null,\"tid\":null,\"uid\":14,\"comm\":null,"));
	e.head.uid = EVENT_UNKNOWN;
	table_json(&o, columns, &e.head);
	assert_non_null(strstr(text(), "\"tid\":null,\"uid\":null,\"comm\":null,"));
}

/* What is less than the last decimal is left out. */
static void test_units(void **state)
{
	const __u64 n = 12349999;

	table_ms(&o, &n);
	assert_string_equal(text(), "12.34");
	table_ms_us(&o, &n);
	assert_string_equal(text(), "12.349");
	table_kb(&o, &n);
	assert_string_equal(text(), "12060");
}

/* Nothing is printed as a huge number because it is less than nothing. */
static void test_below_zero(void **state)
{
	struct {
		struct event_head head;
		__s64 at;
	} e = { .head = { .ts = 5000000000, .pid = 1 }, .at = -1 };
	const struct column own[] = {
		COL_ELAPSED(NULL),
		{ .title = "AT",
		  .fmt = FMT_KNOWN,
		  .offset = sizeof(e.head),
		  .size = 8,
		  .key = "at" },
		COL_END,
	};

	table_row(&o, own, &e.head);
	assert_string_equal(text(), "0.000000000   ?\n");
	e.head.ts -= 1500000000; /* of another CPU */
	e.at = 1;
	table_row(&o, own, &e.head);
	assert_string_equal(text(), "-1.500000000  1\n");
	e.at = -1;
	table_json(&o, own, &e.head);
	assert_non_null(strstr(text(), "\"at\":null}"));
}

static void test_csv(void **state)
{
	static const struct column values[] = {
		COL(call_event, name, "NAME", .fmt = FMT_STR),
		COL_HEAD(pid, "PID"),
		COL(call_event, name, "LAST", .fmt = FMT_STR),
		COL_CUSTOM(NULL, .json = json_mark),
		COL_END,
	};

	table_csv = true;
	table_header(&o, values);
	table_row(&o, values, &opened.head);
	assert_string_equal(text(), "NAME,PID,LAST\na\\054b,12,a\\054b\n");
	/* what would hide the rest from a reader, and what a spreadsheet would work out */
	table_text(&o, "\"a,\"", 4);
	assert_string_equal(text(), "\\042a\\054\\042");
	for (const char *c = "=+-@"; *c; c++) {
		const char name[] = { *c, '1', *c, ' ', '2', '\0' };
		char want[16];

		snprintf(want, sizeof(want), "\\%03o1%c 2", *c, *c);
		table_text(&o, name, sizeof(name));
		assert_string_equal(text(), want);
	}
	table_text(&o, "a,b", 2);
	assert_string_equal(text(), "a\\054");
	table_text(&o, ",", 1);
	assert_string_equal(text(), "\\054");
	table_text(&o, "", 0);
	assert_string_equal(text(), "");
	table_csv = false;
	table_text(&o, "=\"a,b", 5);
	assert_string_equal(text(), "=\"a,b");
}

/* Columns that text does not show are there; what follows the end is not. */
static void test_json(void **state)
{
	table_json(&o, columns, &opened.head);
	assert_string_equal(strstr(text(), "\"pid\""),
			    "\"pid\":12,\"tid\":13,\"uid\":14,\"comm\":\"shopd\",\"failed\":true,"
			    "\"size_bytes\":4096,\"ret\":-2,\"errno\":2,\"error\":\"ENOENT\","
			    "\"size_again\":4096}\n");
}

/* A column of no title, key or function says nothing, and ends nothing. */
static void test_empty_column(void **state)
{
	static const struct column gap[] = {
		COL_HEAD(pid, "PID", .width = 4),
		COL_CUSTOM(NULL),
		COL(call_event, size, "SIZE", .width = 6),
		COL_END,
	};

	table_row(&o, gap, &opened.head);
	assert_string_equal(text(), "12   4096\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_header, setup_output, teardown_output),
		cmocka_unit_test_setup_teardown(test_row, setup_output, teardown_output),
		cmocka_unit_test_setup_teardown(test_unknown_task, setup_output, teardown_output),
		cmocka_unit_test_setup_teardown(test_units, setup_output, teardown_output),
		cmocka_unit_test_setup_teardown(test_below_zero, setup_output, teardown_output),
		cmocka_unit_test_setup_teardown(test_csv, setup_output, teardown_output),
		cmocka_unit_test_setup_teardown(test_json, setup_output, teardown_output),
		cmocka_unit_test_setup_teardown(test_empty_column, setup_output, teardown_output),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
