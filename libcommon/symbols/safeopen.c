/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "symbols/safeopen.h"

/* Opens for reading what was only looked up, as @at, whatever its name means by now. Closes @at. */
static int reopen(int at, struct stat *st)
{
	char path[32];
	struct stat own;
	int fd;

	if (!st)
		st = &own;
	if (fstat(at, st)) {
		fd = -errno;
	} else if (!S_ISREG(st->st_mode)) {
		fd = -ENXIO;
	} else {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", at);
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		if (fd < 0)
			fd = -errno;
	}
	close(at);
	return fd;
}

int safeopen_in_root(int root, const char *path, bool no_link, struct stat *st)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC | (no_link ? O_NOFOLLOW : 0),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int at = syscall(SYS_openat2, root, path, &how, sizeof(how));

	return at < 0 ? -errno : reopen(at, st);
}

int safeopen_proc_link(const char *path, struct stat *st)
{
	int at = open(path, O_PATH | O_CLOEXEC);

	return at < 0 ? -errno : reopen(at, st);
}

int safeopen_root_of(unsigned int pid)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/root", pid);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
