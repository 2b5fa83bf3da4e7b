/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/util.h"
#include "symbols/debugfile.h"
#include "symbols/safeopen.h"

#define MAX_CRC_SIZE (256ll << 20)

static int open_trusted(const struct debugfile_search *where, unsigned int root, const char *path,
			struct stat *st)
{
	int fd = safeopen_in_root(where->roots[root], path, false, st);

	if (fd >= 0 && st->st_uid && st->st_uid != where->owner && st->st_uid != geteuid()) {
		close(fd);
		fd = -EPERM;
	}
	return fd;
}

static int open_first(const struct debugfile_search *where, const char *path)
{
	struct stat st;
	unsigned int i;
	int fd;

	for (i = 0; i < where->nr_roots; i++) {
		fd = open_trusted(where, i, path, &st);
		if (fd >= 0)
			return fd;
	}
	return -ENOENT;
}

int debugfile_open_build_id(const struct debugfile_search *where, const unsigned char id[20],
			    unsigned int id_len)
{
	char path[128];
	unsigned int i;
	int len;

	len = snprintf(path, sizeof(path), "/usr/lib/debug/.build-id/%02x/", id[0]);
	for (i = 1; i < id_len; i++)
		len += snprintf(path + len, sizeof(path) - len, "%02x", id[i]);
	snprintf(path + len, sizeof(path) - len, ".debug");
	return open_first(where, path);
}

static bool has_crc(int fd, uint32_t want)
{
	unsigned char buf[65536];
	uint32_t crc = 0;
	off_t at = 0;
	ssize_t n;

	while (at < MAX_CRC_SIZE) {
		n = pread(fd, buf, sizeof(buf), at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return !n && crc == want;
		crc = crc32(crc, buf, n);
		at += n;
	}
	return false;
}

int debugfile_open_link(const struct debugfile_search *where, const char *name, uint32_t crc,
			int self)
{
	static const char *const places[] = { "%.*s/%s", "%.*s/.debug/%s",
					      "/usr/lib/debug%.*s/%s" };
	const char *slash = where->path ? strrchr(where->path, '/') : NULL;
	struct stat self_st, st;
	unsigned int root, i;
	char path[PATH_MAX];
	int fd;

	/* A name with a directory in it is none. */
	if (!slash || !*name || strchr(name, '/') || fstat(self, &self_st))
		return -ENOENT;
	for (root = 0; root < where->nr_roots; root++) {
		for (i = 0; i < ARRAY_SIZE(places); i++) {
			int len = snprintf(path, sizeof(path), places[i],
					   (int)(slash - where->path), where->path, name);

			if (len >= (int)sizeof(path))
				continue;
			fd = open_trusted(where, root, path, &st);
			if (fd < 0)
				continue;
			if ((st.st_dev != self_st.st_dev || st.st_ino != self_st.st_ino) &&
			    has_crc(fd, crc))
				return fd;
			close(fd);
		}
	}
	return -ENOENT;
}
