/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * killer.probes.bpf.h: who sent the signal that a process dies of. The programs signal_sent and
 * raw_signal_sent remember who sent which signal to a process that neither handles nor ignores it;
 * killer_of() asks at the process's end, when it is known which of them it was.
 *
 * The sender is known as the kernel knows it: its id is that of the initial pid namespace, whatever
 * namespaces sender and target are in.
 */
#ifndef BORESCOPE_BPF_TASKS_KILLER_PROBES_BPF_H
#define BORESCOPE_BPF_TASKS_KILLER_PROBES_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#include "lib/core/compat.bpf.h"
#include "lib/core/constants.bpf.h"
#include "lib/core/events.bpf.h"
#include "lib/core/task.bpf.h"
#include "lib/tasks/killer.shared.h"

/* Signals that were sent, and not died of, stay: a process that reads them with signalfd(2), say.
 * When the map is full the oldest go. */
#define KILLERS_MAX	8192
#define KILLER_OOMS_MAX 256

struct killer_key {
	__u32 pid;
	__u32 signal;
};

struct killer_record {
	struct killer killer;
	__u64 born;    /* start_boottime: another process may get the pid */
	__u64 decided; /* not 0: the process was dying of it as soon as it was sent */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, KILLERS_MAX);
	__type(key, struct killer_key);
	__type(value, struct killer_record);
} killers SEC(".maps");

/* Of processes that the kernel itself has sent SIGKILL. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, KILLER_OOMS_MAX);
	__type(key, __u32);
	__type(value, struct killer_oom);
} killer_ooms SEC(".maps");

#define KILLER_BIT(signal) (1ull << ((signal)-1))
/* What is ignored, or stops the process, where it has nothing else to do about it. */
#define KILLER_HARMLESS                                                                            \
	(KILLER_BIT(SIGCHLD) | KILLER_BIT(SIGCONT) | KILLER_BIT(SIGSTOP) | KILLER_BIT(SIGTSTP) |   \
	 KILLER_BIT(SIGTTIN) | KILLER_BIT(SIGTTOU) | KILLER_BIT(SIGURG) | KILLER_BIT(SIGWINCH))

/* SEND_SIG_NOINFO and SEND_SIG_PRIV of include/linux/sched/signal.h */
#define KILLER_NOINFO ((void *)0)
#define KILLER_PRIV   ((void *)1)

/* Is it a signal that @target dies of, unless it blocks it? */
static __always_inline bool killer_is_deadly(struct task_struct *target, int signal)
{
	struct sighand_struct *sighand;
	void *action, *handler = NULL;

	if (signal < 1 || signal > _NSIG || KILLER_BIT(signal) & KILLER_HARMLESS)
		return false;
	if (signal == SIGKILL)
		return true;
	sighand = BPF_CORE_READ(target, sighand);
	action = (void *)sighand + bpf_core_field_offset(sighand->action) +
		 (signal - 1) * bpf_core_type_size(struct k_sigaction) +
		 bpf_core_field_offset(struct k_sigaction, sa.sa_handler);
	return !bpf_probe_read_kernel(&handler, sizeof(handler), action) && !handler;
}

/* Is the task on the CPU in one of the calls that let it say itself of what kind its signal is? */
static __always_inline bool killer_is_queueing(void)
{
	struct pt_regs *regs = have_task_btf() ? task_regs(bpf_get_current_task_btf())
					       : task_regs_place((void *)bpf_get_current_task());
	long nr = syscall_nr(regs, false);

	if (syscall_is_compat())
		return nr == COMPAT_NR_RT_SIGQUEUEINFO || nr == COMPAT_NR_RT_TGSIGQUEUEINFO ||
		       nr == COMPAT_NR_PIDFD_SEND_SIGNAL;
	return nr == SYSCALL_NR_RT_SIGQUEUEINFO || nr == SYSCALL_NR_RT_TGSIGQUEUEINFO ||
	       nr == SYSCALL_NR_PIDFD_SEND_SIGNAL;
}

/* Is the task on the CPU the sender? It is where it asked for the signal by a system call; what
 * the kernel raises may come in an interrupt, which has nothing to do with that task. A process may
 * say any negative code, that of a timer, too (do_rt_sigqueueinfo()). */
static __always_inline bool killer_is_task(struct kernel_siginfo *info, int code)
{
	if (info == KILLER_NOINFO)
		return true;
	if (info == KILLER_PRIV)
		return false;
	return code == SI_USER || code == SI_QUEUE || code == SI_TKILL ||
	       (code < 0 && killer_is_queueing());
}

static __always_inline void killer_fill(struct killer *k, struct kernel_siginfo *info)
{
	struct kernel_siginfo___code *with_code = (void *)info;

	if (info != KILLER_NOINFO && info != KILLER_PRIV)
		k->code = BPF_CORE_READ(with_code, si_code);
	k->pid = EVENT_UNKNOWN;
	if (!killer_is_task(info, k->code)) {
		k->kind = KILLER_KERNEL;
		return;
	}
	k->kind = KILLER_TASK;
	k->pid = bpf_get_current_pid_tgid() >> 32;
	k->uid = (__u32)bpf_get_current_uid_gid();
	bpf_get_current_comm(k->comm, sizeof(k->comm));
}

/* --- the out-of-memory killer ------------------------------------------------------------- */

/* Of @mm; @what is a constant. */
#define KILLER_PAGES(mm, what)                                                                     \
	({                                                                                         \
		struct mm_struct___rss *__old = (void *)(mm);                                      \
		__s64 __n;                                                                         \
		if (bpf_core_field_exists(__old->rss_stat.count))                                  \
			__n = BPF_CORE_READ(__old, rss_stat.count[what].counter);                  \
		else                                                                               \
			__n = BPF_CORE_READ(mm, rss_stat[what].count);                             \
		__n > 0 ? __n : 0;                                                                 \
	})

/* The kernel itself sends SIGKILL. It may be for want of memory: that is known at the end, but how
 * much the victim had is known only now. */
static __always_inline void killer_note_oom(void *ctx, struct task_struct *target, __u32 pid)
{
	struct mm_struct *mm = BPF_CORE_READ(target, mm);
	struct killer_oom oom = { .known = 1 };
	long n;

	oom.anon = KILLER_PAGES(mm, MM_ANONPAGES);
	oom.file = KILLER_PAGES(mm, MM_FILEPAGES);
	oom.shmem = KILLER_PAGES(mm, MM_SHMEMPAGES);
	n = bpf_get_stack(ctx, oom.frames, sizeof(oom.frames), 0);
	oom.nr_frames = n > 0 ? n / sizeof(oom.frames[0]) : 0;
	bpf_map_update_elem(&killer_ooms, &pid, &oom, BPF_ANY);
}

/* --- the programs ------------------------------------------------------------------------- */

/* Is this signal, just now sent, what the process is going to die of? (Others are so from when it
 * unblocks them, or has written a core dump.) Of all signals that is true of one. */
static __always_inline bool killer_decided(struct task_struct *target, int signal)
{
	struct signal_struct *process = BPF_CORE_READ(target, signal);

	return BPF_CORE_READ(process, flags) & SIGNAL_GROUP_EXIT &&
	       BPF_CORE_READ(process, group_exit_code) == signal;
}

/* Called with the target's siglock held: a program here is not preempted. */
static __always_inline void killer_note(void *ctx, int signal, struct kernel_siginfo *info,
					struct task_struct *target, int result)
{
	struct killer_record r = {}, *before;
	struct killer_key key = {};

	if (result != TRACE_SIGNAL_DELIVERED && result != TRACE_SIGNAL_LOSE_INFO)
		return;
	if (!killer_is_deadly(target, signal))
		return;
	key.pid = BPF_CORE_READ(target, tgid);
	key.signal = signal;
	r.born = BPF_CORE_READ(target, group_leader, start_boottime);
	r.decided = killer_decided(target, signal);
	before = bpf_map_lookup_elem(&killers, &key);
	if (before && before->born != r.born)
		before = NULL;
	/* 5.10 delivers another one also when it makes no difference any more; 6.1 does not */
	if (before && before->decided)
		return;
	killer_fill(&r.killer, info);
	/* two senders of one signal, both of which may wait: nobody knows whose comes first */
	if (before && !r.decided &&
	    (before->killer.kind != r.killer.kind || before->killer.pid != r.killer.pid)) {
		before->killer.kind = KILLER_UNKNOWN;
		before->killer.pid = EVENT_UNKNOWN;
		return;
	}
	bpf_map_update_elem(&killers, &key, &r, BPF_ANY);
	if (signal == SIGKILL && info == KILLER_PRIV)
		killer_note_oom(ctx, target, key.pid);
}

SEC("tp_btf/signal_generate")
int BPF_PROG(signal_sent, int signal, struct kernel_siginfo *info, struct task_struct *target,
	     int group, int result)
{
	killer_note(ctx, signal, info, target, result);
	return 0;
}

SEC("raw_tp/signal_generate")
int BPF_PROG(raw_signal_sent, int signal, struct kernel_siginfo *info, struct task_struct *target,
	     int group, int result)
{
	killer_note(ctx, signal, info, target, result);
	return 0;
}

/* --- at a process's end ------------------------------------------------------------------- */

/* Who sent @signal to @leader's process, which dies of it? With @last, nobody will ask again. */
static __always_inline void killer_of(struct killer *k, struct task_struct *leader, __u32 signal,
				      bool last)
{
	struct killer_key key = { .pid = BPF_CORE_READ(leader, tgid), .signal = signal };
	struct killer_record *r = bpf_map_lookup_elem(&killers, &key);

	k->pid = EVENT_UNKNOWN;
	if (!r)
		return;
	if (r->born == BPF_CORE_READ(leader, start_boottime))
		*k = r->killer;
	if (last)
		bpf_map_delete_elem(&killers, &key);
}

/* Of process @pid, which the out-of-memory killer has killed, and nobody else: @k is who did. */
static __always_inline void killer_oom_of(struct killer_oom *oom, __u32 pid, const struct killer *k)
{
	struct killer_oom *noted = bpf_map_lookup_elem(&killer_ooms, &pid);

	if (noted && k->kind == KILLER_KERNEL)
		*oom = *noted;
	else
		__builtin_memset(oom, 0, sizeof(*oom));
}

#endif
