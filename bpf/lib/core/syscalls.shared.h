/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * syscalls.shared.h: which system call: x86-64 has three tables of them, arm64 the first two.
 */
#ifndef BORESCOPE_BPF_CORE_SYSCALLS_SHARED_H
#define BORESCOPE_BPF_CORE_SYSCALLS_SHARED_H

#include "lib/core/types.shared.h"

enum syscall_abi { SYSCALL_ABI_64, SYSCALL_ABI_32, SYSCALL_ABI_X32, SYSCALL_ABIS };

struct syscall_id {
	__s32 nr; /* of x32 without the bit that marks it */
	__u32 abi;
};

#endif
