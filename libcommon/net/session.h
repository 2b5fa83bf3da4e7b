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
	PROBE_LADDER("ends of sessions", "session_states owner_gone",                              \
		     "session_states_raw owner_gone_raw"),                                         \
		OWNER_SEARCH_PROBE
/* And this one, with session_start.probes.bpf.h, which the started hook runs; the configure hook
 * calls owner_make_room() for SESSION_STARTS_LEAST. */
#define SESSION_STARTS_LEAST 65536
#define SESSION_START_PROBE                                                                        \
	{                                                                                          \
		.name = "older sessions", .rungs = { "session_files" }, .optional = true,          \
		.later = true,                                                                     \
	}

/*
 * How a session ended, of which @s tells what was so at its last moment. Who sent the first FIN:
 * "local", "remote", or "both", at the same time. Where it was no orderly end: "local-reset",
 * "remote-reset", or "reset" where it can't be told whose; "timeout", where the other end did not
 * answer; "killed", by ss -K and its like; or else the name of the error.
 */
const char *session_end_name(const struct session *s);

#endif
