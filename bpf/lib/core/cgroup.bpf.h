/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * cgroup.bpf.h: which cgroup a task is in, by name. For events that are rare, of cgroups that may
 * be gone when the event is read; where a number will do, take that of the cgroup.
 */
#ifndef BORESCOPE_BPF_CORE_CGROUP_BPF_H
#define BORESCOPE_BPF_CORE_CGROUP_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "lib/core/cgroup.shared.h"

struct cgroup_path {
	char text[CGROUP_PATH_BYTES];
};

/* The cgroup that @task's memory is charged to: of v1 or v2, whichever has the memory controller
 * here. NULL: this kernel has no such controller. */
static __always_inline struct cgroup *cgroup_of_memory(struct task_struct *task)
{
	struct css_set *set = BPF_CORE_READ(task, cgroups);
	struct cgroup_subsys_state *css = NULL;

	if (!bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id))
		return NULL;
	bpf_core_read(&css, sizeof(css),
		      &set->subsys[bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id)]);
	return BPF_CORE_READ(css, cgroup);
}

static __always_inline struct kernfs_node *cgroup_node_parent(struct kernfs_node *node)
{
	struct kernfs_node___parent *old = (void *)node;

	if (bpf_core_field_exists(old->parent))
		return BPF_CORE_READ(old, parent);
	return BPF_CORE_READ(node, __parent);
}

/* Puts the path of @cgrp into @path. Returns its length; 0: it is the root. Where it is too long,
 * "..." stands for its beginning. */
static __always_inline __u32 cgroup_path_read(struct cgroup_path *path, struct cgroup *cgrp)
{
	struct kernfs_node *node = BPF_CORE_READ(cgrp, kn), *parent;
	__u64 at = 0;
	long n;

	for (int i = 0; i < CGROUP_NAMES_MAX; i++) {
		parent = cgroup_node_parent(node);
		if (!parent)
			return at;
		if (at >= CGROUP_PATH_MAX)
			break;
		n = bpf_probe_read_kernel_str(&path->text[at & (CGROUP_PATH_MAX - 1)],
					      CGROUP_NAME_MAX, BPF_CORE_READ(node, name));
		if (n <= 0)
			break;
		at += n;
		node = parent;
	}
	if (at <= CGROUP_PATH_BYTES - sizeof("...")) {
		__builtin_memcpy(&path->text[at], "...", sizeof("..."));
		at += sizeof("...");
	}
	return at;
}

#endif
