/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <linux/types.h>
#include <stdbool.h>

#include "net/names.h"
#include "output.h"

static struct inet_addr addr_of(uint32_t v4)
{
	struct inet_addr a = { 0 };

	a.words[2] = htonl(0xffff);
	a.words[3] = htonl(v4);
	return a;
}

/* An answer for this process: a name of one letter has this address. */
static bool tell(uint32_t pid, uint64_t ts, char name, uint32_t v4)
{
	static struct names_answer a;
	const uint8_t msg[] = { 0, 1,	 0x81, 0x80, 0,	 1, 0, 1,	 0,	   0,	    0, 0,
				1, name, 0,    0,    1,	 0, 1, 0xc0,	 12,	   0,	    1, 0,
				1, 0,	 0,    0,    60, 0, 4, v4 >> 24, v4 >> 16, v4 >> 8, v4 };

	a = (struct names_answer){ .head = { .ts = ts, .pid = pid, .flags = NAMES_ANSWER },
				   .born = 7,
				   .len = sizeof(msg) };
	memcpy(a.message, msg, sizeof(msg));
	return names_event(&a, offsetof(struct names_answer, message) + sizeof(msg));
}

static const char *name_at(uint64_t time, uint32_t pid, uint64_t born, uint32_t v4)
{
	const struct inet_addr addr = addr_of(v4);
	const struct names_entry *n = names_find(pid, born, &addr, time);

	return n ? n->name : NULL;
}

static const char *name_of(uint32_t pid, uint64_t born, uint32_t v4)
{
	return name_at(UINT64_MAX, pid, born, v4);
}

static void test_whose(void **state)
{
	assert_true(tell(1, 10, 'a', 0x0a000001));
	assert_true(tell(2, 11, 'b', 0x0a000001));
	assert_string_equal(name_of(1, 7, 0x0a000001), "a");
	assert_string_equal(name_of(2, 7, 0x0a000001), "b");
	assert_null(name_of(3, 7, 0x0a000001));
	assert_null(name_of(1, 8, 0x0a000001)); /* another process, of the same id */
	assert_null(name_of(1, 7, 0x0a000002));
	assert_true(tell(1, 12, 'c', 0x0a000001)); /* the last one counts */
	assert_string_equal(name_of(1, 7, 0x0a000001), "c");
	names_free();
	assert_null(name_of(1, 7, 0x0a000001));
}

/* What was asked for later is not what a connection was made by. */
static void test_when(void **state)
{
	assert_true(tell(1, 10, 'a', 0x0a000001));
	assert_true(tell(1, 20, 'b', 0x0a000001));
	assert_true(tell(1, 30, 'a', 0x0a000001));
	assert_null(name_at(9, 1, 7, 0x0a000001));
	assert_string_equal(name_at(10, 1, 7, 0x0a000001), "a");
	assert_string_equal(name_at(15, 1, 7, 0x0a000001), "a");
	assert_string_equal(name_at(25, 1, 7, 0x0a000001), "b");
	assert_string_equal(name_at(30, 1, 7, 0x0a000001), "a");
	names_free();
}

/* Another kind of event, and messages that are none or not as long as they say. */
static void test_others(void **state)
{
	static struct names_answer a = { .head = { .pid = 1 }, .len = 40 };

	assert_false(names_event(&a, sizeof(a)));
	a.head.flags = NAMES_ANSWER;
	assert_true(names_event(&a, sizeof(a)));
	a.len = NAMES_MESSAGE_MAX + 1;
	assert_true(names_event(&a, sizeof(a)));
	assert_true(names_event(&a, offsetof(struct names_answer, message)));
}

/* What is not kept is what is oldest. */
static void test_many(void **state)
{
	int kept = 0;

	for (uint32_t i = 0; i < 100000; i++)
		assert_true(tell(1, i + 1, 'x', 0x0a000000 + i));
	for (uint32_t i = 0; i < 100000; i++)
		kept += !!name_of(1, 7, 0x0a000000 + i);
	assert_in_range(kept, 8000, 16384);
	assert_non_null(name_of(1, 7, 0x0a000000 + 99999));
	names_free();
}

/* As text, then as JSON, at the time @now. */
static const char *said(uint32_t v4, uint64_t now)
{
	const struct inet_addr addr = addr_of(v4);
	const struct names_entry *n = names_find(1, 7, &addr, now);
	struct json j;

	names_out(&o, n, now);
	out_char(&o, ' ');
	json_init(&j, &o);
	json_object(&j, NULL);
	names_json(&j, n, now);
	json_end_object(&j);
	return text();
}

/* How old a name is stands beside it where that is of interest. */
static void test_columns(void **state)
{
	assert_true(tell(1, 1000, 'a', 0x0a000001));
	assert_string_equal(said(0x0a000001, 2000), "a {\"query\":\"a\",\"query_age_ns\":1000}\n");
	assert_string_equal(said(0x0a000001, 100001000),
			    "a {\"query\":\"a\",\"query_age_ns\":100000000}\n");
	assert_string_equal(said(0x0a000001, 250002000),
			    "a (250.001ms) {\"query\":\"a\",\"query_age_ns\":250001000}\n");
	assert_string_equal(said(0x0a000001, 1000), "a {\"query\":\"a\",\"query_age_ns\":0}\n");
	assert_string_equal(said(0x0a000001, 999), "? {\"query\":null}\n");
	assert_string_equal(said(0x0a000002, 2000), "? {\"query\":null}\n");
	names_free();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whose),	cmocka_unit_test(test_when),
		cmocka_unit_test(test_others),	cmocka_unit_test(test_many),
		cmocka_unit_test(test_columns),
	};

	return cmocka_run_group_tests(tests, setup_output, teardown_output);
}
