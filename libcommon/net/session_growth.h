/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * session_growth: how much TCP sessions carry, from one report to the next. It looks at the sockets
 * of all network namespaces, and hears of sessions that end; the other side is
 * bpf/lib/net/session_look.probes.bpf.h. A tool calls it in its hooks:
 *
 *	configure, attach, detach, event	the functions of these names
 *	report		rows = session_growth_rows(r, compare, &nr);
 *			... prints the first nr rows ...
 *			session_growth_renew(r);
 */
#ifndef BORESCOPE_NET_SESSION_GROWTH_H
#define BORESCOPE_NET_SESSION_GROWTH_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/net/session_look.shared.h"
#include "net/netns.h"
#include "net/session.h"
#include "run/run.h"

/* For a tool's table of probes. */
#define SESSION_GROWTH_PROBES                                                                      \
	{                                                                                          \
		.name = "sockets",                                                                 \
		.rungs = { "session_sockets" },                                                    \
		.later = true,                                                                     \
	},                                                                                         \
		SESSION_PROBES, NETNS_PROBES

/* A session, from one of its ends. */
struct session_growth {
	struct report_row report; /* the head is the owner's */
	struct session_growth_key {
		__u64 sock;
		struct flow flow;
		__u32 again; /* 0; else one with the same ends has ended before, in this interval */
	} key;
	struct owner_ref owner;
	struct session session; /* as it was seen last; its state is CLOSE once it has ended */
	/* since the last report: bytes, as in struct session, and segments */
	__u64 sent, received;
	__u32 retransmits;
	__u32 seen;   /* in which look */
	__u32 again;  /* the last key.again with these ends, where this row's is 0 */
	__u8 missing; /* how many looks at all sockets have not seen it */
	bool ended, shown;
	bool waits, waited; /* to be shown in the next report: for its owner; it has done so */
};

/* @netns: only sessions of this namespace (inode); 0: of all. */
void session_growth_configure(struct run *r, __u32 netns);

/* Takes the first look: what was carried before is not growth. Returns 0, or -errno after printing
 * why. */
int session_growth_attach(struct run *r);
/* Takes the last look, while ends of sessions are still seen. */
void session_growth_detach(struct run *r);

/* Never to be shown by itself: returns false. */
bool session_growth_event(struct run *r, const void *event, size_t size);

/* What a look tells of one session. */
void session_growth_take(struct run *r, const struct session_seen *seen);

/*
 * Takes a look. Returns the rows of those that have carried or retransmitted something since the
 * last report, and that the filter lets through, @nr of them, in the order of @compare (as qsort(3)
 * has it). NULL after printing why.
 */
struct session_growth *session_growth_rows(struct run *r,
					   int (*compare)(const void *, const void *), size_t *nr);

/* Begins anew; those that have ended are forgotten. */
void session_growth_renew(struct run *r);

#endif
