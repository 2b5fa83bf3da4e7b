/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * kfuncs.shared.h: kernel functions (kfuncs) that a program calls where the kernel has them; see
 * compat.bpf.h.
 */
#ifndef BORESCOPE_BPF_CORE_KFUNCS_SHARED_H
#define BORESCOPE_BPF_CORE_KFUNCS_SHARED_H

/* These are the numbers of no helper: libcommon/kernel/support.c replaces each call of one before
 * the program is loaded. */
#define KFUNC_PREEMPT_DISABLE 1000001
#define KFUNC_PREEMPT_ENABLE  1000002

#endif
