/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* netns.shared.h: a network namespace, as a walk over all tasks finds it; shared by
 * bpf/lib/net/netns.probes.bpf.h and libcommon/net/netns.c. */
#ifndef BORESCOPE_BPF_NET_NETNS_SHARED_H
#define BORESCOPE_BPF_NET_NETNS_SHARED_H

#include "lib/core/types.shared.h"

struct netns_record {
	__u32 size;  /* of the record */
	__u32 inode; /* of the namespace */
	__u32 tid;   /* of a task in it, in the initial pid namespace */
	__u32 unused;
};

#endif
