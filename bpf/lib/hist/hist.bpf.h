/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * hist.bpf.h: histograms filled in the kernel: one for everything, per CPU, or one per key (a
 * disk, a set of flags, a process), shared by the CPUs.
 *
 * There are two of each: while user space reads one, the other is filled, so that intervals are
 * exact. libcommon/hist/hist_maps.h is the other side.
 */
#ifndef BORESCOPE_BPF_HIST_HIST_BPF_H
#define BORESCOPE_BPF_HIST_HIST_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

#include "lib/hist/hist.shared.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct hist);
} hist_all SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1); /* set by hist_maps_configure() */
	__type(key, struct hist_key);
	__type(value, struct hist);
} hist_keyed SEC(".maps");

/* The extremes of a key that a CPU has seen: hist_keep_extreme(). */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1); /* as hist_keyed */
	__type(key, struct hist_key);
	__type(value, struct hist_extremes);
} hist_extremes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} hist_lost SEC(".maps");

const volatile struct hist_config hist_config SEC(".rodata.hist");
volatile __u32 hist_epoch SEC(".data.hist") = 0;
struct hist hist_empty; /* what a new key begins with */

/* @shared, a constant: somebody else may write to @h meanwhile: locked additions, 5 ns each. */
static __always_inline void hist_add_to(struct hist *h, __u64 value, bool shared)
{
	__u64 *slot = &h->slots[hist_slot(value)];

	if (shared) {
		__sync_fetch_and_add(slot, 1);
		__sync_fetch_and_add(&h->sum, value);
	} else {
		++*slot;
		h->sum += value;
	}
}

/*
 * Two CPUs may each find a new maximum for one key at the same time, and kernels before 5.12 have
 * no compare-and-swap: so each CPU keeps its own, which nobody else writes to. What stands in the
 * shared histogram is one that some CPU has kept, if not always the greatest: whatever isn't beyond
 * it needs no keeping. (Up to 6.0 an interrupt can come in between on the same CPU, as below.)
 */
static __always_inline void hist_keep_extreme(struct hist *h, struct hist_key *key, __u64 value)
{
	struct hist_extremes none = {}, *mine;

	if (value <= h->extremes.max && ~value <= h->extremes.not_min)
		return;
	mine = bpf_map_lookup_elem(&hist_extremes, key);
	if (!mine) {
		bpf_map_update_elem(&hist_extremes, key, &none, BPF_NOEXIST);
		mine = bpf_map_lookup_elem(&hist_extremes, key);
	}
	if (mine)
		hist_widen(mine, value, ~value);
	hist_widen(&h->extremes, value, ~value);
}

static __always_inline struct hist *hist_of_key(struct hist_key *key)
{
	struct hist *h = bpf_map_lookup_elem(&hist_keyed, key);

	if (h)
		return h;
	bpf_map_update_elem(&hist_keyed, key, &hist_empty, BPF_NOEXIST);
	return bpf_map_lookup_elem(&hist_keyed, key);
}

/* A value that found no place. */
static __always_inline void hist_count_lost(void)
{
	__u32 zero = 0;
	__u64 *lost = bpf_map_lookup_elem(&hist_lost, &zero);

	if (lost)
		__sync_fetch_and_add(lost, 1);
}

/* Counts @value; under @k32 and @k64 where the tool splits by key. Returns the histogram, whose
 * name the tool may write; NULL: there was no place for it. */
static __always_inline struct hist *hist_record(__u32 k32, __u64 k64, __u64 value)
{
	struct hist_key key = { .k64 = k64, .k32 = k32, .epoch = hist_epoch };
	struct hist *h;

	if (hist_config.keyed) {
		h = hist_of_key(&key);
		if (h) {
			hist_add_to(h, value, true);
			hist_keep_extreme(h, &key, value);
		}
	} else {
		h = bpf_map_lookup_elem(&hist_all, &key.epoch);
		if (h) {
			hist_add_to(h, value, true);
			hist_widen(&h->extremes, value, ~value);
		}
	}
	if (!h)
		hist_count_lost();
	return h;
}

/* Where the tool does not split, for a program that always runs with interrupts off, as at
 * sched_switch: nothing can come between on its CPU. (Up to 6.0 an interrupt may run a raw
 * tracepoint's program within its own run: 05b24ff9b2cf.) */
static __always_inline void hist_record_irqs_off(__u64 value)
{
	__u32 epoch = hist_epoch;
	struct hist *h = bpf_map_lookup_elem(&hist_all, &epoch);

	if (!h)
		return;
	hist_add_to(h, value, false);
	hist_widen(&h->extremes, value, ~value);
}

#endif
