/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What each user's files may take, by a clock of the test's own. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "symbols/accounts.h"

#define SEC ((uint64_t)NSEC_PER_SEC)

static struct accounts a;
static uint64_t now;

static int setup(void **state)
{
	(void)state;
	now = 1000 * SEC;
	accounts_init(&a, now);
	return 0;
}

/* One job after another of @ns each, until none is allowed; returns how many there were. */
static unsigned int use_up(uint32_t uid, enum account_kind kind, uint64_t ns)
{
	unsigned int nr = 0;

	while (nr < 1000 && accounts_allow(&a, uid, kind, now)) {
		accounts_charge(&a, uid, kind, ns, now);
		nr++;
	}
	return nr;
}

/* What one job takes beyond the rest is not forgotten. */
static void test_debt(void **state)
{
	(void)state;
	assert_int_equal(use_up(7, ACCOUNT_FILES, 4 * SEC), 4); /* of 15 s: 1 s too much */
	now += 19 * SEC;
	assert_false(accounts_allow(&a, 7, ACCOUNT_FILES, now));
	now += 2 * SEC;
	assert_true(accounts_allow(&a, 7, ACCOUNT_FILES, now));
	accounts_charge(&a, 7, ACCOUNT_FILES, 100 * SEC, now);
	now += 1900 * SEC;
	assert_false(accounts_allow(&a, 7, ACCOUNT_FILES, now));
	now += 1000000 * SEC; /* it grows to the credit, and no further */
	assert_int_equal(use_up(7, ACCOUNT_FILES, 5 * SEC), 3);
}

/* One user's debt is not another's, nor root's; all of the others have a limit together. */
static void test_shares(void **state)
{
	unsigned int nr = 0;

	(void)state;
	assert_int_equal(use_up(7, ACCOUNT_FILES, SEC), 15);
	assert_int_equal(use_up(8, ACCOUNT_FILES, SEC), 15);
	for (uint32_t uid = 100000; uid < 100100; uid++)
		nr += use_up(uid, ACCOUNT_FILES, SEC);
	assert_int_equal(nr, 30); /* of a minute */
	assert_false(accounts_allow(&a, 9, ACCOUNT_FILES, now));
	assert_int_equal(use_up(0, ACCOUNT_FILES, SEC), 1000);
}

/* Ids cost nothing to who has a range of them: from some number on they have one account. */
static void test_many_users(void **state)
{
	unsigned int nr = 0;

	(void)state;
	for (uint32_t uid = 1; uid < 1000; uid++)
		nr += use_up(uid, ACCOUNT_LOOKS, SEC / 4);
	assert_int_equal(nr, 2 * (ACCOUNTS_USERS + 1));
}

/* Looks at known processes have a balance of their own, root's too. */
static void test_looks(void **state)
{
	(void)state;
	assert_int_equal(use_up(0, ACCOUNT_LOOKS, SEC / 10), 5);
	assert_true(accounts_allow(&a, 0, ACCOUNT_FILES, now));
	now += 2 * SEC + SEC / 10;
	assert_int_equal(use_up(0, ACCOUNT_LOOKS, SEC / 10), 2);
}

static void test_stalled(void **state)
{
	pid_t gone = fork();

	(void)state;
	if (!gone)
		_exit(0);
	assert_int_equal(waitpid(gone, NULL, 0), gone);
	assert_false(accounts_is_stalled(&a, 0, now));
	accounts_stalled(&a, 0, SEC / 5, gone, now);
	assert_true(accounts_is_stalled(&a, 0, now + 3 * SEC));
	assert_false(accounts_is_stalled(&a, 1, now + 3 * SEC));
	assert_false(accounts_is_stalled(&a, 0, now + 4 * SEC));
	/* many of them: the last ones count */
	for (dev_t dev = 100; dev < 200; dev++)
		accounts_stalled(&a, dev, SEC, gone, now);
	assert_true(accounts_is_stalled(&a, 199, now));
	assert_false(accounts_is_stalled(&a, 100, now));
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_debt),  TEST(test_shares),  TEST(test_many_users),
		TEST(test_looks), TEST(test_stalled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
