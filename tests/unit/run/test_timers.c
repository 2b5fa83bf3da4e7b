/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What is done when, in which order, and what is left out after a stop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "run/timers.h"

#define START 1000

static char done[64];
static bool stop;

static void note_a(void *ctx, struct timer *t)
{
	strcat(done, "a");
}

static void note_b(void *ctx, struct timer *t)
{
	strcat(done, "b");
}

static void end(void *ctx, struct timer *t)
{
	strcat(done, "|");
	*(bool *)ctx = true;
}

/* Sets its own next time. */
static void at_7000(void *ctx, struct timer *t)
{
	strcat(done, "7");
	t->at = 7000;
}

static const char *run_at(struct timer *timers, size_t nr, uint64_t now)
{
	done[0] = '\0';
	timers_run(timers, nr, now, &stop, &stop);
	return done;
}

#define RUN(now) run_at(timers, ARRAY_SIZE(timers), now)
#define NEXT()	 timers_next(timers, ARRAY_SIZE(timers))

static int setup(void **state)
{
	stop = false;
	return 0;
}

static void test_none(void **state)
{
	struct timer timers[] = { { note_a }, { note_b, .at = TIMER_NEVER, .every = 10 } };

	timers_start(timers, ARRAY_SIZE(timers), START);
	assert_true(NEXT() == TIMER_NEVER);
	assert_string_equal(RUN(UINT64_MAX - 1), "");
	assert_true(timers_next(NULL, 0) == TIMER_NEVER);
}

static void test_order(void **state)
{
	struct timer timers[] = { { note_b, .every = 100 }, { note_a, .every = 50 } };

	timers_start(timers, ARRAY_SIZE(timers), START);
	assert_int_equal(NEXT(), 1050);
	assert_string_equal(RUN(1049), "");
	assert_string_equal(RUN(1050), "a");
	assert_int_equal(NEXT(), 1100);
	assert_string_equal(RUN(1100), "ba"); /* as they stand in the table */
}

/* One that is run late: counted from then; in step, from when it was due. */
static void test_late(void **state)
{
	struct timer timers[] = {
		{ note_a, .every = 100 },
		{ note_b, .every = 100, .in_step = true },
	};

	timers_start(timers, ARRAY_SIZE(timers), START);
	assert_string_equal(RUN(1140), "ab");
	assert_int_equal(timers[0].at, 1240);
	assert_int_equal(timers[1].at, 1200);
	assert_int_equal(timers[1].missed, 0);
	assert_string_equal(RUN(1200), "b");
	assert_int_equal(timers[1].at, 1300);
}

/* Those that were missed don't follow, and the next is at least half of .every away, in step. */
static void test_missed(void **state)
{
	static const struct {
		uint64_t now, next, missed;
	} cases[] = {
		{ 1100, 1200, 0 }, { 1150, 1200, 0 }, { 1151, 1300, 1 }, { 1199, 1300, 1 },
		{ 1249, 1300, 1 }, { 1250, 1300, 1 }, { 1251, 1400, 2 }, { 5490, 5600, 44 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct timer timers[] = { { note_a, .every = 100, .in_step = true } };

		timers_start(timers, ARRAY_SIZE(timers), START);
		assert_string_equal(RUN(cases[i].now), "a");
		assert_int_equal(timers[0].at, cases[i].next);
		assert_int_equal(timers[0].missed, cases[i].missed);
		assert_string_equal(RUN(cases[i].now), "");
	}
}

static void test_once(void **state)
{
	struct timer timers[] = { { note_a, .at = START }, { at_7000, .at = START } };

	timers_start(timers, ARRAY_SIZE(timers), START);
	assert_string_equal(RUN(START), "a7");
	assert_int_equal(NEXT(), 7000);
	assert_true(timers[0].at == TIMER_NEVER);
	assert_string_equal(RUN(7000), "7");
}

/* What stands behind the deadline is left to the end; nothing is done after it. */
static void test_stop(void **state)
{
	struct timer timers[] = {
		{ note_a, .every = 100 },
		{ end, .every = 100 },
		{ note_b, .every = 100 },
	};

	timers_start(timers, ARRAY_SIZE(timers), START);
	assert_string_equal(RUN(1100), "a|");
	assert_int_equal(timers[2].at, 1100);
	assert_string_equal(RUN(1200), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_none, setup),
		cmocka_unit_test_setup(test_order, setup),
		cmocka_unit_test_setup(test_late, setup),
		cmocka_unit_test_setup(test_missed, setup),
		cmocka_unit_test_setup(test_once, setup),
		cmocka_unit_test_setup(test_stop, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
