/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * names: which names processes have asked the DNS for, and what addresses they were given; the
 * other side is bpf/lib/net/names.probes.bpf.h.
 *
 *	NAMES_PROBES(&wanted), NAMES_FACTS		in the tables of probes and facts
 *	names_configure(&r->object), names_started(r)	in the hooks of these names
 *	if (names_event(event, size))			in the event hook: it was an answer
 *		return false;
 *	names_out(o, names_find(pid, born, &addr), now)	in a column
 */
#ifndef BORESCOPE_NET_NAMES_H
#define BORESCOPE_NET_NAMES_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/net/flow.shared.h"
#include "lib/net/names.shared.h"
#include "output/json.h"
#include "output/out.h"

struct object;
struct run;

struct names_entry {
	struct inet_addr addr;
	__u64 born;	 /* the process: see struct names_answer */
	__u64 first, ts; /* when it received the answer first, and last (CLOCK_MONOTONIC, ns) */
	__u32 pid;
	char *name; /* as struct dns_answer has it */
};

/* For a tool's tables. Where the kernel grants none of the programs, no answer is seen. */
#define NAMES_PROBES(when_)                                                                        \
	{                                                                                          \
		.name = "DNS answers",                                                             \
		.rungs = { "names_received", "names_received_raw",                                 \
			   "fexit_udp_recvmsg fexit_udpv6_recvmsg" },                              \
		.when = (when_), .optional = true,                                                 \
	}
#define NAMES_FACTS                                                                                \
	{                                                                                          \
		"udp_recvmsg", BTF_FUNCTION, &names_recv_args                                      \
	}
extern int64_t names_recv_args;

/* In the configure hook. */
void names_configure(struct object *o);

/* In the started hook: says so where no answer is seen. */
void names_started(const struct run *r);

/* Is @event an answer? Then it is kept: of each process the names that it was given an address for;
 * of some 16384 those that came last. */
bool names_event(const void *event, size_t size);

/* The last answer with this address that the process had received at @time (CLOCK_MONOTONIC, ns),
 * or NULL. It lives until the next call of names_event(). */
const struct names_entry *names_find(__u32 pid, __u64 born, const struct inet_addr *addr,
				     uint64_t time);

/* For a column: the name of @n, and where it is older than 0.1 s at the time @now (that of
 * names_find()) its age, "www.example.org (250.000ms)"; "?" where @n is NULL. */
void names_out(struct out *o, const struct names_entry *n, uint64_t now);
/* Writes the members of NAMES_KEYS; the second one only if there is a name. */
void names_json(struct json *j, const struct names_entry *n, uint64_t now);
#define NAMES_KEYS "query query_age_ns"

/* Forgets all. */
void names_free(void);

#endif
