/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * rw: reads and writes of files of any kind, timed where the VFS has them. The kernel side is
 * bpf/lib/files/rw.probes.bpf.h.
 *
 * A tool's .probes and .facts are rw_probes and rw_facts; its hooks configure, started and
 * count_losses call the functions below.
 */
#ifndef BORESCOPE_FILES_RW_H
#define BORESCOPE_FILES_RW_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "kernel/object.h"
#include "lib/files/rw.shared.h"

struct run;

extern const struct probe rw_probes[];
extern const struct kernel_fact rw_facts[];

/* What took less than @min_ns is not reported; nor is, without @all_types, what is not a regular
 * file. */
void rw_configure(struct object *o, uint64_t min_ns, bool all_types);

/* Prints what can't be seen on this kernel. */
void rw_started(struct run *r);

/* Where the kernel does not report each return of a function, counts those that threads have left
 * behind that are no more. */
void rw_count_losses(struct run *r);

#endif
