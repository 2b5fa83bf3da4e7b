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

/* Fills @flow. What a filter by process wants is asked later. @whole: sock_whole() */
static __always_inline bool wanted(struct flow *flow, const struct sock *sk,
				   const struct sock *whole)
{
	return session_flow(flow, sk) && flow_wanted(flow) && flow_owner_wanted(whole);
}

static __always_inline void begins(const struct sock *sk)
{
	struct flow flow;

	if (!filtered || wanted(&flow, sk, sock_whole(sk)))
		session_starts_now(sk);
}

static __always_inline void ends(const struct sock *sk, int state)
{
	const struct sock *whole = sock_whole(sk);
	struct life_event e = {};

	if (!wanted(&e.flow, sk, whole))
		return;
	session_read(&e.session, sk, state);
	session_recall_start(&e.session, sk);
	e.head.ts = bpf_ktime_get_ns();
	e.head.uid = BPF_CORE_READ(whole, sk_uid.val);
	owner_of(whole, &e.head, &e.owner);
	e.owner.ended = true;
	if (!owner_wanted(&e.head))
		return;
	e.cgroup = BPF_CORE_READ(whole, sk_cgrp_data.cgroup, kn, id);
	event_send(&e, sizeof(e));
}

static __always_inline void session_changed(const struct sock *sk, int from, int to)
{
	if (to == TCP_ESTABLISHED)
		begins(sk);
	else if (session_ends(sk, from, to))
		ends(sk, from);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
