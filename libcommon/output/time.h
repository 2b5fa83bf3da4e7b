/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * time: wall-clock times as text. All take ns since the epoch, as clock_real_ns() gives them.
 */
#ifndef BORESCOPE_OUTPUT_TIME_H
#define BORESCOPE_OUTPUT_TIME_H

#include <stdint.h>

#include "output/out.h"

/*
 * Writes the local time of day of @real_ns: "12:34:56", and with @decimals (1 to 9) of 3
 * "12:34:56.789", cut and not rounded. Looks up the time zone once a minute at most.
 */
void time_of_day(struct out *o, uint64_t real_ns, int decimals);

/* Writes @real_ns in UTC as in RFC 3339: "2026-11-22T02:58:31.123456789Z". */
void time_rfc3339(struct out *o, uint64_t real_ns);

#endif
