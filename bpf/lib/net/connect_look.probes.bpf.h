/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * connect_look.probes.bpf.h: a look at the connections that try: those that have done so for long
 * (connect_control.trying_ns), and those whose result no program of ours has seen. When the tool
 * ends, all of them.
 *
 * It defines the program connects_look.
 */
#ifndef BORESCOPE_BPF_NET_CONNECT_LOOK_PROBES_BPF_H
#define BORESCOPE_BPF_NET_CONNECT_LOOK_PROBES_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "lib/core/constants.bpf.h"
#include "lib/net/connect.bpf.h"
#include "lib/net/flow.bpf.h"

#define CONNECT_GRACE_NS 1000000000ULL /* in CLOSE, while connect() looks for a port */

/* Is @sk still what it was when it began? */
static __always_inline bool connect_is_same(const struct connect_event *e, const struct sock *sk)
{
	struct flow now;

	return flow_read(&now, &sk->__sk_common) &&
	       now.raddr.halves[0] == e->flow.raddr.halves[0] &&
	       now.raddr.halves[1] == e->flow.raddr.halves[1] && now.rport == e->flow.rport &&
	       now.netns == e->flow.netns;
}

/* What a socket is that has been found among those that try. One that has a result was taken out
 * before its state said so: unless no program of ours was run then. That it is still CLOSE lasts
 * for a moment, in which connect() looks for a port. */
static __always_inline __u32 connect_end_of(const struct connect_event *e, const struct sock *sk,
					    __u64 age)
{
	__u8 state = BPF_CORE_READ(sk, __sk_common.skc_state);

	if (state == TCP_CLOSE && age < CONNECT_GRACE_NS)
		return CONNECT_TRYING;
	if (!connect_is_same(e, sk) || state == TCP_CLOSE || state == TCP_LISTEN)
		return CONNECT_UNSEEN;
	return state == TCP_SYN_SENT || state == TCP_SYN_RECV ? CONNECT_TRYING
							      : CONNECT_ESTABLISHED;
}

SEC("iter/bpf_map_elem")
int connects_look(struct bpf_iter__bpf_map_elem *ctx)
{
	struct connect_event *found = ctx->value, e;
	__u64 *address = ctx->key, key, age;
	bool ending = connect_control.ending;
	const struct sock *sk;
	__u32 end;

	if (!address || !found)
		return 0;
	key = *address;
	e = *found;
	sk = (void *)key;
	age = bpf_ktime_get_ns() - e.head.ts;
	end = connect_end_of(&e, sk, age);
	if (end == CONNECT_TRYING &&
	    (e.told || !connect_control.trying_ns || age < connect_control.trying_ns) && !ending)
		return 0;
	if ((end != CONNECT_TRYING || ending) && bpf_map_delete_elem(&connects, &key))
		return 0;
	if (e.told && end == CONNECT_TRYING)
		return 0;
	if (end != CONNECT_UNSEEN)
		connect_complete(&e, sk);
	if (end == CONNECT_TRYING && !ending) /* else it has been taken out */
		found->told = true;
	connect_send(&e, end == CONNECT_TRYING ? e.head.ts : 0, end, 0);
	return 0;
}

#endif
