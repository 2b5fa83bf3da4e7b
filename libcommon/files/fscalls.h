/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fscalls: the system calls on files that are timed where the kernel lets no function be probed.
 * The kernel side is bpf/lib/files/fscalls.probes.bpf.h.
 */
#ifndef BORESCOPE_FILES_FSCALLS_H
#define BORESCOPE_FILES_FSCALLS_H

#include <linux/types.h>
#include <stdbool.h>

#include "lib/files/fsops.shared.h"

/* Fills fs_config.calls: with those that read or write and no other ones, from one file to another
 * (sendfile(2) and the like), too (@only_rw); or with all but the latter. */
void fscalls_fill(struct fs_call calls[FS_CALLS], bool only_rw);

#endif
