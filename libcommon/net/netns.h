/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * netns: goes through the network namespaces of the machine, for a look at something of which the
 * kernel shows that of the reader's namespace only (an iterator over sockets). The other side is
 * bpf/lib/net/netns.probes.bpf.h.
 */
#ifndef BORESCOPE_NET_NETNS_H
#define BORESCOPE_NET_NETNS_H

#include <limits.h>
#include <linux/types.h>
#include <stdbool.h>

struct run;

/* For a tool's table of probes. Without it only those namespaces are known that have a name. */
#define NETNS_PROBES                                                                               \
	{                                                                                          \
		.name = "network namespaces", .rungs = { "netns_tasks" }, .optional = true,        \
		.later = true,                                                                     \
	}

#define NETNS_NAMED "/run/netns/" /* where "ip netns" has its names */

struct netns {
	__u32 inode;
	__u32 round;   /* when it was found last */
	__u32 visited; /* when it was visited last */
	__u64 mark;    /* the visitor's own; 0 at the first visit */
	char path[NAME_MAX + 16];
};

/* Returns 0, or -errno to go no further. */
typedef int (*netns_visit_fn)(void *ctx, struct netns *ns);

/*
 * Calls @visit in each network namespace: in that of the tool first, then in those that a task is
 * in, or that "ip netns" has a name for; where @only is not 0, in that of this inode. Meanwhile
 * this process is in that namespace. No namespace is held in between. Returns 0, or -errno.
 */
int netns_each(struct run *r, __u32 only, netns_visit_fn visit, void *ctx);

/* How many namespaces the last round could not enter (it takes CAP_SYS_ADMIN). */
unsigned int netns_refused(void);

/* Was the namespace of this inode among those that the last round has visited? */
bool netns_visited(__u32 inode);

#endif
