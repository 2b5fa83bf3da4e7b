/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * session.shared.h: what a TCP connection has carried, from one of its ends; filled by
 * bpf/lib/net/session.bpf.h.
 */
#ifndef BORESCOPE_BPF_NET_SESSION_SHARED_H
#define BORESCOPE_BPF_NET_SESSION_SHARED_H

#include "lib/core/types.shared.h"

enum session_flags {
	SESSION_ACTIVE = 1,	  /* this end has connected; else it was connected to */
	SESSION_FIN_SENT = 2,	  /* or is about to be */
	SESSION_FIN_RECEIVED = 4, /* behind all data */
	SESSION_DEAF = 8,   /* nobody reads any more: data that comes is answered by a reset */
	SESSION_BEGAN = 16, /* .began is known */
};

/* Bytes are those of the programs at both ends, without SYN and FIN, and each one only once. */
struct session {
	__u64 sent;	/* handed to the kernel by this end's program */
	__u64 acked;	/* and acknowledged by the other end */
	__u64 received; /* from the other end, in order */
	__u64 unread;	/* and not yet read by this end's program */
	__u64 resent;	/* bytes that were retransmitted */
	__u64 began;	/* when it was established, CLOCK_MONOTONIC, ns; it was then or earlier */
	__u32 retransmits, segs_out, segs_in;
	__u32 srtt; /* us; EVENT_UNKNOWN while there is no sample */
	__u8 state; /* TCP_ESTABLISHED... */
	__u8 flags; /* enum session_flags */
	__u8 err;   /* sk_err: why it is no more, or another error that nobody has asked for yet */
	__u8 unused[5];
};

#endif
