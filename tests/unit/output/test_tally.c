/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "output/tally.h"

#define MANY 5000

struct row {
	unsigned long count;
	unsigned int key;
};

static int by_count(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return (x->count < y->count) - (x->count > y->count);
}

static struct tally *new_tally(size_t max)
{
	struct tally *t =
		tally_new(sizeof(struct row), offsetof(struct row, key), sizeof(unsigned int), max);

	assert_non_null(t);
	return t;
}

static void add(struct tally *t, unsigned int key, unsigned long n)
{
	struct row *row = tally_row(t, &key);

	assert_non_null(row);
	assert_int_equal(row->key, key);
	row->count += n;
}

static void test_sums(void **state)
{
	struct tally *t = new_tally(MANY);
	struct row *rows;
	size_t nr;

	for (int round = 0; round < 3; round++)
		for (unsigned int key = 0; key < MANY; key++)
			add(t, key * 7919, key);
	rows = tally_sorted(t, by_count, &nr);
	assert_int_equal(nr, MANY);
	for (unsigned int i = 0; i < MANY; i++) {
		assert_int_equal(rows[i].count, 3 * (MANY - 1 - i));
		assert_int_equal(rows[i].key, (MANY - 1 - i) * 7919);
	}
	/* and goes on after it was sorted */
	add(t, 7919, 1);
	rows = tally_sorted(t, by_count, &nr);
	assert_int_equal(nr, MANY);
	assert_int_equal(rows[MANY - 2].count, 3 + 1);
	tally_free(t);
}

static void test_bound(void **state)
{
	struct tally *t = new_tally(2);
	unsigned int third = 3;
	struct row *rows;
	size_t nr;

	add(t, 1, 5);
	add(t, 2, 6);
	assert_null(tally_row(t, &third));
	add(t, 1, 5);
	rows = tally_sorted(t, by_count, &nr);
	assert_int_equal(nr, 2);
	assert_int_equal(rows[0].count, 10);
	assert_int_equal(rows[0].key, 1);
	tally_free(t);
}

static void test_clear(void **state)
{
	struct tally *t = new_tally(2);
	struct row *rows;
	size_t nr;

	add(t, 1, 5);
	add(t, 2, 5);
	tally_sorted(t, by_count, &nr);
	tally_clear(t);
	tally_sorted(t, by_count, &nr);
	assert_int_equal(nr, 0);
	add(t, 3, 1);
	rows = tally_sorted(t, by_count, &nr);
	assert_int_equal(nr, 1);
	assert_int_equal(rows[0].count, 1);
	tally_free(t);
	tally_free(NULL);
}

static bool is_even(void *row, void *ctx)
{
	struct row *r = row;

	*(int *)ctx += 1;
	r->count++;
	return r->key % 2 == 0;
}

static bool make_older(void *row, void *ctx)
{
	((struct row *)row)->key += *(unsigned int *)ctx;
	return true;
}

static void test_keep(void **state)
{
	struct tally *t = new_tally(MANY);
	unsigned int by = 1000000;
	struct row *rows;
	int asked = 0;
	size_t nr;

	for (unsigned int key = 0; key < MANY; key++)
		add(t, key, 2 * key);
	tally_sorted(t, by_count, &nr);
	assert_int_equal(tally_keep(t, is_even, &asked), MANY / 2);
	assert_int_equal(asked, MANY);
	for (unsigned int key = 0; key < MANY; key++)
		add(t, key, 1);
	rows = tally_sorted(t, by_count, &nr);
	assert_int_equal(nr, MANY);
	for (unsigned int i = 0; i < MANY; i++)
		assert_int_equal(rows[i].count, rows[i].key % 2 ? 1 : 2 * rows[i].key + 2);
	/* keys may change, all of them at once */
	assert_int_equal(tally_keep(t, make_older, &by), MANY);
	add(t, by, 0);
	tally_sorted(t, by_count, &nr);
	assert_int_equal(nr, MANY);
	tally_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_keep),
		cmocka_unit_test(test_clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
