/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * call_start.bpf.h: when a task's operation began, for a program at the operation's end that asks only how
 * long it took. For hot functions: two stores at the begin, a compare at the end, no map to search.
 *
 * A task has one stamp per kind of operation (kinds may nest: a write that syncs). It lies in a
 * table by kind and thread id; the few that find their place taken, by a thread whose id ends in
 * the same bits, go to a hash map. Nothing is locked: of two such threads that begin within the
 * same nanoseconds one may find its stamp gone at the end.
 *
 * Who includes this defines CALL_START_KINDS first, where there is more than one kind of operation.
 */
#ifndef BORESCOPE_BPF_FILES_CALL_START_BPF_H
#define BORESCOPE_BPF_FILES_CALL_START_BPF_H

#include "lib/core/events.bpf.h"

#ifndef CALL_START_KINDS
#define CALL_START_KINDS 1
#endif
#define CALL_START_SLOTS    1024 /* a power of two */
#define CALL_START_CROWDED  4096
#define CALL_START_NR_SLOTS (CALL_START_KINDS * CALL_START_SLOTS)

struct call_start {
	__u64 owner;   /* pid and tid; 0: free */
	__u64 start;   /* CLOCK_MONOTONIC, ns */
	__u64 args[2]; /* what the begin leaves for the end */
};

struct call_start_key {
	__u64 owner, kind;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CALL_START_NR_SLOTS);
	__type(key, __u32);
	__type(value, struct call_start);
} stamps SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, CALL_START_CROWDED);
	__type(key, struct call_start_key);
	__type(value, struct call_start);
} stamps_crowded SEC(".maps");

static __always_inline struct call_start *call_start_slot(__u32 kind, __u64 owner)
{
	__u32 at = kind * CALL_START_SLOTS + ((__u32)owner & (CALL_START_SLOTS - 1));

	return bpf_map_lookup_elem(&stamps, &at);
}

/* The current task begins an operation of this kind. */
static __always_inline void call_start_begin(__u32 kind, __u64 arg0, __u64 arg1)
{
	__u64 owner = bpf_get_current_pid_tgid();
	struct call_start *s = call_start_slot(kind, owner);

	if (!s)
		return;
	if (!s->owner || s->owner == owner) {
		s->args[0] = arg0;
		s->args[1] = arg1;
		s->start = bpf_ktime_get_ns();
		s->owner = owner;
	} else {
		struct call_start_key key = { owner, kind };
		struct call_start own = { owner, bpf_ktime_get_ns(), { arg0, arg1 } };

		if (bpf_map_update_elem(&stamps_crowded, &key, &own, BPF_ANY))
			event_count_lost();
	}
}

/* It ends: what call_start_begin() left, in @stamp. False: it had begun before we looked; or, and only
 * if
 * @stamp->owner is not 0, another thread took the place at the same time, and it is lost. */
static __always_inline bool call_start_end(__u32 kind, struct call_start *stamp)
{
	__u64 owner = bpf_get_current_pid_tgid();
	struct call_start *s = call_start_slot(kind, owner), *crowded;
	struct call_start_key key = { owner, kind };

	stamp->owner = 0;
	if (!s)
		return false;
	if (s->owner == owner) {
		stamp->start = s->start;
		stamp->args[0] = s->args[0];
		stamp->args[1] = s->args[1];
		s->owner = 0;
		return true;
	}
	crowded = bpf_map_lookup_elem(&stamps_crowded, &key);
	if (!crowded) {
		stamp->owner = s->owner;
		return false;
	}
	*stamp = *crowded;
	bpf_map_delete_elem(&stamps_crowded, &key);
	return true;
}

#endif
