/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * owner: the processes that TCP sockets belong to; the other side is
 * bpf/lib/net/owner.probes.bpf.h.
 */
#ifndef BORESCOPE_NET_OWNER_H
#define BORESCOPE_NET_OWNER_H

#include <stdbool.h>
#include <linux/types.h>

#include "lib/core/events.shared.h"
#include "lib/net/owner.shared.h"

struct object;
struct run;

/* For a tool's table of probes. The second one needs the kernel's own BTF; without it, the
 * owners of accepted sockets, and of those that were handed on, are not known until they close. */
#define OWNER_PROBES                                                                               \
	PROBE_LADDER("socket owners", "owner_state_changes", "owner_state_changes_raw"),           \
		OWNER_SEARCH_PROBE
/* The second one alone, for a tool that follows changes of state itself (net/session.h). */
#define OWNER_SEARCH_PROBE                                                                         \
	{                                                                                          \
		.name = "open sockets", .rungs = { "owner_files" }, .optional = true,              \
		.later = true,                                                                     \
	}

/* In the configure hook of a tool that may ask for the owners of all sockets at once: makes room
 * for twice as many as there are now, and for so many at @least. */
void owner_make_room(struct object *o, unsigned long least);

/*
 * In the event hook of a tool with OWNER_PROBES: is the event to be shown? It judges by the filters
 * that the kernel side can't apply: those by task, which here mean the owner of the socket.
 *
 * First it completes @head, if the kernel side did not know the owner, or what it knew is no longer
 * so: it looks through the open files of all processes, once for all events that wait, and in the
 * long run within a tenth of one CPU. The pid stays EVENT_UNKNOWN when the socket has no owner: it
 * was not accepted yet, or the kernel itself holds it, or its process is gone without a trace, or
 * several processes have it open of which none made it. When a process has it open, but could not
 * be looked for (there was no CPU time left for it, or no such probe is granted), an event that may
 * be one that was asked for is counted as lost.
 */
bool owner_passes(struct run *r, const struct owner_ref *ref, struct event_head *head);

#endif
