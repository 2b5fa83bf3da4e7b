/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * runqlat.bpf.c: how long threads waited for a CPU, as histograms.
 *
 * Programs: sched_info; wakeup, wakeup_new, switched; all below.
 */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#include "lib/core/compat.bpf.h"
#include "lib/core/constants.bpf.h"
#include "lib/core/filter.bpf.h"
#include "lib/hist/hist.bpf.h"
#include "runqlat.shared.h"

const volatile __u32 split; /* enum runqlat_split */

static __always_inline __u32 pid_namespace(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid); /* NULL: it has ended already */
	__u32 level = BPF_CORE_READ(pid, level);

	return BPF_CORE_READ(&pid->numbers[level], ns, ns.inum); /* its own, the innermost */
}

/* A field of @task, where @typed is as in filter_task(). */
#define TASK(field) (typed ? task->field : BPF_CORE_READ(task, field))

/* @task, which is about to run, has waited for @ns. @typed: a constant, as in filter_task(). */
static __always_inline void waited(struct task_struct *task, __u64 ns, bool typed)
{
	struct hist *h;
	__u32 by, k32 = 0;
	__u64 k64 = 0;

	if (!filter_task(task, typed))
		return;
	if (split == BY_NOTHING) {
		hist_record_irqs_off(ns);
		return;
	}
	by = split;
	if (by == BY_PROCESS) {
		k32 = TASK(tgid);
	} else if (by == BY_THREAD) {
		k32 = TASK(pid);
		k64 = TASK(tgid);
	} else {
		k32 = pid_namespace(task);
	}
	h = hist_record(k32, k64, ns);
	if (!h || by == BY_PID_NAMESPACE)
		return;
	/* each time: the first wait comes before the exec that gives it its final name */
	if (by == BY_PROCESS)
		task = TASK(group_leader);
	BPF_CORE_READ_STR_INTO(&h->name, task, comm);
}

/* --- where the kernel keeps the wait itself: task_struct.sched_info ----------------------- */

/*
 * When a task comes to a CPU, the kernel adds to its run_delay the time since last_queued, which is
 * when it began to wait on this CPU's queue (sched_info_arrive(), just after this hook, by the same
 * clock). If it was moved here while it waited, what it waited elsewhere is in run_delay already:
 * so the wait is the growth of run_delay since the task last came to a CPU.
 *
 * The clock, rq->clock, is a number that the kernel renews while it holds the queue's lock. A
 * wake-up after which the CPU is to switch at once (on an idle CPU, that is every wake-up) asks the
 * switch not to renew it: wakeup_preempt(), check_preempt_curr() before 6.7. No account has the
 * time from that wake-up to the switch: it would be 0 here. So both clocks, the kernel's and ours,
 * are read at such a wake-up, and ours again at the switch.
 */

__u64 bases[BASES]; /* see runqlat.shared.h; by the low bits of the tid */

/* By the number of a CPU. Who writes holds the lock of the CPU's queue. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* set by configure() */
	__type(key, __u32);
	__type(value, struct clocks);
} stopped SEC(".maps");

/* A thread's number, as runqlat.shared.h has it: bits of its address, far above any time. */
static __always_inline __u64 base_owner(struct task_struct *task)
{
	__u32 address;

	/* The verifier lets no pointer be shifted, but half of one may be taken. */
	asm volatile("%0 = %1" : "=w"(address) : "w"((__u32)(__u64)task));
	return (__u64)address << BASE_OWNER_SHIFT | BASE_SET;
}

/* The wait of a task of which there is no base, or (@first) that has not been on a CPU before. */
static __always_inline __u64 first_wait(__u64 here, __u64 delay, bool first)
{
	return (__s64)here < 0 ? 0 : here + (first ? delay : 0);
}

static __always_inline void read_clocks(struct rq *rq)
{
	__u32 cpu = rq_cpu(rq);
	struct clocks *c = bpf_map_lookup_elem(&stopped, &cpu);

	if (!c || c->queue == rq->clock) /* not renewed since then: ours of then belongs to it */
		return;
	c->queue = rq->clock;
	c->ours = bpf_ktime_get_ns();
}

/* At this hook it is settled whether the CPU is to switch at once. */
SEC("tp_btf/sched_wakeup")
int BPF_PROG(clock_stops, struct task_struct *task)
{
	struct rq *rq = task_rq(task);

	if (rq->clock_update_flags & RQCF_REQ_SKIP)
		read_clocks(rq);
	return 0;
}

/* At this one it is not: wakeup_preempt() comes after it. */
SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(clock_may_stop, struct task_struct *task)
{
	read_clocks(task_rq(task));
	return 0;
}

/*
 * At a switch: how many ns ago @rq's clock was renewed, 0 if that was for this switch. This is by
 * how much more ours has grown since the wake-up: all that it has grown, if the other was not
 * renewed since. Less than 1/1024 of that time can be the different pace of the two (NTP) instead,
 * and counts as 0: this also settles a wake-up long ago that led to no switch.
 */
static __always_inline __u64 clock_age(struct rq *rq)
{
	__u32 cpu = rq_cpu(rq);
	struct clocks *c = bpf_map_lookup_elem(&stopped, &cpu);
	__u64 since, renewed;

	if (!c || !c->queue)
		return 0;
	since = bpf_ktime_get_ns() - c->ours;
	renewed = rq->clock - c->queue;
	c->queue = 0;
	return (__s64)(since - renewed) > (__s64)(since >> 10) ? since - renewed : 0;
}

/* @prev is preempted, and the clock is @age old: the kernel's account has @prev wait since then. */
static __always_inline void preempted_later(struct task_struct *prev, __u64 age)
{
	__u64 *place = &bases[(__u32)prev->pid % BASES];

	if (*place - base_owner(prev) < BASE_OTHER && task_is_running(prev))
		*place += age;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(sched_info, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	__u64 queued = next->sched_info.last_queued, here, delay, base, wait, age, *place;
	bool first = !next->sched_info.pcount;
	struct rq *rq;

	if (!queued) /* it did not wait; the idle task never does */
		return 0;
	rq = task_rq(next);
	here = rq->clock - queued;
	delay = next->sched_info.run_delay;
	base = base_owner(next) + delay + here;
	place = &bases[(__u32)next->pid % BASES];
	wait = base - *place;
	*place = base;
	if (first || wait >= BASE_OTHER)
		wait = first_wait(here, delay, first);
	age = clock_age(rq);
	if (age && prev->pid)
		preempted_later(prev, age);
	waited(next, wait + age, true);
	return 0;
}

/* --- where it does not: the time from waking up, or being preempted, to running ----------- */

/* Since when tasks wait, by their address: bpf_ktime_get_ns(). */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1); /* runqlat.c sets it to WAITING_MAX */
	__type(key, __u64);
	__type(value, __u64);
} waiting SEC(".maps");

static __always_inline void begin(struct task_struct *task)
{
	__u64 key = (__u64)task, now = bpf_ktime_get_ns();

	/* a task that waits already goes on waiting */
	if (bpf_map_update_elem(&waiting, &key, &now, BPF_NOEXIST) == -E2BIG)
		hist_count_lost();
}

static __always_inline void woken(struct task_struct *task)
{
	/* if it was woken between deciding to sleep and doing it, it never stopped running */
	if (!task_on_cpu(task))
		begin(task);
}

SEC("raw_tp/sched_wakeup")
int wakeup(unsigned long long *ctx)
{
	woken((void *)ctx[0]);
	return 0;
}

SEC("raw_tp/sched_wakeup_new")
int wakeup_new(unsigned long long *ctx)
{
	woken((void *)ctx[0]);
	return 0;
}

SEC("raw_tp/sched_switch")
int switched(unsigned long long *ctx)
{
	struct task_struct *prev = (void *)ctx[1], *next = (void *)ctx[2];
	__u64 key = (__u64)next, *since;

	if (BPF_CORE_READ(prev, pid) && task_is_queued(prev)) /* preempted */
		begin(prev);
	if (!BPF_CORE_READ(next, pid))
		return 0;
	since = bpf_map_lookup_elem(&waiting, &key);
	if (since) {
		__u64 now = bpf_ktime_get_ns(), then = *since;

		bpf_map_delete_elem(&waiting, &key);
		waited(next, now > then ? now - then : 0, false);
	}
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
