/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/session.h"

#define FINS (SESSION_FIN_SENT | SESSION_FIN_RECEIVED)

static const char *end(int state, int err, int flags)
{
	const struct session s = { .state = state, .err = err, .flags = flags };

	return session_end_name(&s);
}

static void test_orderly(void **state)
{
	assert_string_equal(end(TCP_FIN_WAIT2, 0, FINS), "local");
	/* after close(), the other end's FIN is not waited for */
	assert_string_equal(end(TCP_FIN_WAIT2, 0, SESSION_FIN_SENT | SESSION_DEAF), "local");
	assert_string_equal(end(TCP_LAST_ACK, 0, FINS), "remote");
	assert_string_equal(end(TCP_CLOSING, 0, FINS), "both");
}

static void test_resets(void **state)
{
	struct session unread = { .state = TCP_FIN_WAIT2, .flags = SESSION_FIN_SENT, .unread = 1 };

	assert_string_equal(end(TCP_ESTABLISHED, 0, 0), "local-reset");
	assert_string_equal(end(TCP_CLOSE_WAIT, 0, SESSION_FIN_RECEIVED), "local-reset");
	assert_string_equal(end(TCP_FIN_WAIT1, 0, SESSION_FIN_SENT), "local-reset");
	assert_string_equal(session_end_name(&unread), "local-reset");
	unread.flags = FINS; /* the program has shut down, and will read what has come */
	assert_string_equal(session_end_name(&unread), "local");
	assert_string_equal(end(TCP_ESTABLISHED, ECONNRESET, 0), "remote-reset");
	assert_string_equal(end(TCP_CLOSE_WAIT, EPIPE, SESSION_FIN_RECEIVED), "remote-reset");
	assert_string_equal(end(TCP_FIN_WAIT1, ECONNRESET, SESSION_FIN_SENT), "remote-reset");
	assert_string_equal(end(TCP_LAST_ACK, ECONNRESET, FINS | SESSION_DEAF), "remote-reset");
	/* data that came after close(), or the other end's reset */
	assert_string_equal(end(TCP_FIN_WAIT1, ECONNRESET, SESSION_FIN_SENT | SESSION_DEAF),
			    "reset");
}

static void test_errors(void **state)
{
	assert_string_equal(end(TCP_ESTABLISHED, ETIMEDOUT, 0), "timeout");
	assert_string_equal(end(TCP_FIN_WAIT1, ETIMEDOUT, SESSION_FIN_SENT), "timeout");
	assert_string_equal(end(TCP_ESTABLISHED, ECONNABORTED, 0), "killed");
	assert_string_equal(end(TCP_ESTABLISHED, EHOSTUNREACH, 0), "EHOSTUNREACH");
	assert_string_equal(end(TCP_ESTABLISHED, 255, 0), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_orderly),
		cmocka_unit_test(test_resets),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
