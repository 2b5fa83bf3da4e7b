/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * flow: addresses, ports, TCP's states and network namespaces, as text; and which connections a
 * tool looks at (the user side of bpf/lib/net/flow.bpf.h).
 */
#ifndef BORESCOPE_NET_FLOW_H
#define BORESCOPE_NET_FLOW_H

#include <linux/types.h>
#include <stdint.h>

#include "lib/net/flow.shared.h"
#include "output/json.h"
#include "output/out.h"

struct object;

/* "10.0.0.1", "2001:db8::1"; into @buf (FLOW_ADDR_LEN holds any), returns @buf. */
#define FLOW_ADDR_LEN 46
const char *flow_addr_str(const struct inet_addr *addr, char *buf);

/* For columns of a struct flow (.text): its ends, "10.0.0.1:443", "[2001:db8::1]:443"; where the
 * port is 0 (any), the address alone, "10.0.0.1", "2001:db8::1". */
void flow_out_local(struct out *o, const void *flow);
void flow_out_remote(struct out *o, const void *flow);

/* "ESTABLISHED", as netstat calls it; "?": there is no such state. */
const char *flow_state_name(unsigned int state);
/* For a column of a __u8 with one. */
void flow_out_state(struct out *o, const void *state);

/* The members of FLOW_KEYS: v4_mapped only if it is true, local_port only if it is not 0 (any). */
void flow_json(struct json *j, const struct flow *flow);
#define FLOW_KEYS "ip v4_mapped local_addr local_port remote_addr remote_port netns"

/* For the table of options (struct opt, .parse), into a part of a struct flow_filter. Each returns
 * NULL, or what would be right.
 * flow_parse_ports: a port, or several with commas between, behind those in struct flow_ports.
 * flow_parse_prefix: an address, or one with a prefix length ("10.0.0.0/8"), into struct inet_prefix.
 * flow_parse_netns: a name that "ip netns" knows, a path (/proc/PID/ns/net), the id of a process, or an
 *              inode number (those of namespaces are greater than any process id), into __u32. */
const char *flow_parse_ports(const char *arg, void *ports);
const char *flow_parse_prefix(const char *arg, void *prefix);
const char *flow_parse_netns(const char *arg, void *inode);

/* clang-format off */
/* Those, for a tool's table of options; @filter is a struct flow_filter. BCC's tools have letters
 * for some: OPT_LETTER(). */
#define FLOW_OPTIONS(filter_)									   \
	OPT(0, "lport", .arg = "PORT[,PORT...]", .parse = flow_parse_ports,			   \
	    .value = &(filter_).lports, .help = "these local ports only"),			   \
	OPT(0, "rport", .arg = "PORT[,PORT...]", .parse = flow_parse_ports,			   \
	    .value = &(filter_).rports, .help = "these remote ports only"),			   \
	OPT(0, "laddr", .arg = "ADDR[/LEN]", .parse = flow_parse_prefix,			   \
	    .value = &(filter_).laddr, .help = "this local address or network only"),		   \
	OPT(0, "raddr", .arg = "ADDR[/LEN]", .parse = flow_parse_prefix,			   \
	    .value = &(filter_).raddr, .help = "this remote address or network only"),		   \
	OPT(0, "netns", .arg = "NAME|PATH|PID|INODE", .parse = flow_parse_netns,		   \
	    .value = &(filter_).netns, .help = "this network namespace only")
/* clang-format on */

/* In a tool's configure hook. */
void flow_configure(struct object *o, const struct flow_filter *filter);

#endif
