/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdio.h>
#include <time.h>

#include "base/util.h"
#include "output.h"
#include "output/time.h"

#define SEC NSEC_PER_SEC

static const char *rfc3339(uint64_t ns)
{
	time_rfc3339(&o, ns);
	return text();
}

static const char *local(uint64_t ns, int decimals)
{
	time_of_day(&o, ns, decimals);
	return text();
}

static void test_rfc3339(void **state)
{
	(void)state;
	assert_string_equal(rfc3339(0), "1970-01-01T00:00:00.000000000Z");
	assert_string_equal(rfc3339(1), "1970-01-01T00:00:00.000000001Z");
	assert_string_equal(rfc3339(951782399 * SEC + 999999999), "2000-02-28T23:59:59.999999999Z");
	assert_string_equal(rfc3339(951782400 * SEC), "2000-02-29T00:00:00.000000000Z");
	assert_string_equal(rfc3339(951868800 * SEC), "2000-03-01T00:00:00.000000000Z");
	assert_string_equal(rfc3339(1735689599 * SEC), "2024-12-31T23:59:59.000000000Z");
	assert_string_equal(rfc3339(1709251199 * SEC), "2024-02-29T23:59:59.000000000Z");
	assert_string_equal(rfc3339(1792637911123456789), "2026-10-22T02:58:31.123456789Z");
	/* 2100 is no leap year; 2^31 and 2^32 seconds */
	assert_string_equal(rfc3339(4107542399 * SEC), "2100-02-28T23:59:59.000000000Z");
	assert_string_equal(rfc3339(4107542400 * SEC), "2100-03-01T00:00:00.000000000Z");
	assert_string_equal(rfc3339(2147483648 * SEC), "2038-01-19T03:14:08.000000000Z");
	assert_string_equal(rfc3339(4294967296 * SEC), "2106-02-07T06:28:16.000000000Z");
	assert_string_equal(rfc3339(UINT64_MAX), "2554-07-21T23:34:33.709551615Z");
}

static void assert_as_gmtime(uint64_t ns)
{
	time_t t = ns / SEC;
	char want[64], date[40];
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(want, sizeof(want), "%s.%09uZ", date, (unsigned int)(ns % SEC));
	assert_string_equal(rfc3339(ns), want);
}

static void test_rfc3339_every_day(void **state)
{
	uint64_t day;
	int i;

	(void)state;
	for (day = 0; day <= UINT64_MAX / SEC / 86400; day++) {
		assert_as_gmtime(day * 86400 * SEC);
		if (day)
			assert_as_gmtime(day * 86400 * SEC - 1);
	}
	srandom(9);
	for (i = 0; i < 20000; i++)
		assert_as_gmtime((uint64_t)random() << 33 ^ (uint64_t)random() << 10 ^ random());
}

static void zone(const char *tz)
{
	setenv("TZ", tz, 1);
	tzset();
}

static void test_time_of_day(void **state)
{
	const uint64_t t = 1792637911123456789; /* 02:58:31 UTC */

	(void)state;
	zone("UTC0");
	assert_string_equal(local(t, 0), "02:58:31");
	assert_string_equal(local(t, 1), "02:58:31.1");
	assert_string_equal(local(t, 3), "02:58:31.123");
	assert_string_equal(local(t, 6), "02:58:31.123456");
	assert_string_equal(local(t, 9), "02:58:31.123456789");
	/* cut, not rounded: a time must not be shown before it is reached */
	assert_string_equal(local(3599 * SEC + 999999999, 3), "00:59:59.999");
	assert_string_equal(local(3600 * SEC + 5, 3), "01:00:00.000");
	assert_string_equal(local(UINT64_MAX, 0), "23:34:33");
}

static void test_zones(void **state)
{
	const uint64_t minute = 60 * SEC;
	uint64_t t = 1792637911 * SEC; /* 02:58:31 UTC; another minute for each zone */

	(void)state;
	zone("XXX-5:45");
	assert_string_equal(local(t + minute, 0), "08:44:31");
	zone("XXX12");
	assert_string_equal(local(t + 2 * minute, 0), "15:00:31");
	zone("XXX-14");
	assert_string_equal(local(t + 3 * minute, 0), "17:01:31");
	/* west of Greenwich on the first day there is */
	zone("XXX3:30");
	assert_string_equal(local(0, 0), "20:30:00");
}

/* Clocks go forward on 2026-03-29 and back on 2026-10-25, both at 01:00 UTC. */
static void test_daylight_saving(void **state)
{
	const uint64_t forward = 1774746000 * SEC, back = 1792890000 * SEC;

	(void)state;
	zone("CET-1CEST,M3.5.0,M10.5.0/3");
	assert_string_equal(local(forward - 1, 0), "01:59:59");
	assert_string_equal(local(forward, 0), "03:00:00");
	assert_string_equal(local(forward - 1, 0), "01:59:59");
	assert_string_equal(local(back - 1, 3), "02:59:59.999");
	assert_string_equal(local(back, 3), "02:00:00.000");
	assert_string_equal(local(back + 3600 * SEC, 0), "03:00:00");
}

static void test_as_localtime(void **state)
{
	int i;

	(void)state;
	zone("EST5EDT,M3.2.0,M11.1.0");
	srandom(10);
	for (i = 0; i < 20000; i++) {
		uint64_t ns = ((uint64_t)random() << 31 ^ random()) % (UINT64_C(4000000000) * SEC);
		time_t t = ns / SEC;
		char want[16];
		struct tm tm;

		localtime_r(&t, &tm);
		strftime(want, sizeof(want), "%H:%M:%S", &tm);
		assert_string_equal(local(ns, 0), want);
	}
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup_output, teardown_output)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rfc3339), TEST(test_rfc3339_every_day), TEST(test_time_of_day),
		TEST(test_zones),   TEST(test_daylight_saving),	  TEST(test_as_localtime),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
