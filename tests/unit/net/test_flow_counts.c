/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/flow_counts.h"
#include "run/run.h"

enum kind { LATE, EARLY, LOST, KINDS };
static const char *const kinds[KINDS] = { "LATE", "EARLY", "LOST" };
static const struct flow_counts_view shown = { "TIMES", "times", "HOW", "how", kinds, KINDS };

static struct run r;

/* From 10.0.0.1 to 10.0.0.2. */
static struct flow flow(unsigned int lport)
{
	struct flow f = { .lport = lport, .rport = 443, .version = 4, .netns = 7 };

	f.laddr.words[2] = f.raddr.words[2] = htonl(0xffff);
	f.laddr.words[3] = htonl(0x0a000001);
	f.raddr.words[3] = htonl(0x0a000002);
	return f;
}

static void count(struct flow_counts *f, unsigned int lport, unsigned int pid, enum kind kind,
		  int n, int of_kind)
{
	struct event_head task = { .ts = 1, .pid = pid, .tid = pid, .comm = "shopd" };
	struct flow of = flow(lport);

	flow_counts_add(f, &r, &task, &of, n, kind, of_kind);
}

/* What a report says, which begins anew. */
static const char *reported(struct flow_counts *f)
{
	static char buf[sizeof(r.out.buf) + 1];

	flow_counts_report(f, &r, false);
	memcpy(buf, r.out.buf, r.out.len);
	buf[r.out.len] = '\0';
	r.out.len = 0;
	return buf;
}

static int setup(void **state)
{
	static struct run fresh;

	r = fresh;
	out_init(&r.out, -1);
	*state = flow_counts_new(&shown);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	flow_counts_free(*state);
	return 0;
}

#define HEADER "LADDR:LPORT        <-> RADDR:RPORT              TIMES PID     HOW          COMM\n"

static void test_rows(void **state)
{
	count(*state, 1, 100, LOST, 2, 2);
	count(*state, 2, 200, EARLY, 3, 3);
	count(*state, 2, 200, LATE, 0, 1); /* of no weight, but of a kind */
	count(*state, 1, 100, LOST, 2, 2);
	count(*state, 3, 300, EARLY, 3, 3);
	assert_string_equal(
		reported(*state), HEADER
		"10.0.0.1:1         <-> 10.0.0.2:443                 4 100     LOST:4       shopd\n"
		"10.0.0.1:2         <-> 10.0.0.2:443                 3 200     LATE:1,EARLY:3 "
		"shopd\n"
		"10.0.0.1:3         <-> 10.0.0.2:443                 3 300     EARLY:3      "
		"shopd\n");
	assert_int_equal(r.nr_events, 5);
	assert_string_equal(reported(*state), HEADER);
}

static void test_last_known_task(void **state)
{
	count(*state, 1, EVENT_UNKNOWN, LOST, 1, 1);
	assert_string_equal(
		reported(*state), HEADER
		"10.0.0.1:1         <-> 10.0.0.2:443                 1 ?       LOST:1       ?\n");
	count(*state, 1, EVENT_UNKNOWN, LOST, 1, 1);
	count(*state, 1, 100, LOST, 1, 1);
	count(*state, 1, 101, LOST, 1, 1);
	count(*state, 1, EVENT_UNKNOWN, LOST, 1, 1);
	assert_string_equal(reported(*state), HEADER "10.0.0.1:1         <-> 10.0.0.2:443          "
						     "       4 101     LOST:4       shopd\n");
}

static void test_json(void **state)
{
	const char *line;

	r.opt.json = true;
	count(*state, 1, 100, LOST, 2, 2);
	count(*state, 1, 100, LATE, 1, 1);
	line = reported(*state);
	assert_memory_equal(line, "{\"time\":\"", strlen("{\"time\":\""));
	assert_string_equal(strstr(line, ",\"pid\""),
			    ",\"pid\":100,\"tid\":100,\"uid\":0,\"comm\":\"shopd\",\"ip\":4,"
			    "\"local_addr\":\"10.0.0.1\",\"local_port\":1,"
			    "\"remote_addr\":\"10.0.0.2\",\"remote_port\":443,\"netns\":7,"
			    "\"how\":{\"LATE\":1,\"LOST\":2},\"times\":3}\n");
}

/* A storm of connections takes bounded memory; what does not fit is counted as lost. */
static void test_too_many(void **state)
{
	for (unsigned int port = 0; port < 16384 + 23; port++)
		count(*state, port, 1, LOST, 1, 1);
	assert_int_equal(r.nr_events, 16384);
	assert_int_equal(r.lost, 23);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_last_known_task, setup, teardown),
		cmocka_unit_test_setup_teardown(test_json, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
