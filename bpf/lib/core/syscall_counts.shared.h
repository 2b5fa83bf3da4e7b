/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* syscall_counts.shared.h: see syscall_counts.bpf.h. */
#ifndef BORESCOPE_BPF_CORE_SYSCALL_COUNTS_SHARED_H
#define BORESCOPE_BPF_CORE_SYSCALL_COUNTS_SHARED_H

#include "lib/core/syscalls.shared.h"

/* Numbers from 0 on have a row each, of each table; x32's own calls begin at 512. */
#define SYSCALL_COUNTS_NUMBERS	   512
#define SYSCALL_COUNTS_NUMBERS_X32 576
#define SYSCALL_COUNTS_ROWS	   (2 * SYSCALL_COUNTS_NUMBERS + SYSCALL_COUNTS_NUMBERS_X32)

struct syscall_counts_config {
	__u8 by_process; /* a row for each process; otherwise for each call */
	__u8 timed;	 /* .ns is filled */
};

struct syscall_count {
	__u64 count;
	__u64 ns; /* the sum of their times; 0: they were not timed */
};

/* Of one CPU. It may be no larger than 32 KiB, which is what per-CPU memory is sure to have. */
struct syscall_counts_table {
	struct syscall_count rows[SYSCALL_COUNTS_ROWS];
};

/* What has no row there: a process, or a number beyond. */
struct syscall_counts_key {
	__u32 id;
	__u16 abi; /* 0 of a process */
	__u16 epoch;
};

struct syscall_counts_keyed {
	struct syscall_count calls;
	__u64 jiffies; /* when this CPU saw the last of them */
	char comm[16]; /* the process's name then */
};

#endif
