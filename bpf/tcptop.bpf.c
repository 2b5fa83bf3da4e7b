/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * tcptop.bpf.c: what TCP connections have carried, for a reader that looks, and when they end.
 *
 * Programs: session_sockets (lib/net/session_look.probes.bpf.h); session_states,
 * session_states_raw (lib/net/session.probes.bpf.h); owner_gone, owner_gone_raw
 * (lib/net/owner_gone.probes.bpf.h); owner_files (lib/net/owner.probes.bpf.h); netns_tasks
 * (lib/net/netns.probes.bpf.h).
 */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

#include "lib/net/session_look.probes.bpf.h"

static __always_inline void session_changed(const struct tcp_sock *tp, int from, int to, bool typed)
{
	if (session_ends(tp, from, to, typed))
		session_see_end(tp, from, typed);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
