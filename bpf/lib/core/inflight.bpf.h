/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * inflight.bpf.h: what an entry probe leaves for the return probe of the same call, where one hook can't
 * see both. By the address of the task: a call ends on the thread that began it, and exec may have
 * given that another tid by then.
 *
 * A return that the kernel did not report (kretprobes have a bound) leaves its entry behind; it is
 * found by the thread's next call, and counted as lost.
 */
#ifndef BORESCOPE_BPF_CORE_INFLIGHT_BPF_H
#define BORESCOPE_BPF_CORE_INFLIGHT_BPF_H

#include "lib/core/events.bpf.h"

#define INFLIGHT_MAX 10240

#define INFLIGHT(name, value_type, entries)                                                        \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_HASH);                                                   \
		__uint(max_entries, entries);                                                      \
		__type(key, __u64);                                                                \
		__type(value, value_type);                                                         \
	} name SEC(".maps")

static __always_inline void inflight_begin(void *map, const void *value)
{
	__u64 task = bpf_get_current_task();

	if (!bpf_map_update_elem(map, &task, value, BPF_NOEXIST))
		return;
	event_count_lost(); /* the one before never returned, or the map is full: this one is lost
			     */
	bpf_map_update_elem(map, &task, value, BPF_EXIST);
}

/* What the entry left; NULL: it was before we looked. To be given back with inflight_end(). */
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
