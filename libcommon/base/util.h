/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * util: what every file needs and the C library has not.
 */
#ifndef BORESCOPE_BASE_UTIL_H
#define BORESCOPE_BASE_UTIL_H

#include <stdint.h>

/* The number of elements of an array; @a must not be a pointer. */
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define NSEC_PER_USEC 1000ULL
#define NSEC_PER_MSEC 1000000ULL
#define NSEC_PER_SEC  1000000000ULL

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

#endif
