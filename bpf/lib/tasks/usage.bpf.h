/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * usage.bpf.h: what a process has used in all, with the threads that are gone, to be asked by its
 * last one at sched_process_exit.
 */
#ifndef BORESCOPE_BPF_TASKS_USAGE_BPF_H
#define BORESCOPE_BPF_TASKS_USAGE_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "lib/core/constants.bpf.h"

#define USAGE_UNKNOWN	  (~0ull)
#define USAGE_THREADS_MAX 128 /* that are on their way out at the same time */
#define USAGE_TRIES	  2

/* The threads that the process's list still has: the leader, and those on their way out. */
struct usage_threads {
	__u64 cpu_ns;
	__u64 mm;  /* not 0: one has not yet given up its memory, and will come here after us */
	__u64 cut; /* not 0: there are more of them */
};

static __always_inline void usage_threads(struct usage_threads *u, struct signal_struct *process,
					  struct task_struct *us)
{
	void *head = (void *)process + bpf_core_field_offset(process->thread_head);
	void *at = BPF_CORE_READ(process, thread_head.next);

	u->cpu_ns = u->mm = 0;
	/* no branch in here but the one that ends it, or the verifier follows each way */
	for (int i = 0; i < USAGE_THREADS_MAX && at != head; i++) {
		struct task_struct *task = at - bpf_core_field_offset(us->thread_node);

		u->cpu_ns += BPF_CORE_READ(task, se.sum_exec_runtime);
		u->mm |= (__u64)BPF_CORE_READ(task, mm);
		at = BPF_CORE_READ(task, thread_node.next);
	}
	u->cut = at - head;
}

/* The CPU time of the process, ns, as the kernel has booked it: what runs now is booked at the next
 * tick. USAGE_UNKNOWN: it changed while we looked, or there are too many threads. */
static __always_inline __u64 usage_cpu_ns(struct signal_struct *process, struct task_struct *us,
					  struct usage_threads *u)
{
	for (int i = 0; i < USAGE_TRIES; i++) {
		/* a thread that goes moves its time over there under this lock */
		__u32 before = BPF_CORE_READ(process, stats_lock.seqcount.seqcount.sequence);
		__u64 gone = BPF_CORE_READ(process, sum_sched_runtime);

		usage_threads(u, process, us);
		if (!(before & 1) && !u->cut &&
		    BPF_CORE_READ(process, stats_lock.seqcount.seqcount.sequence) == before)
			return gone + u->cpu_ns;
	}
	return USAGE_UNKNOWN;
}

#endif
