/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * inflight.bpf.h: what a program at the begin of a call leaves for the one at its end, where no
 * single program sees both. It is kept in a hash map by the address of the task: a call ends on
 * the thread that began it, and exec may have given that another tid by then. This is the usual
 * choice: exact, with anything as its value. call_start.bpf.h is for calls so hot that the 100
 * ns of a map are felt, and of which only the time of the begin and two words are needed.
 *
 * A return that the kernel did not report (kretprobes have a bound) leaves its entry behind; the
 * thread's next call finds it and counts it as lost.
 */
#ifndef BORESCOPE_BPF_CORE_INFLIGHT_BPF_H
#define BORESCOPE_BPF_CORE_INFLIGHT_BPF_H

#include "lib/core/events.bpf.h"

#define INFLIGHT_MAX 10240 /* calls at the same time, where a tool has no better number */

/* Defines the map @name; its values are of @value_type. */
#define INFLIGHT(name, value_type, entries)                                                        \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_HASH);                                                   \
		__uint(max_entries, entries);                                                      \
		__type(key, __u64);                                                                \
		__type(value, value_type);                                                         \
	} name SEC(".maps")

/* The current task begins a call: @value is copied. */
static __always_inline void inflight_begin(void *map, const void *value)
{
	__u64 task = bpf_get_current_task();

	if (!bpf_map_update_elem(map, &task, value, BPF_NOEXIST))
		return;
	/* the one before never returned, or the map is full and this one is lost */
	if (bpf_map_update_elem(map, &task, value, BPF_EXIST))
		event_count_lost();
	else
		event_count_unseen();
}

/* What the begin left; NULL: that was before the tool looked. inflight_end() follows, when the
 * value is no longer needed. */
static __always_inline void *inflight_get(void *map)
{
	__u64 task = bpf_get_current_task();

	return bpf_map_lookup_elem(map, &task);
}

static __always_inline void inflight_end(void *map)
{
	__u64 task = bpf_get_current_task();

	bpf_map_delete_elem(map, &task);
}

#endif
