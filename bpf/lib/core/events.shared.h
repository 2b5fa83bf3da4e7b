/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * events.shared.h: what every event begins with, and how the rings are laid out; shared by
 * bpf/lib/core/events.bpf.h and libcommon/kernel/events.c.
 */
#ifndef BORESCOPE_BPF_CORE_EVENTS_SHARED_H
#define BORESCOPE_BPF_CORE_EVENTS_SHARED_H

#include "lib/core/types.shared.h"

/* A pid or tid that is not known, or another number of a column with FMT_KNOWN: it is shown as
 * "?" in text and null in JSON. So is the comm of a task whose pid is not known. */
#define EVENT_UNKNOWN 0xffffffff

/* The task that an event is about. First in every event struct. */
struct event_head {
	__u64 ts;  /* CLOCK_MONOTONIC, ns */
	__u32 pid; /* what user space calls so: the kernel's tgid */
	__u32 tid;
	__u32 uid;
	__u32 flags; /* each tool has its own */
	char comm[16];
};

/* There are nr rings (a power of two); a CPU writes to the ring of its number modulo nr. */
#define EVENT_RINGS_MAX 32

/* Why an event was lost. */
enum event_loss {
	EVENT_NO_ROOM,	    /* in the rings, or in a map */
	EVENT_END_NOT_SEEN, /* a call began, and the kernel did not run the program at its end */
	EVENT_LOSSES,
};

struct event_config {
	__u32 ring_mask;  /* nr - 1 */
	__u32 wake_bytes; /* wake the reader when a ring fills beyond this */
};

#endif
