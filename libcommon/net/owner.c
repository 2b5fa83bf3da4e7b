/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <bpf/bpf.h>

#include "base/clock.h"
#include "base/util.h"
#include "net/owner.h"
#include "run/filter.h"
#include "run/run.h"

/* CPU time that searches may take: this part of one CPU, and so much at once (ns). */
#define SEARCH_PART  10
#define SEARCH_SAVED 200000000

#define ROOM_MAX (OWNERS_MAX * 16) /* sockets: 38 MB of kernel memory */

/* What the kernel side has found out since. False: nothing. Who connects later on can't be the
 * owner of what was not known before: that is another socket, at the same address. */
static bool find(struct object *o, const struct owner_ref *ref, __u64 ts, struct owner *owner)
{
	const struct owner_gone gone = { ref->sock, ts };
	int fd = ref->ended ? programs_map(&o->programs, "owners_gone") : -1;

	if (fd >= 0 && !bpf_map_lookup_elem(fd, &gone, owner))
		return owner->known != OWNER_WANTED;
	fd = programs_map(&o->programs, "owners");
	return fd >= 0 && !bpf_map_lookup_elem(fd, &ref->sock, owner) &&
	       owner->known != OWNER_NONE && owner->known != OWNER_WANTED &&
	       owner->known != OWNER_SEEN && (!ref->ended || owner->since == ts);
}

/* True: it is known now, if only that it can't be told. */
static bool look_up(struct object *o, const struct owner_ref *ref, struct event_head *head)
{
	struct owner owner;

	if (!find(o, ref, head->ts, &owner))
		return false;
	if (!owner.pid || (owner.known == OWNER_CLOSED && ref->shared))
		return true;
	head->pid = head->tid = owner.pid;
	memcpy(head->comm, owner.comm, sizeof(head->comm));
	return true;
}

/* False: a process has it open, but was not looked for. */
static bool complete(struct object *o, const struct owner_ref *ref, struct event_head *head)
{
	static int64_t allowed = SEARCH_SAVED;
	static uint64_t last; /* search, CLOCK_MONOTONIC */
	static uint64_t paid; /* until when CLOCK_MONOTONIC has run for what is allowed */
	uint64_t now, before;

	if (head->pid != EVENT_UNKNOWN || look_up(o, ref, head) || !ref->open)
		return true;
	if (head->ts < last)
		return true;
	now = clock_mono_ns();
	allowed += (now - paid) / SEARCH_PART;
	paid = now;
	if (allowed > SEARCH_SAVED)
		allowed = SEARCH_SAVED;
	if (allowed < 0)
		return false;
	last = now;
	before = clock_now_ns(CLOCK_THREAD_CPUTIME_ID);
	if (object_iterate(o, "open sockets"))
		return false;
	allowed -= clock_now_ns(CLOCK_THREAD_CPUTIME_ID) - before;
	look_up(o, ref, head);
	return true;
}

/* TCP's sockets of all network namespaces: "TCP: inuse 1 orphan 0 tw 0 alloc 1 mem 154". */
static unsigned long count_sockets(void)
{
	FILE *f = fopen("/proc/net/sockstat", "re");
	unsigned long alloc = 0;
	char line[128];

	while (f && !alloc && fgets(line, sizeof(line), f))
		sscanf(line, "TCP: inuse %*u orphan %*u tw %*u alloc %lu", &alloc);
	if (f)
		fclose(f);
	return alloc;
}

void owner_make_room(struct object *o, unsigned long least)
{
	unsigned long sockets = count_sockets(), room = least;

	/* an LRU map forgets before it is full */
	while (room < 2 * sockets && room < ROOM_MAX)
		room *= 2;
	if (room > OWNERS_MAX)
		object_resize_map(o, "owners", room);
}

bool owner_passes(struct run *r, const struct owner_ref *ref, struct event_head *head)
{
	bool looked = complete(&r->object, ref, head);

	if (filter_passes(&r->opt.filter, head))
		return true;
	if (!looked)
		run_lost(r, 1);
	return false;
}
