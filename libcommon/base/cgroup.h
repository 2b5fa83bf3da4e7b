/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * cgroup: paths to cgroup v2 ids, as the kernel counts them (the kernfs node's id, which is the
 * file handle of the directory; what bpf_get_current_cgroup_id() returns).
 */
#ifndef BORESCOPE_BASE_CGROUP_H
#define BORESCOPE_BASE_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

/*
 * @text is an id in digits, an absolute path in the file system (/sys/fs/cgroup/...), or a path
 * below the cgroup v2 mount as /proc/PID/cgroup shows it (/system.slice/x.service, the first slash
 * may be missing). Returns 0; -ENOENT: no such directory, or an id that can't be one (0, more than
 * 64 bits); -EINVAL: it is a directory, but not of cgroup v2; -ENOTSUP: no cgroup v2 hierarchy is
 * mounted.
 */
int cgroup_id_parse(const char *text, uint64_t *id);

/* True: the kernel says that there is none with this id. Takes CAP_DAC_READ_SEARCH; without it, or
 * without a mounted hierarchy, that is not known. */
bool cgroup_is_missing(uint64_t id);

#endif
