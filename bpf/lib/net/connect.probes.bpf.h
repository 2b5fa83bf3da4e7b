/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * connect.probes.bpf.h: an event (struct connect_event) for each TCP connection that a process of
 * this machine makes, when it has a result; however it was asked for.
 *
 * It defines the programs connect_states and connect_states_raw (the same for a kernel without BTF
 * of its own), fexit_tcp_v4_connect and fexit_tcp_v6_connect; libcommon/net/connect.h is the other
 * side.
 *
 * A socket that connects goes from CLOSE to SYN_SENT in the process that asks for it; from there
 * it comes to its result with any task on the CPU. Where there is no route, or no port is free, it
 * does not get to SYN_SENT, or is taken back to CLOSE: why, only the result of the call tells.
 */
#ifndef BORESCOPE_BPF_NET_CONNECT_PROBES_BPF_H
#define BORESCOPE_BPF_NET_CONNECT_PROBES_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

#include "lib/core/call_probes.bpf.h"
#include "lib/core/compat.bpf.h"
#include "lib/core/constants.bpf.h"
#include "lib/core/events.bpf.h"
#include "lib/net/connect.bpf.h"
#include "lib/net/flow.bpf.h"

/* --- the begin: the task on the CPU connects ---------------------------------------------- */

static __always_inline void connect_begins(const struct sock *sk)
{
	struct connect_event e = {};
	__u64 key = (__u64)sk;

	if (!connect_fill(&e, sk) || !flow_read(&e.flow, &sk->__sk_common) ||
	    !flow_wanted_unbound(&e.flow))
		return;
	if (!bpf_map_update_elem(&connects, &key, &e, BPF_NOEXIST))
		return;
	/* the end of the one before was not seen, or the map is full */
	if (bpf_map_update_elem(&connects, &key, &e, BPF_EXIST))
		event_count_lost();
	else
		event_count_unseen();
}

/* --- the result, whoever is on the CPU ----------------------------------------------------- */

/* Did the process give up? When connect() itself fails, nothing was sent yet. */
static __always_inline bool connect_is_abandoned(const struct sock *sk)
{
	struct tcp_sock *tp = (void *)sk;

	return BPF_CORE_READ(tp, packets_out) || BPF_CORE_READ(sk, sk_shutdown) & SHUTDOWN_MASK;
}

static __always_inline void connect_ends(const struct sock *sk, int to)
{
	__u64 key = (__u64)sk;
	struct connect_event *found = bpf_map_lookup_elem(&connects, &key), e;
	__u32 end = CONNECT_ESTABLISHED;
	int err = 0;

	if (!found)
		return;
	if (to != TCP_ESTABLISHED) {
		err = -BPF_CORE_READ(sk, sk_err);
		end = err || !connect_is_abandoned(sk) ? CONNECT_FAILED : CONNECT_ABANDONED;
	}
	if (connect_control.calls && end == CONNECT_FAILED && !err) {
		found->failed = true;
		return;
	}
	e = *found;
	if (bpf_map_delete_elem(&connects, &key))
		return;
	connect_complete(&e, sk);
	connect_send(&e, e.head.ts, end, err);
}

/* With an open from both sides, and to itself, a socket is in SYN_RECV in between. */
static __always_inline int connect_state(const struct sock *sk, int from, int to)
{
	if (from == TCP_CLOSE && to == TCP_SYN_SENT) {
		preempt_off();
		if (BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP)
			connect_begins(sk);
		preempt_on();
	} else if ((from == TCP_SYN_SENT || from == TCP_SYN_RECV) && to != TCP_SYN_RECV) {
		preempt_off();
		connect_ends(sk, to);
		preempt_on();
	}
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int connect_states(__u64 *ctx)
{
	return connect_state((void *)ctx[0], (int)ctx[1], (int)ctx[2]);
}

SEC("raw_tp/inet_sock_set_state") /* the same for a kernel without BTF of its own */
int connect_states_raw(__u64 *ctx)
{
	return connect_state((void *)ctx[0], (int)ctx[1], (int)ctx[2]);
}

/* --- connect() that fails at once: no route, no port left ---------------------------------- */

/* The address that was asked for stands in the socket only once it is known how to get there.
 * False: it is none. An IPv6 socket connects to ::ffff:a.b.c.d by tcp_v4_connect(). */
static __always_inline bool connect_peer(struct flow *flow, const struct sock *sk,
					 struct sockaddr *addr, int version)
{
	struct sockaddr_in6 *v6 = (void *)addr;
	struct sockaddr_in *v4 = (void *)addr;

	if (BPF_CORE_READ(v4, sin_family) != (version == 4 ? AF_INET : AF_INET6))
		return false;
	flow->rport = bpf_ntohs(BPF_CORE_READ(v4, sin_port));
	if (version == 4) {
		flow_v4(&flow->laddr, BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr));
		flow_v4(&flow->raddr, BPF_CORE_READ(v4, sin_addr.s_addr));
		flow->flags =
			BPF_CORE_READ(sk, __sk_common.skc_family) == AF_INET6 ? FLOW_V4MAPPED : 0;
	} else {
		BPF_CORE_READ_INTO(&flow->raddr, v6, sin6_addr);
		if (!flow->raddr.halves[0] && flow->raddr.words[2] == bpf_htonl(0xffff)) {
			if (!BPF_CORE_READ_BITFIELD_PROBED(&sk->__sk_common, skc_ipv6only))
				return false;
		}
	}
	flow->version = version;
	return true;
}

static __always_inline void connect_failed(const struct sock *sk, struct sockaddr *addr, int err,
					   int version)
{
	__u64 key = (__u64)sk;
	struct connect_event *found = bpf_map_lookup_elem(&connects, &key), e = {};

	if (found && found->failed) {
		e = *found;
		if (!bpf_map_delete_elem(&connects, &key))
			connect_send(&e, e.head.ts, CONNECT_FAILED, err);
	} else if (flow_read(&e.flow, &sk->__sk_common) &&
		   connect_peer(&e.flow, sk, addr, version) && flow_wanted_unbound(&e.flow) &&
		   connect_fill(&e, sk)) {
		connect_send(&e, e.head.ts, CONNECT_FAILED, err);
	}
}

static __always_inline int connect_call_ends(const struct sock *sk, struct sockaddr *addr, int ret,
					     int version)
{
	if (ret >= 0 || !connect_control.calls)
		return 0;
	preempt_off();
	connect_failed(sk, addr, ret, version);
	preempt_on();
	return 0;
}

CALL_FEXIT(tcp_v4_connect, "tcp_v4_connect", connect_call_ends(sk, addr, ret, 4), struct sock *sk,
	   struct sockaddr *addr, int addr_len, int ret)
CALL_FEXIT(tcp_v6_connect, "tcp_v6_connect", connect_call_ends(sk, addr, ret, 6), struct sock *sk,
	   struct sockaddr *addr, int addr_len, int ret)

#endif
