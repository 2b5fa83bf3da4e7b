/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * hist.shared.h: the log-linear histogram, shared by the kernel side (bpf/lib/hist/hist.bpf.h) and
 * the user side (libcommon/hist/hist.h).
 *
 * Values below 16 have a slot each; above, every power of two is cut into 16 slots. 14 of them
 * begin where 16 equal ones would. The last two begin at the value in them that is 10^6 or 1000
 * times a power of two: so no slot has values on both sides of a bound between two rows of a text,
 * be its unit us, ms or the value itself. A slot is at most 1/16 of its value wide, so its middle
 * is within 3.2 % of anything in it. The last slot takes everything from 2^44 on (in ns: almost
 * five hours).
 */
#ifndef BORESCOPE_BPF_HIST_HIST_SHARED_H
#define BORESCOPE_BPF_HIST_HIST_SHARED_H

#include "lib/core/types.shared.h"

#define HIST_SUB_BITS 4
#define HIST_SUB      (1 << HIST_SUB_BITS)
#define HIST_MAX_BITS 44
#define HIST_SLOTS    ((HIST_MAX_BITS - HIST_SUB_BITS + 1) * HIST_SUB + 1)

/* All 0: no value yet (for which 2^64 - 1 must not be a minimum). */
struct hist_extremes {
	__u64 max;
	__u64 not_min; /* ~minimum: here, too, the greater value wins */
};

/* All values are in one unit, which the tool chooses: in all of ours it is ns. The count of the
 * values is the sum of the slots, so that the two can't disagree. */
struct hist {
	__u64 sum;
	struct hist_extremes extremes;
	char name[16]; /* the tool writes a comm here if its keys are tasks; else empty */
	__u64 slots[HIST_SLOTS];
};

/* Widens @e to reach up to @max and down to ~@not_min. */
static inline __attribute__((always_inline)) void hist_widen(struct hist_extremes *e, __u64 max,
							     __u64 not_min)
{
	if (max > e->max)
		e->max = max;
	if (not_min > e->not_min)
		e->not_min = not_min;
}

/* What the tool has a histogram for: it chooses k64 and k32. epoch says which of the two it is (see
 * hist.bpf.h). */
struct hist_key {
	__u64 k64;
	__u32 k32;
	__u32 epoch;
};

struct hist_config {
	__u32 keyed; /* one histogram per key, else one for everything */
};

/* floor(log2(v)) of a byte v; BPF has no instruction for that. */
#define HIST_2(n)  n, n
#define HIST_4(n)  HIST_2(n), HIST_2(n)
#define HIST_8(n)  HIST_4(n), HIST_4(n)
#define HIST_16(n) HIST_8(n), HIST_8(n)
#define HIST_32(n) HIST_16(n), HIST_16(n)
#define HIST_64(n) HIST_32(n), HIST_32(n)
static const __u8 hist_byte_log2[256] = {
	0,	    0,		HIST_2(1),  HIST_4(2),	HIST_8(3),
	HIST_16(4), HIST_32(5), HIST_64(6), HIST_64(7), HIST_64(7)
};

/* Makes the compiler branch here (else it tests the same twice), and forget bounds that the
 * verifier does not know. */
#define HIST_BARRIER(v) __asm__ volatile("" : "+r"(v))

/* floor(log2(v)) of v > 0. */
static inline __attribute__((always_inline)) __u32 hist_log2(__u64 v)
{
	__u32 n = 0;

	if (v >> 32) {
		v >>= 32;
		n = 32;
		HIST_BARRIER(v);
	}
	if (v >> 16) {
		v >>= 16;
		n += 16;
		HIST_BARRIER(v);
	}
	if (v >> 8) {
		v >>= 8;
		n += 8;
		HIST_BARRIER(v);
	}
	HIST_BARRIER(v);
	return n + hist_byte_log2[v & 0xff];
}

/*
 * Where the last two slots of the values from 16 << @shift on begin: at 10^6 (1.907 * 2^19) and at
 * 1000 (1.953 * 2^9) times a power of two, which equal slots would have within them. Rounded down
 * below 10^6 and 1000 themselves, which bounds no row.
 */
#define HIST_MS_FROM(shift) ((__u64)1000000 << (shift) >> (19 - HIST_SUB_BITS))
#define HIST_US_FROM(shift) ((__u64)1000 << (shift) >> (9 - HIST_SUB_BITS))
#define HIST_MS_SUB	    (2 * HIST_SUB - 2)
#define HIST_US_SUB	    (2 * HIST_SUB - 1)

/* The slot of a value: below HIST_SLOTS, as the verifier can see. */
static inline __attribute__((always_inline)) __u32 hist_slot(__u64 v)
{
	__u64 shift, sub, slot;

	if (v < HIST_SUB)
		return v;
	shift = hist_log2(v) - HIST_SUB_BITS;
	sub = v >> shift; /* 16 to 31 */
	if (sub >= HIST_MS_SUB)
		sub = HIST_MS_SUB - 1 + (v >= HIST_MS_FROM(shift)) + (v >= HIST_US_FROM(shift));
	/* the 16 in sub makes room for the slots of the values below 16 */
	slot = shift * HIST_SUB + sub;
	HIST_BARRIER(slot);
	return slot < HIST_SLOTS ? slot : HIST_SLOTS - 1;
}

#endif
