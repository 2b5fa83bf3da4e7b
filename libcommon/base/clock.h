/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * clock: from the kernel's time stamps (bpf_ktime_get_ns(), CLOCK_MONOTONIC) to the wall clock.
 */
#ifndef BORESCOPE_BASE_CLOCK_H
#define BORESCOPE_BASE_CLOCK_H

#include <stdint.h>

#include "output/out.h"

uint64_t clock_mono_ns(void);

/* Takes the distance between CLOCK_MONOTONIC and CLOCK_REALTIME anew: once per batch of events, so
 * that an adjusted clock is followed and an event costs no system call. */
void clock_sync(void);

/* A kernel time stamp as ns since the epoch, by the last clock_sync(). */
uint64_t clock_real_ns(uint64_t mono_ns);

/* Local time of day of @real_ns: "12:34:56", and with @decimals > 0 "12:34:56.789". Looks up the
 * time zone once a minute at most. */
void out_time_of_day(struct out *o, uint64_t real_ns, int decimals);
/* UTC, RFC 3339: "2026-11-22T02:58:31.123456789Z". */
void out_rfc3339(struct out *o, uint64_t real_ns);

#endif
