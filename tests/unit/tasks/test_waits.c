/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What threads wait for, as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/syscalls.h"
#include "base/util.h"
#include "tasks/thread.h"
#include "tasks/waits.h"

static __u64 *calls_of(struct wait_idle_counts *c, const char *name)
{
	return &c->calls[syscall_number(name, false)];
}

static void test_idle_text(void **state)
{
	static struct wait_idle_counts c;
	char text[WAITS_TEXT_LEN], small[20];

	(void)state;
	assert_string_equal(waits_idle_text(&c, text, sizeof(text)), "");
	assert_int_equal(waits_idle_total(&c), 0);
	c.kernel = 7;
	assert_string_equal(waits_idle_text(&c, text, sizeof(text)), "kernel threads 7");
	*calls_of(&c, "futex") = 1200;
	*calls_of(&c, "epoll_wait") = 40;
	*calls_of(&c, "accept") = 2;
	*calls_of(&c, "pause") = 50;
	c.compat = 3;
	c.other = 5;
	assert_string_equal(waits_idle_text(&c, text, sizeof(text)),
			    "futex 1200, pause 50, epoll_wait 40, kernel threads 7, others 10");
	assert_int_equal(waits_idle_total(&c), 1200 + 50 + 40 + 7 + 10);
	assert_string_equal(waits_idle_text(&c, small, sizeof(small)), "futex 1200, pause 5");
}

static void test_states(void **state)
{
	static const char *const wrong[] = { "", ",", "x", "R,", ",R", "RD", "R,,D", "R D", "r" };
	__u32 bits;

	(void)state;
	assert_null(thread_parse_states("D", &bits));
	assert_int_equal(bits, 1 << TASK_IS_BLOCKED);
	assert_null(thread_parse_states("R,t,I,R", &bits));
	assert_int_equal(bits, 1 << TASK_IS_RUNNABLE | 1 << TASK_IS_TRACED | 1 << TASK_IS_IDLE);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_non_null(thread_parse_states(wrong[i], &bits));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_idle_text),
		cmocka_unit_test(test_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
