/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * session: TCP connections that end, and their owners; the other side is
 * bpf/lib/net/session.probes.bpf.h.
 */
#ifndef BORESCOPE_NET_SESSION_H
#define BORESCOPE_NET_SESSION_H

#include "lib/net/session.shared.h"
#include "net/owner.h"

/* For a tool's table of probes. In its event hook it asks owner_passes(), as one with OWNER_PROBES
 * does. */
#define SESSION_PROBES                                                                             \
	PROBE_LADDER("ends of sessions", "session_states session_gone",                            \
		     "session_states_raw session_gone_raw"),                                       \
		OWNER_SEARCH_PROBE

#endif
