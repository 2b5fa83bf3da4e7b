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
const volatile __u64 period;   /* of the perf events, in what they count */
const volatile bool by_clock;  /* ns, and not cycles */

EVENT_SCRATCH(struct stack_scratch, 1);

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SAMPLE_COUNTS);
	__type(key, __u32);
	__type(value, __u64);
} sample_counts SEC(".maps");

/* When the program ran last on the CPU, by what the events count, cycles or the clock; the lowest
 * bit: it had nothing to do. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} sample_last SEC(".maps");

static __always_inline void count_more(__u32 what, __u64 more)
{
	__u64 *n = bpf_map_lookup_elem(&sample_counts, &what);

	if (n)
		*n += more; /* each CPU has its own, and no sample interrupts another */
}

static __always_inline void count(__u32 what)
{
	count_more(what, 1);
}

/*
 * Ticks without a run of this program, since the last one on this CPU. The kernel does not run it
 * where the CPU is inside bpf(2) or another BPF program (bpf_prog_active, in
 * bpf_overflow_handler()): then the next run is on time, a whole number of periods later. If it is
 * not, the timer was late, as on a virtual machine whose host is busy with others, and left out
 * what it had no time for. An idle CPU is not inside bpf(2): some give no interrupts then.
 */
static __always_inline void count_gap(struct bpf_perf_event_data *ctx, bool idle)
{
	struct bpf_perf_event_value v = {};
	__u64 *last, now, since = 0, n, off;
	bool was_idle, skipped;
	__u32 zero = 0;

	last = bpf_map_lookup_elem(&sample_last, &zero);
	if (!last)
		return;
	was_idle = !*last || *last & 1; /* or who knows */
	if (by_clock) {			/* which is much cheaper to read */
		now = bpf_ktime_get_ns();
		since = now - *last;
		*last = (now & ~1ULL) | idle;
		if (since < period + period / 2)
			return;
	}
	if (bpf_perf_prog_read_value(ctx, &v, sizeof(v)))
		return;
	/* no more than the event has counted: it may be a new one, of a CPU that came back */
	if (!by_clock) {
		since = v.counter >= *last ? v.counter - *last : v.counter;
		*last = (v.counter & ~1ULL) | idle;
	} else if (since > v.counter) {
		since = v.counter;
	}
	if (since < period + period / 2)
		return;
	n = (since + period / 2) / period;
	off = since > n * period ? since - n * period : n * period - since;
	skipped = off <= period / SAMPLE_ON_TIME && n <= SAMPLE_MAX_SKIPPED && !idle && !was_idle;
	count_more(skipped ? SAMPLE_SKIPPED : SAMPLE_LATE, n - 1);
}

SEC("perf_event")
int sample(struct bpf_perf_event_data *ctx)
{
	struct stack_scratch *s;
	bool idle;

	idle = !(__u32)bpf_get_current_pid_tgid();
	count(SAMPLE_TICKS);
	count_gap(ctx, idle);
	if (!with_idle && idle) {
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
