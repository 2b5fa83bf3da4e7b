/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * session_look.shared.h: what a TCP connection has carried so far, as a look at all sockets or its
 * end tells it; shared by bpf/lib/net/session_look.probes.bpf.h and libcommon/net/session_growth.c.
 */
#ifndef BORESCOPE_BPF_NET_SESSION_LOOK_SHARED_H
#define BORESCOPE_BPF_NET_SESSION_LOOK_SHARED_H

#include "lib/core/events.shared.h"
#include "lib/net/flow.shared.h"
#include "lib/net/owner.shared.h"
#include "lib/net/session.shared.h"

/* A record of a look, or an event: then .owner.ended is set. */
struct session_seen {
	struct event_head head; /* the owner's; uid is the socket's */
	struct owner_ref owner;
	struct flow flow;
	__u32 size; /* of this */
	__u64 sock; /* the address in the kernel; never shown */
	struct session session;
};

/* What a look needs to know, and leaves for the next one: the time in jiffies. */
struct session_look {
	__u64 since; /* what has carried nothing since then is left out; 0: nothing is */
	__u64 now;   /* when it began; 0: it has not seen any socket yet */
	__u32 quiet; /* owners are not asked for: nothing of this look will be shown */
	__u32 unused;
};

#endif
