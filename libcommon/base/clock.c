/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/util.h"

static uint64_t offset; /* real - monotonic; 0: not taken yet */

uint64_t clock_now_ns(clockid_t clock)
{
	struct timespec ts = { 0 };

	clock_gettime(clock, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

#define INITIAL_TIME_NS "time:[4026531834]" /* PROC_TIME_INIT_INO, include/linux/proc_ns.h */

/*
 * By how much the kernel shifts our CLOCK_MONOTONIC, in a time namespace: programs in the kernel
 * have it as it is. The file has a line "monotonic SECONDS NANOSECONDS" for the namespace of our
 * children, which is ours, too, but where we ourselves are still in the first one.
 */
static int64_t namespace_ns(void)
{
	char link[32] = "";
	long long s, ns;
	int64_t shift = 0;
	FILE *f;

	if (readlink("/proc/self/ns/time", link, sizeof(link) - 1) < 0 ||
	    !strcmp(link, INITIAL_TIME_NS))
		return 0;
	f = fopen("/proc/self/timens_offsets", "re");
	if (!f)
		return 0;
	if (fscanf(f, "monotonic %lld %lld", &s, &ns) == 2)
		shift = s * (int64_t)NSEC_PER_SEC + ns;
	fclose(f);
	return shift;
}

uint64_t clock_mono_ns(void)
{
	static int64_t shift;
	static bool known;

	if (!known)
		shift = namespace_ns();
	known = true;
	return clock_now_ns(CLOCK_MONOTONIC) - shift;
}

/* We may be interrupted between two readings: the narrowest of three tries counts. */
void clock_sync(void)
{
	uint64_t narrowest = UINT64_MAX;
	int i;

	for (i = 0; i < 3; i++) {
		uint64_t before = clock_mono_ns();
		uint64_t real = clock_now_ns(CLOCK_REALTIME);
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
