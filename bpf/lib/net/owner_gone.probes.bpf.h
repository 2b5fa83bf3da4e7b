/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * owner_gone.probes.bpf.h: who closes a socket whose owner was not known when its connection ended.
 *
 * It defines the programs owner_gone and owner_gone_raw (the same for a kernel without BTF of its
 * own). An accepted socket that is reset may be closed before its owner is looked for
 * (owner.probes.bpf.h), and at once there is another one at its address. Its close() is no change
 * of state then, but tcp_destroy_sock tells who does it.
 */
#ifndef BORESCOPE_BPF_NET_OWNER_GONE_PROBES_BPF_H
#define BORESCOPE_BPF_NET_OWNER_GONE_PROBES_BPF_H

#include "lib/net/owner.probes.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, OWNERS_MAX);
	__type(key, struct owner_gone);
	__type(value, struct owner);
} owners_gone SEC(".maps");

/* Behind owner_of(), at the end of a connection for whose owner a look may have asked just before:
 * from now on it is the event with @head that asks, for owner_passes() goes by the time. */
static __always_inline void owner_asks_again(const struct sock *whole,
					     const struct event_head *head)
{
	__u64 sock = (__u64)whole;
	struct owner *owner = bpf_map_lookup_elem(&owners, &sock);

	if (head->pid == EVENT_UNKNOWN && owner && owner->known == OWNER_WANTED)
		owner->since = head->ts;
}

static __always_inline void owner_goes(const struct sock *sk, bool typed)
{
	struct owner_gone gone = { .sock = (__u64)sock_whole_of(sk, typed) };
	struct owner *owner = bpf_map_lookup_elem(&owners, &gone.sock);
	struct task_struct *task, *leader;
	__u32 pid;

	if (!owner || !owner->since) /* it was known all the time */
		return;
	task = (void *)bpf_get_current_task();
	pid = bpf_get_current_pid_tgid() >> 32;
	gone.since = owner->since;
	/* The task on the CPU closes it: an interrupt does not own the lock. Unless it is the tool,
	 * which has looked at the file when its process closed it. */
	if (owner->known == OWNER_WANTED && TYPED_READ(sk, sk_lock.owned) &&
	    pid != filter.own_pid && !(BPF_CORE_READ(task, flags) & PF_KTHREAD)) {
		leader = BPF_CORE_READ(task, group_leader);
		owner->pid = pid;
		BPF_CORE_READ_STR_INTO(&owner->comm, leader, comm);
		owner->known = owner->task == (__u64)BPF_CORE_READ(leader, real_cred)
				       ? OWNER_OPENER
				       : OWNER_CLOSED;
	}
	bpf_map_update_elem(&owners_gone, &gone, owner, BPF_ANY);
	owner_forget(owner);
}

SEC("tp_btf/tcp_destroy_sock")
int owner_gone(__u64 *ctx)
{
	owner_goes((void *)ctx[0], true);
	return 0;
}

SEC("raw_tp/tcp_destroy_sock")
int owner_gone_raw(__u64 *ctx)
{
	owner_goes((void *)ctx[0], false);
	return 0;
}

#endif
