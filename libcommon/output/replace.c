/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <linux/magic.h>
#include <linux/stat.h>

#include "output/replace.h"

#define LINKS_MAX 40 /* as many as the kernel follows */

static const char others[] = "it belongs to another user, who could have put it there";

static bool is_ours(const struct stat *st)
{
	return st->st_uid == geteuid() || st->st_uid == 0;
}

/* Opens what stands there to be written in place, if it is still what @st tells of. */
static int in_place(struct replace *f, const struct stat *st, int flags)
{
	struct stat now;
	int err = 0;

	f->fd = open(f->path, O_WRONLY | O_NOCTTY | O_CLOEXEC | flags);
	if (f->fd < 0)
		return -errno;
	if (flags & O_NOFOLLOW &&
	    (fstat(f->fd, &now) || now.st_ino != st->st_ino || now.st_dev != st->st_dev))
		err = -EAGAIN;
	if (err) {
		close(f->fd);
		f->fd = -1;
	}
	return err;
}

/* f->path, a link: becomes what it leads to. Returns 1 if that is to be opened as it is. */
static int follow(struct replace *f, const char **why)
{
	char target[PATH_MAX], *slash = strrchr(f->path, '/');
	int fd = open(f->path, O_PATH | O_NOFOLLOW | O_CLOEXEC), err = 0;
	size_t dir = slash ? slash + 1 - f->path : 0;
	struct statfs fs;
	struct stat st;
	ssize_t n = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || fstatfs(fd, &fs) || (n = readlinkat(fd, "", target, PATH_MAX)) < 0)
		err = -errno;
	close(fd);
	if (err)
		return err;
	if (!is_ours(&st)) {
		*why = others;
		return -EPERM;
	}
	if (fs.f_type == PROC_SUPER_MAGIC)
		return 1;
	if (*target == '/')
		dir = 0;
	if (dir + n >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(f->path + dir, target, n);
	f->path[dir + n] = '\0';
	return 0;
}

/* Makes the file beside it. */
static int make(struct replace *f)
{
	const char *slash = strrchr(f->path, '/');
	int dir = slash ? slash + 1 - f->path : 0;

	snprintf(f->temp, sizeof(f->temp), "%.*s.borescope-XXXXXX", dir, f->path);
	f->fd = mkostemp(f->temp, O_CLOEXEC);
	if (f->fd < 0) {
		f->temp[0] = '\0';
		return -errno;
	}
	return fchmod(f->fd, f->mode) ? -errno : 0;
}

static bool is_mount(const char *path)
{
	struct statx stx;

	/* musl has had statx() since 1.2.5 only */
	return !syscall(SYS_statx, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &stx) &&
	       stx.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

/* May the name of a file of @st's owner be given to another file? See unlink(2) on sticky
 * directories; root may. */
static bool may_take(const struct replace *f, const struct stat *st)
{
	const char *slash = strrchr(f->path, '/');
	char dir[PATH_MAX];
	struct stat of;

	snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash + 1 - f->path) : 1,
		 slash ? f->path : ".");
	return !geteuid() || st->st_uid == geteuid() || stat(dir, &of) || !(of.st_mode & S_ISVTX) ||
	       of.st_uid == geteuid();
}

/* What stands there already, and is no link. */
static int check_old(struct replace *f, const struct stat *st, const char **why)
{
	bool regular = S_ISREG(st->st_mode);
	int err;

	if (S_ISDIR(st->st_mode))
		return -EISDIR;
	if (regular && st->st_uid == geteuid())
		f->mode = st->st_mode & 0777;
	if (regular && !is_mount(f->path) && may_take(f, st)) {
		err = make(f);
		if (!err)
			return replace_end(f, false);
		if (err != -EACCES && err != -EROFS && err != -EPERM)
			return err;
	}
	if (!is_ours(st) || (regular && st->st_nlink > 1)) {
		*why = is_ours(st) ? "it has another name, and its directory can't be written"
				   : others;
		return -EPERM;
	}
	return in_place(f, st, O_NOFOLLOW);
}

int replace_check(struct replace *f, const char *path, const char **why)
{
	mode_t mask = umask(0);
	struct stat st;
	int err;

	umask(mask);
	*f = (struct replace){ .fd = -1, .mode = 0644 & ~mask };
	*why = NULL;
	if (strlen(path) >= sizeof(f->path))
		return -ENAMETOOLONG;
	strcpy(f->path, path);
	for (int i = 0; i < LINKS_MAX; i++) {
		if (lstat(f->path, &st)) {
			err = errno == ENOENT ? make(f) : -errno;
			return err ? err : replace_end(f, false);
		}
		if (!S_ISLNK(st.st_mode))
			return check_old(f, &st, why);
		err = follow(f, why);
		if (err)
			return err < 0 ? err : in_place(f, &st, 0);
	}
	return -ELOOP;
}

int replace_begin(struct replace *f)
{
	struct stat st;

	if (f->fd < 0)
		return make(f);
	if (!fstat(f->fd, &st) && S_ISREG(st.st_mode) && ftruncate(f->fd, 0))
		return -errno;
	return 0;
}

int replace_end(struct replace *f, bool whole)
{
	int err = 0;

	if (*f->temp && (!whole || rename(f->temp, f->path))) {
		err = whole ? -errno : 0;
		unlink(f->temp);
	}
	if (close(f->fd) && !err)
		err = -errno;
	f->temp[0] = '\0';
	f->fd = -1;
	return err;
}
