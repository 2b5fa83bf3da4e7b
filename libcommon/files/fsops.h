/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fsops: what file systems are asked to do, and by which functions; the other side is
 * bpf/lib/files/fsops.bpf.h.
 *
 * A tool looks at one kind of file system, which its program's name says (tools/links). Its
 * .probes, .facts and .targets are fs_probes, fs_facts and fs_targets; fs_configure() and
 * fs_started() are called in its hooks of that name.
 */
#ifndef BORESCOPE_FILES_FSOPS_H
#define BORESCOPE_FILES_FSOPS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/files/fsops.shared.h"
#include "kernel/object.h"

struct run;

extern const struct probe fs_probes[];
extern const struct kernel_fact fs_facts[];
extern struct attach_target fs_targets[];

/* Chooses the file system for good: with the suffix "slower", "/usr/sbin/PREFIXxfsslower" is for
 * XFS, and any name that says nothing for ext4. Returns its name, as in /proc/filesystems. */
const char *fs_choose(const char *program, const char *suffix);

/* False after having said so: none of its kind can be mounted now (its module is not loaded). */
bool fs_is_known(void);

/* @min_ns: what took less is not seen. */
void fs_configure(struct bpf_object *obj, uint64_t min_ns);

/* Says what can't be seen on this kernel. */
void fs_started(struct run *r);

/* "read" and BCC's 'R'; of any @op. */
const char *fs_op_name(unsigned int op);
char fs_op_letter(unsigned int op);

#endif
