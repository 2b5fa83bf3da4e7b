/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/msg.h"
#include "base/number.h"
#include "base/util.h"

#define FILES_WANTED 1024
#define FILES_NEEDED 64

void limits_hold_stdio(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			open("/dev/null", fd == STDERR_FILENO ? O_WRONLY : O_RDONLY);
}

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

bool limits_open_files(void)
{
	uint64_t granted = limits_raise_files(FILES_WANTED);

	if (granted < FILES_NEEDED)
		error("needs %d open files, and may have %llu: raise the limit (ulimit -n)",
		      FILES_NEEDED, (unsigned long long)granted);
	return granted >= FILES_NEEDED;
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
