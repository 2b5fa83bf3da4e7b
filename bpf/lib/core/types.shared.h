/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * types.shared.h: the types that the contracts of both sides are written in: __u8 to __u64, __s32
 * and so on, __be16. The kernel side has them from its own types, user space from the C headers.
 */
#ifndef BORESCOPE_BPF_CORE_TYPES_SHARED_H
#define BORESCOPE_BPF_CORE_TYPES_SHARED_H

#ifdef __bpf__ /* clang -target bpf */
#include <vmlinux.h>
#else
#include <linux/types.h>
#endif

#endif
