/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * call_start.bpf.h: when a task's operation began, for a program at the operation's end that asks
 * only how long it took. For hot functions: two stores at the begin, a compare at the end, no map
 * to search. Where calls are rarer, or the begin has more to leave than two words, inflight.bpf.h
 * is the simpler choice, and an exact one.
 *
 * A task has one place per kind of operation (kinds may nest: a write that syncs). It lies in a
 * table by kind and thread id; the few that find their place taken, by a thread whose id ends in
 * the same bits, go to a hash map. Nothing is locked: of two such threads that begin within the
 * same nanoseconds one may find its place gone at the end.
 */
#ifndef BORESCOPE_BPF_FILES_CALL_START_BPF_H
#define BORESCOPE_BPF_FILES_CALL_START_BPF_H

#include "lib/core/events.bpf.h"

#define CALL_START_SLOTS   1024 /* of each kind; a power of two */
#define CALL_START_CROWDED 4096

struct call_start {
	__u64 owner;   /* pid and tid; 0: free */
	__u64 start;   /* CLOCK_MONOTONIC, ns */
	__u64 args[2]; /* what the begin leaves for the end */
};

struct call_start_key {
	__u64 owner, kind;
};

/* Defines the maps @name and NAME_crowded, for @kinds of operations: 0 to @kinds - 1. */
#define CALL_STARTS(name, kinds)                                                                   \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_ARRAY);                                                  \
		__uint(max_entries, (kinds)*CALL_START_SLOTS);                                     \
		__type(key, __u32);                                                                \
		__type(value, struct call_start);                                                  \
	} name SEC(".maps");                                                                       \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_HASH);                                                   \
		__uint(max_entries, CALL_START_CROWDED);                                           \
		__type(key, struct call_start_key);                                                \
		__type(value, struct call_start);                                                  \
	} name##_crowded SEC(".maps")

static __always_inline struct call_start *call_start_slot(void *map, __u32 kind, __u64 owner)
{
	__u32 at = kind * CALL_START_SLOTS + ((__u32)owner & (CALL_START_SLOTS - 1));

	return bpf_map_lookup_elem(map, &at);
}

/* The current task begins an operation of this kind. @name: of the maps. */
#define call_start_begin(name, kind, arg0, arg1)                                                   \
	__call_start_begin(&name, &name##_crowded, kind, arg0, arg1)

static __always_inline void __call_start_begin(void *map, void *crowded, __u32 kind, __u64 arg0,
					       __u64 arg1)
{
	__u64 owner = bpf_get_current_pid_tgid();
	struct call_start *s = call_start_slot(map, kind, owner);

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

		if (bpf_map_update_elem(crowded, &key, &own, BPF_ANY))
			event_count_lost();
	}
}

/*
 * It ends. True: what call_start_begin() left is in @start (a struct call_start *). False: it had
 * begun before the tool looked; or, and only then @start->owner is not 0, another thread took the
 * place at the same time, and the operation is lost.
 */
#define call_start_end(name, kind, start) __call_start_end(&name, &name##_crowded, kind, start)

static __always_inline bool __call_start_end(void *map, void *crowded, __u32 kind,
					     struct call_start *start)
{
	__u64 owner = bpf_get_current_pid_tgid();
	struct call_start *s = call_start_slot(map, kind, owner), *found;
	struct call_start_key key = { owner, kind };

	start->owner = 0;
	if (!s)
		return false;
	if (s->owner == owner) {
		start->start = s->start;
		start->args[0] = s->args[0];
		start->args[1] = s->args[1];
		s->owner = 0;
		return true;
	}
	found = bpf_map_lookup_elem(crowded, &key);
	if (!found) {
		start->owner = s->owner;
		return false;
	}
	*start = *found;
	bpf_map_delete_elem(crowded, &key);
	return true;
}

#endif
