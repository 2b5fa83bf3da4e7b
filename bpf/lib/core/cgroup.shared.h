/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * cgroup.shared.h: the path of a cgroup, as bpf/lib/core/cgroup.bpf.h reads it and
 * cgroup_path_join() (libcommon/base/cgroup.h) writes it.
 */
#ifndef BORESCOPE_BPF_CORE_CGROUP_SHARED_H
#define BORESCOPE_BPF_CORE_CGROUP_SHARED_H

/* The names from the cgroup up to below the root, each with its NUL. The root itself has none. */
#define CGROUP_PATH_MAX	 2048 /* a power of two */
#define CGROUP_NAME_MAX	 256
#define CGROUP_NAMES_MAX 32
/* A name that begins before CGROUP_PATH_MAX is whole, and "..." may stand for those above it. */
#define CGROUP_PATH_BYTES (CGROUP_PATH_MAX + CGROUP_NAME_MAX + 4)

#endif
