/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * hist.h: the log-linear histogram, shared by the kernel side (bpf/lib/hist.bpf.h) and the user
 * side (libcommon/hist.h).
 *
 * Values below 16 have a slot each; above, every power of two is cut into 16 equal slots. A slot is
 * at most 1/16 of its value wide, so its middle is within 3.2 % of anything in it. The last
 * slot takes everything from 2^44 on (in ns: almost five hours).
 */
#ifndef BORESCOPE_BPF_HIST_H
#define BORESCOPE_BPF_HIST_H

#define HIST_SUB_BITS 4
#define HIST_SUB      (1 << HIST_SUB_BITS)
#define HIST_MAX_BITS 44
#define HIST_SLOTS    ((HIST_MAX_BITS - HIST_SUB_BITS + 1) * HIST_SUB + 1)

/* All in the tool's own unit; ours is ns. The count is the sum of the slots: it can't disagree. */
struct hist {
	__u64 sum;
	__u64 min_plus1; /* 0: no value yet */
	__u64 max;
	__u64 slots[HIST_SLOTS];
};

#endif
