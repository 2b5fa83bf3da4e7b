/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* tcpretrans.shared.h: a retransmission, as both sides of tcpretrans see it. */
#ifndef BORESCOPE_BPF_TCPRETRANS_SHARED_H
#define BORESCOPE_BPF_TCPRETRANS_SHARED_H

#include "lib/core/events.shared.h"
#include "lib/net/flow.shared.h"
#include "lib/net/owner.shared.h"

enum retrans_why {
	WHY_RTO,       /* the retransmission timer fired */
	WHY_SLOWSTART, /* it was lost before that timer fired, for another segment */
	WHY_FAST,      /* acknowledgements have shown that it is lost */
	WHY_TLP,       /* it is a tail loss probe */
	WHY_SYN,
	WHY_SYNACK,
	WHY_WINDOW,  /* it asks whether the peer's window is open again */
	WHY_TLP_NEW, /* a tail loss probe with data that was not sent before: no retransmission */
	WHYS,
};

struct retrans_event {
	struct event_head head; /* the owner's; uid is the socket's */
	struct owner_ref owner;
	struct flow flow;
	__u64 cgroup; /* id */
	__u32 seq;    /* of the first byte */
	__u32 len;    /* bytes of data */
	__u32 total;  /* segments of this connection that were retransmitted so far */
	__u32 cwnd;   /* segments; EVENT_UNKNOWN for a SYN-ACK without a socket */
	__u32 srtt;   /* us; EVENT_UNKNOWN for the same, and while there is no sample */
	__u32 segs;   /* that this attempt sent again, as the kernel counts them */
	__s32 err;    /* of the attempt: -errno, or what the queueing discipline returned */
	__u8 state;   /* TCP_ESTABLISHED... */
	__u8 why;     /* enum retrans_why */
	__u16 unused;
};

#endif
