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
static const struct column columns[] = {
	FLOW_COUNTS_ENDS("LADDR:LPORT"),
	COL(flow_row, n[0], "TIMES", .width = -11),
	COL_HEAD(pid, "PID", .width = 7),
	COL_CUSTOM("HOW", .width = 12, .text = flow_counts_kinds_text,
		   .json = flow_counts_kinds_json, .keys = "how"),
	COL_HEAD(comm, "COMM", .fmt = FMT_STR),
	COL(flow_row, n[0], NULL, .key = "times"),
	COL_END,
};
static const struct flow_counts_config config = {
	.columns = columns,
	.kinds = kinds,
	.nr_kinds = KINDS,
	.kinds_key = "how",
};

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

	struct flow_row *row = flow_counts_row(f, &r, &task, &of);

	if (!row)
		return;
	row->n[0] += n;
	row->of_kind[kind] += of_kind;
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
	*state = flow_counts_new(&config);
	return *state ? 0 : -1;
}

/* Of a report in JSON, what follows the time. */
static const char *json_reported(struct flow_counts *f)
{
	const char *line;

	r.opt.json = true;
	line = reported(f);
	assert_memory_equal(line, "{\"time\":\"", strlen("{\"time\":\""));
	line = strstr(line, ",\"pid\"");
	assert_non_null(line);
	return line;
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
	count(*state, 1, 100, LOST, 2, 2);
	count(*state, 1, 100, LATE, 1, 1);
	assert_string_equal(json_reported(*state),
			    ",\"pid\":100,\"tid\":100,\"uid\":0,\"comm\":\"shopd\",\"ip\":4,"
			    "\"local_addr\":\"10.0.0.1\",\"local_port\":1,"
			    "\"remote_addr\":\"10.0.0.2\",\"remote_port\":443,\"netns\":7,"
			    "\"how\":{\"LATE\":1,\"LOST\":2},\"times\":3}\n");
}

/* --- as other tools count ------------------------------------------------------------------ */

/* tcpconnect's: from which address, to whom, how often. */
static const struct column peer_columns[] = {
	COL(flow_row, key.flow, "LADDR", .width = 12, .text = flow_out_local),
	COL(flow_row, key.flow, "RADDR:RPORT", .width = 14, .text = flow_out_remote),
	COL_CUSTOM(NULL, .json = flow_counts_ends_json, .keys = FLOW_KEYS),
	COL(flow_row, n[0], "CONNECTS", .key = "connects"),
	COL_END,
};
static const struct flow_counts_config peers = { .columns = peer_columns, .any_local_port = true };

static void test_any_local_port(void **state)
{
	struct flow_counts *f = flow_counts_new(&peers);

	for (unsigned int port = 1; port <= 23; port++)
		count(f, port, 100 + port, LATE, 1, 0);
	assert_string_equal(reported(f), "LADDR        RADDR:RPORT    CONNECTS\n"
					 "10.0.0.1     10.0.0.2:443   23\n");
	count(f, 7, 100, LATE, 1, 0);
	count(f, 8, 100, LATE, 1, 0);
	assert_string_equal(json_reported(f),
			    ",\"pid\":100,\"tid\":100,\"uid\":0,\"comm\":\"shopd\",\"ip\":4,"
			    "\"local_addr\":\"10.0.0.1\","
			    "\"remote_addr\":\"10.0.0.2\",\"remote_port\":443,\"netns\":7,"
			    "\"connects\":2}\n");
	flow_counts_free(f);
}

/* tcptop's: bytes in each direction, by process; the sum of both is the order. */
static const struct column byte_columns[] = {
	COL_HEAD(pid, "PID", .width = 6),
	COL_HEAD(comm, "COMM", .width = 6, .fmt = FMT_STR),
	FLOW_COUNTS_ENDS("LADDR:LPORT"),
	COL(flow_row, n[0], "RX", .width = -5, .key = "received_bytes"),
	COL(flow_row, n[1], "TX", .width = -5, .key = "sent_bytes"),
	COL_END,
};
static const struct flow_counts_config bytes = { .columns = byte_columns, .by_process = true };

static void count_bytes(struct flow_counts *f, unsigned int pid, int received, int sent)
{
	struct event_head task = { .ts = 1, .pid = pid, .tid = pid, .comm = "shopd" };
	struct flow of = flow(1);
	struct flow_row *row = flow_counts_row(f, &r, &task, &of);

	assert_non_null(row);
	row->n[0] += received;
	row->n[1] += sent;
}

static void test_two_counts_by_process(void **state)
{
	struct flow_counts *f = flow_counts_new(&bytes);

	count_bytes(f, 100, 20, 3);
	count_bytes(f, EVENT_UNKNOWN, 0, 7);
	count_bytes(f, 101, 4, 30);
	count_bytes(f, 100, 0, 1);
	assert_string_equal(
		reported(f),
		"PID    COMM   LADDR:LPORT        <-> RADDR:RPORT           RX    TX\n"
		"101    shopd  10.0.0.1:1         <-> 10.0.0.2:443           4    30\n"
		"100    shopd  10.0.0.1:1         <-> 10.0.0.2:443          20     4\n"
		"?      ?      10.0.0.1:1         <-> 10.0.0.2:443           0     7\n");
	count_bytes(f, 100, 20, 3);
	assert_string_equal(json_reported(f),
			    ",\"pid\":100,\"tid\":100,\"uid\":0,\"comm\":\"shopd\",\"ip\":4,"
			    "\"local_addr\":\"10.0.0.1\",\"local_port\":1,"
			    "\"remote_addr\":\"10.0.0.2\",\"remote_port\":443,\"netns\":7,"
			    "\"received_bytes\":20,\"sent_bytes\":3}\n");
	flow_counts_free(f);
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
		cmocka_unit_test_setup_teardown(test_any_local_port, setup, teardown),
		cmocka_unit_test_setup_teardown(test_two_counts_by_process, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
