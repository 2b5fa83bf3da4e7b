/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <linux/types.h>
#include <stdbool.h>

#include "base/util.h"
#include "net/flow.h"

static struct inet_addr addr(const char *text)
{
	struct inet_addr a = { 0 };

	if (inet_pton(AF_INET, text, &a.words[3]) == 1)
		a.words[2] = htonl(0xffff);
	else
		assert_int_equal(inet_pton(AF_INET6, text, &a), 1);
	return a;
}

static const char *endpoint(const char *text, uint16_t port)
{
	static struct out o;
	const struct flow flow = { .laddr = addr(text), .lport = port, .rport = 1 };

	out_init(&o, -1);
	flow_out_local(&o, &flow);
	o.buf[o.len] = '\0';
	return o.buf;
}

static void test_text(void **state)
{
	assert_string_equal(endpoint("10.1.2.3", 443), "10.1.2.3:443");
	assert_string_equal(endpoint("::ffff:10.1.2.3", 443), "10.1.2.3:443");
	assert_string_equal(endpoint("::1", 65535), "[::1]:65535");
	assert_string_equal(endpoint("10.1.2.3", 0), "10.1.2.3");
	assert_string_equal(endpoint("2001:db8::1", 0), "2001:db8::1");
	/* the longest there is */
	assert_string_equal(endpoint("1111:2222:3333:4444:5555:6666:7777:8888", 0),
			    "1111:2222:3333:4444:5555:6666:7777:8888");
}

static void test_width(void **state)
{
	static const char *const addrs[] = { "10.1.2.3", "::1",
					     "1111:2222:3333:4444:5555:6666:7777:8888" };
	static const uint16_t ports[] = { 1, 9, 10, 443, 65535 };

	for (size_t i = 0; i < ARRAY_SIZE(addrs); i++)
		for (size_t k = 0; k < ARRAY_SIZE(ports); k++) {
			struct inet_addr a = addr(addrs[i]);

			assert_int_equal(flow_width(&a, ports[k]),
					 strlen(endpoint(addrs[i], ports[k])));
		}
}

static void test_address_alone(void **state)
{
	static struct out o;
	const struct inet_addr v4 = addr("10.1.2.3"), v6 = addr("2001:db8::1");
	const __u16 port = 65535, none = 0;

	out_init(&o, -1);
	flow_out_addr(&o, &v4);
	out_char(&o, ' ');
	flow_out_addr(&o, &v6);
	out_char(&o, ' ');
	flow_out_port(&o, &port);
	out_char(&o, ' ');
	flow_out_port(&o, &none);
	o.buf[o.len] = '\0';
	assert_string_equal(o.buf, "10.1.2.3 2001:db8::1 65535 ?");
}

static void test_states(void **state)
{
	assert_string_equal(flow_state_name(0), "?");
	assert_string_equal(flow_state_name(1), "ESTABLISHED");
	assert_string_equal(flow_state_name(11), "CLOSING");
	assert_string_equal(flow_state_name(12), "SYN_RECV");
	assert_string_equal(flow_state_name(13), "?");
}

static void test_ports(void **state)
{
	static const char *const wrong[] = { "",    ",",     "0",  "65536", "80,",
					     ",80", "80,,1", "8x", "-1",    "123456789" };
	struct flow_ports p = { 0 };

	assert_null(flow_parse_ports("443", &p));
	assert_int_equal(p.nr, 1);
	assert_int_equal(p.ports[0], 443);
	assert_null(flow_parse_ports("1,65535", &p)); /* given again: it adds to them */
	assert_int_equal(p.nr, 3);
	assert_int_equal(p.ports[0], 443);
	assert_int_equal(p.ports[2], 65535);
	assert_null(flow_parse_ports("4,5,6,7,8,9,10,11,12,13,14,15,16", &p));
	assert_int_equal(p.nr, FLOW_PORTS_MAX);
	assert_non_null(flow_parse_ports("17", &p));
	p.nr = 0;
	assert_non_null(flow_parse_ports("1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", &p));
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		p.nr = 0;
		assert_non_null(flow_parse_ports(wrong[i], &p));
	}
}

/* As the kernel side judges. */
static bool in(const char *text, const struct inet_prefix *p)
{
	struct inet_addr a = addr(text);

	return (a.halves[0] & p->mask.halves[0]) == p->addr.halves[0] &&
	       (a.halves[1] & p->mask.halves[1]) == p->addr.halves[1];
}

static void test_prefixes(void **state)
{
	static const char *const wrong[] = { "",	  "x",		 "10.0.0.0/33",
					     "10.0.0.0/", "10.0.0.0/-1", "::/129",
					     "10.0.0",	  "[::1]",	 "/8",
					     "::1/8/8" };
	struct inet_prefix p;

	assert_null(flow_parse_prefix("10.1.2.3", &p));
	assert_true(in("10.1.2.3", &p));
	assert_false(in("10.1.2.2", &p));
	assert_null(flow_parse_prefix("10.1.2.3/9", &p));
	assert_true(in("10.127.255.255", &p));
	assert_true(in("10.0.0.0", &p));
	assert_false(in("10.128.0.0", &p));
	assert_false(in("::10.1.2.3", &p));
	assert_null(flow_parse_prefix("0.0.0.0/0", &p)); /* all of IPv4, and nothing else */
	assert_true(in("255.0.0.1", &p));
	assert_false(in("::1", &p));
	assert_null(flow_parse_prefix("2001:db8::/33", &p));
	assert_true(in("2001:db8:7fff::1", &p));
	assert_false(in("2001:db8:8000::1", &p));
	assert_null(flow_parse_prefix("fd00::1", &p));
	assert_true(in("fd00::1", &p));
	assert_false(in("fd00::", &p));
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_non_null(flow_parse_prefix(wrong[i], &p));
}

static void test_netns(void **state)
{
	char text[32];
	struct stat st;
	__u32 inode = 0;

	assert_int_equal(stat("/proc/self/ns/net", &st), 0);
	assert_null(flow_parse_netns("/proc/self/ns/net", &inode));
	assert_int_equal(inode, st.st_ino);
	inode = 0;
	snprintf(text, sizeof(text), "%d", getpid());
	assert_null(flow_parse_netns(text, &inode));
	assert_int_equal(inode, st.st_ino);
	assert_null(flow_parse_netns("4026531840", &inode));
	assert_int_equal(inode, 4026531840u);
	assert_non_null(flow_parse_netns("", &inode));
	assert_non_null(flow_parse_netns("no-such-name", &inode));
	assert_non_null(flow_parse_netns("/no/such/path", &inode));
	assert_non_null(flow_parse_netns("/tmp", &inode));
	assert_non_null(flow_parse_netns("/etc/passwd", &inode));
	assert_non_null(flow_parse_netns("/proc/self/ns/uts", &inode));
	assert_non_null(flow_parse_netns("2147483647", &inode));
	assert_non_null(flow_parse_netns("0", &inode));
	assert_non_null(flow_parse_netns("4294967296", &inode));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),	      cmocka_unit_test(test_width),
		cmocka_unit_test(test_address_alone), cmocka_unit_test(test_states),
		cmocka_unit_test(test_ports),	      cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_netns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
