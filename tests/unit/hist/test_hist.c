/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <inttypes.h>
#include <math.h>

#include "base/util.h"
#include "hist/hist.h"
#include "output.h"

static uint64_t random_u64(void)
{
	return (uint64_t)random() << 42 ^ (uint64_t)random() << 21 ^ random();
}

static void test_log2(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 64; i++) {
		uint64_t v = UINT64_C(1) << i;

		assert_int_equal(hist_log2(v), i);
		assert_int_equal(hist_log2(v | (v - 1)), i);
	}
}

static void test_slots(void **state)
{
	unsigned int slot;
	uint64_t v;
	int i;

	(void)state;
	assert_int_equal(HIST_SLOTS, 657);
	assert_int_equal(hist_slot(0), 0);
	assert_int_equal(hist_slot(15), 15);
	assert_int_equal(hist_slot(16), 16);
	assert_int_equal(hist_slot(31), 31);
	assert_int_equal(hist_slot(32), 32);
	assert_int_equal(hist_slot(33), 32);
	assert_int_equal(hist_slot(34), 33);
	assert_int_equal(hist_slot((UINT64_C(1) << 44) - 1), 655);
	assert_int_equal(hist_slot(UINT64_C(1) << 44), 656);
	assert_int_equal(hist_slot(UINT64_MAX), 656);

	/* They join without a gap, and both ends of each belong to it. */
	assert_int_equal(hist_slot_from(0), 0);
	for (slot = 0; slot < HIST_SLOTS; slot++) {
		uint64_t from = hist_slot_from(slot), to = hist_slot_to(slot);

		assert_true(from < to);
		assert_int_equal(hist_slot(from), slot);
		assert_int_equal(hist_slot(to - 1), slot);
		if (slot < HIST_SLOTS - 1) {
			assert_int_equal(hist_slot_from(slot + 1), to);
			assert_true(to - from == 1 || (to - from) * 16 <= from);
		}
	}
	assert_int_equal(hist_slot_to(HIST_SLOTS - 1), UINT64_MAX);

	srandom(4);
	for (i = 0; i < 100000; i++) {
		v = random_u64() >> random() % 64;
		slot = hist_slot(v);
		assert_true(slot < HIST_SLOTS && hist_slot_from(slot) <= v &&
			    v <= hist_slot_to(slot));
	}
}

static void test_add_merge(void **state)
{
	struct hist a = { 0 }, b = { 0 }, both = { 0 }, empty = { 0 };
	int i;

	(void)state;
	assert_int_equal(hist_count(&a), 0);
	assert_int_equal(hist_min(&a), 0);
	assert_int_equal(hist_max(&a), 0);

	srandom(5);
	for (i = 0; i < 1000; i++) {
		uint64_t v = random() % 1000000 + 7;

		hist_add(i % 3 ? &a : &b, v);
		hist_add(&both, v);
	}
	hist_merge(&a, &empty);
	hist_merge(&a, &b);
	assert_memory_equal(&a, &both, sizeof(a));
	hist_merge(&empty, &a);
	assert_memory_equal(&empty, &both, sizeof(a));
	assert_int_equal(hist_count(&both), 1000);

	memset(&a, 0, sizeof(a));
	hist_add(&a, 100);
	hist_add(&a, 0);
	hist_add(&a, 50);
	assert_int_equal(hist_min(&a), 0);
	assert_int_equal(hist_max(&a), 100);
	assert_int_equal(a.sum, 150);
	assert_int_equal(a.extremes.not_min, UINT64_MAX);
}

static void test_unknown_min_max(void **state)
{
	struct hist h = { 0 };

	(void)state;
	h.slots[hist_slot(100)] = 3;  /* 100 to 103 */
	h.slots[hist_slot(1000)] = 1; /* 1000 to 1023 */
	assert_int_equal(hist_min(&h), 100);
	assert_int_equal(hist_max(&h), 1023);
	assert_int_equal(hist_percentile(&h, 500), 102);
	assert_int_equal(hist_percentile(&h, 1000), 1023);
	h.slots[HIST_SLOTS - 1] = 1;
	assert_int_equal(hist_max(&h), UINT64_C(1) << 44);

	memset(&h, 0, sizeof(h));
	h.slots[0] = 5;
	assert_int_equal(hist_min(&h), 0);
	assert_int_equal(hist_max(&h), 0);
	assert_int_equal(hist_percentile(&h, 500), 0);
}

static void test_percentile_edges(void **state)
{
	struct hist h = { 0 };
	int i;

	(void)state;
	assert_int_equal(hist_percentile(&h, 0), 0);
	assert_int_equal(hist_percentile(&h, 500), 0);
	assert_int_equal(hist_percentile(&h, 1000), 0);

	/* One value is all its percentiles, exactly. */
	hist_add(&h, 123457);
	for (i = 0; i <= 1000; i += 100)
		assert_int_equal(hist_percentile(&h, i), 123457);

	/* A slot's middle is not told where the minimum or the maximum says better. */
	memset(&h, 0, sizeof(h));
	hist_add(&h, 127); /* its slot: 125 to 127 */
	hist_add(&h, 127);
	hist_add(&h, 1000);
	assert_int_equal(hist_percentile(&h, 500), 127);
	memset(&h, 0, sizeof(h));
	hist_add(&h, 100);
	hist_add(&h, 125);
	hist_add(&h, 125);
	assert_int_equal(hist_percentile(&h, 500), 125);

	/* Nearest rank: of 10 values p50 is the 5th and p90 the 9th; p99 is the 10th. */
	memset(&h, 0, sizeof(h));
	for (i = 1; i <= 10; i++)
		hist_add(&h, i);
	assert_int_equal(hist_percentile(&h, 0), 1);
	assert_int_equal(hist_percentile(&h, 1), 1);
	assert_int_equal(hist_percentile(&h, 100), 1);
	assert_int_equal(hist_percentile(&h, 101), 2);
	assert_int_equal(hist_percentile(&h, 500), 5);
	assert_int_equal(hist_percentile(&h, 501), 6);
	assert_int_equal(hist_percentile(&h, 900), 9);
	assert_int_equal(hist_percentile(&h, 990), 10);
	assert_int_equal(hist_percentile(&h, 999), 10);
	assert_int_equal(hist_percentile(&h, 1000), 10);

	/* Counts whose product with 1000 overflows */
	memset(&h, 0, sizeof(h));
	h.slots[1] = UINT64_MAX / 4;
	h.slots[2] = UINT64_MAX / 4;
	h.slots[3] = UINT64_MAX / 4;
	assert_int_equal(hist_percentile(&h, 300), 1);
	assert_int_equal(hist_percentile(&h, 500), 2);
	assert_int_equal(hist_percentile(&h, 990), 3);

	/* Beyond the last slot's start: between it and the maximum */
	memset(&h, 0, sizeof(h));
	hist_add(&h, UINT64_C(1) << 44);
	hist_add(&h, UINT64_C(3) << 44);
	assert_int_equal(hist_percentile(&h, 500), UINT64_C(2) << 44);
	assert_int_equal(hist_percentile(&h, 1000), UINT64_C(3) << 44);
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static uint64_t draw(int distribution)
{
	double u = (random() + 1.0) / 2147483649.0;

	switch (distribution) {
	case 0: /* uniform */
		return random() % 1000000;
	case 1: /* exponential, 100 us on average */
		return -log(u) * 100000;
	case 2: /* a heavy tail */
		return 5000 / pow(u, 1.5);
	case 3: /* two peaks */
		return random() % 10 ? 2000 + random() % 100 : 8000000 + random() % 1000000;
	case 4: /* small numbers, where a slot is one value */
		return random() % 16;
	case 5: /* every magnitude below 2^44 alike */
		return (random_u64() & ((UINT64_C(1) << 44) - 1)) >> random() % 44;
	default: /* always the same */
		return 777777;
	}
}

static void test_percentile_error(void **state)
{
	static uint64_t values[100000];
	static const unsigned int permilles[] = { 1, 10, 100, 250, 500, 750, 900, 990, 999, 1000 };
	int distribution;

	(void)state;
	srandom(6);
	for (distribution = 0; distribution < 7; distribution++) {
		static const size_t sizes[] = { 1, 2, 3, 10, 99, 1000, 100000 };
		size_t s, i;

		for (s = 0; s < ARRAY_SIZE(sizes); s++) {
			struct hist h = { 0 };
			size_t n = sizes[s];

			for (i = 0; i < n; i++) {
				values[i] = draw(distribution);
				hist_add(&h, values[i]);
			}
			qsort(values, n, sizeof(values[0]), compare);
			assert_int_equal(hist_count(&h), n);
			assert_int_equal(hist_min(&h), values[0]);
			assert_int_equal(hist_max(&h), values[n - 1]);
			for (i = 0; i < ARRAY_SIZE(permilles); i++) {
				size_t rank = (permilles[i] * n + 999) / 1000;
				double want = values[rank - 1];
				double got = hist_percentile(&h, permilles[i]);

				if (fabs(got - want) > want * 0.032)
					fail_msg("distribution %d, n %zu, %u/1000: %g, not %g",
						 distribution, n, permilles[i], got, want);
			}
			assert_int_equal(hist_percentile(&h, 1000), values[n - 1]);
		}
	}
}

static void test_print(void **state)
{
	struct hist h = { 0 };
	int i;

	(void)state;
	hist_print(&o, &h, 1000, "usecs", false);
	assert_string_equal(text(), "");

	for (i = 0; i < 12; i++)
		hist_add(&h, 2500);
	for (i = 0; i < 40; i++)
		hist_add(&h, 12345);
	hist_add(&h, 65000);
	hist_print(&o, &h, 1000, "usecs", false);
	assert_string_equal(
		text(),
		"     usecs               : count     distribution\n"
		"         0 -> 1          : 0        |                                        |\n"
		"         2 -> 3          : 12       |************                            |\n"
		"         4 -> 7          : 0        |                                        |\n"
		"         8 -> 15         : 40       |****************************************|\n"
		"        16 -> 31         : 0        |                                        |\n"
		"        32 -> 63         : 0        |                                        |\n"
		"        64 -> 127        : 1        |*                                       |\n"
		"    avg 11.1 p50 12.5 p90 12.5 p99 65.0 p99.9 65.0 max 65.0 (usecs)\n");

	hist_print(&o, &h, 1000000, "msecs", true);
	assert_string_equal(
		text(),
		"     msecs               : count     distribution\n"
		"         0 -> 1          : 53       |****************************************|\n"
		"    avg 0.01 p50 0.01 p90 0.01 p99 0.07 p99.9 0.07 max 0.07 total 0.59 (msecs)\n"
		"    count 53\n");

	memset(&h, 0, sizeof(h));
	hist_add(&h, 0);
	hist_add(&h, 5);
	hist_print(&o, &h, 1, "bytes", true);
	assert_string_equal(
		text(),
		"     bytes               : count     distribution\n"
		"         0 -> 1          : 1        |****************************************|\n"
		"         2 -> 3          : 0        |                                        |\n"
		"         4 -> 7          : 1        |****************************************|\n"
		"    avg 2 p50 0 p90 5 p99 5 p99.9 5 max 5 total 5 (bytes)\n"
		"    count 2\n");
}

/* The number behind "max ": one value of each size, in usecs. */
static void test_print_numbers(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} cases[] = {
		{ 0, "0.00" },	   { 4, "0.00" },     { 5, "0.01" },	  { 999, "1.00" },
		{ 1234, "1.23" },  { 1235, "1.24" },  { 9994, "9.99" },	  { 9995, "10.0" },
		{ 12349, "12.3" }, { 12350, "12.4" }, { 99949, "99.9" },  { 99950, "100" },
		{ 123499, "123" }, { 123500, "124" }, { 999999, "1000" }, { 1234567890, "1234568" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct hist h = { 0 };
		char *s, *end;

		hist_add(&h, cases[i].ns);
		hist_print(&o, &h, 1000, "usecs", false);
		s = strstr(text(), " max ") + 5;
		end = strstr(s, " (usecs)\n");
		assert_non_null(end);
		*end = '\0';
		assert_string_equal(s, cases[i].text);
	}
}

static void test_print_wide(void **state)
{
	struct hist h = { 0 };

	(void)state;
	hist_add(&h, UINT64_C(5) << 30); /* 2^32 and more: BCC's wide form */
	hist_print(&o, &h, 1, "nsecs", false);
	assert_non_null(strstr(text(), "\n          4294967296 -> 8589934591           : 1        "
				       "|********************|\n"));

	memset(&h, 0, sizeof(h));
	h.slots[2] = UINT64_MAX;
	h.slots[4] = UINT64_MAX / 2;
	hist_print(&o, &h, 1, "nsecs", false);
	assert_non_null(strstr(
		text(),
		"     nsecs               : count                 distribution\n"
		"         0 -> 1          : 0                    |                              |\n"
		"         2 -> 3          : 18446744073709551615 |******************************|\n"
		"         4 -> 7          : 9223372036854775807  |***************               "
		"|\n"));

	/* What does not fit into one line goes on in a second one, the unit not alone */
	memset(&h, 0, sizeof(h));
	hist_add(&h, 1234567890);
	hist_print(&o, &h, 1000, "usecs", false);
	assert_non_null(strstr(text(), "|\n    avg 1234568 p50 1234568 p90 1234568 p99 1234568 "
				       "p99.9 1234568\n    max 1234568 (usecs)\n"));

	/* The open end is said */
	memset(&h, 0, sizeof(h));
	hist_add(&h, UINT64_MAX - 1);
	hist_print(&o, &h, 1000, "usecs", false);
	assert_non_null(
		strstr(text(), "         17179869184 -> inf                  : 1        |*"));
}

static const uint64_t units[] = { 1, 1000, 1000000 };

/* Whatever the values: 80 columns, the bars in line, and the counts add up. */
static void test_print_random(void **state)
{
	int i;

	(void)state;
	srandom(7);
	for (i = 0; i < 3000; i++) {
		struct hist h = { 0 };
		int n = random() % 20 + 1, k;
		uint64_t sum = 0, each = random_u64() >> (5 + random() % 59);
		char *line, *save, *bar;
		size_t bar_at = 0, bar_end = 0;

		for (k = 0; k < n; k++) {
			uint64_t v = random_u64() >> random() % 64;

			hist_add(&h, v);
			h.slots[hist_slot(v)] += each;
		}
		if (random() % 2)
			h.sum = h.extremes.max = UINT64_MAX;
		hist_print(&o, &h, units[i % 3], "usecs", i & 1);
		for (line = strtok_r(text(), "\n", &save); line;
		     line = strtok_r(NULL, "\n", &save)) {
			assert_true(strlen(line) <= 80);
			bar = strchr(line, '|');
			if (!bar)
				continue;
			if (!bar_at) {
				bar_at = bar - line;
				bar_end = strlen(line);
				assert_true(strncmp(line + bar_end - 1, "|", 1) == 0);
			}
			assert_int_equal(bar - line, bar_at);
			assert_int_equal(strlen(line), bar_end);
			sum += strtoull(strchr(line, ':') + 2, NULL, 10);
		}
		assert_int_equal(sum, hist_count(&h));
	}
}

/* The count in the row that begins with @from: 0 if there is none. */
static uint64_t count_in_row(const char *drawn, uint64_t from)
{
	const char *line = strchr(drawn, '\n') + 1, *arrow;
	char *end;

	while ((arrow = strstr(line, " -> "))) {
		uint64_t first = strtoull(line, &end, 10);

		line = strchr(arrow, ':') + 1;
		if (end == arrow && first == from)
			return strtoull(line, NULL, 10);
		line = strchr(line, '\n') + 1;
	}
	return 0;
}

static void check_rows(const struct hist *h, uint64_t unit_ns, const uint64_t counts[64])
{
	const char *drawn;
	int row;

	hist_print(&o, h, unit_ns, "units", false);
	drawn = text();
	for (row = 0; row < 64; row++) {
		uint64_t found = count_in_row(drawn, row ? UINT64_C(1) << row : 0);

		if (found != counts[row])
			fail_msg("unit %" PRIu64 ": %" PRIu64 " in row %d, not %" PRIu64 "\n%s",
				 unit_ns, found, row, counts[row], drawn);
	}
}

/* The row that a label says @v belongs to, found without hist_log2(). */
static int labelled(uint64_t v, uint64_t unit_ns)
{
	int row = 0;

	while (row < 63 && v / unit_ns >= UINT64_C(2) << row)
		row++;
	return row;
}

/* Both sides of every bound between two rows below 2^44. */
static void test_row_bounds(void **state)
{
	size_t u;
	int row;

	(void)state;
	for (u = 0; u < ARRAY_SIZE(units); u++)
		for (row = 1; units[u] << row < UINT64_C(1) << 44; row++) {
			uint64_t bound = units[u] << row, counts[64] = { 0 };
			struct hist h = { 0 };
			int i;

			for (i = 0; i < 5; i++)
				hist_add(&h, bound - 1);
			for (i = 0; i < 23; i++)
				hist_add(&h, bound);
			counts[row - 1] = 5;
			counts[row] = 23;
			check_rows(&h, units[u], counts);
		}
}

/* Whatever the values, every row counts those that its label says. */
static void test_rows_random(void **state)
{
	size_t u;
	int i, round;

	(void)state;
	srandom(8);
	for (u = 0; u < ARRAY_SIZE(units); u++)
		for (round = 0; round < 200; round++) {
			uint64_t counts[64] = { 0 };
			struct hist h = { 0 };

			for (i = 0; i < 1000; i++) {
				uint64_t v =
					(random_u64() & ((UINT64_C(1) << 44) - 1)) >> random() % 44;

				hist_add(&h, v);
				counts[labelled(v, units[u])]++;
			}
			check_rows(&h, units[u], counts);
		}
}

static void test_json(void **state)
{
	struct hist h = { 0 };
	struct json j;

	(void)state;
	json_init(&j, &o);
	json_object(&j, NULL);
	hist_json(&j, &h);
	json_end_object(&j);
	assert_string_equal(text(),
			    "{\"count\":0,\"sum_ns\":0,\"min_ns\":0,\"max_ns\":0,\"p50_ns\":0,"
			    "\"p90_ns\":0,\"p99_ns\":0,\"p999_ns\":0,\"buckets\":[]}\n");

	hist_add(&h, 3);
	hist_add(&h, 3);
	hist_add(&h, 33);
	hist_add(&h, UINT64_C(1) << 45);
	json_object(&j, NULL);
	json_str(&j, "disk", "sda");
	hist_json(&j, &h);
	json_end_object(&j);
	assert_string_equal(text(),
			    "{\"disk\":\"sda\",\"count\":4,\"sum_ns\":35184372088871,"
			    "\"min_ns\":3,\"max_ns\":35184372088832,\"p50_ns\":3,"
			    "\"p90_ns\":35184372088832,\"p99_ns\":35184372088832,"
			    "\"p999_ns\":35184372088832,\"buckets\":["
			    "{\"from_ns\":3,\"to_ns\":4,\"count\":2},"
			    "{\"from_ns\":32,\"to_ns\":34,\"count\":1},"
			    "{\"from_ns\":17592186044416,\"to_ns\":35184372088833,\"count\":1}"
			    "]}\n");
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup_output, teardown_output)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_log2),
		TEST(test_slots),
		TEST(test_add_merge),
		TEST(test_unknown_min_max),
		TEST(test_percentile_edges),
		TEST(test_percentile_error),
		TEST(test_print),
		TEST(test_print_numbers),
		TEST(test_print_wide),
		TEST(test_print_random),
		TEST(test_row_bounds),
		TEST(test_rows_random),
		TEST(test_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
