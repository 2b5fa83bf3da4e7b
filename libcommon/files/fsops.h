/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fsops: operations on files, and the functions by which file systems do them. The kernel side is
 * bpf/lib/files/fsops.probes.bpf.h.
 *
 * A tool looks at one kind of file system, which is in the name of its program (tools/links). Its
 * .probes, .facts and .targets are fsops_probes, fsops_facts and fsops_targets; its hooks configure
 * and started call fsops_configure() and fsops_started().
 */
#ifndef BORESCOPE_FILES_FSOPS_H
#define BORESCOPE_FILES_FSOPS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "kernel/object.h"
#include "lib/files/fsops.shared.h"

struct run;

extern const struct probe fsops_probes[];
extern const struct kernel_fact fsops_facts[];
extern struct attach_target fsops_targets[];

/* Chooses the file system by the name of the program: with the suffix "slower",
 * "/usr/sbin/bpf-xfsslower" and "xfsslower-borescope" are for XFS, and a name that has no such word
 * in it is for ext4.
 * Returns the name of the file system, as in /proc/filesystems. */
const char *fsops_choose(const char *program, const char *suffix);

/* Returns false, after printing so, when there is none of its kind: its module is not loaded. */
bool fsops_is_known(void);

/* Operations that took less than @min_ns are not reported. */
void fsops_configure(struct object *o, uint64_t min_ns);

/* Prints what can't be seen on this kernel. */
void fsops_started(struct run *r);

/* For a tool's hook count_losses: where the kernel does not report each return of a function, it
 * counts those that threads have left behind that are no more. */
void fsops_count_losses(struct run *r);

/* What an operation is called: "read", and BCC's letter 'R'; "?" and '?' for an unknown one. */
const char *fsops_name(unsigned int op);
char fsops_letter(unsigned int op);

#endif
