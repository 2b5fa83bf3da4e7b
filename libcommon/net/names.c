/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "kernel/object.h"
#include "net/dns.h"
#include "net/names.h"
#include "run/run.h"

/* Where a process's address is looked for: in one of these sets, which forgets its oldest. */
#define SETS 2048
#define WAYS 8

int64_t names_recv_args;
static struct names_entry cache[SETS][WAYS];

void names_configure(struct object *o)
{
	struct names_config *config =
		object_section(o, ".rodata.names", "lib/net/names.probes.bpf.h");

	config->recv_args = names_recv_args;
}

void names_started(const struct run *r)
{
	if (!object_rung(&r->object, "DNS answers"))
		note("tracing without names: this kernel grants no probe that sees the DNS's "
		     "answers");
}

static struct names_entry *set_of(__u32 pid, __u64 born, const struct inet_addr *addr)
{
	const __u64 parts[] = { addr->halves[0], addr->halves[1], pid, born };
	__u64 hash = 0;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		hash = (hash ^ parts[i]) * 0x9e3779b97f4a7c15ull;
		hash ^= hash >> 32;
	}
	return cache[hash & (SETS - 1)];
}

static bool is_it(const struct names_entry *n, __u32 pid, __u64 born, const struct inet_addr *addr)
{
	return n->name && n->pid == pid && n->born == born &&
	       !memcmp(&n->addr, addr, sizeof(*addr));
}

/* The last time up to @time that the answer came, as far as that is known; 0: it had not yet. */
static uint64_t last_until(const struct names_entry *n, uint64_t time)
{
	if (n->ts <= time)
		return n->ts;
	return n->first <= time ? n->first : 0;
}

const struct names_entry *names_find(__u32 pid, __u64 born, const struct inet_addr *addr,
				     uint64_t time)
{
	const struct names_entry *set = set_of(pid, born, addr), *last = NULL;
	uint64_t last_ts = 0;

	for (int i = 0; i < WAYS; i++) {
		uint64_t ts = is_it(&set[i], pid, born, addr) ? last_until(&set[i], time) : 0;

		if (ts > last_ts) {
			last = &set[i];
			last_ts = ts;
		}
	}
	return last;
}

/* In place of the oldest, unless it is known. */
static void keep(const struct names_answer *a, const struct inet_addr *addr, const char *name)
{
	struct names_entry *set = set_of(a->head.pid, a->born, addr), *to = set;
	char *copy;

	for (int i = 0; i < WAYS; i++) {
		if (is_it(&set[i], a->head.pid, a->born, addr) && !strcmp(set[i].name, name)) {
			set[i].ts = a->head.ts;
			return;
		}
		if (set[i].ts < to->ts)
			to = &set[i];
	}
	copy = strdup(name);
	if (!copy)
		return;
	free(to->name);
	*to = (struct names_entry){ *addr, a->born, a->head.ts, a->head.ts, a->head.pid, copy };
}

bool names_event(const void *event, size_t size)
{
	static struct names_answer a;
	static struct dns_answer answer;

	if (!(((const struct event_head *)event)->flags & NAMES_ANSWER))
		return false;
	memcpy(&a, event, size < sizeof(a) ? size : sizeof(a));
	if (a.len > size - offsetof(struct names_answer, message) ||
	    !dns_read(&answer, a.message, a.len))
		return true;
	for (unsigned int i = 0; i < answer.nr; i++)
		keep(&a, &answer.addrs[i], answer.name);
	return true;
}

static uint64_t age(const struct names_entry *n, uint64_t now)
{
	return now - last_until(n, now);
}

void names_out(struct out *o, const struct names_entry *n, uint64_t now)
{
	if (!n) {
		out_char(o, '?');
		return;
	}
	out_str(o, n->name); /* of signs that are safe */
	if (age(n, now) > 100 * NSEC_PER_MSEC) {
		out_str(o, " (");
		out_fixed(o, age(n, now) / NSEC_PER_USEC, 3);
		out_str(o, "ms)");
	}
}

void names_json(struct json *j, const struct names_entry *n, uint64_t now)
{
	json_str(j, "query", n ? n->name : NULL);
	if (n)
		json_u64(j, "query_age_ns", age(n, now));
}

void names_free(void)
{
	for (int set = 0; set < SETS; set++)
		for (int i = 0; i < WAYS; i++)
			free(cache[set][i].name);
	memset(cache, 0, sizeof(cache));
}
