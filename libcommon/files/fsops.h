/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fsops: what file systems are asked to do, and by which functions; the other side is
 * bpf/lib/files/fsops.probes.bpf.h.
 *
 * A tool looks at one kind of file system, which its program's name says (tools/links). Its
 * .probes, .facts and .targets are fsops_probes, fsops_facts and fsops_targets; fsops_configure() and
 * fsops_started() are called in its hooks of that name.
 */
#ifndef BORESCOPE_FILES_FSOPS_H
#define BORESCOPE_FILES_FSOPS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/files/fsops.shared.h"
#include "kernel/object.h"

struct run;

extern const struct probe fsops_probes[];
extern const struct kernel_fact fsops_facts[];
extern struct attach_target fsops_targets[];

/* Chooses the file system for good: with the suffix "slower", "/usr/sbin/PREFIXxfsslower" is for
 * XFS, and any name that says nothing for ext4. Returns its name, as in /proc/filesystems. */
const char *fsops_choose(const char *program, const char *suffix);

/* False after having said so: none of its kind can be mounted now (its module is not loaded). */
bool fsops_is_known(void);

/* @min_ns: what took less is not seen. */
void fsops_configure(struct object *o, uint64_t min_ns);

/* Says what can't be seen on this kernel. */
void fsops_started(struct run *r);

/* "read" and BCC's 'R'; of any @op. */
const char *fsops_name(unsigned int op);
char fsops_letter(unsigned int op);

#endif
