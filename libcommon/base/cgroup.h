/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * cgroup: from paths to ids of cgroup v2. An id is that of the kernfs node: the file handle of the
 * directory, and what bpf_get_current_cgroup_id() returns.
 */
#ifndef BORESCOPE_BASE_CGROUP_H
#define BORESCOPE_BASE_CGROUP_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where cgroup v2 is mounted, into @mount: rather the root of the hierarchy than a part of it.
 * Returns 0, -ENOTSUP when it is nowhere, or -errno. */
int cgroup_mount(char mount[PATH_MAX]);

/*
 * Reads @text, which is an id in digits, an absolute path in the file system (/sys/fs/cgroup/...),
 * or a path below the cgroup v2 mount as /proc/PID/cgroup shows it (/system.slice/x.service; the
 * first slash may be missing). Returns 0, or
 *   -ENOENT	there is no such directory, or the number can't be an id (0, or more than 64 bits),
 *   -EINVAL	the directory is not of cgroup v2,
 *   -ENOTSUP	no cgroup v2 hierarchy is mounted.
 */
int cgroup_id_parse(const char *text, uint64_t *id);

/* The path of the cgroup of this id below the root of the mounted hierarchy ("/a/b", "/"), into
 * @path. Returns 0, or -errno as cgroup_level() does; -ENAMETOOLONG: it does not fit. */
int cgroup_path_of(uint64_t id, char *path, size_t size);

/*
 * How many levels below the root of the mounted hierarchy the cgroup of this id is; 0: it is the
 * root. -ESTALE: the kernel says that no cgroup has this id. To ask it needs CAP_DAC_READ_SEARCH
 * and a mounted hierarchy; without them it is another -errno.
 */
int cgroup_level(uint64_t id);

/*
 * Writes the path "/a/b" to @to, which has room for @size bytes, a NUL among them, from the names
 * of a cgroup and those above it ("b\0a\0", @len bytes, as cgroup_path_read() of
 * bpf/lib/core/cgroup.bpf.h gives them). No names: "/". What does not fit is cut on the right.
 */
void cgroup_path_join(char *to, size_t size, const char *names, size_t len);

/* How much memory the cgroup that we are in may use, and those above it: the least of their
 * memory.max, bytes; UINT64_MAX: no limit, or not known (cgroups v1). */
uint64_t cgroup_memory_limit(void);

#endif
