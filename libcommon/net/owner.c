/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <string.h>
#include <bpf/bpf.h>

#include "base/clock.h"
#include "net/owner.h"
#include "run/filter.h"
#include "run/run.h"

#define REST 9 /* times as long as the search before it took */

/* True: it is known now, if only that it can't be told. */
static bool look_up(struct object *o, const struct owner_ref *ref, struct event_head *head)
{
	int fd = programs_map(&o->programs, "owners");
	struct owner owner;

	if (fd < 0 || bpf_map_lookup_elem(fd, &ref->sock, &owner) || owner.known == OWNER_WANTED)
		return false;
	if (!owner.pid)
		return true;
	head->pid = owner.pid;
	head->tid = owner.tid;
	memcpy(head->comm, owner.comm, sizeof(head->comm));
	return true;
}

/* False: a process has it open, but was not looked for. */
static bool complete(struct object *o, const struct owner_ref *ref, struct event_head *head)
{
	static uint64_t last, next; /* search, CLOCK_MONOTONIC */
	uint64_t now;

	if (head->pid != EVENT_UNKNOWN || look_up(o, ref, head) || !ref->open)
		return true;
	now = clock_mono_ns();
	if (head->ts < last)
		return true;
	if (now < next)
		return false;
	last = now;
	if (object_iterate(o, "open sockets"))
		return false;
	now = clock_mono_ns();
	next = now + REST * (now - last);
	look_up(o, ref, head);
	return true;
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
