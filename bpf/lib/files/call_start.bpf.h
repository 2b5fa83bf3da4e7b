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
 *
 * An end that the kernel did not report (kretprobes have a bound) leaves the place taken. The
 * thread's next begin says so; when the thread has ended, it is for the user side to find it.
 */
#ifndef BORESCOPE_BPF_FILES_CALL_START_BPF_H
#define BORESCOPE_BPF_FILES_CALL_START_BPF_H

#include "lib/core/events.bpf.h"
#include "lib/files/call_start.shared.h"

#define CALL_START_CROWDED 4096

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

/* What an operation has left whose end was not seen. */
struct call_start_left {
	__u64 start; /* 0: there is none */
	__u64 arg1;
};

/* The current task begins an operation of this kind. @name: of the maps. @left (a struct
 * call_start_left *): of its one before. */
#define call_start_begin(name, kind, arg0, arg1, left)                                             \
	__call_start_begin(&name, &name##_crowded, kind, arg0, arg1, left)

static __always_inline void __call_start_begin(void *map, void *crowded, __u32 kind, __u64 arg0,
					       __u64 arg1, struct call_start_left *left)
{
	__u64 owner = bpf_get_current_pid_tgid();
	struct call_start *s = call_start_slot(map, kind, owner), *found;

	left->start = left->arg1 = 0;
	if (!s)
		return;
	if (!s->owner || s->owner == owner) {
		if (s->owner) {
			left->start = s->start;
			left->arg1 = s->args[1];
		}
		s->args[0] = arg0;
		s->args[1] = arg1;
		s->start = bpf_ktime_get_ns();
		s->owner = owner;
	} else {
		struct call_start_key key = { owner, kind };
		struct call_start own = { owner, bpf_ktime_get_ns(), { arg0, arg1 } };

		found = bpf_map_lookup_elem(crowded, &key);
		if (found) {
			left->start = found->start;
			left->arg1 = found->args[1];
		}
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
