/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * syscall_counts: reads the counters of system calls that bpf/lib/core/syscall_counts.bpf.h fills.
 */
#ifndef BORESCOPE_KERNEL_SYSCALL_COUNTS_H
#define BORESCOPE_KERNEL_SYSCALL_COUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/object.h"
#include "lib/core/events.shared.h"
#include "lib/core/syscall_counts.shared.h"

/* What one call, or one process, has counted since the last look. */
struct syscall_counts_row {
	struct event_head head; /* by process: .pid, and .comm at its last call */
	struct syscall_count calls;
	struct syscall_id id; /* by call: which */
};

/* In a tool's configure hook. @by_process: a row for each process, and not for each call; @timed:
 * their times are added up. */
void syscall_counts_configure(struct object *o, bool by_process, bool timed);

/*
 * Reads what was counted since the last time, and empties it. Returns *@nr rows in no order, none
 * of which is 0, in memory that is for the caller to free(); NULL: there is no memory, and what was
 * counted waits for the time after the next one.
 */
struct syscall_counts_row *syscall_counts_read(const struct programs *p, size_t *nr);

/* How many calls have found no row, in all. */
uint64_t syscall_counts_lost(const struct programs *p);

#endif
