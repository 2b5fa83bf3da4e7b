/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "run/top.h"

#define NR 3

struct row {
	struct report_row report;
	__u32 bytes;
};

static const struct column columns[] = {
	COL_HEAD(pid, "PID", .width = 5),
	COL(row, bytes, "BYTES", .width = -6, .key = "bytes"),
	COL(row, report.interval_ns, NULL, .key = "interval_ns"),
	COL_END,
};

static struct run r;

static int setup(void **state)
{
	static struct run fresh;
	static struct top_options none;

	r = fresh;
	top_options = none;
	table_show_clock = false;
	out_init(&r.out, -1);
	json_init(&r.json, &r.out);
	return 0;
}

/* What is written for three rows, or for the first @nr of them. */
static char *report(size_t nr)
{
	struct row rows[NR] = { { .bytes = 300 }, { .bytes = 20 }, { .bytes = 1 } };

	for (size_t i = 0; i < NR; i++)
		rows[i].report.head.pid = i + 1;
	r.out.len = 0;
	top_report(&r, columns, rows, nr, sizeof(*rows));
	r.out.buf[r.out.len] = '\0';
	return r.out.buf;
}

static void assert_matches(const char *text, const char *pattern)
{
	regex_t re;

	assert_int_equal(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), 0);
	if (regexec(&re, text, 0, NULL, 0))
		fail_msg("%s does not match %s", text, pattern);
	regfree(&re);
}

#define HEADER	  "PID    BYTES\n"
#define LOAD_LINE "loadavg: [0-9.]+ [0-9.]+ [0-9.]+ [0-9]+/[0-9]+ [0-9]+\n\n"

static void test_text(void **state)
{
	assert_matches(report(NR), "^\n[0-9]{2}:[0-9]{2}:[0-9]{2} " LOAD_LINE HEADER
				   "1        300\n2         20\n3          1\n$");
	assert_int_equal(r.nr_events, NR);
	table_show_clock = true;
	assert_matches(report(0), "^\n[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{6} " LOAD_LINE HEADER "$");
	assert_int_equal(r.nr_events, NR);
}

static void test_without_load(void **state)
{
	top_options.no_load = true;
	assert_string_equal(report(1), "\n" HEADER "1        300\n");
	table_show_clock = true;
	assert_matches(report(1), "^\n[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{6}\n" HEADER "1  ");
}

static void test_rows(void **state)
{
	top_options.no_load = true;
	top_options.rows = 2;
	assert_string_equal(report(NR), "\n" HEADER "1        300\n2         20\n");
	assert_string_equal(report(1), "\n" HEADER "1        300\n");
	assert_int_equal(r.nr_events, 3);
}

static void test_json(void **state)
{
	r.opt.json = true;
	top_options.rows = 1;
	assert_matches(report(NR), "^[{]\"time\":\"[^\"]*\",\"pid\":1,[^\n]*\"bytes\":300,"
				   "\"interval_ns\":[1-9][0-9]*[}]\n$");
	assert_string_equal(report(0), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_text, setup),
		cmocka_unit_test_setup(test_without_load, setup),
		cmocka_unit_test_setup(test_rows, setup),
		cmocka_unit_test_setup(test_json, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
