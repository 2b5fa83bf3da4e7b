/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Maps: the CPUs' parts merged, in order, as text and JSON. From memory: no map of the kernel's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "script.shared.h"
#include "script/hists.h"
#include "script/shown.h"
#include "script/store.h"

static struct store store;
static struct script_map map = { .name = "x" };

static int teardown(void **state)
{
	store_end(&store);
	return shown_teardown(state);
}

static void begin(const struct type *key, const struct type *value)
{
	map.key = key;
	map.value = value;
	store_begin(&store, &map);
	values.compat = false;
}

static const char *shown(bool json, size_t top, uint64_t div, bool zeros)
{
	made.len = 0;
	store_sort(&store, &values);
	if (json)
		store_json(&store, &values, &made, top, div, zeros);
	else
		store_text(&store, &values, &made, top, div, zeros);
	text_char(&made, '\0');
	return made.bytes;
}

static const char *as_text(void)
{
	return shown(false, 0, 1, false);
}

static const char *as_json(void)
{
	return shown(true, 0, 1, false);
}

static const struct type *of_kind(enum type_kind kind, bool is_signed)
{
	struct type wanted = *type_of_kind(types, kind);

	wanted.is_signed = is_signed;
	return type_intern(types, &wanted);
}

static void add_int(int64_t key, int64_t value)
{
	store_add(&store, &key, &value, 8, 1);
}

static void test_sorted_by_value(void **state)
{
	const struct type *i8 = type_int(types, 8, true);

	(void)state;
	begin(i8, i8);
	add_int(1, 30);
	add_int(2, -10);
	add_int(4, 20);
	add_int(3, 20);
	assert_string_equal(as_text(), "@x[2]: -10\n@x[3]: 20\n@x[4]: 20\n@x[1]: 30\n");
	assert_string_equal(as_json(), "{\"type\": \"map\", \"data\": {\"@x\": {\"2\": -10, \"3\": "
				       "20, \"4\": 20, \"1\": 30}}}\n");
	assert_string_equal(shown(false, 2, 1, false), "@x[4]: 20\n@x[1]: 30\n");
	assert_string_equal(shown(false, 9, 10, false),
			    "@x[2]: -1\n@x[3]: 2\n@x[4]: 2\n@x[1]: 3\n");
	assert_string_equal(shown(true, 1, 10, false),
			    "{\"type\": \"map\", \"data\": {\"@x\": {\"1\": 3}}}\n");
}

static void test_unsigned_order(void **state)
{
	(void)state;
	begin(type_int(types, 8, true), type_int(types, 8, false));
	add_int(1, -1);
	add_int(2, 1);
	assert_string_equal(as_text(), "@x[2]: 1\n@x[1]: 18446744073709551615\n");
}

/* Keys that are different and written alike: no JSON object has one twice. */
static void test_alike(void **state)
{
	const struct type *comm = of_kind(TYPE_COMM, false);
	const struct type *key = type_tuple(types, (const struct type *[]){ comm, comm }, 2);
	static const char keys[][32] = { "a,b\0\0\0\0\0\0\0\0\0\0\0\0\0c", "c",
					 "a\0..............b,c", "a\0..............b,c (2)", "b" };
	static const uint64_t counts[] = { 1, 20, 300, 4000, 50000 };

	(void)state;
	begin(key, type_of_kind(types, TYPE_COUNT));
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		store_add(&store, keys[i], &counts[i], 8, 1);
	assert_string_equal(as_text(), "@x[a,b, c]: 1\n@x[c, ]: 20\n@x[a, b,c]: 300\n"
				       "@x[a, b,c (2)]: 4000\n@x[b, ]: 50000\n");
	store_distinguish(&store, &values);
	assert_string_equal(as_json(), "{\"type\": \"map\", \"data\": {\"@x\": {\"c,\": 20, "
				       "\"a,b,c\": 301, \"a,b,c (2)\": 4000, "
				       "\"b,\": 50000}}}\n");
	begin(key, type_int(types, 8, false)); /* what the numbers mean is not known */
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		store_add(&store, keys[i], &counts[i], 8, 1);
	store_distinguish(&store, &values);
	assert_string_equal(as_json(), "{\"type\": \"map\", \"data\": {\"@x\": {\"a,b,c\": 1, "
				       "\"c,\": 20, \"a,b,c (3)\": 300, \"a,b,c (2)\": 4000, "
				       "\"b,\": 50000}}}\n");
}

/* Values that are no numbers: by key, the first part first. */
static void test_sorted_by_key(void **state)
{
	const struct type *i8 = type_int(types, 8, true), *comm = of_kind(TYPE_COMM, false);
	const struct type *key = type_tuple(types, (const struct type *[]){ comm, i8 }, 2);
	struct {
		char comm[16];
		int64_t n;
	} k = { "b", 2 };

	(void)state;
	begin(key, comm);
	store_add(&store, &k, "v1\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, 1);
	k.n = 1;
	store_add(&store, &k, "v2\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, 1);
	strcpy(k.comm, "a");
	k.n = 3;
	store_add(&store, &k, "v3\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, 1);
	assert_string_equal(as_text(), "@x[a, 3]: v3\n@x[b, 1]: v2\n@x[b, 2]: v1\n");
	assert_string_equal(as_json(), "{\"type\": \"map\", \"data\": {\"@x\": {\"a,3\": \"v3\", "
				       "\"b,1\": \"v2\", \"b,2\": \"v1\"}}}\n");
}

static void test_merge_counts(void **state)
{
	const uint64_t counts[] = { 1, 2, 0, 40 };

	(void)state;
	begin(NULL, of_kind(TYPE_COUNT, false));
	store_add(&store, NULL, counts, 8, 4);
	assert_string_equal(as_text(), "@x: 43\n");
	assert_string_equal(as_json(), "{\"type\": \"map\", \"data\": {\"@x\": 43}}\n");
}

static void test_merge_sums(void **state)
{
	const struct rt_sum sums[] = { { -5, 2 }, { 0, 0 }, { 11, 1 } };

	(void)state;
	begin(NULL, of_kind(TYPE_SUM, true));
	store_add(&store, NULL, sums, sizeof(sums[0]), 3);
	assert_string_equal(as_text(), "@x: 6\n");
	begin(NULL, of_kind(TYPE_AVG, true));
	store_add(&store, NULL, sums, sizeof(sums[0]), 3);
	assert_string_equal(as_text(), "@x: 2\n");
	assert_string_equal(as_json(), "{\"type\": \"stats\", \"data\": {\"@x\": 2}}\n");
	begin(NULL, of_kind(TYPE_STATS, true));
	store_add(&store, NULL, sums, sizeof(sums[0]), 3);
	assert_string_equal(as_text(), "@x: { .count = 3, .average = 2, .total = 6 }\n");
	assert_string_equal(as_json(), "{\"type\": \"stats\", \"data\": {\"@x\": {\"count\": 3, "
				       "\"average\": 2, \"total\": 6}}}\n");
}

static void test_merge_extremes(void **state)
{
	const struct rt_extreme all[] = { { 9, 0 }, { -7, 1 }, { 3, 1 }, { -99, 0 } };

	(void)state;
	begin(NULL, of_kind(TYPE_MIN, true));
	store_add(&store, NULL, all, sizeof(all[0]), 4);
	assert_string_equal(as_text(), "@x: -7\n");
	begin(NULL, of_kind(TYPE_MAX, true));
	store_add(&store, NULL, all, sizeof(all[0]), 4);
	assert_string_equal(as_text(), "@x: 3\n");
	begin(NULL, of_kind(TYPE_MAX, false));
	store_add(&store, NULL, all, sizeof(all[0]), 4);
	assert_string_equal(as_text(), "@x: 18446744073709551609\n");
}

static const struct type *hist_type(void)
{
	return type_intern(types, &(struct type){ .kind = TYPE_HIST,
						  .size = RT_HIST_SIZE(4),
						  .align = 8,
						  .count = 4 });
}

/* The slots of @cpus, each of which has counted @v once. */
static void add_hist(int64_t key, int64_t v, unsigned cpus)
{
	char *bytes = calloc(cpus, RT_HIST_SIZE(4));

	for (unsigned i = 0; i < cpus; i++) {
		struct rt_hist *h = (void *)(bytes + i * RT_HIST_SIZE(4));

		h->slots[rt_hist_slot(v, 4)]++;
	}
	store_add(&store, &key, bytes, RT_HIST_SIZE(4), cpus);
	free(bytes);
}

#define FULL "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@"

static void test_hists(void **state)
{
	static const uint64_t none[RT_HIST_SIZE(4) / 8];

	(void)state;
	begin(type_int(types, 8, true), hist_type());
	add_hist(1, 5, 3);
	add_hist(2, 100, 2);
	assert_string_equal(as_text(), "@x[2]:\n[64, 128)              2 |" FULL "|\n"
				       "p50 102 p90 102 p99 102 p99.9 102 max 103\n\n"
				       "@x[1]:\n[4, 8)                 3 |" FULL "|\n"
				       "p50 5 p90 5 p99 5 p99.9 5 max 5\n\n");
	assert_string_equal(
		as_json(),
		"{\"type\": \"hist\", \"data\": {\"@x\": {\"2\": [{\"min\": 64, \"max\": 127, "
		"\"count\": 2}], \"1\": [{\"min\": 4, \"max\": 7, \"count\": 3}]}}, "
		"\"percentiles\": {\"@x\": {\"2\": {\"p50\": 102, \"p90\": 102, \"p99\": 102, "
		"\"p999\": 102, \"max\": 103}, \"1\": {\"p50\": 5, \"p90\": 5, \"p99\": 5, "
		"\"p999\": 5, \"max\": 5}}}}\n");
	values.compat = true;
	assert_string_equal(as_text(), "@x[2]:\n[64, 128)              2 |" FULL "|\n\n"
				       "@x[1]:\n[4, 8)                 3 |" FULL "|\n\n");
	assert_string_equal(shown(true, 1, 1, false),
			    "{\"type\": \"hist\", \"data\": {\"@x\": {\"1\": [{\"min\": 4, "
			    "\"max\": 7, \"count\": 3}]}}}\n");
	begin(NULL, hist_type());
	store_add(&store, NULL, none, RT_HIST_SIZE(4), 1);
	assert_string_equal(as_text(), "@x:\n\n");
	assert_string_equal(as_json(), "{\"type\": \"hist\", \"data\": {\"@x\": []}, "
				       "\"percentiles\": {\"@x\": null}}\n");
}

static void test_empty(void **state)
{
	const struct type *i8 = type_int(types, 8, true);

	(void)state;
	begin(NULL, i8);
	assert_string_equal(as_text(), "");
	assert_string_equal(as_json(), "");
	assert_string_equal(shown(false, 0, 1, true), "@x: 0\n");
	assert_string_equal(shown(true, 0, 1, true),
			    "{\"type\": \"map\", \"data\": {\"@x\": 0}}\n");
	begin(i8, i8);
	assert_string_equal(shown(false, 0, 1, true), "");
	assert_string_equal(shown(true, 0, 1, true), "");
	begin(NULL, hist_type());
	assert_string_equal(shown(false, 0, 1, true), "");
	begin(NULL, of_kind(TYPE_AVG, false));
	assert_string_equal(shown(true, 0, 1, true),
			    "{\"type\": \"stats\", \"data\": {\"@x\": 0}}\n");
}

static void test_many(void **state)
{
	const struct type *i8 = type_int(types, 8, true);
	const char *text;
	size_t lines = 0;

	(void)state;
	begin(i8, i8);
	for (int64_t i = 0; i < 10000; i++)
		add_int(i, 10000 - i);
	text = as_text();
	assert_int_equal(strncmp(text, "@x[9999]: 1\n@x[9998]: 2\n", 24), 0);
	for (; *text; text++)
		lines += *text == '\n';
	assert_int_equal(lines, 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sorted_by_value), cmocka_unit_test(test_unsigned_order),
		cmocka_unit_test(test_alike),		cmocka_unit_test(test_sorted_by_key),
		cmocka_unit_test(test_merge_counts),	cmocka_unit_test(test_merge_sums),
		cmocka_unit_test(test_merge_extremes),	cmocka_unit_test(test_hists),
		cmocka_unit_test(test_empty),		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, shown_setup, teardown);
}
