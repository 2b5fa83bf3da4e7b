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

static __always_inline __u32 session_ports(const struct tcp_sock *tp, bool typed)
{
	struct inet_sock *inet = (void *)tp;
	struct sock *sk = (void *)tp;

	return TYPED_READ(inet, inet_sport) << 16 | TYPED_READ(sk, __sk_common.skc_dport);
}

/* @tp is established now. */
static __always_inline void session_starts_now(const struct tcp_sock *tp, bool typed)
{
	struct owner *place = owner_place((__u64)tp);

	if (!place)
		return;
	place->start.began = bpf_ktime_get_ns();
	place->start.ports = session_ports(tp, typed);
	place->start.known = true;
}

/* It ends: completes what session_read() has found out in @s. @place: that of @tp, or NULL. */
static __always_inline void session_recall_start(struct session *s, struct owner *place,
						 const struct tcp_sock *tp, bool typed)
{
	if (!place)
		return;
	if (!(s->flags & SESSION_BEGAN) && place->start.ports == session_ports(tp, typed)) {
		s->began = place->start.began;
		s->flags |= place->start.known ? SESSION_BEGAN : 0;
	}
	place->start.ports = 0;
}

/* The iterator comes here with each open file of each process. */
SEC("iter/task_file")
int session_files(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct socket *socket;
	struct owner *place;
	__u64 began;
	__u32 ports;
	struct tcp_sock *tp;
	struct sock *sk;
	__u16 family;

	if (!task || !file || (file->f_inode->i_mode & S_IFMT) != S_IFSOCK)
		return 0;
	socket = file->private_data;
	sk = BPF_CORE_READ(socket, sk);
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if ((family != AF_INET && family != AF_INET6) ||
	    BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return 0;
	tp = (void *)sk;
	began = BPF_CORE_READ(tp, rcvq_space.time) * 1000;
	place = began ? owner_place((__u64)sk) : NULL;
	if (!place) /* it listens, or is not established yet */
		return 0;
	ports = session_ports(tp, false);
	if (place->start.ports != ports) { /* else it was established meanwhile */
		place->start.began = began;
		place->start.known = session_began(tp, BPF_CORE_READ(tp, bytes_received), false);
		place->start.ports = ports;
	}
	owner_of_file(place, ctx, task, file);
	return 0;
}

#endif
