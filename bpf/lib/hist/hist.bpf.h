/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * hist.bpf.h: histograms filled in the kernel: one for everything, per CPU, or one per key (a
 * disk, a set of flags, a process), shared by the CPUs.
 *
 * There are two of each, by epoch: while user space reads one, the other is filled, so that
 * intervals are exact. The user side is libcommon/hist/hist_maps.h.
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
	__uint(max_entries, 1); /* hist_maps_configure() sets it */
	__type(key, struct hist_key);
	__type(value, struct hist);
} hist_keyed SEC(".maps");

/* The extremes of each key that each CPU has seen; see hist_keep_extreme(). */
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
struct hist hist_empty; /* the value that a new key begins with */

/* @shared, a constant: others may write to @h at the same time, so that the additions are
 * locked, at 5 ns each. */
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
 * no compare-and-swap: so each CPU keeps extremes of its own, which nobody else writes to. Those in
 * the shared histogram are some that a CPU has kept, though not always the widest: a value within
 * them need not be kept. (Up to 6.0 an interrupt can come in between on the same CPU, as below.)
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

/* The histogram of @key, which is made if there is none yet; NULL: there is no room. */
static __always_inline struct hist *hist_of_key(struct hist_key *key)
{
	struct hist *h = bpf_map_lookup_elem(&hist_keyed, key);

	if (h)
		return h;
	bpf_map_update_elem(&hist_keyed, key, &hist_empty, BPF_NOEXIST);
	return bpf_map_lookup_elem(&hist_keyed, key);
}

/* There was no room for a value. */
static __always_inline void hist_count_lost(void)
{
	__u32 zero = 0;
	__u64 *lost = bpf_map_lookup_elem(&hist_lost, &zero);

	if (lost)
		__sync_fetch_and_add(lost, 1);
}

/* Counts @value; under the key @k32 and @k64 where the tool has one histogram per key. Returns the
 * histogram, whose name the tool may write; NULL: there was no room, which is counted. */
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

/* Counts @value where the tool has one histogram for everything, for a program that always runs
 * with interrupts off, as at sched_switch: nothing can come in between on its CPU, so that no
 * addition is locked. (Up to 6.0 an interrupt may run a raw tracepoint's program within its own
 * run: 05b24ff9b2cf.) */
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
