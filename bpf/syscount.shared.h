/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* syscount.shared.h: what syscount counts, as both of its sides see it. */
#ifndef BORESCOPE_BPF_SYSCOUNT_SHARED_H
#define BORESCOPE_BPF_SYSCOUNT_SHARED_H

#include "lib/core/syscalls.shared.h"

/* Numbers from 0 on have a row each, of each table; x32's own calls begin at 512. */
#define SYSCOUNT_NUMBERS     512
#define SYSCOUNT_NUMBERS_X32 576
#define SYSCOUNT_ROWS	     (2 * SYSCOUNT_NUMBERS + SYSCOUNT_NUMBERS_X32)

struct syscount_calls {
	__u64 count;
	__u64 ns; /* with -L: the sum of their times */
};

/* Of one CPU. It may be no larger than 32 KiB, which is what per-CPU memory is sure to have. */
struct syscount_table {
	struct syscount_calls rows[SYSCOUNT_ROWS];
};

/* What has no row there: a process, or a number beyond. */
struct syscount_key {
	__u32 id;
	__u16 abi; /* 0 of a process */
	__u16 epoch;
};

struct syscount_keyed {
	struct syscount_calls calls;
	__u64 jiffies; /* when this CPU saw the last of them */
	char comm[16]; /* the process's name then */
};

/* What is told beside the rows. */
enum syscount_stat {
	SYSCOUNT_LOST,	      /* calls that found no row */
	SYSCOUNT_UNTIMED,     /* with -L, calls whose begin was not seen */
	SYSCOUNT_INTERRUPTED, /* with -x and -e, calls of which it is not known whether they fail */
	SYSCOUNT_STATS,
};

#endif
