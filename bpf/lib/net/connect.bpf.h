/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * connect.bpf.h: the TCP connections that processes of this machine are trying to make: whose they
 * are, and how their events are sent. What begins and ends them is in connect.probes.bpf.h, and a
 * look at those that try in connect_look.probes.bpf.h.
 *
 * A connection is that of who asks for it: of the task on the CPU when it begins, or of the one
 * that it works for. So nobody has to be looked for, as in owner.probes.bpf.h.
 */
#ifndef BORESCOPE_BPF_NET_CONNECT_BPF_H
#define BORESCOPE_BPF_NET_CONNECT_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

#include "lib/core/compat.bpf.h"
#include "lib/core/constants.bpf.h"
#include "lib/core/events.bpf.h"
#include "lib/core/filter.bpf.h"
#include "lib/core/task.bpf.h"
#include "lib/net/connect.shared.h"
#include "lib/net/flow.bpf.h"

#define CONNECTS_MAX 16384 /* that try at the same time */

const volatile struct connect_config connect_config SEC(".rodata.connect");
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
} connect_mptcp SEC(".maps");

/* Fills @head with who connects @sk: @task, which is that of task_works_for(). False: its
 * connections are not to be shown. */
static __always_inline bool connect_maker(struct event_head *head, struct task_struct *task,
					  const struct sock *sk)
{
	const struct sock *whole = sock_whole(sk);
	__u64 mptcp = (__u64)whole;
	struct event_head *owner;

	if (whole != sk && BPF_CORE_READ(task, flags) & PF_KTHREAD) {
		owner = bpf_map_lookup_elem(&connect_mptcp, &mptcp);
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
		bpf_map_update_elem(&connect_mptcp, &mptcp, head, BPF_ANY);
		head->flags = CONNECT_MPTCP;
	}
	return true;
}

/* The task on the CPU connects @sk: fills all but the flow. False: that is not to be shown. */
static __always_inline bool connect_fill(struct connect_event *e, const struct sock *sk)
{
	struct task_struct *task = task_works_for();

	if (!connect_maker(&e->head, task, sk))
		return false;
	e->latency = CONNECT_LATENCY_UNKNOWN;
	if (connect_config.want_born)
		e->born = BPF_CORE_READ(task, group_leader, start_boottime);
	return true;
}

/* Completes @e with what the socket has become, as far as it has not been cleared yet. */
static __always_inline void connect_complete(struct connect_event *e, const struct sock *sk)
{
	struct inet_sock *inet = (void *)sk;
	struct tcp_sock *tp = (void *)sk;

	e->flow.lport = bpf_ntohs(BPF_CORE_READ(inet, inet_sport)); /* that outlives skc_num */
	if (BPF_CORE_READ_BITFIELD_PROBED(tp, syn_fastopen))
		e->head.flags |= CONNECT_FAST_OPEN;
	if (BPF_CORE_READ_BITFIELD_PROBED(tp, syn_data))
		e->head.flags |= CONNECT_SYN_DATA;
}

/* Sends @e, whose result is @end (enum connect_end), if the local port is one that is wanted. @err:
 * -errno, or 0. @began: when connect() was called; 0: nobody knows when it came to its end. */
static __always_inline void connect_send(struct connect_event *e, __u64 began, __u32 end, int err)
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

#endif
