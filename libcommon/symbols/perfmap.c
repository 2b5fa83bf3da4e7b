/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/util.h"
#include "symbols/maps.h"
#include "symbols/perfmap.h"
#include "symbols/safeopen.h"

/* Longer lines are passed over. The buffer is not on the stack, for that may be small. */
#define CHUNK	   (64u << 10)
#define MARK_BYTES 256 /* at either end of what was read */
#define MAX_KEPT   256 /* processes */
/* Times of files are those of the last tick of the clock, which may be 10 ms ago. */
#define TIMES_AGREE_NS (50 * NSEC_PER_MSEC)

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

/* Reads from m->read up to @end, one chunk after another, each from the start of a line; or, with
 * @skip, from somewhere in a line that is passed over. */
static int read_lines(struct perf_map *m, int fd, char *buf, off_t end_of_file, bool skip)
{
	int err = 0;

	while (!err && m->read < end_of_file) {
		const char *line = buf, *end;
		ssize_t n = pread(fd, buf, CHUNK, m->read);

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

static void begin_anew(struct perf_map *m, off_t at)
{
	symtab_free(&m->table);
	m->table.newest_wins = true;
	m->is_new = true;
	m->is_cut = at > 0;
	m->read = at;
}

/* What is new in the file; of too much, the last half, or the last half of that. */
static int read_new(struct perf_map *m, int fd, char *buf, off_t size)
{
	off_t most = PERF_MAP_MAX_READ;
	int err = -E2BIG;

	m->table.newest_wins = true;
	if (size - m->read <= most)
		err = read_lines(m, fd, buf, size, false);
	for (; err == -E2BIG && most; most /= 2) {
		begin_anew(m, size > most ? size - most : 0);
		err = read_lines(m, fd, buf, size, m->is_cut);
	}
	return err;
}

/* A file that is written anew, in place, begins with another function, or has another one where
 * reading ended. */
static uint64_t mark_of(int fd, off_t read)
{
	unsigned char text[2 * MARK_BYTES];
	ssize_t head, tail, n = read < MARK_BYTES ? read : MARK_BYTES;
	uint64_t mark = 14695981039346656037ull; /* FNV-1a */

	head = pread(fd, text, n, 0);
	if (head < 0)
		head = 0;
	tail = pread(fd, text + head, n, read - n);
	if (tail < 0)
		tail = 0;
	for (ssize_t i = 0; i < head + tail; i++)
		mark = (mark ^ text[i]) * 1099511628211ull;
	return mark;
}

int perf_map_read(struct perf_map *m, int fd)
{
	struct stat st;
	size_t before;
	char *buf;
	int err;

	m->is_new = false;
	if (fstat(fd, &st))
		return -errno;
	if (st.st_dev != m->dev || st.st_ino != m->ino || st.st_size < m->read ||
	    (m->read && mark_of(fd, m->read) != m->mark)) {
		begin_anew(m, 0);
		m->dev = st.st_dev;
		m->ino = st.st_ino;
	}
	if (st.st_size == m->read)
		return 0;
	buf = malloc(CHUNK);
	if (!buf)
		return -ENOMEM;
	before = m->table.nr;
	err = read_new(m, fd, buf, st.st_size);
	m->mark = mark_of(fd, m->read);
	free(buf);
	if (m->is_new || m->table.nr > before)
		symtab_finish(&m->table, NULL, NULL);
	return err;
}

/* Symbols are added in the order of their age, which is that of their names. */
static int by_age(const void *va, const void *vb)
{
	const struct symbol *a = *(const struct symbol *const *)va,
			    *b = *(const struct symbol *const *)vb;

	return a->name < b->name ? -1 : a->name > b->name;
}

static int append(struct symtab *to, const struct symtab *from)
{
	const struct symbol **order = malloc(from->nr * sizeof(*order));
	int err = order ? 0 : -ENOMEM;

	for (size_t i = 0; i < from->nr && !err; i++)
		order[i] = &from->syms[i];
	if (!err)
		qsort(order, from->nr, sizeof(*order), by_age);
	for (size_t i = 0; i < from->nr && !err; i++) {
		const char *name = symtab_name(from, order[i]);

		err = symtab_add(to, order[i]->addr, order[i]->size, 0, 0, name, strlen(name));
	}
	free(order);
	return err;
}

/* A table that was adopted, as one that can grow. */
static int make_own(struct symtab *t)
{
	struct symtab own = { .newest_wins = true };
	int err;

	if (!t->map)
		return 0;
	err = append(&own, t);
	symtab_free(err ? &own : t);
	if (!err)
		*t = own;
	return err;
}

int perf_map_merge(struct perf_map *m, struct perf_map *more)
{
	struct symtab *all = &m->table;
	int err = 0;

	more->table.newest_wins = true;
	if (more->is_new || !all->nr) {
		more->is_cut |= m->is_cut && !more->is_new;
		symtab_free(all);
		*m = *more;
		return 0;
	}
	m->read = more->read;
	m->mark = more->mark;
	if (!more->table.nr)
		return 0;
	if (all->nr + more->table.nr > PERF_MAP_MAX_SYMBOLS ||
	    all->names_len + more->table.names_len > PERF_MAP_MAX_NAMES)
		err = -E2BIG;
	if (!err)
		err = make_own(all);
	if (!err)
		err = append(all, &more->table);
	symtab_free(&more->table);
	if (err)
		perf_map_free(m);
	else
		symtab_finish(all, NULL, NULL);
	return err;
}

/* Whether a file that was written to at @written is older than a process of that @start_time: an
 * earlier one with the same pid has left it (in a container the pid is 1 or 7 each time). */
static bool is_older(const struct timespec *written, uint64_t start_time)
{
	int64_t age = (int64_t)(clock_now_ns(CLOCK_BOOTTIME) - process_born_ns(start_time));

	return (int64_t)clock_now_ns(CLOCK_REALTIME) - age - (int64_t)TIMES_AGREE_NS >
	       written->tv_sec * (int64_t)NSEC_PER_SEC + written->tv_nsec;
}

/* Where a process looked for its files: it may end, and its map stays. */
static struct kept {
	uint32_t pid, uid, ns_pid;
	uint64_t start_time; /* 0: nothing is here */
	int root;
} kept[MAX_KEPT];

/* The process's place, whether it lives or has ended. */
static struct kept *find_kept(uint32_t pid, uint64_t start_time)
{
	for (unsigned int i = 0; i < MAX_KEPT; i++)
		if (kept[i].start_time == start_time && kept[i].pid == pid)
			return &kept[i];
	return NULL;
}

static struct kept *keep(const struct kept *new)
{
	static unsigned int oldest;
	struct kept *k = find_kept(new->pid, new->start_time);

	if (!k)
		k = &kept[oldest++ % MAX_KEPT];
	if (k->start_time)
		close(k->root);
	*k = *new;
	return k;
}

/* NULL: it has ended, and was not seen before. */
static const struct kept *place_of(uint32_t pid, uint64_t start_time, int *err)
{
	struct kept k = { .pid = pid, .start_time = start_time };
	struct process_id id;

	*err = process_status_read(pid, &k.uid, &k.ns_pid);
	if (*err)
		return find_kept(pid, start_time);
	k.root = safeopen_root_of(pid);
	if (k.root < 0) { /* it has just ended, or is a zombie */
		*err = k.root;
		return find_kept(pid, start_time);
	}
	/* all of that was the same process's, if it is still there */
	*err = process_id_read(pid, &id);
	if (!*err && id.start_time == start_time)
		return keep(&k);
	close(k.root);
	return find_kept(pid, start_time);
}

int perf_map_open(uint32_t pid, uint64_t start_time)
{
	int fd, err;
	const struct kept *k = place_of(pid, start_time, &err);
	char path[64];
	struct stat st;

	if (!k)
		return err ? err : -ESRCH;
	snprintf(path, sizeof(path), "/tmp/perf-%u.map", k->ns_pid);
	fd = safeopen_in_root(k->root, path, true, &st);
	if (fd < 0)
		return fd;
	err = 0;
	if (st.st_uid != k->uid && st.st_uid)
		err = -EPERM;
	else if (is_older(&st.st_mtim, start_time))
		err = -ESTALE;
	if (err)
		close(fd);
	return err ? err : fd;
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
