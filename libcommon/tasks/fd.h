/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fd: text for what stands behind a file descriptor, as bpf/lib/tasks/fd.bpf.h has read it.
 */
#ifndef BORESCOPE_TASKS_FD_H
#define BORESCOPE_TASKS_FD_H

#include <linux/types.h>
#include <stddef.h>

#include "lib/tasks/fd.shared.h"

#define FD_TEXT_LEN 1200

/*
 * Writes "/var/log/x", "pipe:[1234]", "anon_inode:[eventfd]", "tcp:10.0.0.1:80->10.0.0.2:40000",
 * "tcp:[::1]:80" (no peer) or "unix:[1234]" into @buf, with a NUL at the end; "" for FD_NONE.
 * @path, of @len bytes, is what the kernel side wrote of a path or name; these are bytes of the
 * traced side, and not escaped here. FD_TEXT_LEN holds a path of up to 1 KiB; a smaller buffer gets
 * what fits. Returns the length.
 */
size_t fd_text(const struct fd_info *fd, const char *path, size_t len, char *buf, size_t size);

#endif
