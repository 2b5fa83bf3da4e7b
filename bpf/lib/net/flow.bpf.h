/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * flow.bpf.h: the addresses, ports and network namespace of a socket, and the filter that judges
 * them. The filter is in a section of its own, which flow_configure() fills.
 */
#ifndef BORESCOPE_BPF_NET_FLOW_BPF_H
#define BORESCOPE_BPF_NET_FLOW_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

#include "lib/core/compat.bpf.h"
#include "lib/core/constants.bpf.h"
#include "lib/core/filter.bpf.h"
#include "lib/net/flow.shared.h"

const volatile struct flow_filter flow_filter SEC(".rodata.flow");

/* Writes the IPv4 address @v4 as ::ffff:a.b.c.d. */
static __always_inline void flow_v4(struct inet_addr *addr, __be32 v4)
{
	addr->halves[0] = 0;
	addr->words[2] = bpf_htonl(0xffff);
	addr->words[3] = v4;
}

/* Fills @flow from @c: that of a socket, or of a request to connect (struct request_sock begins
 * with one). False: it is neither IPv4 nor IPv6. */
static __always_inline bool flow_read_of(struct flow *flow, const struct sock_common *c, bool typed)
{
	__u16 family = TYPED_READ(c, skc_family);
	bool mapped = false;

	if (family != AF_INET && family != AF_INET6)
		return false;
	__builtin_memset(flow, 0, sizeof(*flow));
	if (family == AF_INET6) {
		BPF_CORE_READ_INTO(&flow->laddr, c, skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&flow->raddr, c, skc_v6_daddr);
		mapped = !flow->raddr.halves[0] && flow->raddr.words[2] == bpf_htonl(0xffff);
	}
	if (family == AF_INET || mapped) {
		flow_v4(&flow->laddr, TYPED_READ(c, skc_rcv_saddr));
		flow_v4(&flow->raddr, TYPED_READ(c, skc_daddr));
	}
	flow->version = family == AF_INET || mapped ? 4 : 6;
	flow->flags = mapped ? FLOW_V4MAPPED : 0;
	flow->lport = TYPED_READ(c, skc_num);
	flow->rport = bpf_ntohs(TYPED_READ(c, skc_dport));
	flow->netns = typed ? c->skc_net.net->ns.inum : BPF_CORE_READ(c, skc_net.net, ns.inum);
	return true;
}

static __always_inline bool flow_read(struct flow *flow, const struct sock_common *c)
{
	return flow_read_of(flow, c, false);
}

static __always_inline bool flow_in_prefix(const struct inet_addr *addr,
					   const volatile struct inet_prefix *prefix)
{
	return (addr->halves[0] & prefix->mask.halves[0]) == prefix->addr.halves[0] &&
	       (addr->halves[1] & prefix->mask.halves[1]) == prefix->addr.halves[1];
}

/* No port is wanted in particular, or @port is one of those that are. */
static __always_inline bool flow_port(const volatile struct flow_ports *wanted, __u16 port)
{
	for (__u32 i = 0; i < FLOW_PORTS_MAX && i < wanted->nr; i++)
		if (wanted->ports[i] == port)
			return true;
	return !wanted->nr;
}

/* Judges all but the local port, which a socket that begins to connect may not have yet. */
static __always_inline bool flow_wanted_unbound(const struct flow *flow)
{
	return (!flow_filter.version || flow->version == flow_filter.version) &&
	       (!flow_filter.netns || flow->netns == flow_filter.netns) &&
	       flow_port(&flow_filter.rports, flow->rport) &&
	       flow_in_prefix(&flow->laddr, &flow_filter.laddr) &&
	       flow_in_prefix(&flow->raddr, &flow_filter.raddr);
}

static __always_inline bool flow_wanted(const struct flow *flow)
{
	return flow_port(&flow_filter.lports, flow->lport) && flow_wanted_unbound(flow);
}

/* Judges what the kernel keeps of its owner in the socket: the user, and the cgroup (v2) in
 * which it was made. An accepted socket has its listener's cgroup. For pids and comms see
 * owner.probes.bpf.h. */
static __always_inline bool flow_owner_wanted(const struct sock *sk)
{
	if (filter.by_uid && BPF_CORE_READ(sk, sk_uid.val) != filter.uid)
		return false;
	return !filter.cgroup || filter_in_cgroup(BPF_CORE_READ(sk, sk_cgrp_data.cgroup));
}

#endif
