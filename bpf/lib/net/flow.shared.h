/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * flow.shared.h: a TCP connection as both sides see it, and which ones a tool looks at; shared by
 * bpf/lib/net/flow.bpf.h and libcommon/net/flow.c.
 */
#ifndef BORESCOPE_BPF_NET_FLOW_SHARED_H
#define BORESCOPE_BPF_NET_FLOW_SHARED_H

#include "lib/core/types.shared.h"

/* In network byte order. An IPv4 address is ::ffff:a.b.c.d, whatever socket it came from. */
struct inet_addr {
	union {
		__u8 bytes[16];
		__u32 words[4];
		__u64 halves[2];
	};
};

#define FLOW_V4MAPPED 1 /* IPv4 through a socket of AF_INET6 */

struct flow {
	struct inet_addr laddr, raddr;
	__u16 lport, rport; /* host byte order */
	__u8 version;	    /* 4 or 6: that of the packets */
	__u8 flags;
	__u16 unused;
	__u32 netns; /* the inode of the network namespace */
};

struct inet_prefix {
	struct inet_addr addr, mask; /* an address matches if (address & mask) == addr */
};

#define FLOW_PORTS_MAX 16

struct flow_ports {
	__u32 nr; /* 0: any */
	__u16 ports[FLOW_PORTS_MAX];
};

/* Filled before the programs are loaded. It is read-only data, so that the verifier removes
 * every test that isn't asked for. */
struct flow_filter {
	struct inet_prefix laddr, raddr;
	struct flow_ports lports, rports;
	__u32 version; /* 0: any */
	__u32 netns;   /* 0: any */
};

#endif
