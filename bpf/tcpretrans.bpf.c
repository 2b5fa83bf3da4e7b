/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * tcpretrans.bpf.c: an event for each segment that TCP sends again.
 *
 * Programs: retransmit, retransmit_raw, retransmit_synack, retransmit_synack_raw,
 * fentry_loss_probe, fexit_loss_probe, kprobe_loss_probe, kretprobe_loss_probe below;
 * owner_state_changes, owner_state_changes_raw, owner_files (lib/net/owner.probes.bpf.h).
 */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#include "lib/core/call_probes.bpf.h"
#include "lib/core/constants.bpf.h"
#include "lib/core/events.bpf.h"
#include "lib/net/flow.bpf.h"
#include "lib/core/inflight.bpf.h"
#include "lib/net/owner.probes.bpf.h"
#include "tcpretrans.shared.h"

const volatile bool
	has_err; /* tcp_retransmit_skb has a third argument, and is called for failures */

static __always_inline struct tcp_skb_cb *control_block(const struct sk_buff *skb)
{
	return (void *)skb + bpf_core_field_offset(skb->cb);
}

/* Why a segment is sent again, told apart as the kernel's own counters do: see
 * tcp_retransmit_timer(), tcp_send_loss_probe() and tcp_xmit_retransmit_queue(). The first is
 * called with no timer pending, and only the last one is limited to segments that count as
 * lost. */
static __always_inline enum retrans_why reason(const struct sock *sk, const struct tcp_skb_cb *cb)
{
	struct inet_connection_sock *icsk = (void *)sk;
	struct tcp_sock *tp = (void *)sk;
	__u8 tcp_flags = BPF_CORE_READ(cb, tcp_flags);

	if (tcp_flags & TCPHDR_SYN)
		return tcp_flags & TCPHDR_ACK ? WHY_SYNACK : WHY_SYN;
	if (!BPF_CORE_READ(icsk, icsk_pending))
		return BPF_CORE_READ(tp, snd_wnd) ? WHY_RTO : WHY_WINDOW;
	if (!(BPF_CORE_READ(cb, sacked) & TCPCB_LOST))
		return WHY_TLP;
	return BPF_CORE_READ_BITFIELD_PROBED(icsk, icsk_ca_state) == TCP_CA_Loss ? WHY_SLOWSTART
										 : WHY_FAST;
}

/* Fills what all events have. @from: @sk itself, or a request to it. What the event tells of the
 * owner is kept in the socket that a process has. False: the event is not to be
 * shown. */
static __always_inline bool begin(struct retrans_event *e, const struct sock *sk, const void *from)
{
	const struct sock *whole = sock_whole(sk);

	__builtin_memset(e, 0, sizeof(*e));
	if (!flow_read(&e->flow, from) || !flow_wanted(&e->flow) || !flow_owner_wanted(whole))
		return false;
	e->head.ts = bpf_ktime_get_ns();
	e->head.uid = BPF_CORE_READ(whole, sk_uid.val);
	owner_of(whole, &e->head, &e->owner);
	e->cgroup = BPF_CORE_READ(whole, sk_cgrp_data.cgroup, kn, id);
	e->cwnd = e->srtt = EVENT_UNKNOWN;
	return true;
}

/* Fills what only an event of a connection has. */
static __always_inline void fill(struct retrans_event *e, const struct sock *sk)
{
	struct tcp_sock *tp = (void *)sk;
	__u32 srtt = BPF_CORE_READ(tp, srtt_us) >> 3; /* it is kept in eighths */

	e->state = BPF_CORE_READ(sk, __sk_common.skc_state);
	e->cwnd = BPF_CORE_READ(tp, snd_cwnd);
	e->total = BPF_CORE_READ(tp, total_retrans);
	if (srtt)
		e->srtt = srtt;
}

/*
 * Did __tcp_retransmit_skb() give up before it counted anything? The segment still lies in a queue
 * of this machine (EBUSY), the window is closed (EAGAIN), there was no memory to make it (ENOMEM;
 * for a copy on its way out it is ENOBUFS), or there is no route: then the socket has none. With a
 * route, EHOSTUNREACH comes from further down, as any other error: it was tried, and counted.
 */
static __always_inline bool not_tried(const struct sock *sk, int err)
{
	return err == -EBUSY || err == -EAGAIN || err == -ENOMEM ||
	       (err == -EHOSTUNREACH && !BPF_CORE_READ(sk, sk_dst_cache));
}

static __always_inline void retransmitted(const struct sock *sk, const struct sk_buff *skb, int err)
{
	struct tcp_skb_cb *cb = control_block(skb);
	struct retrans_event e;

	if (!begin(&e, sk, sk))
		return;
	fill(&e, sk);
	e.why = reason(sk, cb);
	e.seq = BPF_CORE_READ(cb, seq);
	e.segs = not_tried(sk, err) ? 0 : BPF_CORE_READ(cb, tcp_gso_segs);
	e.len = BPF_CORE_READ(skb, len);
	e.err = err;
	event_send(&e, sizeof(e));
}

SEC("tp_btf/tcp_retransmit_skb")
int retransmit(__u64 *ctx)
{
	retransmitted((void *)ctx[0], (void *)ctx[1], has_err ? (int)ctx[2] : 0);
	return 0;
}

SEC("raw_tp/tcp_retransmit_skb") /* the same for a kernel without BTF of its own */
int retransmit_raw(__u64 *ctx)
{
	retransmitted((void *)ctx[0], (void *)ctx[1], has_err ? (int)ctx[2] : 0);
	return 0;
}

/* --- SYN-ACKs of connections that have no socket yet: the listener's, sent by a timer ----- */

static __always_inline void synack(const struct sock *sk, const struct request_sock *req)
{
	struct tcp_request_sock *treq = (void *)req;
	struct retrans_event e;

	if (!begin(&e, sk, req))
		return;
	e.why = WHY_SYNACK;
	e.state = TCP_SYN_RECV;
	e.seq = BPF_CORE_READ(treq, snt_isn);
	e.segs = 1;
	e.total = BPF_CORE_READ(req, num_retrans) + 1; /* counted when the tracepoint is over */
	event_send(&e, sizeof(e));
}

SEC("tp_btf/tcp_retransmit_synack")
int retransmit_synack(__u64 *ctx)
{
	synack((void *)ctx[0], (void *)ctx[1]);
	return 0;
}

SEC("raw_tp/tcp_retransmit_synack")
int retransmit_synack_raw(__u64 *ctx)
{
	synack((void *)ctx[0], (void *)ctx[1]);
	return 0;
}

/* --- tail loss probes that carry new data: no retransmission, so no tracepoint ------------ */

struct probe_call {
	struct sock *sk;
	__u32 outstanding, snd_nxt;
};
INFLIGHT(probe_calls, struct probe_call, 1024);

static __always_inline int probe_begins(struct sock *sk)
{
	struct tcp_sock *tp = (void *)sk;
	struct probe_call call = { sk, BPF_CORE_READ(tp, tlp_high_seq),
				   BPF_CORE_READ(tp, snd_nxt) };

	inflight_begin(&probe_calls, &call);
	return 0;
}

static __always_inline void probe_sent(struct probe_call *call)
{
	const struct sock *sk = call->sk;
	struct tcp_sock *tp = (void *)sk;
	struct retrans_event e;

	/* a probe is under way already, or none was sent, or it was a retransmission */
	if (call->outstanding || !BPF_CORE_READ(tp, tlp_high_seq) ||
	    BPF_CORE_READ_BITFIELD_PROBED(tp, tlp_retrans) || !begin(&e, sk, sk))
		return;
	fill(&e, sk);
	e.why = WHY_TLP_NEW;
	e.seq = call->snd_nxt;
	e.len = BPF_CORE_READ(tp, snd_nxt) - call->snd_nxt;
	event_send(&e, sizeof(e));
}

static __always_inline int probe_ends(void)
{
	struct probe_call *call = inflight_get(&probe_calls);

	if (!call)
		return 0;
	probe_sent(call);
	inflight_end(&probe_calls);
	return 0;
}

CALL_PROBES(loss_probe, "tcp_send_loss_probe", probe_begins(sk), probe_ends(), struct sock *sk)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
