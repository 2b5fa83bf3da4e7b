/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * session_start.probes.bpf.h: when TCP sessions were established, also where their sockets do not
 * tell any more (session_began()).
 *
 * It defines the program session_files, which is to be run once the others are attached: it looks
 * at the sockets that processes have open, for what they still tell of sessions that are older, and
 * notes the owners.
 */
#ifndef BORESCOPE_BPF_NET_SESSION_START_PROBES_BPF_H
#define BORESCOPE_BPF_NET_SESSION_START_PROBES_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "lib/core/constants.bpf.h"
#include "lib/net/owner.probes.bpf.h"
#include "lib/net/session.bpf.h"

#define SESSION_STARTS_MAX 65536 /* sessions; the kernel forgets the least used */

struct session_start {
	__u64 began; /* as in struct session */
	__u32 ports; /* of which session: another one may come to be at the same address */
	__u32 known;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, SESSION_STARTS_MAX);
	__type(key, __u64); /* the socket's address */
	__type(value, struct session_start);
} session_starts SEC(".maps");

static __always_inline __u32 session_ports(const struct tcp_sock *tp, bool typed)
{
	struct inet_sock *inet = (void *)tp;
	struct sock *sk = (void *)tp;

	return TYPED_READ(inet, inet_sport) << 16 | TYPED_READ(sk, __sk_common.skc_dport);
}

/* @tp is established now. */
static __always_inline void session_starts_now(const struct tcp_sock *tp, bool typed)
{
	struct session_start start = { bpf_ktime_get_ns(), session_ports(tp, typed), true };
	__u64 sock = (__u64)tp;

	bpf_map_update_elem(&session_starts, &sock, &start, BPF_ANY);
}

/* It ends: completes what session_read() has found out in @s. */
static __always_inline void session_recall_start(struct session *s, const struct tcp_sock *tp,
						 bool typed)
{
	__u64 sock = (__u64)tp;
	struct session_start *start = bpf_map_lookup_elem(&session_starts, &sock);

	if (!start)
		return;
	if (!(s->flags & SESSION_BEGAN) && start->ports == session_ports(tp, typed)) {
		s->began = start->began;
		s->flags |= start->known ? SESSION_BEGAN : 0;
	}
	bpf_map_delete_elem(&session_starts, &sock);
}

/* The iterator comes here with each open file of each process. */
SEC("iter/task_file")
int session_files(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct session_start start = {};
	struct socket *socket;
	struct tcp_sock *tp;
	struct sock *sk;
	__u16 family;
	__u64 sock;

	if (!task || !file || (file->f_inode->i_mode & S_IFMT) != S_IFSOCK)
		return 0;
	socket = file->private_data;
	sk = BPF_CORE_READ(socket, sk);
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if ((family != AF_INET && family != AF_INET6) ||
	    BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return 0;
	tp = (void *)sk;
	start.began = BPF_CORE_READ(tp, rcvq_space.time) * 1000;
	if (!start.began) /* it listens, or is not established yet */
		return 0;
	start.ports = session_ports(tp, false);
	start.known = session_began(tp, BPF_CORE_READ(tp, bytes_received), false);
	sock = (__u64)sk;
	bpf_map_update_elem(&session_starts, &sock, &start, BPF_NOEXIST);
	owner_of_file(ctx, task, file, sock);
	return 0;
}

#endif
