/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * tcpconnect.bpf.c: an event for each active TCP connection, when it has a result.
 *
 * Programs: connect_states, connect_states_raw, fexit_tcp_v4_connect, fexit_tcp_v6_connect
 * (lib/net/connect.probes.bpf.h); connects_look (lib/net/connect_look.probes.bpf.h);
 * names_received, names_received_raw, fexit_udp_recvmsg, fexit_udpv6_recvmsg
 * (lib/net/names.probes.bpf.h).
 */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

#include "lib/net/connect.probes.bpf.h"
#include "lib/net/connect_look.probes.bpf.h"
#include "lib/net/names.probes.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
