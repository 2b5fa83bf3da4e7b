/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * session.probes.bpf.h: the changes of state of TCP connections, of which the last one is their
 * end, and their owners.
 *
 * It defines the programs session_states and session_states_raw (the same for a kernel without BTF
 * of its own), and includes owner_gone.probes.bpf.h, which has owner_gone, owner_gone_raw and
 * owner_files. Its tool defines session_changed(), called with the socket's lock held and without
 * preemption, before the change takes place (but for those to FIN_WAIT2 and CLOSE_WAIT). In
 * session_states the verifier knows the type of what it is given: @typed, for TYPED_READ().
 *
 * The kernel's last word of a connection is the change to TCP_CLOSE, whatever became of it: what is
 * left of TIME_WAIT, or of FIN_WAIT2 after close(), is done by a small stand-in, which carries no
 * data. Everything that session_read() reads is still in the socket then.
 */
#ifndef BORESCOPE_BPF_NET_SESSION_PROBES_BPF_H
#define BORESCOPE_BPF_NET_SESSION_PROBES_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#define OWNER_STATES_SEEN /* before owner.probes.bpf.h */
#include "lib/net/owner_gone.probes.bpf.h"
#include "lib/net/session.bpf.h"

static __always_inline void session_changed(const struct tcp_sock *tp, int from, int to,
					    bool typed);

/* Is this the end of a connection that was established, or (Fast Open) has carried data before? */
static __always_inline bool session_ends(const struct tcp_sock *tp, int from, int to, bool typed)
{
	if (to != TCP_CLOSE || from == TCP_LISTEN || from == TCP_SYN_SENT || from == TCP_CLOSE)
		return false;
	return from != TCP_SYN_RECV || TYPED_READ(tp, bytes_received);
}

static __always_inline void session_state(const struct sock *sk, int from, int to, bool typed)
{
	struct tcp_sock *tp;

	if (to == TCP_FIN_WAIT2 || to == TCP_CLOSE_WAIT) /* nobody asks for these */
		return;
	preempt_off();
	owner_state(sk, from, to, typed);
	/* an MPTCP connection has states, too, but is no tcp_sock: its paths are */
	tp = sock_tcp(sk, typed);
	if (tp)
		session_changed(tp, from, to, typed);
	preempt_on();
}

SEC("tp_btf/inet_sock_set_state")
int session_states(__u64 *ctx)
{
	session_state((void *)ctx[0], (int)ctx[1], (int)ctx[2], true);
	return 0;
}

SEC("raw_tp/inet_sock_set_state")
int session_states_raw(__u64 *ctx)
{
	session_state((void *)ctx[0], (int)ctx[1], (int)ctx[2], false);
	return 0;
}

#endif
