/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * owner.shared.h: the process that a socket belongs to; shared by bpf/lib/net/owner.probes.bpf.h
 * and libcommon/net/owner.c.
 */
#ifndef BORESCOPE_BPF_NET_OWNER_SHARED_H
#define BORESCOPE_BPF_NET_OWNER_SHARED_H

#include "lib/core/types.shared.h"

#define OWNERS_MAX 16384 /* sockets; the kernel forgets the least used */

enum owner_known {
	OWNER_NONE,    /* nothing, and nobody has asked */
	OWNER_WANTED,  /* not known yet */
	OWNER_SEEN,    /* it connected or listened while we looked */
	OWNER_OPENER,  /* found: it made or accepted the socket, and has it open */
	OWNER_HOLDER,  /* found: only this process has it open; that another one made it and handed
			  it over can't be told */
	OWNER_SEVERAL, /* several processes have it open, and none of them made it */
	OWNER_CLOSED,  /* it was the last to close it; or it has only shut it down */
};

/* When the session of a socket was established: see session_start.probes.bpf.h. It is kept with the
 * owner because an element more costs more than all that is written into it. */
struct session_start {
	__u64 began; /* as in struct session */
	__u32 ports; /* of which session: another one may come to be at the same address; 0: none */
	__u32 known;
};

struct owner {
	__u64 since;  /* WANTED: when; a search that began later answers (CLOCK_MONOTONIC, ns) */
	__u64 search; /* the number of the search that found it (bpf_iter_meta.session_id) */
	__u64 task;   /* WANTED: the address of the credentials of who made the socket; else */
		      /* that of the kernel's task_struct, and the descriptor by which it */
	__u32 fd;     /* has the socket: whether it still has, is looked at for each event */
	__u32 refs;   /* to the file: with no more than these, nobody else has got it since */
	__u32 known;  /* enum owner_known */
	__u32 pid;    /* 0: NONE, WANTED or SEVERAL */
	char comm[16];
	struct session_start start;
};

/* A tool's event has one, so that libcommon/net/owner.h can fill in the owner later. */
struct owner_ref {
	__u64 sock;  /* the address in the kernel of the socket that a process has; never shown */
	__u8 open;   /* a process has it open: it can be looked for */
	__u8 shared; /* there is more than one reference: who closes it last may not be the owner */
	__u8 ended;  /* this was the connection's end: another one may be at that address soon */
	__u8 unused[5];
};

/* Which one was meant, where it has ceased to exist since it was WANTED. */
struct owner_gone {
	__u64 sock, since;
};

#endif
