/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/util.h"
#include "symbols/cfi.h"
#include "symbols/elfimage.h"
#include "symbols/elfsyms.h"
#include "symbols/foreign_wire.h"
#include "symbols/maps.h"
#include "symbols/perfmap.h"
#include "symbols/safeopen.h"
#include "symbols/sealed.h"

#define MAX_OTHER_TIDS 16 /* that are tried when the first thread has ended */
#define MAX_VDSO_LEN   (64u << 10)
#define PAGE	       4096ull /* of the machine's, the least */

static char message[WORKER_MAX_MESSAGE];
static struct worker_shared *shared;

/* --- text that was moved into anonymous memory -------------------------------------------- */

/*
 * A program may copy its code into anonymous memory and move that to where the code was, so that it
 * lies on huge pages (node --use-largepages, iodlr, HHVM, ClickHouse). It is still what its file
 * has there.
 */
struct moved_text {
	bool is_known;	     /* from and end are */
	uint64_t from, end;  /* where the program's code is; 0: that is not told */
	uint64_t offset;     /* of its begin in the file, */
	struct stat st;	     /* which is this one */
	char path[PATH_MAX]; /* empty: not looked at */
};

/* Where the first code of the program begins in its file: there start_code is in memory. */
static int first_code(uint32_t pid, struct stat *st, uint64_t *offset)
{
	struct elf_segment segments[ELF_MAX_SEGMENTS], *first = segments;
	struct elf_image im;
	unsigned int nr;
	char path[32];
	int fd, err;

	snprintf(path, sizeof(path), "/proc/%u/exe", pid);
	fd = safeopen_proc_link(path, st);
	if (fd < 0)
		return fd;
	err = elf_image_open(&im, fd);
	if (!err) {
		nr = elf_image_segments(&im, segments);
		for (unsigned int i = 1; i < nr; i++)
			if (segments[i].vaddr < first->vaddr)
				first = &segments[i];
		*offset = nr ? first->offset : 0;
		err = nr ? 0 : -ENOEXEC;
		elf_image_close(&im);
	}
	close(fd);
	return err;
}

/* What the program's file is, and where in it its code begins. */
static bool find_file(struct moved_text *t, uint32_t pid)
{
	static const char deleted[] = " (deleted)";
	const size_t tail = sizeof(deleted) - 1;
	char link[32];
	ssize_t n;

	if (t->path[0])
		return true;
	if (first_code(pid, &t->st, &t->offset))
		return false;
	snprintf(link, sizeof(link), "/proc/%u/exe", pid);
	n = readlink(link, t->path, sizeof(t->path) - 1);
	t->path[n > 0 ? n : 0] = '\0';
	if (n > (ssize_t)tail && !strcmp(t->path + n - tail, deleted))
		t->path[n - tail] = '\0';
	return n > 0;
}

/* Makes @line, of anonymous memory, one of the program's file, if that is what it was. Only then is
 * the file looked at. */
static void put_back(struct moved_text *t, uint32_t pid, struct mapping_line *line)
{
	struct process_id id = { 0 };

	if (!t->is_known) {
		t->is_known = true;
		t->path[0] = '\0';
		process_id_read(pid, &id);
		t->from = id.start_code;
		t->end = id.end_code;
	}
	if (line->start < (t->from & -PAGE) || line->end > ((t->end + PAGE - 1) & -PAGE) ||
	    !find_file(t, pid) || t->offset + line->start < t->from)
		return;
	line->offset = t->offset + line->start - t->from;
	line->inode = t->st.st_ino;
	line->dev_major = major(t->st.st_dev);
	line->dev_minor = minor(t->st.st_dev);
	line->path = t->path;
}

/* --- maps --------------------------------------------------------------------------------- */

struct maps_answer {
	int sock, err;
	uint32_t pid;
	struct moved_text moved;
	size_t len;	 /* of what is in the message */
	unsigned int nr; /* mappings so far */
	char text[WORKER_MAX_MESSAGE];
};

static void add_mapping(struct maps_answer *a, const struct foreign_mapping *m, const char *path)
{
	if (a->len + sizeof(*m) + m->path > sizeof(a->text)) {
		a->err = worker_put(a->sock, a->text, a->len, NULL, 0);
		a->len = 0;
	}
	memcpy(a->text + a->len, m, sizeof(*m));
	memcpy(a->text + a->len + sizeof(*m), path, m->path);
	a->len += sizeof(*m) + m->path;
}

static int answer_mapping(void *arg, const struct mapping_line *seen)
{
	struct maps_answer *a = arg;
	struct mapping_line line = *seen;
	struct foreign_mapping m = { .kind = FOREIGN_MAPPING };

	if (!line.executable)
		return 0;
	if (!line.inode && !line.path[0])
		put_back(&a->moved, a->pid, &line);
	m.start = line.start;
	m.end = line.end;
	m.offset = line.offset;
	m.inode = line.inode;
	m.dev_major = line.dev_major;
	m.dev_minor = line.dev_minor;
	m.is_deleted = line.deleted;
	m.changes = line.changes;
	m.path = strlen(line.path) + 1;
	a->nr++;
	add_mapping(a, &m, line.path);
	return a->err;
}

static int read_maps_of(struct maps_answer *a, uint32_t tid)
{
	char path[32];
	FILE *f;
	int err;

	snprintf(path, sizeof(path), "/proc/%u/maps", tid);
	f = fopen(path, "re");
	if (!f)
		return errno == ENOENT ? -ESRCH : -errno;
	err = maps_each(f, answer_mapping, a);
	fclose(f);
	if (a->nr && err == -EIO) /* what was read is good */
		err = 0;
	return err ? err : a->nr ? 0 : -ESRCH;
}

/* When a process's first thread has ended, its directory in /proc has no memory; others' have. */
static int read_maps(struct maps_answer *a, uint32_t pid, uint32_t *tid)
{
	int err = read_maps_of(a, pid), tries = MAX_OTHER_TIDS;
	struct dirent *e;
	char path[32];
	DIR *d;

	*tid = pid;
	if (err != -ESRCH)
		return err;
	snprintf(path, sizeof(path), "/proc/%u/task", pid);
	d = opendir(path);
	while (d && err == -ESRCH && tries && (e = readdir(d))) {
		*tid = strtoul(e->d_name, NULL, 10);
		if (!*tid || *tid == pid)
			continue;
		tries--;
		err = read_maps_of(a, *tid);
	}
	if (d)
		closedir(d);
	return err;
}

static void serve_maps(int sock, const struct foreign_request *r)
{
	static struct maps_answer a;
	struct foreign_mapping end = { .kind = FOREIGN_END };

	a.sock = sock;
	a.err = 0;
	a.len = a.nr = 0;
	a.pid = r->pid;
	a.moved.is_known = false;
	end.err = read_maps(&a, r->pid, &end.tid);
	add_mapping(&a, &end, "");
	worker_put(sock, a.text, a.len, NULL, 0);
}

/* --- open --------------------------------------------------------------------------------- */

/* The link to the file that is mapped there. */
static void map_link(char *path, size_t size, uint32_t pid, uint64_t start, uint64_t end)
{
	snprintf(path, size, "/proc/%u/map_files/%" PRIx64 "-%" PRIx64, pid, start, end);
}

/* The file itself by the link to what is mapped. Without the right to that (CAP_CHECKPOINT_RESTORE,
 * CAP_SYS_ADMIN before 5.9) by the link to the program, or by its path, if the same inode is there.
 */
static int find_mapped(uint32_t pid, const struct foreign_place *p, const char *mapped_path,
		       struct stat *st)
{
	char path[96];
	int root, fd;

	map_link(path, sizeof(path), pid, p->start, p->end);
	fd = safeopen_find_proc_link(path, st);
	if (fd >= 0 || fd == -ENXIO)
		return fd;
	snprintf(path, sizeof(path), "/proc/%u/exe", pid);
	fd = safeopen_find_proc_link(path, st);
	if (fd >= 0 && st->st_ino == p->inode)
		return fd;
	if (fd >= 0)
		close(fd);
	if (p->is_deleted)
		return -ENOENT;
	root = safeopen_root_of(pid);
	if (root < 0)
		return root;
	fd = safeopen_find_in_root(root, mapped_path, false, st);
	close(root);
	if (fd >= 0 && st->st_ino != p->inode) {
		close(fd);
		return -ESTALE;
	}
	return fd;
}

/* A copy of the vDSO, as a file. */
static int copy_vdso(uint32_t pid, const struct foreign_place *p, struct stat *st)
{
	static unsigned char bytes[MAX_VDSO_LEN];
	struct sealed_part part = { bytes, min_u64(p->end - p->start, sizeof(bytes)) };
	char path[32];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/mem", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = pread(fd, bytes, part.size, p->start);
	close(fd);
	if (n <= 0)
		return -EIO;
	part.size = n;
	fd = sealed_make(&part, 1);
	return fd < 0 || !fstat(fd, st) ? fd : -errno;
}

static void serve_open(int sock, const struct foreign_request *r, const char *text)
{
	struct foreign_opened opened[WORKER_MAX_FDS] = { 0 };
	int fds[WORKER_MAX_FDS] = { 0 }, fd;
	unsigned int nr_fds = 0;

	for (uint32_t i = 0; i < r->nr && i < WORKER_MAX_FDS; i++) {
		struct foreign_place p;

		memcpy(&p, text, sizeof(p));
		text += sizeof(p);
		shared->at = i;
		fd = p.is_vdso ? copy_vdso(r->pid, &p, &opened[i].st)
			       : find_mapped(r->pid, &p, text, &opened[i].st);
		opened[i].err = fd < 0 ? fd : 0;
		if (fd >= 0)
			fds[nr_fds++] = fd;
		text += p.path;
	}
	worker_put(sock, opened, r->nr * sizeof(*opened), fds, nr_fds);
	while (nr_fds)
		close(fds[--nr_fds]);
}

/* --- tables of a file --------------------------------------------------------------------- */

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* A way to a file that was let go: the mapping, or its path in our own root. */
static int reach(const struct foreign_request *r, const char *mapped_path)
{
	char path[96];
	struct stat st;
	int root, fd;

	map_link(path, sizeof(path), r->pid, r->start, r->end);
	fd = safeopen_proc_link(path, &st);
	if (fd >= 0 && same_file(&st, &r->st))
		return fd;
	if (fd >= 0)
		close(fd);
	root = open("/", O_PATH | O_CLOEXEC);
	fd = safeopen_in_root(root, mapped_path, false, &st);
	if (root >= 0)
		close(root);
	if (fd >= 0 && same_file(&st, &r->st))
		return fd;
	if (fd >= 0)
		close(fd);
	return -ENOENT;
}

/* What came with the request, if something did: as long as nobody has written into it since. */
static int open_file(const struct foreign_request *r, const char *path, int came)
{
	struct stat st;
	int fd;

	if (came < 0)
		return reach(r, path);
	fd = safeopen_found(came, &st);
	if (fd < 0 || same_file(&st, &r->st))
		return fd;
	close(fd);
	return -ESTALE;
}

static int load_symbols(const struct foreign_request *r, const char *path, int came,
			struct elf_syms *e)
{
	struct debugfile_search where = { .path = path, .owner = r->st.st_uid };
	int theirs, ours, err, fd = open_file(r, path, came);

	if (fd < 0)
		return fd;
	theirs = safeopen_root_of(r->pid);
	ours = open("/", O_PATH | O_CLOEXEC);
	if (theirs >= 0)
		where.roots[where.nr_roots++] = theirs;
	if (ours >= 0)
		where.roots[where.nr_roots++] = ours;
	err = elf_syms_load(e, fd, &where);
	close(fd);
	if (theirs >= 0)
		close(theirs);
	if (ours >= 0)
		close(ours);
	return err;
}

/* Into *fd, which stays -1 where there is nothing in them. */
static int seal(const struct sealed_part *parts, unsigned int nr, size_t max, int *fd)
{
	size_t size = 0;
	int made;

	for (unsigned int i = 0; i < nr; i++)
		size += parts[i].size;
	if (!size)
		return 0;
	if (size > max)
		return -EFBIG;
	made = sealed_make(parts, nr);
	if (made < 0)
		return made;
	*fd = made;
	return 0;
}

static int seal_symbols(const struct symtab *t, size_t max, int *fd)
{
	const struct sealed_part parts[] = {
		{ t->syms, t->nr * sizeof(*t->syms) },
		{ t->names, t->names_len },
	};

	return t->nr ? seal(parts, ARRAY_SIZE(parts), max, fd) : 0;
}

static void serve_symbols(int sock, const struct foreign_request *r, const char *path, int came)
{
	struct foreign_symbols a = { 0 };
	struct elf_syms e = { 0 };
	int fd = -1;

	a.err = load_symbols(r, path, came, &e);
	if (!a.err)
		a.err = seal_symbols(&e.table, r->max, &fd);
	if (!a.err && e.is_cut)
		a.err = -EFBIG;
	a.build_id = e.build_id;
	a.nr_segments = e.nr_segments;
	memcpy(a.segments, e.segments, sizeof(a.segments));
	a.nr = e.table.nr;
	a.names_len = e.table.names_len;
	worker_put(sock, &a, sizeof(a), &fd, fd >= 0);
	if (fd >= 0)
		close(fd);
	elf_syms_free(&e);
}

static int seal_cfi(const struct cfi *c, size_t max, int *fd)
{
	struct sealed_part parts[4];

	for (int i = 0; i < 2; i++) {
		const struct cfi_table *t = &c->tables[i];

		parts[2 * i] = (struct sealed_part){ t->bytes, t->size };
		parts[2 * i + 1] =
			(struct sealed_part){ t->functions, t->nr * sizeof(*t->functions) };
	}
	return seal(parts, ARRAY_SIZE(parts), max, fd);
}

static void serve_cfi(int sock, const struct foreign_request *r, const char *path, int came)
{
	int file = open_file(r, path, came), fd = -1;
	struct foreign_cfi a = { 0 };
	struct cfi c = { 0 };
	bool is_loaded;

	a.err = file < 0 ? file : cfi_load(&c, file);
	is_loaded = !a.err;
	if (is_loaded)
		a.err = seal_cfi(&c, r->max, &fd);
	a.nr_segments = c.nr_segments;
	memcpy(a.segments, c.segments, sizeof(a.segments));
	for (int i = 0; i < 2; i++) {
		a.tables[i].size = c.tables[i].size;
		a.tables[i].nr = c.tables[i].nr;
		a.tables[i].vaddr = c.tables[i].vaddr;
		a.tables[i].is_debug = c.tables[i].is_debug;
	}
	worker_put(sock, &a, sizeof(a), &fd, fd >= 0);
	if (fd >= 0)
		close(fd);
	if (file >= 0)
		close(file);
	if (is_loaded)
		cfi_free(&c);
}

static void serve_perf_map(int sock, const struct foreign_request *r)
{
	struct perf_map m = { .dev = r->dev, .ino = r->ino, .read = r->read, .mark = r->mark };
	int file = perf_map_open(r->pid, r->start_time), fd = -1;
	struct foreign_symbols a = { 0 };

	a.err = file < 0 ? file : perf_map_read(&m, file);
	if (file >= 0)
		close(file);
	if (!a.err)
		a.err = seal_symbols(&m.table, r->max, &fd);
	a.is_new = m.is_new;
	a.is_cut = m.is_cut;
	a.dev = m.dev;
	a.ino = m.ino;
	a.read = m.read;
	a.mark = m.mark;
	a.nr = m.table.nr;
	a.names_len = m.table.names_len;
	worker_put(sock, &a, sizeof(a), &fd, fd >= 0);
	if (fd >= 0)
		close(fd);
	perf_map_free(&m);
}

/* --- all of them -------------------------------------------------------------------------- */

void foreign_serve(int sock, struct worker_shared *both)
{
	struct foreign_request r;
	int fds[WORKER_MAX_FDS];
	unsigned int nr;

#ifdef __GLIBC__
	mallopt(M_MMAP_THRESHOLD, 128 << 10); /* what is large goes back to the system */
#endif
	shared = both;
	while (worker_take(sock, message, sizeof(message), fds, &nr) > 0) {
		const char *rest = message + sizeof(r);
		int came = nr ? fds[0] : -1;

		memcpy(&r, message, sizeof(r));
		if (r.job == FOREIGN_MAPS)
			serve_maps(sock, &r);
		else if (r.job == FOREIGN_OPEN)
			serve_open(sock, &r, rest);
		else if (r.job == FOREIGN_SYMBOLS)
			serve_symbols(sock, &r, rest, came);
		else if (r.job == FOREIGN_CFI)
			serve_cfi(sock, &r, rest, came);
		else
			serve_perf_map(sock, &r);
		if (came >= 0)
			close(came);
	}
}
