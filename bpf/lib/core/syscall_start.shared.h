/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* syscall_start.shared.h: see syscall_start.bpf.h. */
#ifndef BORESCOPE_BPF_CORE_SYSCALL_START_SHARED_H
#define BORESCOPE_BPF_CORE_SYSCALL_START_SHARED_H

#include "lib/core/syscalls.shared.h"

struct syscall_start {
	__u64 owner; /* pid and tid; 0: the place is free */
	__u64 ns;    /* CLOCK_MONOTONIC; 0: not known */
	struct syscall_id id;
	__u64 unused; /* so that none lies in two cache lines */
};

struct syscall_start_config {
	__u32 mask; /* how many places there are, a power of two, less 1 */
};

#endif
