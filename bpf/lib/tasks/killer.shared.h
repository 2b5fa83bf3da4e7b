/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * killer.shared.h: who sent the signal that a process died of; shared by
 * bpf/lib/tasks/killer.probes.bpf.h and libcommon/tasks/killer.c.
 */
#ifndef BORESCOPE_BPF_TASKS_KILLER_SHARED_H
#define BORESCOPE_BPF_TASKS_KILLER_SHARED_H

#include "lib/core/types.shared.h"

enum killer_kind {
	KILLER_UNKNOWN, /* also: there was no signal */
	KILLER_TASK,
	KILLER_KERNEL, /* by itself: a fault, a timer, a terminal, the out-of-memory killer */
};

struct killer {
	__u32 kind;
	__u32 pid; /* of a task: its process; else EVENT_UNKNOWN */
	__u32 uid;
	__s32 code; /* siginfo's si_code; 0 where the signal had none */
	char comm[16];
};

#define KILLER_FRAMES 24

/* A kill by the out-of-memory killer, as things were when it sent the signal. */
struct killer_oom {
	__u64 anon, file, shmem; /* the victim's memory, in pages, as the kernel's log has it */
	__u32 known;		 /* 0: nothing of this is */
	__u32 nr_frames;
	__u64 frames[KILLER_FRAMES]; /* the kernel stack of who sent it, innermost first */
};

#endif
