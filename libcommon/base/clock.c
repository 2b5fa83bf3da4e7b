/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <time.h>

#include "base/clock.h"
#include "base/util.h"

static uint64_t offset; /* real - monotonic; 0: not taken yet */

static uint64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

uint64_t clock_mono_ns(void)
{
	return now_ns(CLOCK_MONOTONIC);
}

/* We may be interrupted between two readings: the narrowest of three tries counts. */
void clock_sync(void)
{
	uint64_t narrowest = UINT64_MAX;
	int i;

	for (i = 0; i < 3; i++) {
		uint64_t before = clock_mono_ns();
		uint64_t real = now_ns(CLOCK_REALTIME);
		uint64_t width = clock_mono_ns() - before;

		if (width < narrowest) {
			narrowest = width;
			offset = real - (before + width / 2);
		}
	}
}

uint64_t clock_real_ns(uint64_t mono_ns)
{
	if (!offset)
		clock_sync();
	return mono_ns + offset;
}
