/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * pidns: the kernel's ids of processes and threads, and those that this tool's user sees. They
 * differ inside a pid namespace.
 */
#ifndef BORESCOPE_KERNEL_PIDNS_H
#define BORESCOPE_KERNEL_PIDNS_H

#include <stdbool.h>
#include <linux/types.h>

#include "lib/core/filter.shared.h"

/* Is this the initial pid namespace? Where /proc does not tell, it is taken for that. */
bool pidns_is_initial(void);

/* The id of this process in the initial pid namespace. In another one it asks the kernel by a BPF
 * program (Linux 5.10, CAP_BPF and CAP_PERFMON); PID_UNKNOWN, which no process has: no answer. */
#define PID_UNKNOWN (~0U)
__u32 pidns_own_pid(void);

/* Warns of ids in @f that can match nothing: of another pid namespace, of nobody, or of a thread
 * where a process is meant. */
void pidns_check(const struct filter *f);

#endif
