/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * profile.bpf.c: the stacks of what runs, at each tick of the perf events that profile opens.
 *
 * Programs: sample, below.
 */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

#include "lib/core/events.bpf.h"
#include "lib/core/filter.bpf.h"
#include "lib/stacks/stacks.bpf.h"
#include "profile.shared.h"

const volatile bool with_idle; /* show CPUs that have nothing to do, too */

EVENT_SCRATCH(struct stack_scratch, 1);

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SAMPLE_COUNTS);
	__type(key, __u32);
	__type(value, __u64);
} sample_counts SEC(".maps");

static __always_inline void count(__u32 what)
{
	__u64 *n = bpf_map_lookup_elem(&sample_counts, &what);

	if (n)
		(*n)++; /* each CPU has its own, and no sample interrupts another */
}

SEC("perf_event")
int sample(struct bpf_perf_event_data *ctx)
{
	struct stack_scratch *s;

	count(SAMPLE_TICKS);
	if (!with_idle && !(__u32)bpf_get_current_pid_tgid()) {
		count(SAMPLE_IDLE);
		return 0;
	}
	if (!filter_current())
		return 0;
	s = event_begin(0);
	if (!s)
		return 0;
	count(SAMPLE_TAKEN);
	event_head(&s->event.head);
	stack_send_sample(ctx, s);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
