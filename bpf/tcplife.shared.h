/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* tcplife.shared.h: a TCP session that has ended, as both sides of tcplife see it. */
#ifndef BORESCOPE_BPF_TCPLIFE_SHARED_H
#define BORESCOPE_BPF_TCPLIFE_SHARED_H

#include "lib/core/events.shared.h"
#include "lib/net/flow.shared.h"
#include "lib/net/owner.shared.h"
#include "lib/net/session.shared.h"

struct life_event {
	struct event_head head; /* the owner's; uid is the socket's */
	struct owner_ref owner;
	struct flow flow;
	struct session session; /* its state is the last one before the end */
	__u64 cgroup;		/* id */
};

#endif
