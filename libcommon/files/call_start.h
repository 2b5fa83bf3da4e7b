/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * call_start: operations that began, and whose end the kernel did not report, of threads that have
 * ended since. (While a thread lives, its next operation tells: bpf/lib/files/call_start.bpf.h.)
 */
#ifndef BORESCOPE_FILES_CALL_START_H
#define BORESCOPE_FILES_CALL_START_H

#include <linux/types.h>
#include <stdint.h>

#include "kernel/programs.h"

/* Looks through the maps @name and NAME_crowded, of @kinds kinds, and gives the places of threads
 * that have ended back. Returns how many of their operations may have taken @min_ns or more, as far
 * as is known @now (CLOCK_MONOTONIC, ns). For the initial pid namespace. */
uint64_t call_start_sweep(const struct programs *p, const char *name, __u32 kinds, uint64_t min_ns,
			  uint64_t now);

#endif
