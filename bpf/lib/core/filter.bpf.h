/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * filter.bpf.h: does the user want to see this task? The answer's data are in a section of their
 * own, which libcommon fills: a tool only asks. A filter judges the task that an event is about:
 * filter_current() where that is the one on the CPU, filter_task() for any other.
 */
#ifndef BORESCOPE_BPF_CORE_FILTER_BPF_H
#define BORESCOPE_BPF_CORE_FILTER_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "lib/core/filter.shared.h"

const volatile struct filter filter SEC(".rodata.filter");

/* Is @id in the first @nr of @ids? The verifier knows @nr, and unrolls no more than that. */
static __always_inline bool filter_id(const volatile __u32 *ids, __u32 nr, __u32 id)
{
	for (__u32 i = 0; i < FILTER_IDS_MAX && i < nr; i++)
		if (ids[i] == id)
			return true;
	return false;
}

/* Is @cgrp the cgroup filter.cgroup, or one below it? */
static __always_inline bool filter_in_cgroup(struct cgroup *cgrp)
{
	int level = BPF_CORE_READ(cgrp, level);

	for (int i = 0; i < FILTER_CGROUP_LEVELS_MAX && i <= level; i++) {
		__u64 id = 0;

		if (bpf_core_field_exists(cgrp->ancestors)) {
			struct cgroup *up = NULL;

			bpf_core_read(&up, sizeof(up), &cgrp->ancestors[i]);
			id = BPF_CORE_READ(up, kn, id);
		} else {
			struct cgroup___ids *old = (void *)cgrp;

			bpf_core_read(&id, sizeof(id), &old->ancestor_ids[i]);
		}
		if (id == filter.cgroup)
			return true;
	}
	return false;
}

/* Is @task in that cgroup, or in one below it? */
static __always_inline bool filter_cgroup(struct task_struct *task)
{
	return filter_in_cgroup(BPF_CORE_READ(task, cgroups, dfl_cgrp));
}

/* Is @comm, of 16 bytes, the name that is wanted, or does it have the wanted part? */
static __always_inline bool filter_comm(const char *comm)
{
	if (filter.by_comm) {
		for (int i = 0; i < 16; i++) {
			if (comm[i] != filter.comm[i])
				return false;
			if (!comm[i])
				break;
		}
	}
	if (filter.comm_part_len) {
		bool found = false;

		for (int at = 0; at < 16 && !found; at++) {
			found = true;
			for (int i = 0; i < 16 && i < filter.comm_part_len; i++) {
				if (at + i >= 16 || comm[(at + i) & 15] != filter.comm_part[i]) {
					found = false;
					break;
				}
			}
		}
		return found;
	}
	return true;
}

/* @pid: what user space calls so (the kernel's tgid). */
static __always_inline bool filter_ids(__u32 pid, __u32 tid)
{
	if (filter.nr_pids && !filter_id(filter.pids, filter.nr_pids, pid))
		return false;
	if (filter.nr_tids && !filter_id(filter.tids, filter.nr_tids, tid))
		return false;
	return true;
}

/* Does the task on the CPU pass the filter? What it does is on account of @cgrp; NULL: of the
 * cgroup that it is in. */
static __always_inline bool filter_current_for(struct cgroup *cgrp)
{
	__u64 id = bpf_get_current_pid_tgid();

	if (id >> 32 == filter.own_pid)
		return false;
	if (!filter.any)
		return true;
	if (!filter_ids(id >> 32, (__u32)id))
		return false;
	if (filter.by_uid && (__u32)bpf_get_current_uid_gid() != filter.uid)
		return false;
	if (filter.cgroup) {
		struct task_struct *task = (void *)bpf_get_current_task();

		if (!filter_in_cgroup(cgrp ?: BPF_CORE_READ(task, cgroups, dfl_cgrp)))
			return false;
	}
	if (filter.by_comm || filter.comm_part_len) {
		char comm[16] = {};

		bpf_get_current_comm(comm, sizeof(comm));
		return filter_comm(comm);
	}
	return true;
}

/* Does the task on the CPU pass the filter? */
static __always_inline bool filter_current(void)
{
	return filter_current_for(NULL);
}

/* Does @task pass it? @typed, a constant: the verifier knows @task as a task_struct, because it
 * is an argument of a tp_btf program, and it may be read directly. */
static __always_inline bool filter_task(struct task_struct *task, bool typed)
{
	__u32 pid = typed ? task->tgid : BPF_CORE_READ(task, tgid);

	if (pid == filter.own_pid)
		return false;
	if (!filter.any)
		return true;
	if (!filter_ids(pid, typed ? task->pid : BPF_CORE_READ(task, pid)))
		return false;
	if (filter.by_uid && BPF_CORE_READ(task, cred, uid.val) != filter.uid)
		return false;
	if (filter.cgroup && !filter_cgroup(task))
		return false;
	if (filter.by_comm || filter.comm_part_len) {
		char comm[16] = {};

		BPF_CORE_READ_STR_INTO(&comm, task, comm);
		return filter_comm(comm);
	}
	return true;
}

/* Is there any filter at all? For tools that need a further probe to judge a task. */
static __always_inline bool filter_any(void)
{
	return filter.any;
}

/* Are these @flags wanted? */
static __always_inline bool filter_flags(const volatile struct flag_filters *f, __u32 flags)
{
	for (__u32 i = 0; i < FLAG_FILTERS_MAX && i < f->nr; i++)
		if ((flags & f->any[i].mask) == f->any[i].value)
			return true;
	return !f->nr;
}

#endif
