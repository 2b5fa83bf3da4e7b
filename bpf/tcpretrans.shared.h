/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BORESCOPE_BPF_TCPRETRANS_SHARED_H
#define BORESCOPE_BPF_TCPRETRANS_SHARED_H

#include "lib/core/events.shared.h"
#include "lib/net/flow.shared.h"
#include "lib/net/owner.shared.h"

enum retrans_why {
	WHY_RTO,       /* the retransmission timer */
	WHY_SLOWSTART, /* what else was lost before it fired */
	WHY_FAST,      /* acknowledgements have shown that it is lost */
	WHY_TLP,       /* a tail loss probe */
	WHY_SYN,
	WHY_SYNACK,
	WHY_WINDOW,  /* asks whether the peer's window is open again */
	WHY_TLP_NEW, /* a tail loss probe with data that was not sent before: no retransmission */
	WHYS,
};

struct retrans_event {
	struct event_head head; /* of the owner; uid: of the socket */
	struct owner_ref owner;
	struct flow flow;
	__u64 cgroup; /* id */
	__u32 seq;    /* of the first byte */
	__u32 len;    /* bytes of data */
	__u32 total;  /* segments of this connection that were retransmitted so far */
	__u32 cwnd;   /* segments; EVENT_UNKNOWN for a SYN-ACK, as is: */
	__u32 srtt;   /* us; EVENT_UNKNOWN when there is no sample yet */
	__u32 segs;
	__s32 err; /* of the attempt: -errno, or what the queueing discipline said */
	__u8 state;
	__u8 why;
	__u16 unused;
};

#endif
