/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* exitsnoop.shared.h: a process or a thread that has ended, as both sides of exitsnoop see it. */
#ifndef BORESCOPE_BPF_EXITSNOOP_SHARED_H
#define BORESCOPE_BPF_EXITSNOOP_SHARED_H

#include "lib/core/cgroup.shared.h"
#include "lib/core/events.shared.h"
#include "lib/tasks/killer.shared.h"

/* event_head.flags */
#define EXIT_OOM 1 /* .oom and .cgroup are there */

struct exit_event {
	struct event_head head;
	__u64 age_ns;
	__u64 cpu_ns;	  /* all bits set: not known; so below */
	__u64 peak_bytes; /* of a thread: not known */
	__u32 ppid;
	__u32 code; /* as wait(2) gives it */
	char parent_comm[16];
	struct killer killer;
	/* only with EXIT_OOM */
	struct killer_oom oom;
	__u32 cgroup_len;
	__u32 unused;  /* .cgroup begins where the struct ends */
	char cgroup[]; /* as cgroup_path_read() gives it */
};

#endif
