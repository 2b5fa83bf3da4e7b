/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "symbols/safeopen.h"

/* @at is what a name was found to be. Closes it where it is no regular file. */
static int check(int at, struct stat *st)
{
	int err = 0;

	if (at < 0)
		return -errno;
	if (fstat(at, st))
		err = -errno;
	else if (!S_ISREG(st->st_mode))
		err = -ENXIO;
	if (err)
		close(at);
	return err ? err : at;
}

int safeopen_find_in_root(int root, const char *path, bool no_link, struct stat *st)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC | (no_link ? O_NOFOLLOW : 0),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	return check(syscall(SYS_openat2, root, path, &how, sizeof(how)), st);
}

int safeopen_find_proc_link(const char *path, struct stat *st)
{
	return check(open(path, O_PATH | O_CLOEXEC), st);
}

/* Goes from a name that was only looked up to reading the file behind it, whatever the name means
 * by now. */
int safeopen_found(int at, struct stat *st)
{
	char path[32];
	struct stat own;
	int fd;

	if (!st)
		st = &own;
	if (fstat(at, st))
		return -errno;
	if (!S_ISREG(st->st_mode))
		return -ENXIO;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", at);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

static int open_and_close(int at, struct stat *st)
{
	int fd = at < 0 ? at : safeopen_found(at, st);

	if (at >= 0)
		close(at);
	return fd;
}

int safeopen_in_root(int root, const char *path, bool no_link, struct stat *st)
{
	struct stat found;

	return open_and_close(safeopen_find_in_root(root, path, no_link, &found), st);
}

int safeopen_proc_link(const char *path, struct stat *st)
{
	struct stat found;

	return open_and_close(safeopen_find_proc_link(path, &found), st);
}

int safeopen_root_of(unsigned int pid)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/root", pid);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
