/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * tcplife.bpf.c: an event for each TCP session that ends.
 *
 * Programs: session_states, session_states_raw (lib/net/session.probes.bpf.h): they call
 * session_changed() below; session_files (lib/net/session_start.probes.bpf.h); owner_gone,
 * owner_gone_raw (lib/net/owner_gone.probes.bpf.h); owner_files (lib/net/owner.probes.bpf.h).
 */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#include "lib/core/events.bpf.h"
#include "lib/net/session.probes.bpf.h"
#include "lib/net/session_start.probes.bpf.h"
#include "tcplife.shared.h"

const volatile bool filtered; /* not all sessions are wanted */

/* Fills @flow. What a filter by process wants is asked later. @whole: sock_whole_of() */
static __always_inline bool wanted(struct flow *flow, const struct tcp_sock *tp,
				   const struct sock *whole, bool typed)
{
	return session_flow(flow, tp, typed) && flow_wanted(flow) && flow_owner_wanted(whole);
}

static __always_inline void begins(const struct tcp_sock *tp, bool typed)
{
	struct flow flow;

	if (!filtered || wanted(&flow, tp, sock_whole_of((void *)tp, typed), typed))
		session_starts_now(tp, typed);
}

/* @is_path: of the MPTCP connection @whole, which is @sk otherwise. */
static __always_inline void socket_says(struct life_event *e, const struct sock *sk,
					const struct sock *whole, bool is_path, bool typed)
{
	if (typed && !is_path) {
		e->head.uid = sk->sk_uid.val;
		e->cgroup = sk->sk_cgrp_data.cgroup->kn->id;
		return;
	}
	e->head.uid = BPF_CORE_READ(whole, sk_uid.val);
	e->cgroup = BPF_CORE_READ(whole, sk_cgrp_data.cgroup, kn, id);
}

static __always_inline void ends(const struct tcp_sock *tp, int state, bool typed)
{
	const struct sock *sk = (void *)tp;
	bool is_path = sock_is_path(sk, typed);
	const struct sock *whole = is_path ? sock_of_path(sk) : sk;
	struct life_event e = {};
	__u64 key = (__u64)tp;
	struct owner *place;

	if (!wanted(&e.flow, tp, whole, typed))
		return;
	session_read(&e.session, tp, state, typed);
	place = bpf_map_lookup_elem(&owners, &key);
	session_recall_start(&e.session, place, tp, typed);
	e.head.ts = bpf_ktime_get_ns();
	if (is_path)
		owner_of(whole, &e.head, &e.owner);
	else
		owner_tell(key, place, owner_file(sk, false, typed), &e.head, &e.owner);
	e.owner.ended = true;
	if (!owner_wanted(&e.head))
		return;
	socket_says(&e, sk, whole, is_path, typed);
	event_send(&e, sizeof(e));
}

static __always_inline void session_changed(const struct tcp_sock *tp, int from, int to, bool typed)
{
	if (to == TCP_ESTABLISHED)
		begins(tp, typed);
	else if (session_ends(tp, from, to, typed))
		ends(tp, from, typed);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
