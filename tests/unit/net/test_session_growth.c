/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/session_growth.h"

#define STARTED 1000

static struct run r;

/* Of process 7, from local port @lport. */
static struct session_seen seen(unsigned int lport, uint64_t sent, uint64_t received)
{
	static uint64_t ts = STARTED;

	return (struct session_seen){
		.head = { .ts = ++ts, .pid = 7, .tid = 7, .comm = "shopd" },
		.flow = { .lport = lport, .rport = 443, .version = 4, .netns = 1 },
		.size = sizeof(struct session_seen),
		.sock = 0xffff888000000000 + lport,
		.session = { .sent = sent,
			     .received = received,
			     .retransmits = received / 100,
			     .state = 1 },
	};
}

static void take(unsigned int lport, uint64_t sent, uint64_t received)
{
	const struct session_seen one = seen(lport, sent, received);

	session_growth_take(&r, &one);
}

static void end(unsigned int lport, uint64_t sent, uint64_t received)
{
	const struct session_seen one = seen(lport, sent, received);

	assert_false(session_growth_event(&r, &one, sizeof(one)));
}

static int by_port(const void *a, const void *b)
{
	const struct session_growth *x = a, *y = b;

	return x->key.flow.lport != y->key.flow.lport ? x->key.flow.lport - y->key.flow.lport
						      : (int)x->sent - (int)y->sent;
}

static struct session_growth *rows(size_t expected)
{
	size_t nr;
	struct session_growth *all = session_growth_rows(&r, by_port, &nr);

	assert_non_null(all);
	assert_int_equal(nr, expected);
	return all;
}

static void assert_row(const struct session_growth *s, unsigned int lport, uint64_t sent,
		       uint64_t received, uint64_t total_sent)
{
	assert_int_equal(s->key.flow.lport, lport);
	assert_int_equal(s->sent, sent);
	assert_int_equal(s->received, received);
	assert_int_equal(s->session.sent, total_sent);
	assert_int_equal(s->report.head.pid, 7);
}

/* No looks at this machine's sockets. */
static int setup(void **state)
{
	session_growth_detach(&r);
	r.started_ns = STARTED;
	return 0;
}

static int begin_anew(void **state)
{
	session_growth_renew(&r);
	r.opt = (struct common_options){ 0 };
	return 0;
}

static void test_growth(void **state)
{
	take(1, 100, 1000);
	take(2, 5, 0);
	take(3, 0, 0);
	assert_row(&rows(2)[0], 1, 100, 1000, 100);
	assert_row(&rows(2)[1], 2, 5, 0, 5);
	assert_int_equal(rows(2)[0].retransmits, 10);
	session_growth_renew(&r);
	rows(0);
	take(1, 150, 1000);
	take(2, 5, 0);
	assert_row(rows(1), 1, 50, 0, 150);
	assert_int_equal(rows(1)->retransmits, 0);
	assert_int_equal(rows(1)->session.retransmits, 10);
	/* as it may look where it is not locked */
	take(1, 149, 999);
	take(1, 151, 1001);
	assert_row(rows(1), 1, 51, 1, 151);
	assert_string_equal(rows(1)->report.head.comm, "shopd");
	assert_int_equal(rows(1)->session.state, 1);
}

static void test_end(void **state)
{
	take(1, 160, 1001);
	end(1, 170, 1002);
	assert_row(rows(1), 1, 170 - 151, 1, 170);
	assert_int_equal(rows(1)->session.state, 7);
	session_growth_renew(&r);
	rows(0);
	/* nothing more of it; then another one at its address */
	end(2, 5, 0);
	rows(0);
	session_growth_renew(&r);
	take(1, 3, 0);
	assert_row(rows(1), 1, 3, 0, 3);
	end(1, 3, 0);
}

/* Each one is a row, and the last goes on. */
static void test_same_ends(void **state)
{
	for (int i = 1; i <= 5; i++)
		end(9, i, 0);
	take(9, 100, 0);
	for (int i = 1; i <= 5; i++)
		assert_row(&rows(6)[i - 1], 9, i, 0, i);
	assert_row(&rows(6)[5], 9, 100, 0, 100);
	session_growth_renew(&r);
	take(9, 101, 0);
	assert_row(rows(1), 9, 1, 0, 101);
	end(9, 102, 0);
	end(9, 50, 0);
	assert_row(&rows(2)[0], 9, 2, 0, 102);
	assert_row(&rows(2)[1], 9, 50, 0, 50);
}

static void test_older(void **state)
{
	struct session_seen one = seen(20, 1000, 1000);

	/* before the first look was over */
	one.head.ts = STARTED - 1;
	session_growth_event(&r, &one, sizeof(one));
	rows(0);
	/* new to us, but older than this tool: what was carried until now is no growth */
	one = seen(21, 1000, 1000);
	one.session.began = STARTED - 1;
	one.session.flags = SESSION_BEGAN;
	session_growth_take(&r, &one);
	rows(0);
	take(21, 1001, 1000);
	assert_row(rows(1), 21, 1, 0, 1001);
	end(21, 1001, 1000);
	/* it has begun since */
	one = seen(22, 1000, 1000);
	one.session.began = STARTED + 1;
	one.session.flags = SESSION_BEGAN;
	session_growth_take(&r, &one);
	assert_row(&rows(2)[1], 22, 1000, 1000, 1000);
	end(22, 1000, 1000);
}

static void test_filter(void **state)
{
	r.opt.filter.nr_pids = 1;
	r.opt.filter.pids[0] = 8;
	take(30, 1, 1);
	end(31, 1, 1);
	rows(0);
	session_growth_renew(&r);
	r.opt.filter.pids[0] = 7;
	take(30, 3, 1);
	end(31, 1, 1);
	assert_row(&rows(2)[0], 30, 2, 0, 3);
	assert_row(&rows(2)[1], 31, 1, 1, 1);
	assert_int_equal(run_lost_total(&r), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_growth, begin_anew),
		cmocka_unit_test_teardown(test_end, begin_anew),
		cmocka_unit_test_teardown(test_same_ends, begin_anew),
		cmocka_unit_test_teardown(test_older, begin_anew),
		cmocka_unit_test_teardown(test_filter, begin_anew),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
