/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * connect: the TCP connections that processes make, and what becomes of them; the other side is
 * bpf/lib/net/connect.probes.bpf.h, with connect_look.probes.bpf.h. A tool that shows them has
 *
 *	CONNECT_PROBES					in its table of probes
 *	connect_configure(), connect_started()		in the hooks of these names
 *	connect_look, connect_detach			as its hooks count_losses and detach
 *
 * and its event is a struct connect_event.
 */
#ifndef BORESCOPE_NET_CONNECT_H
#define BORESCOPE_NET_CONNECT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/net/connect.shared.h"
#include "output/json.h"
#include "output/out.h"

struct object;
struct run;

enum connect_result {
	CONNECT_RESULT_ESTABLISHED,
	CONNECT_RESULT_REFUSED,
	CONNECT_RESULT_RESET,
	CONNECT_RESULT_TIMEOUT,
	CONNECT_RESULT_UNREACHABLE,
	CONNECT_RESULT_FAILED,	  /* for another reason, or for one that is not known */
	CONNECT_RESULT_ABANDONED, /* by the process, before there was a result */
	CONNECT_RESULT_TRYING,
	CONNECT_RESULT_UNKNOWN, /* it has one, which was not seen */
	CONNECT_RESULTS,
};

/* "established", "refused"..., and "?". */
extern const char *const connect_result_names[CONNECT_RESULTS];

enum connect_result connect_result(const struct connect_event *e);

/* The .text of a column of the whole event: the result, or the name of the error where it has no
 * word of its own, and what else is to be said of it: "established,mptcp,fastopen". */
void connect_out_result(struct out *o, const void *event);
/* Writes the members of CONNECT_RESULT_KEYS. */
void connect_json_result(struct json *j, const void *event);
#define CONNECT_RESULT_KEYS "result " JSON_ERRNO_KEYS " mptcp fast_open"

/* For a tool's table of probes. Without the second one, connects that fail before anything is sent
 * have no event, or no error; without the third, those that try have none. */
#define CONNECT_PROBES                                                                             \
	PROBE_LADDER("connects", "connect_states", "connect_states_raw"),                          \
		{ .name = "calls that fail",                                                       \
		  .rungs = { "fexit_tcp_v4_connect fexit_tcp_v6_connect" },                        \
		  .optional = true },                                                              \
	{                                                                                          \
		.name = "connects under way", .rungs = { "connects_look" }, .optional = true,      \
		.later = true,                                                                     \
	}

/* In the configure hook. @born: events are to tell when the process was born, for names_find(). */
void connect_configure(struct object *o, bool born);

/* In the started hook. Who tries for longer than @trying_ns has an event that says so, too; 0: has
 * not. Prints a note for each probe that this kernel does not grant. */
void connect_started(struct run *r, uint64_t trying_ns);

/* The hook count_losses: looks at those that try, and at those whose result no program has seen. */
void connect_look(struct run *r);

/* The hook detach: sends an event for all those that still try. */
void connect_detach(struct run *r);

#endif
