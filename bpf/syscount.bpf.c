/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * syscount.bpf.c: system calls, counted by number or by process.
 *
 * A call counts at its begin: there its number is the one that was called. (At its end, execveat is
 * execve, sigreturn has no number, and a fork ends twice; exit never does.) Where its result or its
 * time is asked for, it counts at its end.
 *
 * Programs: sys_enter, raw_sys_enter, tp_sys_enter, tp_sys_exit below; sys_exit, raw_sys_exit
 * (SYSCALL_EXIT() below).
 */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#include "lib/core/constants.bpf.h"
#include "lib/core/filter.bpf.h"
#include "lib/core/syscall_counts.bpf.h"
#include "lib/core/syscall_start.bpf.h"
#include "syscount.shared.h"

const volatile bool timed, only_failed, only_one;
const volatile __u32 only_errno; /* 0: any */
const volatile __u32 only_ppid;	 /* 0: any parent */
const volatile int only_nr[SYSCALL_ABIS + 1];

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SYSCOUNT_STATS);
	__type(key, __u32);
	__type(value, __u64);
} stats SEC(".maps");

static __always_inline __u32 parent(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, real_parent, tgid);
}

/* @task: the pid and tid of the one on the CPU. */
static __always_inline bool wanted(__u64 task, struct syscall_id id)
{
	if (only_one && id.nr != only_nr[id.abi & SYSCALL_ABIS])
		return false;
	if (task >> 32 == filter.own_pid || (filter_any() && !filter_current()))
		return false;
	return !only_ppid || parent() == only_ppid;
}

static __always_inline void add_to_stat(__u32 which)
{
	__u64 *stat = bpf_map_lookup_elem(&stats, &which);

	if (stat)
		++*stat;
}

/* --- the begin of a call ------------------------------------------------------------------ */

static __always_inline int begins(long nr)
{
	bool compat;
	__u64 task = syscall_caller(&compat);
	struct syscall_id id = syscall_id(nr, compat);

	if (!wanted(task, id))
		return 0;
	if (timed && !SYSCALL_IS_EXIT(id))
		syscall_start_note(task, id);
	else if (!only_failed)
		syscall_counts_add(task, id, 0);
	return 0;
}

/* --- the end of a call -------------------------------------------------------------------- */

/* Is this the end of a call that is to be counted? *@begun: which, and when it began if that is
 * known. */
static __always_inline bool take(__u64 task, struct syscall_id id, long ret,
				 struct syscall_start *begun)
{
	bool want;

	if (timed && syscall_start_take(task, id, begun))
		return true;
	begun->id = id;
	want = wanted(task, id);
	if (!timed)
		return want;
	if ((want || SYSCALL_IS_EXEC(id)) && syscall_start_take_crowded(begun))
		return true;
	return want && !(ret == 0 && SYSCALL_IS_FORK(id)); /* that is no end in the new task */
}

static __always_inline bool is_unsure(long ret)
{
	return syscall_may_restart(ret) && (!only_errno || only_errno == EINTR);
}

static __always_inline bool is_failure(long ret)
{
	if (only_errno)
		return ret == -(long)only_errno;
	return ret < 0 && ret >= -MAX_ERRNO && !syscall_may_restart(ret);
}

static __always_inline int ends(int nr, long ret)
{
	struct syscall_start begun = {};
	__u64 task, ns = 0;
	bool compat;

	if (only_failed && !timed && !is_failure(ret) && !is_unsure(ret))
		return 0;
	task = syscall_caller(&compat);
	if (!take(task, syscall_id(nr, compat), ret, &begun))
		return 0;
	if (begun.ns)
		ns = bpf_ktime_get_ns() - begun.ns;
	if (only_failed) {
		/* sigreturn has the result of the call that the signal came upon */
		if (nr == -1 && (begun.id.nr != -1 || ret != -ENOSYS))
			return 0;
		if (is_unsure(ret))
			add_to_stat(SYSCOUNT_INTERRUPTED);
		if (!is_failure(ret))
			return 0;
	}
	if (timed && !begun.ns)
		add_to_stat(SYSCOUNT_UNTIMED);
	syscall_counts_add(task, begun.id, ns);
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(sys_enter, struct pt_regs *regs, long id)
{
	return begins(id);
}

SEC("raw_tp/sys_enter")
int BPF_PROG(raw_sys_enter, struct pt_regs *regs, long id)
{
	return begins(id);
}

SYSCALL_EXIT(ends(syscall_nr(regs, typed), ret))

/* At twice the price, but never preempted: for kernels that preempt tasks in the others (7.x). */
SEC("tp/raw_syscalls/sys_enter")
int tp_sys_enter(struct trace_event_raw_sys_enter *event)
{
	return begins(event->id);
}

SEC("tp/raw_syscalls/sys_exit")
int tp_sys_exit(struct trace_event_raw_sys_exit *event)
{
	return ends(event->id, event->ret);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
