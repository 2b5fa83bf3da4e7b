/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/util.h"

static uint64_t real_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static void test_sync(void **state)
{
	uint64_t mono = clock_mono_ns(), before = real_now(), real, after;
	int i;

	(void)state;
	/* the first use takes the distance by itself */
	real = clock_real_ns(mono);
	assert_true(real > before - NSEC_PER_SEC / 10 && real < before + NSEC_PER_SEC / 10);

	for (i = 0; i < 100; i++) {
		clock_sync();
		before = real_now();
		mono = clock_mono_ns();
		after = real_now();
		real = clock_real_ns(mono);
		/* our reading lies between the two, but for the width of a sync */
		assert_true(real + NSEC_PER_SEC / 100 > before &&
			    real < after + NSEC_PER_SEC / 100);
	}
	assert_int_equal(clock_real_ns(mono + 5) - clock_real_ns(mono), 5);
	assert_int_equal(clock_real_ns(mono) - clock_real_ns(mono - NSEC_PER_SEC), NSEC_PER_SEC);
	assert_true(clock_mono_ns() >= mono);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_sync) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
