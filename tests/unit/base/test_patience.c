/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A write waits, moves, and is given up. The other thread is played by a timer's signal. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/patience.h"

#define PIPE_BYTES 4096

static int ends[2];
static unsigned int signals, give_up_at, last_number, numbers;
static size_t read_each; /* by every signal */
static char data[3 * PIPE_BYTES];

static void on_signal(int sig)
{
	char bytes[PIPE_BYTES];
	unsigned int number = patience_current();

	numbers += number != last_number;
	last_number = number;
	if (read_each)
		assert_int_equal(read(ends[0], bytes, read_each), read_each);
	if (++signals == give_up_at)
		patience_give_up(number);
}

static int setup(void **state)
{
	const struct sigaction action = { .sa_handler = on_signal };
	const struct itimerval every = { { 0, 5000 }, { 0, 5000 } };

	signals = give_up_at = last_number = numbers = 0;
	read_each = 0;
	if (pipe(ends) || fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES) < 0)
		return -1;
	if (write(ends[1], data, PIPE_BYTES) != PIPE_BYTES)
		return -1;
	sigaction(SIGALRM, &action, NULL);
	return setitimer(ITIMER_REAL, &every, NULL);
}

static int teardown(void **state)
{
	const struct itimerval never = { 0 };

	patience_meanwhile(NULL, NULL);
	setitimer(ITIMER_REAL, &never, NULL);
	return close(ends[0]) | close(ends[1]);
}

static void test_gives_up(void **state)
{
	give_up_at = 5;
	assert_int_equal(patience_write(ends[1], data, 1), -1);
	assert_int_equal(errno, ETIMEDOUT);
	assert_true(signals >= 5);
	assert_int_equal(numbers, 1);
	assert_int_equal(patience_current(), 0);
}

/* The one that was given up is not the next one. */
static void test_next_write(void **state)
{
	give_up_at = 1;
	assert_int_equal(patience_write(ends[1], data, 1), -1);
	assert_int_equal(read(ends[0], data, PIPE_BYTES), PIPE_BYTES);
	assert_int_equal(patience_write(ends[1], data, 1), 1);
}

static void test_non_blocking(void **state)
{
	assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
	give_up_at = 5;
	assert_int_equal(patience_write(ends[1], data, 1), -1);
	assert_int_equal(errno, ETIMEDOUT);
	assert_true(signals >= 5);
}

/* A reader that takes a little at each time: what was written shows. */
static void test_moves(void **state)
{
	size_t done = 0;

	read_each = PIPE_BYTES;
	while (done < sizeof(data)) {
		ssize_t n = patience_write(ends[1], data + done, sizeof(data) - done);

		assert_true(n > 0);
		done += n;
	}
	assert_true(numbers > 1);
}

static unsigned int called;

static void meanwhile(void *ctx)
{
	unsigned int number = patience_current();

	assert_ptr_equal(ctx, &called);
	if (++called == 3)
		patience_give_up(number);
	assert_int_equal(patience_write(ends[1], data, 0), 0); /* its own calls nothing */
}

static void test_meanwhile(void **state)
{
	called = 0;
	patience_meanwhile(meanwhile, &called);
	assert_int_equal(patience_write(ends[1], data, 1), -1);
	assert_int_equal(errno, ETIMEDOUT);
	assert_int_equal(called, 3);
}

static void test_error(void **state)
{
	assert_int_equal(patience_write(-1, data, 1), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(patience_current(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_gives_up, setup, teardown),
		cmocka_unit_test_setup_teardown(test_next_write, setup, teardown),
		cmocka_unit_test_setup_teardown(test_non_blocking, setup, teardown),
		cmocka_unit_test_setup_teardown(test_moves, setup, teardown),
		cmocka_unit_test_setup_teardown(test_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_error, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
