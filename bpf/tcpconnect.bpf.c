/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * tcpconnect.bpf.c: an event for each active TCP connection, when it has a result.
 *
 * Programs: connect_states, connect_states_raw, fexit_tcp_v4_connect, fexit_tcp_v6_connect,
 * connects_look below; names_received, names_received_raw, fexit_udp_recvmsg, fexit_udpv6_recvmsg
 * (lib/net/names.probes.bpf.h).
 */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#include "lib/core/call_probes.bpf.h"
#include "lib/core/constants.bpf.h"
#include "lib/core/events.bpf.h"
#include "lib/core/filter.bpf.h"
#include "lib/core/task.bpf.h"
#include "lib/net/flow.bpf.h"
#include "lib/net/names.probes.bpf.h"
#include "tcpconnect.shared.h"

#define CONNECTS_MAX	 16384 /* that try at the same time */
#define CONNECT_GRACE_NS 1000000000ULL

const volatile bool want_names;
volatile struct connect_control connect_control SEC(".data.connect") = {};

/* Those that try, by the address of the socket. Whoever takes one out of it sends its event, so
 * that each is sent once. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, CONNECTS_MAX);
	__type(key, __u64);
	__type(value, struct connect_event);
} connects SEC(".maps");

/* Who has made an MPTCP connection: the kernel adds further paths to it by itself. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct event_head);
} mptcp_owners SEC(".maps");

/* --- the begin: the task on the CPU connects ---------------------------------------------- */

/* Fills the head. False: its connections are not to be shown. */
static __always_inline bool connector(struct event_head *head, const struct sock *sk)
{
	struct task_struct *task = task_works_for();
	const struct sock *whole = sock_whole(sk);
	__u64 mptcp = (__u64)whole;
	struct event_head *owner;

	if (whole != sk && BPF_CORE_READ(task, flags) & PF_KTHREAD) {
		owner = bpf_map_lookup_elem(&mptcp_owners, &mptcp);
		if (!owner && filter_any())
			return false;
		if (owner)
			*head = *owner;
		else
			head->pid = head->tid = EVENT_UNKNOWN;
		head->ts = bpf_ktime_get_ns();
	} else if ((__u64)task == bpf_get_current_task()) {
		if (!filter_current())
			return false;
		event_head(head);
	} else {
		if (!filter_task(task, false))
			return false;
		head->ts = bpf_ktime_get_ns();
		head->pid = head->tid = BPF_CORE_READ(task, tgid);
		head->uid = BPF_CORE_READ(task, cred, uid.val);
		BPF_CORE_READ_STR_INTO(&head->comm, task, comm);
	}
	if (whole != sk) {
		bpf_map_update_elem(&mptcp_owners, &mptcp, head, BPF_ANY);
		head->flags = CONNECT_MPTCP;
	}
	return true;
}

/* Fills all that is known when a socket begins to connect. False: it is not to be shown. */
static __always_inline bool begin(struct connect_event *e, const struct sock *sk)
{
	struct task_struct *task;

	if (!connector(&e->head, sk))
		return false;
	e->latency = ~0ULL;
	if (want_names) {
		task = task_works_for();
		e->born = BPF_CORE_READ(task, group_leader, start_boottime);
	}
	return true;
}

static __always_inline void begins(const struct sock *sk)
{
	struct connect_event e = {};
	__u64 key = (__u64)sk;

	if (!begin(&e, sk) || !flow_read(&e.flow, &sk->__sk_common) ||
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

/* Completes @e with what the socket has become, as far as it has not been cleared yet. */
static __always_inline void look_at(struct connect_event *e, const struct sock *sk)
{
	struct inet_sock *inet = (void *)sk;
	struct tcp_sock *tp = (void *)sk;

	e->flow.lport = bpf_ntohs(BPF_CORE_READ(inet, inet_sport)); /* that outlives skc_num */
	if (BPF_CORE_READ_BITFIELD_PROBED(tp, syn_fastopen))
		e->head.flags |= CONNECT_FAST_OPEN;
	if (BPF_CORE_READ_BITFIELD_PROBED(tp, syn_data))
		e->head.flags |= CONNECT_SYN_DATA;
}

/* @began: 0: nobody knows when it came to its end. */
static __always_inline void send(struct connect_event *e, __u64 began, __u32 end, int err)
{
	if (!flow_port(&flow_filter.lports, e->flow.lport))
		return;
	e->head.ts = bpf_ktime_get_ns();
	if (began)
		e->latency = e->head.ts - began;
	e->end = end;
	e->err = err;
	event_send(e, sizeof(*e));
}

/* Did the process give up? When connect() itself fails, nothing was sent yet. */
static __always_inline bool is_abandoned(const struct sock *sk)
{
	struct tcp_sock *tp = (void *)sk;

	return BPF_CORE_READ(tp, packets_out) || BPF_CORE_READ(sk, sk_shutdown) & SHUTDOWN_MASK;
}

static __always_inline void ends(const struct sock *sk, int to)
{
	__u64 key = (__u64)sk;
	struct connect_event *found = bpf_map_lookup_elem(&connects, &key), e;
	__u32 end = CONNECT_ESTABLISHED;
	int err = 0;

	if (!found)
		return;
	if (to != TCP_ESTABLISHED) {
		err = -BPF_CORE_READ(sk, sk_err);
		end = err || !is_abandoned(sk) ? CONNECT_FAILED : CONNECT_ABANDONED;
	}
	if (connect_control.calls && end == CONNECT_FAILED && !err) {
		found->failed = true;
		return;
	}
	e = *found;
	if (bpf_map_delete_elem(&connects, &key))
		return;
	look_at(&e, sk);
	send(&e, e.head.ts, end, err);
}

/* With an open from both sides, and to itself, a socket is in SYN_RECV in between. */
static __always_inline int state(const struct sock *sk, int from, int to)
{
	if (from == TCP_CLOSE && to == TCP_SYN_SENT) {
		if (BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP)
			begins(sk);
	} else if ((from == TCP_SYN_SENT || from == TCP_SYN_RECV) && to != TCP_SYN_RECV) {
		preempt_off();
		ends(sk, to);
		preempt_on();
	}
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int connect_states(__u64 *ctx)
{
	return state((void *)ctx[0], (int)ctx[1], (int)ctx[2]);
}

SEC("raw_tp/inet_sock_set_state") /* the same for a kernel without BTF of its own */
int connect_states_raw(__u64 *ctx)
{
	return state((void *)ctx[0], (int)ctx[1], (int)ctx[2]);
}

/* --- connect() that fails at once: no route, no port left ---------------------------------- */

/* The address that was asked for stands in the socket only once it is known how to get there.
 * False: it is none. An IPv6 socket connects to ::ffff:a.b.c.d by tcp_v4_connect(). */
static __always_inline bool wanted_peer(struct flow *flow, const struct sock *sk,
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

static __always_inline void failed(const struct sock *sk, struct sockaddr *addr, int err,
				   int version)
{
	__u64 key = (__u64)sk;
	struct connect_event *found = bpf_map_lookup_elem(&connects, &key), e = {};

	if (found && found->failed) {
		e = *found;
		if (!bpf_map_delete_elem(&connects, &key))
			send(&e, e.head.ts, CONNECT_FAILED, err);
	} else if (flow_read(&e.flow, &sk->__sk_common) &&
		   wanted_peer(&e.flow, sk, addr, version) && flow_wanted_unbound(&e.flow) &&
		   begin(&e, sk)) {
		send(&e, e.head.ts, CONNECT_FAILED, err);
	}
}

static __always_inline int call_ends(const struct sock *sk, struct sockaddr *addr, int ret,
				     int version)
{
	if (ret >= 0 || !connect_control.calls)
		return 0;
	preempt_off();
	failed(sk, addr, ret, version);
	preempt_on();
	return 0;
}

CALL_FEXIT(tcp_v4_connect, "tcp_v4_connect", call_ends(sk, addr, ret, 4), struct sock *sk,
	   struct sockaddr *addr, int addr_len, int ret)
CALL_FEXIT(tcp_v6_connect, "tcp_v6_connect", call_ends(sk, addr, ret, 6), struct sock *sk,
	   struct sockaddr *addr, int addr_len, int ret)

/* --- a look at those that try --------------------------------------------------------------- */

/* Is @sk still what it was when it began? */
static __always_inline bool is_same(const struct connect_event *e, const struct sock *sk)
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
static __always_inline __u32 end_of(const struct connect_event *e, const struct sock *sk, __u64 age)
{
	__u8 state = BPF_CORE_READ(sk, __sk_common.skc_state);

	if (state == TCP_CLOSE && age < CONNECT_GRACE_NS)
		return CONNECT_TRYING;
	if (!is_same(e, sk) || state == TCP_CLOSE || state == TCP_LISTEN)
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
	end = end_of(&e, sk, age);
	if (end == CONNECT_TRYING &&
	    (e.told || !connect_control.trying_ns || age < connect_control.trying_ns) && !ending)
		return 0;
	if ((end != CONNECT_TRYING || ending) && bpf_map_delete_elem(&connects, &key))
		return 0;
	if (e.told && end == CONNECT_TRYING)
		return 0;
	if (end != CONNECT_UNSEEN)
		look_at(&e, sk);
	if (end == CONNECT_TRYING)
		found->told = !ending;
	send(&e, end == CONNECT_TRYING ? e.head.ts : 0, end, 0);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
