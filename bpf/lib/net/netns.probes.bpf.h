/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * netns.probes.bpf.h: the network namespaces that tasks are in, for libcommon/net/netns.h.
 *
 * It defines the program netns_tasks.
 */
#ifndef BORESCOPE_BPF_NET_NETNS_PROBES_BPF_H
#define BORESCOPE_BPF_NET_NETNS_PROBES_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "lib/net/netns.shared.h"

/* The namespace of the task before: neighbours are mostly in the same. */
struct {
	__u64 walk; /* bpf_iter_meta.session_id */
	__u64 inode;
} netns_last;

/* The iterator comes here with each task, and at last with none. */
SEC("iter/task")
int netns_tasks(struct bpf_iter__task *ctx)
{
	struct netns_record record = { .size = sizeof(record) };
	struct task_struct *task = ctx->task;

	if (!task)
		return 0;
	record.inode = BPF_CORE_READ(task, nsproxy, net_ns, ns.inum); /* 0: it is at its end */
	if (!record.inode ||
	    (record.inode == netns_last.inode && ctx->meta->session_id == netns_last.walk))
		return 0;
	record.tid = task->pid;
	if (!bpf_seq_write(ctx->meta->seq, &record, sizeof(record))) {
		netns_last.walk = ctx->meta->session_id;
		netns_last.inode = record.inode;
	}
	return 0;
}

#endif
