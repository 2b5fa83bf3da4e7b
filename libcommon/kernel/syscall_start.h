/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * syscall_start: places for when system calls began (bpf/lib/core/syscall_start.bpf.h).
 */
#ifndef BORESCOPE_KERNEL_SYSCALL_START_H
#define BORESCOPE_KERNEL_SYSCALL_START_H

#include "kernel/object.h"
#include "lib/core/syscall_start.shared.h"

/* In a tool's configure hook: as many as there are threads, and then some. Takes 1 MB or more. */
void syscall_start_configure(struct object *o);

#endif
