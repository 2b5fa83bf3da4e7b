/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "symbols/maps.h"

#define MAX_LINES (1u << 20)

/* seq_path() writes a newline in a path as \012; other bytes are as they are. */
static void unescape(char *path)
{
	char *to = path;

	while (*path) {
		if (!strncmp(path, "\\012", 4)) {
			*to++ = '\n';
			path += 4;
		} else {
			*to++ = *path++;
		}
	}
	*to = '\0';
}

static bool cut_deleted(char *path)
{
	static const char deleted[] = " (deleted)";
	size_t len = strlen(path), tail = sizeof(deleted) - 1;

	if (len <= tail || strcmp(path + len - tail, deleted))
		return false;
	path[len - tail] = '\0';
	return true;
}

/* "7f00-7f10 r-xp 00002000 fe:01 1234       /usr/lib/libc.so.6" */
static bool parse_line(char *line, struct mapping_line *m)
{
	char perms[5], *path;
	int at = 0;

	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 "%n", &m->start,
		   &m->end, perms, &m->offset, &m->dev_major, &m->dev_minor, &m->inode, &at) != 7 ||
	    m->end <= m->start || strlen(perms) != 4)
		return false;
	path = line + at;
	path += strspn(path, " ");
	unescape(path);
	m->executable = perms[2] == 'x';
	m->changes = perms[1] == 'w' || perms[3] == 's';
	m->deleted = cut_deleted(path);
	m->path = path;
	return true;
}

int maps_each(FILE *f, int (*each)(void *arg, const struct mapping_line *line), void *arg)
{
	char line[PATH_MAX + 128];
	struct mapping_line m;
	unsigned int nr;
	bool whole;
	int ret;

	for (nr = 0; nr < MAX_LINES && fgets(line, sizeof(line), f); nr++) {
		whole = strchr(line, '\n');
		if (parse_line(line, &m)) {
			ret = each(arg, &m);
			if (ret)
				return ret;
		}
		while (!whole && fgets(line, sizeof(line), f)) /* the rest of a long line */
			whole = strchr(line, '\n');
	}
	return ferror(f) ? -EIO : 0;
}

int process_id_parse(const char *text, struct process_id *id)
{
	const char *p = strrchr(text, ')'); /* the command's name may hold any of them */
	uint64_t *const want[] = { [22] = &id->start_time,
				   [23] = &id->vsize,
				   [26] = &id->start_code,
				   [27] = &id->end_code,
				   [28] = &id->start_stack };
	unsigned int field = 3;

	if (!p || p[1] != ' ')
		return -EINVAL;
	for (p += 2; field < ARRAY_SIZE(want); field++) {
		char *end;

		if (want[field]) {
			*want[field] = strtoull(p, &end, 10);
			if (end == p)
				return -EINVAL;
		}
		p += strcspn(p, " ");
		p += *p == ' ';
	}
	return 0;
}

/* Reads a small file of /proc/PID; @name has a %d for the pid. */
static int read_text(const char *name, pid_t pid, char *buf, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), name, pid, pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	n = read(fd, buf, size - 1);
	if (n < 0)
		n = -errno;
	close(fd);
	if (n < 0)
		return n;
	buf[n] = '\0';
	return 0;
}

int process_id_read(pid_t pid, struct process_id *id)
{
	char text[1024];
	int err;

	/* Not /proc/PID/stat: that one sums up all threads, with a lock held that they need. */
	err = read_text("/proc/%d/task/%d/stat", pid, text, sizeof(text));
	return err ? err : process_id_parse(text, id);
}

uint64_t process_born_ns(uint64_t start_time)
{
	return start_time * (NSEC_PER_SEC / sysconf(_SC_CLK_TCK));
}

int process_status_parse(const char *text, uint32_t *uid, uint32_t *ns_pid)
{
	const char *u = strstr(text, "\nUid:"), *n = strstr(text, "\nNStgid:"), *last;

	if (!u || sscanf(u, "\nUid: %*u %" SCNu32, uid) != 1)
		return -EINVAL;
	if (!n)
		return -EINVAL;
	n++;
	last = n + strcspn(n, "\n");
	while (last > n && last[-1] >= '0' && last[-1] <= '9')
		last--;
	return sscanf(last, "%" SCNu32, ns_pid) == 1 ? 0 : -EINVAL;
}

int process_status_read(pid_t pid, uint32_t *uid, uint32_t *ns_pid)
{
	const size_t size = 1 << 20; /* 65,536 groups fit */
	char *text = malloc(size);
	int err;

	if (!text)
		return -ENOMEM;
	err = read_text("/proc/%d/status", pid, text, size);
	if (!err)
		err = process_status_parse(text, uid, ns_pid);
	free(text);
	return err;
}
