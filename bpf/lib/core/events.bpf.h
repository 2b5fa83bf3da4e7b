/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * events.bpf.h: from a probe to the tool's reader, without a wake-up per event.
 *
 * There is one ring per CPU (up to 32), so that CPUs don't queue for a lock; the reader merges
 * them by time stamp. It looks every few milliseconds by itself, and is woken only when a ring
 * passes its fill mark. What does not fit is counted.
 */
#ifndef BORESCOPE_BPF_CORE_EVENTS_BPF_H
#define BORESCOPE_BPF_CORE_EVENTS_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

#include "lib/core/compat.bpf.h"
#include "lib/core/events.shared.h"

const volatile struct event_config event_config SEC(".rodata.events");

/* libcommon/kernel/events.c sets how large the rings are and how many are made. A map of maps would
 * be shorter, but the kernel waits for an RCU grace period (10 ms) at each ring that is put in. */
struct event_ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
};

/* clang-format off */
#define EVENT_EACH_RING(X)                                                                         \
	X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)      \
	X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) X(30)  \
	X(31)
/* clang-format on */

#define EVENT_DEFINE_RING(n) struct event_ring event_ring_##n SEC(".maps");
EVENT_EACH_RING(EVENT_DEFINE_RING)

/* @cpu is at most event_config.ring_mask: the verifier knows that, and removes what is about rings
 * that don't exist. */
static __always_inline void *event_ring_of(__u32 cpu)
{
	void *ring;

#define EVENT_PICK_RING(n)                                                                         \
	if (cpu == (n)) {                                                                          \
		ring = &event_ring_##n;                                                            \
		__asm__ volatile("" : "+r"(ring));                                                 \
		return ring;                                                                       \
	}
	EVENT_EACH_RING(EVENT_PICK_RING)
	return NULL;
}

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, EVENT_LOSSES);
	__type(key, __u32);
	__type(value, __u64);
} event_lost SEC(".maps");

/*
 * Where an event is put together that is too large for the stack (512 bytes in all, for a program
 * and what it calls); a smaller one is a local variable. Each CPU has @entries of them: programs
 * of the tool that can interrupt each other, or come in between (after a page fault, say), use
 * different ones. event_begin(entry) gives one, or NULL.
 */
#define EVENT_SCRATCH(event_type, entries)                                                         \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);                                           \
		__uint(max_entries, entries);                                                      \
		__type(key, __u32);                                                                \
		__type(value, event_type);                                                         \
	} event_scratch SEC(".maps")

#define event_begin(entry)                                                                         \
	({                                                                                         \
		__u32 __entry = (entry);                                                           \
		bpf_map_lookup_elem(&event_scratch, &__entry);                                     \
	})

/* Fills the head for the task on the CPU, at the time @ts. */
static __always_inline void event_head_at(struct event_head *head, __u64 ts)
{
	struct task_struct *task;

	head->ts = ts;
	head->flags = 0;
	if (!have_task_btf()) { /* 5.10 */
		__u64 id = bpf_get_current_pid_tgid();

		head->pid = id >> 32;
		head->tid = (__u32)id;
		head->uid = (__u32)bpf_get_current_uid_gid();
		bpf_get_current_comm(head->comm, sizeof(head->comm));
		return;
	}
	task = bpf_get_current_task_btf();
	head->pid = task->tgid;
	head->tid = task->pid;
	head->uid = task->cred->uid.val;
	__builtin_memcpy(head->comm, task->comm, sizeof(head->comm));
}

static __always_inline void event_head(struct event_head *head)
{
	event_head_at(head, bpf_ktime_get_ns());
}

static __always_inline void event_count_losses(__u32 why, __u64 n)
{
	__u64 *lost = bpf_map_lookup_elem(&event_lost, &why);

	if (lost)
		__sync_fetch_and_add(lost, n);
}

static __always_inline void event_count_loss(__u32 why)
{
	event_count_losses(why, 1);
}

/* An event was not sent. */
static __always_inline void event_count_lost(void)
{
	event_count_loss(EVENT_NO_ROOM);
}

/* There may have been an event at the end of a call, which we were not shown. */
static __always_inline void event_count_unseen(void)
{
	event_count_loss(EVENT_END_NOT_SEEN);
}

/* Sends the first @size bytes of @event, which stands for @events of them; with @now, the reader is
 * woken at once. The verifier must see a bound of @size. */
static __always_inline void event_send_sum(void *event, __u64 size, bool now, __u64 events)
{
	__u32 cpu = bpf_get_smp_processor_id() & event_config.ring_mask;
	void *ring = event_ring_of(cpu);
	__u64 filled, flags;

	if (!ring) {
		event_count_losses(EVENT_NO_ROOM, events);
		return;
	}
	/* only the event that fills the ring beyond the mark wakes the reader */
	filled = bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA);
	flags = now || (filled < event_config.wake_bytes &&
			filled + size >= event_config.wake_bytes)
			? BPF_RB_FORCE_WAKEUP
			: BPF_RB_NO_WAKEUP;
	if (bpf_ringbuf_output(ring, event, size, flags))
		event_count_losses(EVENT_NO_ROOM, events);
}

static __always_inline void event_send_to(void *event, __u64 size, bool now)
{
	event_send_sum(event, size, now, 1);
}

/* What nearly all events are sent by: the reader is woken when a ring has filled enough. */
static __always_inline void event_send(void *event, __u64 size)
{
	event_send_to(event, size, false);
}

/* For the rare event that the reader should see while it is fresh: this costs a wake-up. */
static __always_inline void event_send_now(void *event, __u64 size)
{
	event_send_to(event, size, true);
}

#endif
