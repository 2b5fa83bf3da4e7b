/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * session_look.probes.bpf.h: what TCP connections have carried, for a reader that looks from time
 * to time; and an event for each that ends, for those that come and go in between.
 *
 * It defines the program session_sockets, and includes session.probes.bpf.h and netns.probes.bpf.h
 * with theirs: session_states, session_states_raw, owner_gone, owner_gone_raw, owner_files and
 * netns_tasks. Nothing is done for packets. Its tool defines session_changed(), which calls
 * session_see_end().
 */
#ifndef BORESCOPE_BPF_NET_SESSION_LOOK_PROBES_BPF_H
#define BORESCOPE_BPF_NET_SESSION_LOOK_PROBES_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "lib/core/constants.bpf.h"
#include "lib/core/events.bpf.h"
#include "lib/net/flow.bpf.h"
#include "lib/net/netns.probes.bpf.h"
#include "lib/net/session.probes.bpf.h"
#include "lib/net/session_look.shared.h"

struct session_look session_look SEC(".data.session");

/* Fills @seen, if that connection is to be looked at. */
static __always_inline bool session_see(struct session_seen *seen, const struct tcp_sock *tp,
					int state, bool quiet, bool typed)
{
	const struct sock *whole;

	__builtin_memset(seen, 0, sizeof(*seen));
	if (!session_flow(&seen->flow, tp, typed) || !flow_wanted(&seen->flow))
		return false;
	whole = sock_whole_of((void *)tp, typed);
	if (!flow_owner_wanted(whole))
		return false;
	seen->size = sizeof(*seen);
	seen->sock = (__u64)tp;
	session_read(&seen->session, tp, state, typed);
	seen->head.ts = bpf_ktime_get_ns();
	seen->head.uid = BPF_CORE_READ(whole, sk_uid.val);
	seen->head.pid = EVENT_UNKNOWN;
	if (!quiet)
		owner_of(whole, &seen->head, &seen->owner);
	return true;
}

/* Has it carried anything since the look before this one? When it has received, sent, or got an
 * acknowledgement last is written into the socket before it is unlocked; but of what waits to be
 * sent nothing tells since when. */
static __always_inline bool session_is_busy(struct tcp_sock *tp)
{
	struct inet_connection_sock *icsk = (void *)tp;
	__u32 since = session_look.since;

	return !session_look.since || tp->write_seq != tp->snd_nxt ||
	       (__s32)(icsk->icsk_ack.lrcvtime - since) >= 0 ||
	       (__s32)(tp->rcv_tstamp - since) >= 0 || (__s32)(tp->lsndtime - since) >= 0;
}

/* The iterator comes here with each socket of a network namespace, and at last with none. From
 * 5.15 on (04c7820b776f) it has the socket's lock, before that the lock of its hash bucket. */
SEC("iter/tcp")
int session_sockets(struct bpf_iter__tcp *ctx)
{
	struct sock_common *common = ctx->sk_common;
	struct session_seen seen;
	struct tcp_sock *tp;
	int state;

	if (!common)
		return 0;
	if (!session_look.now)
		session_look.now = bpf_jiffies64();
	tp = bpf_skc_to_tcp_sock(common); /* NULL: a request, or what is left of a session */
	if (!tp)
		return 0;
	state = common->skc_state;
	if (state == TCP_LISTEN || state == TCP_SYN_SENT || state == TCP_CLOSE ||
	    !session_is_busy(tp))
		return 0;
	if (session_see(&seen, tp, state, session_look.quiet, true))
		bpf_seq_write(ctx->meta->seq, &seen, sizeof(seen));
	return 0;
}

/* In the tool's session_changed(), where session_ends(): sends what it was. */
static __always_inline void session_see_end(const struct tcp_sock *tp, int state, bool typed)
{
	struct session_seen seen;

	if (!session_see(&seen, tp, state, false, typed))
		return;
	seen.owner.ended = true;
	owner_asks_again(sock_whole_of((void *)tp, typed), &seen.head);
	event_send(&seen, sizeof(seen));
}

#endif
