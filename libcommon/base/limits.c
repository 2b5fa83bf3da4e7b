/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <sys/resource.h>

#include "base/limits.h"
#include "base/number.h"
#include "base/util.h"

uint64_t limits_raise_files(uint64_t wanted)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return UINT64_MAX;
	if (limit.rlim_cur < wanted) {
		limit.rlim_cur = min_u64(wanted, limit.rlim_max);
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	return limit.rlim_cur;
}

uint64_t limits_threads_now(void)
{
	uint64_t threads = 0;

	number_read("/proc/loadavg", 5, &threads); /* runnable/all */
	return threads;
}

uint64_t limits_threads(uint64_t max)
{
	uint64_t threads = limits_threads_now();

	return min_u64(threads + threads / 4 + 256, max);
}
