/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <linux/types.h>
#include <stdbool.h>

#include "net/dns.h"
#include "net/flow.h"

/* A message that is put together; names are given as they are sent. */
static struct {
	uint8_t bytes[2048];
	size_t len;
} msg;
static struct dns_answer answer;

static void put(const void *bytes, size_t len)
{
	memcpy(msg.bytes + msg.len, bytes, len);
	msg.len += len;
}
#define PUT(text) put(text, sizeof(text) - 1)

/* A header and a question for the A of this name. */
#define ASK(flags, questions, answers, name)                                                       \
	do {                                                                                       \
		msg.len = 0;                                                                       \
		PUT("\x12\x34" flags "\0" questions "\0" answers "\0\0\0\0" name "\0\1\0\1");      \
	} while (0)
#define RECORD(owner, type, len, data) PUT(owner "\0" type "\0\1\0\0\0\x3c\0" len data)
#define WWW			       "\3www\7example\0"
#define TO_QUESTION		       "\xc0\x0c"
#define ADDR4			       "\x0a\1\2\3"

/* Read from memory of exactly that size, where a byte too many is found. */
static bool reads(size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	bool ok;

	assert_non_null(copy);
	memcpy(copy, msg.bytes, len);
	ok = dns_read(&answer, copy, len);
	free(copy);
	return ok;
}

static const char *addr(unsigned int i)
{
	static struct out o;

	assert_true(i < answer.nr);
	out_init(&o, -1);
	flow_out_addr(&o, &answer.addrs[i]);
	o.buf[o.len] = '\0';
	return o.buf;
}

static void test_addresses(void **state)
{
	ASK("\x81\x80", "\1", "\3", WWW);
	RECORD(TO_QUESTION, "\1", "\4", ADDR4);
	RECORD("\3WWW\xc0\x10", "\x1c", "\x10", "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1");
	RECORD("\5other\0", "\1", "\4", "\1\1\1\1");
	assert_true(reads(msg.len));
	assert_string_equal(answer.name, "www.example");
	assert_int_equal(answer.nr, 2);
	assert_string_equal(addr(0), "10.1.2.3");
	assert_string_equal(addr(1), "2001:db8::1");
}

/* Whatever their order is: an alias of an alias. What goes round comes to an end. */
static void test_aliases(void **state)
{
	ASK("\x81\x80", "\1", "\4", WWW);
	RECORD("\1b\0", "\1", "\4", ADDR4);
	RECORD("\1a\0", "\5", "\3", "\1b\0");
	RECORD(TO_QUESTION, "\5", "\3", "\1a\0");
	RECORD("\1c\0", "\1", "\4", "\1\1\1\1");
	assert_true(reads(msg.len));
	assert_string_equal(answer.name, "www.example");
	assert_int_equal(answer.nr, 1);
	assert_string_equal(addr(0), "10.1.2.3");

	ASK("\x81\x80", "\1", "\2", WWW);
	RECORD("\1a\0", "\5", "\2", TO_QUESTION);
	RECORD(TO_QUESTION, "\5", "\3", "\1a\0");
	assert_false(reads(msg.len));
}

/* Bytes that are no letters, dots in labels; the longest name, all of such; the root. */
static void test_text(void **state)
{
	ASK("\x81\x80", "\1", "\1", "\7\x1b[m.\\ \xff\2ab\0");
	RECORD(TO_QUESTION, "\1", "\4", ADDR4);
	assert_true(reads(msg.len));
	assert_string_equal(answer.name, "\\027[m\\.\\\\\\032\\255.ab");

	ASK("\x81\x80", "\1", "\1", "");
	msg.len -= 4;
	for (int i = 0; i < 3; i++) {
		PUT("\x3f");
		memset(msg.bytes + msg.len, 1, 63);
		msg.len += 63;
	}
	PUT("\x3d");
	memset(msg.bytes + msg.len, 1, 61);
	msg.len += 61;
	PUT("\0\0\1\0\1");
	RECORD(TO_QUESTION, "\1", "\4", ADDR4);
	assert_true(reads(msg.len));
	assert_int_equal(strlen(answer.name), 4 * (3 * 63 + 61) + 3);

	ASK("\x81\x80", "\1", "\1", "\0");
	RECORD("\0", "\1", "\4", ADDR4);
	assert_true(reads(msg.len));
	assert_string_equal(answer.name, ".");
}

/* What stands before the cut counts; no byte behind it is looked at. */
static void test_cut(void **state)
{
	size_t first;

	ASK("\x83\x80", "\1", "\2", WWW);
	RECORD(TO_QUESTION, "\1", "\4", ADDR4);
	first = msg.len;
	RECORD(TO_QUESTION, "\1", "\4", "\1\1\1\1");
	for (size_t len = 0; len <= msg.len; len++) {
		assert_int_equal(reads(len), len >= first);
		if (len >= first)
			assert_int_equal(answer.nr, len == msg.len ? 2 : 1);
	}
}

static void test_no_answers(void **state)
{
	ASK("\1\x80", "\1", "\1", WWW); /* a question */
	RECORD(TO_QUESTION, "\1", "\4", ADDR4);
	assert_false(reads(msg.len));
	ASK("\x81\x83", "\1", "\1", WWW); /* there is no such name */
	RECORD(TO_QUESTION, "\1", "\4", ADDR4);
	assert_false(reads(msg.len));
	ASK("\xa9\x80", "\1", "\1", WWW); /* to another kind of request */
	RECORD(TO_QUESTION, "\1", "\4", ADDR4);
	assert_false(reads(msg.len));
	ASK("\x81\x80", "\2", "\1", WWW); /* to two questions */
	RECORD(TO_QUESTION, "\1", "\4", ADDR4);
	assert_false(reads(msg.len));
	ASK("\x81\x80", "\1", "\1", WWW); /* an address of three bytes */
	RECORD(TO_QUESTION, "\1", "\3", "\1\2\3");
	assert_false(reads(msg.len));
	ASK("\x81\x80", "\1", "\1", "\xc0\x0c"); /* a name that points to itself */
	RECORD(TO_QUESTION, "\1", "\4", ADDR4);
	assert_false(reads(msg.len));
	ASK("\x81\x80", "\1", "\1", "\x41x\0"); /* a kind of label that there is not */
	RECORD(TO_QUESTION, "\1", "\4", ADDR4);
	assert_false(reads(msg.len));
	ASK("\x81\x80", "\1", "\1", WWW); /* forwards */
	RECORD("\xc0\xff", "\1", "\4", ADDR4);
	assert_false(reads(msg.len));
}

/* More addresses and records than are kept. */
static void test_many(void **state)
{
	ASK("\x81\x80", "\1", "\x64", WWW);
	for (int i = 0; i < 100; i++)
		RECORD(TO_QUESTION, "\1", "\4", ADDR4);
	assert_true(reads(msg.len));
	assert_int_equal(answer.nr, DNS_ADDRS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),  cmocka_unit_test(test_aliases),
		cmocka_unit_test(test_text),	   cmocka_unit_test(test_cut),
		cmocka_unit_test(test_no_answers), cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
