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

/* The .text of a column of a struct flow: one of its ends, "10.0.0.1:443" or "[2001:db8::1]:443".
 * Where the port is 0, which stands for any, it is the address alone: "2001:db8::1". */
void flow_out_local(struct out *o, const void *flow);
void flow_out_remote(struct out *o, const void *flow);
/* That of a column of a struct inet_addr: the address alone, "10.0.0.1" or "2001:db8::1". */
void flow_out_addr(struct out *o, const void *addr);
/* That of a column of a port (__u16): "?" where it is 0, for there is none yet. */
void flow_out_port(struct out *o, const void *port);

/* How many characters these write of an end with that address and port, which is not 0. */
int flow_width(const struct inet_addr *addr, uint16_t port);

/* The name of a TCP state, as netstat has it: "ESTABLISHED"; "?" where there is no such state. */
const char *flow_state_name(unsigned int state);
/* The .text of a column of a __u8 that holds a TCP state. */
void flow_out_state(struct out *o, const void *state);

/* Writes the members of FLOW_KEYS; v4_mapped only if it is true, local_port only if it is not 0. */
void flow_json(struct json *j, const struct flow *flow);
#define FLOW_KEYS "ip v4_mapped local_addr local_port remote_addr remote_port netns"

/*
 * The parse functions of the options below, each into a part of a struct flow_filter. As all parse
 * functions, they return NULL, or what would be right. They read
 * ports:  a port, or several with commas between, which are added to those in a struct flow_ports;
 * prefix: an address, or a network ("10.0.0.0/8"), into a struct inet_prefix;
 * netns:  a name that "ip netns" knows, a path (/proc/PID/ns/net), the id of a process or an inode
 *	   number (those of namespaces are greater than any process id), into a __u32.
 */
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
	    .value = &(filter_).netns, .offer = flow_offer_netns,			   \
	    .help = "this network namespace only")

/* Beside these; both are the same as neither. */
#define FLOW_VERSION_OPTIONS									   \
	OPT('4', "ipv4", .flag = &flow_ipv4, .help = "IPv4 only"),				   \
	OPT('6', "ipv6", .flag = &flow_ipv6, .help = "IPv6 only")
extern bool flow_ipv4, flow_ipv6;
/* clang-format on */

/* For the table of options (struct opt, .offer): namespaces that have names. */
struct offers;
void flow_offer_netns(struct offers *o);

/* In a tool's configure hook: tells the kernel side which connections to look at, those of -4 or -6
 * among them. */
void flow_configure(struct object *o, const struct flow_filter *filter);

/* Do @filter and these options leave anything out? */
bool flow_is_filtered(const struct flow_filter *filter);

#endif
