/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * offcputime.bpf.c: for how long threads are off the CPU, by the stack that they wait in.
 *
 * Programs: switched, raw_switched; sleepable, plain; all below.
 */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "lib/tasks/offcpu.bpf.h"

SEC("tp_btf/sched_switch")
int BPF_PROG(switched, bool preempted, struct task_struct *prev, struct task_struct *next)
{
	return offcpu_switch(ctx, preempted, prev, next, true);
}

SEC("raw_tp/sched_switch") /* the same for a kernel without BTF of its own */
int raw_switched(unsigned long long *ctx)
{
	return offcpu_switch(ctx, ctx[0], (void *)ctx[1], (void *)ctx[2], false);
}

/* Threads that wait when the tool begins, and when it ends. */
SEC("iter.s/task")
int sleepable(struct bpf_iter__task *ctx)
{
	return offcpu_visit(ctx, true);
}

/* the same for a kernel before 5.18: without the user stacks of those that the begin finds */
SEC("iter/task")
int plain(struct bpf_iter__task *ctx)
{
	return offcpu_visit(ctx, false);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
