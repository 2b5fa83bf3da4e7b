/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/nsfs.h>

#include "base/util.h"
#include "net/flow.h"
#include "net/netns.h"
#include "kernel/object.h"
#include "base/number.h"
#include "run/offers.h"

#define ADDR_LEN INET6_ADDRSTRLEN

static bool is_v4(const struct inet_addr *addr)
{
	return !addr->halves[0] && addr->words[2] == htonl(0xffff);
}

/* "10.0.0.1" or "2001:db8::1", into @buf, which has room for ADDR_LEN bytes. Returns @buf. */
static const char *addr_str(const struct inet_addr *addr, char *buf)
{
	if (is_v4(addr))
		return inet_ntop(AF_INET, &addr->words[3], buf, ADDR_LEN);
	return inet_ntop(AF_INET6, addr, buf, ADDR_LEN);
}

static void out_endpoint(struct out *o, const struct inet_addr *addr, uint16_t port)
{
	char text[ADDR_LEN];

	if (!port) {
		out_str(o, addr_str(addr, text));
		return;
	}
	if (!is_v4(addr))
		out_char(o, '[');
	out_str(o, addr_str(addr, text));
	out_str(o, is_v4(addr) ? ":" : "]:");
	out_u64(o, port);
}

void flow_out_local(struct out *o, const void *flow)
{
	const struct flow *f = flow;

	out_endpoint(o, &f->laddr, f->lport);
}

void flow_out_remote(struct out *o, const void *flow)
{
	const struct flow *f = flow;

	out_endpoint(o, &f->raddr, f->rport);
}

int flow_width(const struct inet_addr *addr, uint16_t port)
{
	char text[ADDR_LEN];
	int width = strlen(addr_str(addr, text)) + (is_v4(addr) ? 1 : 3);

	do
		width++;
	while (port /= 10);
	return width;
}

void flow_out_addr(struct out *o, const void *addr)
{
	char text[ADDR_LEN];

	out_str(o, addr_str(addr, text));
}

void flow_out_port(struct out *o, const void *port)
{
	if (*(const __u16 *)port)
		out_u64(o, *(const __u16 *)port);
	else
		out_char(o, '?');
}

const char *flow_state_name(unsigned int state)
{
	/* include/net/tcp_states.h */
	static const char *const names[] = {
		"?",	     "ESTABLISHED", "SYN_SENT", "SYN_RECV",   "FIN_WAIT1",
		"FIN_WAIT2", "TIME_WAIT",   "CLOSE",	"CLOSE_WAIT", "LAST_ACK",
		"LISTEN",    "CLOSING",	    "SYN_RECV",
	};

	return state < ARRAY_SIZE(names) ? names[state] : "?";
}

void flow_out_state(struct out *o, const void *state)
{
	out_str(o, flow_state_name(*(const __u8 *)state));
}

void flow_json(struct json *j, const struct flow *flow)
{
	char text[ADDR_LEN];

	json_u64(j, "ip", flow->version);
	if (flow->flags & FLOW_V4MAPPED)
		json_bool(j, "v4_mapped", true);
	json_str(j, "local_addr", addr_str(&flow->laddr, text));
	if (flow->lport)
		json_u64(j, "local_port", flow->lport);
	json_str(j, "remote_addr", addr_str(&flow->raddr, text));
	json_u64(j, "remote_port", flow->rport);
	json_u64(j, "netns", flow->netns);
}

const char *flow_parse_ports(const char *arg, void *ports)
{
	static const char right[] = "port numbers, at most 16: 443 or 80,443";
	struct flow_ports *p = ports;
	char one[8];

	for (; p->nr < FLOW_PORTS_MAX; arg++) {
		size_t len = strcspn(arg, ",");
		uint64_t port;

		if (len >= sizeof(one))
			return right;
		memcpy(one, arg, len);
		one[len] = '\0';
		if (!number_parse(one, 1, 65535, &port))
			return right;
		p->ports[p->nr++] = port;
		arg += len;
		if (!*arg)
			return NULL;
	}
	return right;
}

/* The first @bits of 128 are 1. */
static void make_mask(struct inet_addr *mask, unsigned int bits)
{
	memset(mask, 0, sizeof(*mask));
	for (unsigned int i = 0; i < bits; i++)
		mask->bytes[i / 8] |= 0x80 >> i % 8;
}

const char *flow_parse_prefix(const char *arg, void *prefix)
{
	static const char right[] = "an address or a network: 10.1.2.3, 10.0.0.0/8, 2001:db8::/32";
	struct inet_prefix *p = prefix;
	size_t len = strcspn(arg, "/");
	char text[ADDR_LEN];
	unsigned int bits;
	uint64_t given;

	if (len >= sizeof(text))
		return right;
	memcpy(text, arg, len);
	text[len] = '\0';
	memset(p, 0, sizeof(*p));
	if (inet_pton(AF_INET, text, &p->addr.words[3]) == 1) {
		p->addr.words[2] = htonl(0xffff);
		bits = 32;
	} else if (inet_pton(AF_INET6, text, &p->addr) == 1) {
		bits = 128;
	} else {
		return right;
	}
	given = bits;
	if (arg[len] && !number_parse(arg + len + 1, 0, bits, &given))
		return right;
	make_mask(&p->mask, 128 - bits + given);
	for (int i = 0; i < 2; i++)
		p->addr.halves[i] &= p->mask.halves[i];
	return NULL;
}

/* Only what has the type of a namespace's file is opened: the path may be of anything. */
static bool is_netns(const char *path, const struct stat *st)
{
	bool is = false;
	int fd;

	if (!S_ISREG(st->st_mode))
		return false;
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0) {
		is = ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET;
		close(fd);
	}
	return is;
}

const char *flow_parse_netns(const char *arg, void *inode)
{
	static const char right[] = "a network namespace: a name of 'ip netns', a path such as "
				    "/proc/1234/ns/net, a process id or an inode number";
	static const char denied[] = "a network namespace that may be looked at: permission denied";
	uint64_t number;
	char path[256];
	struct stat st;
	int len;

	if (number_parse(arg, 1, UINT32_MAX, &number)) {
		if (number > 0x7fffffff) {
			*(__u32 *)inode = number;
			return NULL;
		}
		len = snprintf(path, sizeof(path), "/proc/%s/ns/net", arg);
	} else {
		len = snprintf(path, sizeof(path), "%s%s", strchr(arg, '/') ? "" : NETNS_NAMED,
			       arg);
	}
	if (!*arg || len >= (int)sizeof(path))
		return right;
	if (stat(path, &st))
		return errno == EACCES ? denied : right;
	if (!is_netns(path, &st))
		return right;
	*(__u32 *)inode = st.st_ino;
	return NULL;
}

bool flow_ipv4, flow_ipv6;

void flow_configure(struct object *o, const struct flow_filter *filter)
{
	struct flow_filter *to = object_section(o, ".rodata.flow", "lib/net/flow.bpf.h");

	*to = *filter;
	if (flow_ipv4 != flow_ipv6)
		to->version = flow_ipv4 ? 4 : 6;
}

bool flow_is_filtered(const struct flow_filter *filter)
{
	static const struct flow_filter all;

	return flow_ipv4 != flow_ipv6 || memcmp(filter, &all, sizeof(all));
}

void flow_offer_netns(struct offers *o)
{
	offers_entries(o, NETNS_NAMED);
	if (strchr(o->typed, '/'))
		o->end = "files";
}
