/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * connect.shared.h: an active TCP connection and what became of it; shared by
 * bpf/lib/net/connect.probes.bpf.h and libcommon/net/connect.c.
 */
#ifndef BORESCOPE_BPF_NET_CONNECT_SHARED_H
#define BORESCOPE_BPF_NET_CONNECT_SHARED_H

#include "lib/core/events.shared.h"
#include "lib/net/flow.shared.h"

enum connect_end {
	CONNECT_TRYING, /* there is no result yet */
	CONNECT_ESTABLISHED,
	CONNECT_FAILED,	   /* err says why; 0: that is not known */
	CONNECT_ABANDONED, /* close(), shutdown() or another connect() put an end to it */
	CONNECT_UNSEEN,	   /* it has come to its end, of which the kernel ran no program of ours */
};

/* In event_head.flags */
#define CONNECT_MPTCP	  1 /* a path of an MPTCP connection, or one that asks for being one */
#define CONNECT_FAST_OPEN 2 /* the SYN asked for a cookie, or had one */
#define CONNECT_SYN_DATA  4 /* it carried data */

#define CONNECT_LATENCY_UNKNOWN (~0ULL)

struct connect_event {
	struct event_head head; /* who connects; the time of the result, in the map of the call */
	struct flow flow;	/* lport is 0 where it had none yet */
	__u64 latency;		/* ns, from the call to the result; or CONNECT_LATENCY_UNKNOWN */
	__u64 born;		/* when the process was (CLOCK_BOOTTIME, ns); 0 without want_born */
	__s32 err;		/* -errno */
	__u8 end;		/* enum connect_end */
	__u8 told;		/* it was shown that it is trying */
	__u8 failed;		/* connect() is about to fail, and to say why */
	__u8 unused;
};

/* Filled before the programs are loaded. */
struct connect_config {
	__u32 want_born; /* for names_find() */
};

/* The user side writes it while the programs run. */
struct connect_control {
	__u64 trying_ns; /* who tries longer than that is shown; 0: nobody */
	__u32 ending;	 /* the tool is: all who try are shown */
	__u32 calls;	 /* calls of connect() that fail are seen */
};

#endif
