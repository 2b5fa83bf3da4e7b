/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdio.h>

#include "net/connect.h"
#include "output/table.h"
#include "output.h"

/* As text, then as JSON: "refused {...}". */
static const char *said(int end, int err, unsigned int flags)
{
	const struct connect_event e = { .head.flags = flags, .end = end, .err = err };
	struct json j;

	connect_out_result(&o, &e);
	out_char(&o, ' ');
	json_init(&j, &o);
	json_object(&j, NULL);
	connect_json_result(&j, &e);
	json_end_object(&j);
	return text();
}

static void test_results(void **state)
{
	assert_string_equal(said(CONNECT_ESTABLISHED, 0, 0),
			    "established {\"result\":\"established\",\"errno\":0}\n");
	assert_string_equal(said(CONNECT_ABANDONED, 0, 0),
			    "abandoned {\"result\":\"abandoned\",\"errno\":0}\n");
	assert_string_equal(said(CONNECT_TRYING, 0, 0),
			    "trying {\"result\":\"trying\",\"errno\":0}\n");
	assert_string_equal(said(CONNECT_UNSEEN, 0, 0), "? {\"result\":null,\"errno\":null}\n");
}

static void test_failures(void **state)
{
	static const struct {
		int err;
		enum connect_result result;
	} known[] = {
		{ ECONNREFUSED, CONNECT_RESULT_REFUSED },
		{ ECONNRESET, CONNECT_RESULT_RESET },
		{ ETIMEDOUT, CONNECT_RESULT_TIMEOUT },
		{ ENETUNREACH, CONNECT_RESULT_UNREACHABLE },
		{ EHOSTUNREACH, CONNECT_RESULT_UNREACHABLE },
		{ EADDRNOTAVAIL, CONNECT_RESULT_FAILED },
		{ 0, CONNECT_RESULT_FAILED },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const struct connect_event e = { .end = CONNECT_FAILED, .err = -known[i].err };

		assert_int_equal(connect_result(&e), known[i].result);
	}
	assert_string_equal(
		said(CONNECT_FAILED, -ECONNREFUSED, 0),
		"refused {\"result\":\"refused\",\"errno\":111,\"error\":\"ECONNREFUSED\"}\n");
	assert_string_equal(
		said(CONNECT_FAILED, -EADDRNOTAVAIL, 0),
		"EADDRNOTAVAIL {\"result\":\"failed\",\"errno\":99,\"error\":\"EADDRNOTAVAIL\"}\n");
	/* why, no probe has seen */
	assert_string_equal(said(CONNECT_FAILED, 0, 0),
			    "failed {\"result\":\"failed\",\"errno\":null}\n");
	/* an error that has no name */
	assert_string_equal(said(CONNECT_FAILED, -4000, 0),
			    "failed {\"result\":\"failed\",\"errno\":4000}\n");
}

static void test_flags(void **state)
{
	assert_string_equal(said(CONNECT_ESTABLISHED, 0, CONNECT_MPTCP),
			    "established,mptcp "
			    "{\"result\":\"established\",\"errno\":0,\"mptcp\":true}\n");
	assert_string_equal(said(CONNECT_ESTABLISHED, 0, CONNECT_FAST_OPEN),
			    "established,fastopen "
			    "{\"result\":\"established\",\"errno\":0,\"fast_open\":\"cookie\"}\n");
	assert_string_equal(said(CONNECT_ESTABLISHED, 0, CONNECT_FAST_OPEN | CONNECT_SYN_DATA),
			    "established,fastopen "
			    "{\"result\":\"established\",\"errno\":0,\"fast_open\":\"data\"}\n");
}

static void test_latency(void **state)
{
	const struct column columns[] = {
		COL(connect_event, latency, "LAT(ms)", .fmt = FMT_KNOWN, .text = table_ms),
		COL_END,
	};
	struct connect_event e = { .latency = 12349999 };

	table_row(&o, columns, &e.head);
	assert_string_equal(text(), "12.34\n");
	e.latency = CONNECT_LATENCY_UNKNOWN;
	table_row(&o, columns, &e.head);
	assert_string_equal(text(), "?\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_results),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_latency),
	};

	return cmocka_run_group_tests(tests, setup_output, teardown_output);
}
