/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/search.h"

#define MANY 100

struct entry {
	uint32_t before;
	uint64_t at;
	char behind;
};

static struct entry entries[MANY];

/* The same, entry by entry. */
static const struct entry *last_up_to(size_t nr, uint64_t value)
{
	const struct entry *last = NULL;

	for (size_t i = 0; i < nr && entries[i].at <= value; i++)
		last = &entries[i];
	return last;
}

static void test_none(void **state)
{
	(void)state;
	assert_null(search_last((struct entry *)NULL, 0, at, 0));
	assert_null(search_last((struct entry *)NULL, 0, at, UINT64_MAX));
}

/* Arrays of any length, with gaps and with equals: every value at, between and beyond the entries.
 */
static void test_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < MANY; i++)
		entries[i].at = 10 + i / 3 * 2;
	for (size_t nr = 1; nr <= MANY; nr++)
		for (uint64_t value = 0; value < 10 + MANY; value++)
			assert_ptr_equal(search_last(entries, nr, at, value),
					 last_up_to(nr, value));
}

static void test_ends(void **state)
{
	(void)state;
	entries[0].at = 0;
	entries[1].at = UINT64_MAX;
	assert_ptr_equal(search_last(entries, 2, at, 0), &entries[0]);
	assert_ptr_equal(search_last(entries, 2, at, UINT64_MAX - 1), &entries[0]);
	assert_ptr_equal(search_last(entries, 2, at, UINT64_MAX), &entries[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
