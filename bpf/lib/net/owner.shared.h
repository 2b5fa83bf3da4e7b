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
	OWNER_WANTED,  /* not known yet */
	OWNER_SEEN,    /* it connected, listened or closed while we looked */
	OWNER_OPENER,  /* found: it connected or accepted, and has the socket open */
	OWNER_HOLDER,  /* found: only this process has it open; that another one accepted and
			  handed it over can't be told */
	OWNER_SEVERAL, /* several processes have it open, and which one accepted can't be told */
};

struct owner {
	__u64 search; /* the number of the search that found it (bpf_iter_meta.session_id) */
	__u32 known;  /* enum owner_known */
	__u32 pid;    /* 0: WANTED or SEVERAL */
	__u32 tid;
	char comm[16];
};

/* A tool's event has one, so that libcommon/net/owner.h can fill in the owner later. */
struct owner_ref {
	__u64 sock; /* the socket's address in the kernel; never shown */
	__u8 open;  /* a process has it open: it can be looked for */
	__u8 unused[7];
};

#endif
