/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * session.bpf.h: what a TCP connection has carried and how it is, from what the kernel keeps in its
 * socket. Nothing is done for packets. For the moment when it ends see session.probes.bpf.h.
 */
#ifndef BORESCOPE_BPF_NET_SESSION_BPF_H
#define BORESCOPE_BPF_NET_SESSION_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

#include "lib/core/constants.bpf.h"
#include "lib/core/events.shared.h"
#include "lib/net/flow.bpf.h"
#include "lib/net/session.shared.h"

/* As flow_read(), for a socket that may be closing: tcp_set_state() takes its port away before the
 * tracepoint comes. inet_sport stays. */
static __always_inline bool session_flow(struct flow *flow, const struct tcp_sock *tp, bool typed)
{
	struct inet_sock *inet = (void *)tp;

	if (!flow_read_of(flow, (void *)tp, typed))
		return false;
	if (!flow->lport)
		flow->lport = bpf_ntohs(TYPED_READ(inet, inet_sport));
	return true;
}

/*
 * Has @sk connected, or was it accepted? The kernel does not keep that as such, but an accepted one
 * knows the interface by which its SYN came (tcp_v4_syn_recv_sock(), tcp_v6_syn_recv_sock()), in
 * fields that a program can't set for TCP, and that are 0 in a new socket. (A socket of IPv6 may
 * get it later, if the program has asked for IPV6_RECVPKTINFO: tcp_v6_do_rcv().)
 */
static __always_inline bool session_is_active(const struct tcp_sock *tp, bool typed)
{
	struct inet_sock *inet = (void *)tp;
	struct sock *sk = (void *)tp;

	if (TYPED_READ(inet, mc_index))
		return false;
	return TYPED_READ(sk, __sk_common.skc_family) != AF_INET6 ||
	       !BPF_CORE_READ(inet, pinet6, mcast_oif);
}

static __always_inline bool session_fin_sent(int state)
{
	return state == TCP_FIN_WAIT1 || state == TCP_FIN_WAIT2 || state == TCP_CLOSING ||
	       state == TCP_LAST_ACK || state == TCP_TIME_WAIT;
}

/*
 * Is rcvq_space.time when the connection was established? The kernel keeps no such time, but it
 * begins to measure then how fast the program reads (tcp_init_buffer_space()). That is so as long
 * as the place where it measures from is that of the first byte; later the time is that of a read.
 */
static __always_inline bool session_began(const struct tcp_sock *tp, __u64 received, bool typed)
{
	__u32 first = TYPED_READ(tp, rcv_nxt) - (__u32)received;

	return !(received >> 32) && TYPED_READ(tp, rcvq_space.seq) == first;
}

/*
 * Fills @s from @tp, which is not a listener. @state: that of the socket, or at the end the one
 * that it had before.
 *
 * The kernel's bytes_acked and bytes_received count sequence numbers, of which SYN and FIN take
 * one each: a SYN only where this end has connected (else counting begins behind it), and the other
 * end's SYN never. What has not been acknowledged yet lies between snd_una and write_seq, whether
 * it was sent or not; that is still so when the queues have been thrown away.
 */
static __always_inline void session_read(struct session *s, const struct tcp_sock *tp, int state,
					 bool typed)
{
	struct sock *sk = (void *)tp;
	__u64 acked = TYPED_READ(tp, bytes_acked), received = TYPED_READ(tp, bytes_received);
	__u32 waiting = TYPED_READ(tp, write_seq) - TYPED_READ(tp, snd_una);
	__u32 unread = TYPED_READ(tp, rcv_nxt) - TYPED_READ(tp, copied_seq);
	bool active = session_is_active(tp, typed), fin_sent = session_fin_sent(state);
	bool fin_received = TYPED_READ(sk, __sk_common.skc_flags) >> SOCK_DONE & 1;
	__u32 srtt = TYPED_READ(tp, srtt_us) >> 3; /* it is kept in eighths */

	s->began = TYPED_READ(tp, rcvq_space.time) * 1000;
	s->sent = acked + waiting - active - fin_sent;
	if ((__s64)s->sent < 0) /* connect() has only begun */
		s->sent = 0;
	s->acked = s->sent;
	if (waiting) /* a SYN is alone, or lies before all data; a FIN behind them */
		s->acked -= waiting - fin_sent - (active && !acked);
	s->received = received - fin_received;
	s->unread = unread - (unread && fin_received);
	s->resent = TYPED_READ(tp, bytes_retrans);
	s->retransmits = TYPED_READ(tp, total_retrans);
	s->segs_out = TYPED_READ(tp, segs_out);
	s->segs_in = TYPED_READ(tp, segs_in);
	s->srtt = srtt ? srtt : EVENT_UNKNOWN;
	s->state = state;
	s->flags = (active ? SESSION_ACTIVE : 0) | (fin_sent ? SESSION_FIN_SENT : 0) |
		   (fin_received ? SESSION_FIN_RECEIVED : 0) |
		   (TYPED_READ(sk, sk_shutdown) & RCV_SHUTDOWN ? SESSION_DEAF : 0) |
		   (session_began(tp, received, typed) ? SESSION_BEGAN : 0);
	s->err = TYPED_READ(sk, sk_err);
}

#endif
