/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * exitsnoop.bpf.c: an event for each process that has ended, or for each thread.
 *
 * Programs: exited, raw_exited (below); signal_sent, raw_signal_sent
 * (lib/tasks/killer.probes.bpf.h).
 */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#include "lib/core/cgroup.bpf.h"
#include "lib/core/compat.bpf.h"
#include "lib/core/events.bpf.h"
#include "lib/core/filter.bpf.h"
#include "lib/tasks/killer.probes.bpf.h"
#include "lib/tasks/usage.bpf.h"
#include "exitsnoop.shared.h"

const volatile bool per_thread, only_failed, only_killed;
const volatile bool has_group_dead; /* the tracepoint says whether it is the last thread */
const volatile __u32 page_size = 4096;

struct oom_scratch {
	struct exit_event event;
	struct cgroup_path cgroup; /* where event.cgroup is */
};
EVENT_SCRATCH(struct oom_scratch, 1);

/* Before 6.16 two threads that end at the same time may both find that they are the last: the one
 * that comes first is. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64[2]);
	__type(value, __u8);
} ended SEC(".maps");

/* @alone: no other thread is on its way out, so that none comes after us. */
static __always_inline bool is_first(struct task_struct *leader, bool alone)
{
	__u64 key[2] = { BPF_CORE_READ(leader, tgid), BPF_CORE_READ(leader, start_boottime) };
	__u8 yes = 1;

	if (alone)
		return !bpf_map_lookup_elem(&ended, key);
	return !bpf_map_update_elem(&ended, key, &yes, BPF_NOEXIST);
}

/* Has the process ended with this thread? @dead: what the kernel says, where it does. */
static __always_inline bool process_ended(struct task_struct *task, struct task_struct *leader,
					  struct signal_struct *process, bool dead, __u64 *cpu_ns)
{
	struct usage_threads threads = {};

	if (has_group_dead ? !dead : BPF_CORE_READ(process, live.counter))
		return false;
	if (BPF_CORE_READ(process, nr_threads) == 1) {
		*cpu_ns = BPF_CORE_READ(process, sum_sched_runtime) +
			  BPF_CORE_READ(task, se.sum_exec_runtime);
		return has_group_dead || is_first(leader, true);
	}
	*cpu_ns = usage_cpu_ns(process, task, &threads);
	return has_group_dead || (!threads.mm && is_first(leader, false));
}

/* As wait(2) says it. */
static __always_inline __u32 exit_code_of(struct task_struct *leader, struct signal_struct *process)
{
	if (BPF_CORE_READ(process, flags) & SIGNAL_GROUP_EXIT)
		return BPF_CORE_READ(process, group_exit_code);
	return BPF_CORE_READ(leader, exit_code);
}

/* Of a victim of the out-of-memory killer. */
static __always_inline void send_oom(struct exit_event *e, struct task_struct *leader)
{
	struct oom_scratch *s = event_begin(0);
	__u32 len;

	if (!s) {
		event_count_lost();
		return;
	}
	__builtin_memcpy(&s->event, e, offsetof(struct exit_event, oom));
	s->event.head.flags |= EXIT_OOM;
	killer_oom_of(&s->event.oom, e->head.pid, &e->killer);
	len = cgroup_path_read(&s->cgroup, cgroup_of_memory(leader));
	s->event.cgroup_len = len;
	if (len > sizeof(s->cgroup))
		return;
	event_send(s, sizeof(s->event) + len);
}

static __always_inline void show(struct task_struct *task, struct task_struct *leader,
				 struct signal_struct *process, __u64 cpu_ns, __u32 code)
{
	struct task_struct *subject = per_thread ? task : leader, *parent;
	struct exit_event e = { .code = code, .cpu_ns = cpu_ns, .peak_bytes = USAGE_UNKNOWN };
	__u32 signal = code & 0x7f;

	event_head(&e.head);
	if (subject != task) {
		e.head.tid = e.head.pid;
		BPF_CORE_READ_STR_INTO(&e.head.comm, subject, comm);
	}
	e.age_ns = bpf_ktime_get_boot_ns() - BPF_CORE_READ(subject, start_boottime);
	if (!per_thread)
		e.peak_bytes = (__u64)page_size * BPF_CORE_READ(process, maxrss);
	parent = BPF_CORE_READ(leader, real_parent);
	e.ppid = BPF_CORE_READ(parent, tgid);
	BPF_CORE_READ_STR_INTO(&e.parent_comm, parent, comm);
	if (signal)
		killer_of(&e.killer, leader, signal, !per_thread);
	if (signal == SIGKILL && e.killer.kind != KILLER_TASK && BPF_CORE_READ(process, oom_mm))
		send_oom(&e, leader);
	else
		event_send(&e, offsetof(struct exit_event, oom));
}

static __always_inline void ended_one(struct task_struct *task, bool dead)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);
	struct signal_struct *process = BPF_CORE_READ(task, signal);
	__u64 cpu_ns = 0;
	__u32 code;

	if (per_thread) {
		code = BPF_CORE_READ(task, exit_code);
		cpu_ns = BPF_CORE_READ(task, se.sum_exec_runtime);
	} else {
		if (!process_ended(task, leader, process, dead, &cpu_ns))
			return;
		code = exit_code_of(leader, process);
	}
	if ((only_failed && !code) || (only_killed && !(code & 0x7f)))
		return;
	if (filter_task(per_thread ? task : leader, false))
		show(task, leader, process, cpu_ns, code);
}

#define ENDED(ctx, task)                                                                           \
	do {                                                                                       \
		bool __dead = false;                                                               \
		preempt_off();                                                                     \
		if (has_group_dead)                                                                \
			__dead = ((volatile __u64 *)(ctx))[1];                                     \
		ended_one(task, __dead);                                                           \
		preempt_on();                                                                      \
	} while (0)

SEC("tp_btf/sched_process_exit")
int BPF_PROG(exited, struct task_struct *task)
{
	ENDED(ctx, task);
	return 0;
}

SEC("raw_tp/sched_process_exit")
int BPF_PROG(raw_exited, struct task_struct *task)
{
	ENDED(ctx, task);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
