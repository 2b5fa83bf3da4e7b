/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * owner.h: whose socket is it; shared by bpf/lib/owner.bpf.h and libcommon/owners.c.
 *
 * Needs __u32 and __u64: include vmlinux.h or <linux/types.h> first.
 */
#ifndef BORESCOPE_BPF_OWNER_H
#define BORESCOPE_BPF_OWNER_H

#define OWNERS_MAX 16384 /* sockets; the kernel forgets the least used */

struct owner {
	__u64 start; /* when the process began, where it was found among those that have the
			socket open; 0: it was seen when it connected, listened or closed */
	__u32 pid;   /* 0: wanted, but not known yet */
	__u32 tid;
	char comm[16];
};

/* In front of what a tool's event has of its own: a place for the owner to be filled in. */
struct owner_ref {
	__u64 sock; /* the socket's address in the kernel; never shown */
	__u8 open;  /* a process has it open: it can be looked for */
	__u8 unused[7];
};

#endif
