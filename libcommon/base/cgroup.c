/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "base/cgroup.h"
#include "base/number.h"
#include "base/util.h"

#define KERNFS_HANDLE 0xfe /* FILEID_KERNFS of the kernel, since 5.5 */

/* mountinfo writes space, tab, newline and backslash as \ooo. */
static void unescape_octal(char *s)
{
	char *to = s;

	while (*s) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
		    s[3] >= '0' && s[3] <= '7') {
			*to++ = (s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0');
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

/* A line: "36 35 0:30 ROOT MOUNT rw,noatime shared:1 - cgroup2 cgroup2 rw" */
int cgroup_mount(char mount[PATH_MAX])
{
	char *line = NULL, root[3], path[PATH_MAX];
	int err = -ENOTSUP;
	size_t size = 0;
	FILE *f;

	f = fopen("/proc/self/mountinfo", "re");
	if (!f)
		return -errno;
	while (getline(&line, &size, f) > 0) {
		char *type = strstr(line, " - ");

		if (!type || strncmp(type, " - cgroup2 ", 11))
			continue;
		if (sscanf(line, "%*s %*s %*s %2s", root) != 1)
			continue;
		if (sscanf(line, "%*s %*s %*s %*s %4095s", path) != 1)
			continue;
		unescape_octal(path);
		if (err)
			strcpy(mount, path);
		err = 0;
		if (!strcmp(root, "/")) {
			strcpy(mount, path);
			break;
		}
	}
	free(line);
	fclose(f);
	return err;
}

/* The id of the cgroup whose directory is @path. */
static int id_of(const char *path, uint64_t *id)
{
	union {
		struct file_handle handle;
		char space[sizeof(struct file_handle) + sizeof(uint64_t)];
	} u;
	struct statfs fs;
	int fd, mount_id, err = 0;

	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOTDIR || errno == ENAMETOOLONG ? -ENOENT : -errno;
	u.handle.handle_bytes = sizeof(uint64_t);
	if (fstatfs(fd, &fs))
		err = -errno;
	else if (fs.f_type != CGROUP2_SUPER_MAGIC)
		err = -EINVAL;
	else if (name_to_handle_at(fd, "", &u.handle, &mount_id, AT_EMPTY_PATH))
		err = -errno;
	else
		memcpy(id, u.handle.f_handle, sizeof(*id));
	close(fd);
	return err;
}

int cgroup_id_parse(const char *text, uint64_t *id)
{
	char mount[PATH_MAX], *path;
	int err, below;

	if (!text[0])
		return -ENOENT;
	if (!text[strspn(text, "0123456789")]) {
		unsigned long long v;

		errno = 0;
		v = strtoull(text, NULL, 10);
		if (errno || !v)
			return -ENOENT;
		*id = v;
		return 0;
	}

	err = text[0] == '/' ? id_of(text, id) : -ENOENT;
	if (err != -ENOENT && err != -EINVAL)
		return err;

	below = cgroup_mount(mount);
	if (below)
		return err == -EINVAL ? err : below;
	if (asprintf(&path, "%s/%s", mount, text) < 0)
		return -ENOMEM;
	below = id_of(path, id);
	free(path);
	/* Nothing there: then what stands at @text itself is the answer. */
	return below == -ENOENT ? err : below;
}

/* Opens the directory of the cgroup in the hierarchy that is mounted at @mount; -errno. */
static int open_by_id(uint64_t id, const char *mount)
{
	union {
		struct file_handle handle;
		char space[sizeof(struct file_handle) + sizeof(uint64_t)];
	} u;
	int fd, found;

	fd = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	u.handle.handle_bytes = sizeof(id);
	u.handle.handle_type = KERNFS_HANDLE;
	memcpy(u.handle.f_handle, &id, sizeof(id));
	found = open_by_handle_at(fd, &u.handle, O_PATH | O_CLOEXEC);
	if (found < 0)
		found = -errno;
	close(fd);
	return found;
}

int cgroup_path_of(uint64_t id, char *path, size_t size)
{
	char mount[PATH_MAX], whole[PATH_MAX], link[32];
	int fd, err = 0;
	ssize_t len;

	if (cgroup_mount(mount))
		return -ENOTSUP;
	fd = open_by_id(id, mount);
	if (fd < 0)
		return fd;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, whole, sizeof(whole) - 1);
	if (len < 0)
		err = -errno;
	close(fd);
	if (err)
		return err;
	whole[len] = '\0';
	/* below a mount at "/" it is all of it */
	len = !strcmp(mount, "/") || strncmp(whole, mount, strlen(mount)) ? 0 : strlen(mount);
	if (snprintf(path, size, "%s", whole[len] ? whole + len : "/") >= (int)size)
		return -ENAMETOOLONG;
	return 0;
}

int cgroup_level(uint64_t id)
{
	char path[PATH_MAX];
	int level = 0, err = cgroup_path_of(id, path, sizeof(path));

	if (err)
		return err;
	for (const char *p = path; *p && path[1]; p++)
		level += *p == '/';
	return level;
}

/* The directory of the cgroup that we are in, below @mount, into @path. */
static bool own_cgroup(const char *mount, char *path, size_t size)
{
	char line[PATH_MAX];
	FILE *f = fopen("/proc/self/cgroup", "re");
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		found = !strncmp(line, "0::/", 4) &&
			snprintf(path, size, "%s%s", mount, line + 3) < (int)size;
	}
	if (f)
		fclose(f);
	return found;
}

uint64_t cgroup_memory_limit(void)
{
	char mount[PATH_MAX], path[PATH_MAX], file[PATH_MAX + 16];
	uint64_t least = UINT64_MAX, limit;

	if (cgroup_mount(mount) || !own_cgroup(mount, path, sizeof(path)))
		return least;
	while (strlen(path) > strlen(mount)) {
		snprintf(file, sizeof(file), "%s/memory.max", path);
		if (!number_read(file, 1, &limit)) /* "max" is no number */
			least = min_u64(least, limit);
		*strrchr(path, '/') = '\0';
	}
	return least;
}

void cgroup_path_join(char *to, size_t size, const char *names, size_t len)
{
	size_t at = 0;

	if (size)
		*to = '\0';
	while (len && at + 1 < size) {
		size_t end = len - 1; /* of a name: where its NUL is */

		for (len = end; len && names[len - 1]; len--)
			;
		at += snprintf(to + at, size - at, "/%.*s", (int)(end - len), names + len);
	}
	if (!at && size > 1)
		snprintf(to, size, "/");
}
