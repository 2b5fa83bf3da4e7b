/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "symbols/maps.h"
#include "symbols/perfmap.h"
#include "symbols/safeopen.h"

/* Longer lines are passed over. The buffer is not on the stack, for that may be small. */
#define CHUNK (64u << 10)

static bool parse_number(const char **p, const char *end, uint64_t *v)
{
	const char *at = *p;
	unsigned int digits;

	if (end - at > 2 && at[0] == '0' && (at[1] == 'x' || at[1] == 'X'))
		at += 2;
	*v = 0;
	for (digits = 0; at < end && isxdigit((unsigned char)*at); at++, digits++)
		*v = *v << 4 | (isdigit((unsigned char)*at) ? *at - '0' : (*at | 32) - 'a' + 10);
	if (!digits || digits > 16 || at == end || *at != ' ')
		return false;
	while (at < end && *at == ' ')
		at++;
	*p = at;
	return true;
}

/* Adds a line. Returns what symtab_add() does, and 0 for a line that makes no sense. */
static int add_line(struct perf_map *m, const char *p, const char *end)
{
	uint64_t start, size;

	if (!parse_number(&p, end, &start) || !parse_number(&p, end, &size))
		return 0;
	while (end > p && isspace((unsigned char)end[-1]))
		end--;
	if (!size || p == end || memchr(p, '\0', end - p))
		return 0;
	if (m->table.nr >= PERF_MAP_MAX_SYMBOLS || m->table.names_len >= PERF_MAP_MAX_NAMES)
		return -E2BIG;
	return symtab_add(&m->table, start, size, 0, 0, p, end - p);
}

/* Reads from m->read on, one chunk after another, each from the start of a line. */
static int read_lines(struct perf_map *m, int fd, char *buf)
{
	bool skip = false; /* in the middle of a line that is too long */
	int err = 0;

	while (!err) {
		const char *line = buf, *end;
		ssize_t n;

		if (m->read >= PERF_MAP_MAX_READ)
			return -E2BIG;
		n = pread(fd, buf, CHUNK, m->read);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : 0;
		for (; !err && (end = memchr(line, '\n', buf + n - line)); line = end + 1) {
			if (!skip)
				err = add_line(m, line, end);
			skip = false;
		}
		if (line == buf) {
			if (n < (ssize_t)CHUNK) /* not whole yet */
				return 0;
			skip = true;
			line = buf + n;
		}
		m->read += line - buf;
	}
	return err;
}

int perf_map_read(struct perf_map *m, int fd)
{
	struct stat st;
	size_t before;
	char *buf;
	int err;

	if (fstat(fd, &st))
		return -errno;
	if (st.st_dev != m->dev || st.st_ino != m->ino || st.st_size < m->read) {
		perf_map_free(m);
		m->dev = st.st_dev;
		m->ino = st.st_ino;
	}
	if (st.st_size == m->read)
		return 0;
	buf = malloc(CHUNK);
	if (!buf)
		return -ENOMEM;
	before = m->table.nr;
	m->table.newest_wins = true;
	err = read_lines(m, fd, buf);
	free(buf);
	if (err == -E2BIG) /* that was it: don't read it again and again */
		m->read = st.st_size;
	if (m->table.nr > before)
		symtab_finish(&m->table, NULL, NULL);
	return err == -E2BIG ? 0 : err;
}

int perf_map_open(unsigned int pid)
{
	uint32_t uid, ns_pid;
	char path[64];
	struct stat st;
	int root, fd;

	fd = process_status_read(pid, &uid, &ns_pid);
	if (fd)
		return fd;
	root = safeopen_root_of(pid);
	if (root < 0)
		return root;
	snprintf(path, sizeof(path), "/tmp/perf-%u.map", ns_pid);
	fd = safeopen_in_root(root, path, true, &st);
	close(root);
	if (fd >= 0 && st.st_uid != uid) {
		close(fd);
		return -EPERM;
	}
	return fd;
}

const struct symbol *perf_map_find(const struct perf_map *m, uint64_t addr)
{
	return symtab_find(&m->table, addr);
}

void perf_map_free(struct perf_map *m)
{
	symtab_free(&m->table);
	*m = (struct perf_map){ 0 };
}
