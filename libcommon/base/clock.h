/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * clock: clocks in ns, and from the kernel's time stamps (bpf_ktime_get_ns(), CLOCK_MONOTONIC) to
 * the wall clock.
 */
#ifndef BORESCOPE_BASE_CLOCK_H
#define BORESCOPE_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Any clock, ns; 0 of one that there is not. */
uint64_t clock_now_ns(clockid_t clock);

/* CLOCK_MONOTONIC, as the kernel stamps events: not as a time namespace shifts it. */
uint64_t clock_mono_ns(void);

/*
 * Measures the distance between CLOCK_MONOTONIC and CLOCK_REALTIME anew. To be called once per
 * batch of events, so that an adjusted clock is followed and an event costs no system call.
 */
void clock_sync(void);

/* A kernel time stamp as ns since the epoch, by the last clock_sync(). */
uint64_t clock_real_ns(uint64_t mono_ns);

#endif
