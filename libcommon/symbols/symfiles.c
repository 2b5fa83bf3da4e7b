/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/msg.h"
#include "base/util.h"
#include "symbols/elfsyms.h"
#include "symbols/safeopen.h"
#include "symbols/symfiles.h"

#define NR_BUCKETS   1024
#define MAX_VDSO     8
#define MAX_VDSO_LEN (64u << 10)

/* Files that root did not make may be made to take long: reading them may take a minute of CPU
 * time, and then a twentieth of the time that passes. */
#define MAX_FOREIGN_NS (60 * NSEC_PER_SEC)
#define FOREIGN_SHARE  20

enum state {
	UNREAD,
	READ,
	DROPPED, /* was read; memory was wanted for others */
	NOTHING, /* there is nothing to read in it, or no way to it */
};

struct sym_file {
	struct sym_file *next; /* in its bucket */
	struct stat st;	       /* what it is known by: dev, ino, size, mtime */
	unsigned int refs;
	enum state state;
	int fd; /* while UNREAD, or -1 */
	char *path;
	const char *name;	     /* the last part of path */
	uint32_t pid;		     /* who had it mapped, */
	uint64_t map_start, map_end; /* and where */
	uint64_t used;		     /* on the clock of struct sym_files */
	struct elf_syms syms;
	enum state cfi_state;
	struct cfi cfi;
	unsigned char *vdso; /* its bytes, if it is one */
	size_t vdso_len;
};

struct sym_files {
	struct sym_file *buckets[NR_BUCKETS];
	struct sym_file *vdsos[MAX_VDSO];
	size_t nr, nr_open, max_open, bytes;
	uint64_t clock;	      /* counts uses */
	uint64_t foreign_ns;  /* what reading foreign files may still take, */
	uint64_t foreign_set; /* as of then, on CLOCK_MONOTONIC */
	bool foreign_said;
};

/* What this thread has used of the CPUs' time. */
static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

struct sym_files *sym_files_new(void)
{
	struct sym_files *files = calloc(1, sizeof(*files));
	struct rlimit limit;

	if (!files)
		return NULL;
	files->foreign_ns = MAX_FOREIGN_NS;
	files->foreign_set = clock_mono_ns();
	files->max_open = SYM_MAX_OPEN;
	if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur / 4 < files->max_open)
		files->max_open = limit.rlim_cur / 4;
	return files;
}

static struct sym_file **bucket_of(struct sym_files *files, const struct stat *st)
{
	return &files->buckets[(st->st_ino * 31 + st->st_dev) % NR_BUCKETS];
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void close_file(struct sym_files *files, struct sym_file *f)
{
	if (f->fd < 0)
		return;
	close(f->fd);
	f->fd = -1;
	files->nr_open--;
}

static void drop_symbols(struct sym_files *files, struct sym_file *f)
{
	files->bytes -= symtab_bytes(&f->syms.table);
	elf_syms_free(&f->syms);
	f->state = DROPPED;
}

static void drop_cfi(struct sym_files *files, struct sym_file *f)
{
	files->bytes -= cfi_bytes(&f->cfi);
	cfi_free(&f->cfi);
	f->cfi_state = DROPPED;
}

static void drop_tables(struct sym_files *files, struct sym_file *f)
{
	if (f->state == READ)
		drop_symbols(files, f);
	if (f->cfi_state == READ)
		drop_cfi(files, f);
}

static void free_file(struct sym_files *files, struct sym_file *f)
{
	close_file(files, f);
	drop_tables(files, f);
	free(f->path);
	free(f->vdso);
	free(f);
	files->nr--;
}

void sym_files_free(struct sym_files *files)
{
	size_t i;

	if (!files)
		return;
	for (i = 0; i < NR_BUCKETS; i++) {
		while (files->buckets[i]) {
			struct sym_file *f = files->buckets[i];

			files->buckets[i] = f->next;
			free_file(files, f);
		}
	}
	for (i = 0; i < MAX_VDSO; i++) {
		if (files->vdsos[i])
			free_file(files, files->vdsos[i]);
	}
	free(files);
}

bool sym_files_full(const struct sym_files *files)
{
	return files->nr > SYM_MAX_FILES - SYM_MAX_FILES_OF_ONE;
}

struct sym_file *sym_file_again(struct sym_file *f)
{
	f->refs++;
	return f;
}

void sym_file_put(struct sym_files *files, struct sym_file *f)
{
	struct sym_file **at;
	size_t i;

	if (!f || --f->refs)
		return;
	for (i = 0; i < MAX_VDSO; i++) {
		if (files->vdsos[i] == f)
			files->vdsos[i] = NULL;
	}
	for (at = bucket_of(files, &f->st); *at; at = &(*at)->next) {
		if (*at == f) {
			*at = f->next;
			break;
		}
	}
	free_file(files, f);
}

/* The least recently used of the files that are @wanted, other than @keep. */
static struct sym_file *oldest(struct sym_files *files, bool (*wanted)(const struct sym_file *),
			       const struct sym_file *keep)
{
	struct sym_file *f, *best = NULL;
	size_t i;

	for (i = 0; i < NR_BUCKETS; i++) {
		for (f = files->buckets[i]; f; f = f->next) {
			if (f != keep && wanted(f) && (!best || f->used < best->used))
				best = f;
		}
	}
	return best;
}

static bool is_open(const struct sym_file *f)
{
	return f->fd >= 0;
}

static bool has_tables(const struct sym_file *f)
{
	return (f->state == READ && f->syms.table.nr) ||
	       (f->cfi_state == READ && cfi_bytes(&f->cfi));
}

/* Writes the path of the link to the file that is mapped there. */
static void map_link(char *path, size_t size, uint32_t pid, uint64_t start, uint64_t end)
{
	snprintf(path, size, "/proc/%u/map_files/%" PRIx64 "-%" PRIx64, pid, start, end);
}

/* Opens a file that isn't open any more, by the mapping, or by its path in our own root. */
static int reach(const struct sym_file *f)
{
	char path[96];
	struct stat st;
	int root, fd;

	map_link(path, sizeof(path), f->pid, f->map_start, f->map_end);
	fd = safeopen_proc_link(path, &st);
	if (fd >= 0 && same_file(&st, &f->st))
		return fd;
	if (fd >= 0)
		close(fd);
	root = open("/", O_PATH | O_CLOEXEC);
	fd = safeopen_in_root(root, f->path, false, &st);
	if (root >= 0)
		close(root);
	if (fd >= 0 && same_file(&st, &f->st))
		return fd;
	if (fd >= 0)
		close(fd);
	return -ENOENT;
}

static bool is_foreign(const struct sym_file *f)
{
	return f->st.st_uid && f->st.st_uid != geteuid();
}

/* Whether there is time left to read @f. */
static bool may_read(struct sym_files *files, const struct sym_file *f)
{
	uint64_t now = clock_mono_ns();

	if (!is_foreign(f))
		return true;
	files->foreign_ns += (now - files->foreign_set) / FOREIGN_SHARE;
	if (files->foreign_ns > MAX_FOREIGN_NS)
		files->foreign_ns = MAX_FOREIGN_NS;
	files->foreign_set = now;
	if (!files->foreign_ns && !files->foreign_said) {
		note("symbols: programs of other users than root take too long to read: not all "
		     "of their functions are named");
		files->foreign_said = true;
	}
	return files->foreign_ns;
}

/* Counts what reading @f has taken since @from, on the thread's CPU clock. */
static void took_since(struct sym_files *files, const struct sym_file *f, uint64_t from)
{
	uint64_t took = cpu_ns() - from;

	if (is_foreign(f))
		files->foreign_ns -= took < files->foreign_ns ? took : files->foreign_ns;
}

static void read_file(struct sym_files *files, struct sym_file *f, int fd)
{
	uint64_t from = cpu_ns();
	struct debugfile_search where = { .path = f->path, .owner = f->st.st_uid };
	int theirs = safeopen_root_of(f->pid), ours = open("/", O_PATH | O_CLOEXEC), err;

	if (theirs >= 0)
		where.roots[where.nr_roots++] = theirs;
	if (ours >= 0)
		where.roots[where.nr_roots++] = ours;
	err = elf_syms_load(&f->syms, fd, &where);
	f->state = err ? NOTHING : READ;
	if (err)
		debug("%s: no symbols: %s", f->path, strerror(-err));
	took_since(files, f, from);
	files->bytes += symtab_bytes(&f->syms.table);
	if (theirs >= 0)
		close(theirs);
	if (ours >= 0)
		close(ours);
}

static void make_room(struct sym_files *files, const struct sym_file *keep)
{
	struct sym_file *f;

	while (files->bytes > SYM_MAX_BYTES && (f = oldest(files, has_tables, keep)))
		drop_tables(files, f);
}

/* Sees to it that the table is there. */
static bool load(struct sym_files *files, struct sym_file *f)
{
	int fd;

	f->used = ++files->clock;
	if (f->state == READ)
		return true;
	if (f->state == NOTHING || !may_read(files, f))
		return false;
	fd = f->fd >= 0 ? f->fd : reach(f);
	if (fd < 0) {
		f->state = NOTHING;
		return false;
	}
	read_file(files, f, fd);
	if (f->fd >= 0)
		close_file(files, f);
	else
		close(fd);
	make_room(files, f);
	return f->state == READ;
}

static void load_cfi(struct sym_files *files, struct sym_file *f)
{
	uint64_t from = cpu_ns();
	int fd = f->fd, err;

	if (f->vdso) {
		err = cfi_load_memory(&f->cfi, f->vdso, f->vdso_len);
	} else {
		if (fd < 0)
			fd = reach(f);
		err = fd < 0 ? fd : cfi_load(&f->cfi, fd);
		if (fd >= 0 && fd != f->fd)
			close(fd);
	}
	f->cfi_state = err ? NOTHING : READ;
	if (err)
		debug("%s: no tables to unwind by: %s", f->path, strerror(-err));
	else
		files->bytes += cfi_bytes(&f->cfi);
	took_since(files, f, from);
	make_room(files, f);
}

const struct cfi *sym_file_cfi(struct sym_files *files, struct sym_file *f, uint64_t offset,
			       uint64_t *vaddr)
{
	f->used = ++files->clock;
	if ((f->cfi_state == UNREAD || f->cfi_state == DROPPED) && may_read(files, f))
		load_cfi(files, f);
	if (f->cfi_state != READ ||
	    !elf_segments_vaddr(f->cfi.segments, f->cfi.nr_segments, offset, vaddr))
		return NULL;
	return &f->cfi;
}

static struct sym_file *new_file(struct sym_files *files, const char *path)
{
	struct sym_file *f = calloc(1, sizeof(*f));
	const char *slash;

	if (f)
		f->path = strdup(path);
	if (!f || !f->path) {
		free(f);
		return NULL;
	}
	slash = strrchr(f->path, '/');
	f->name = slash ? slash + 1 : f->path;
	f->fd = -1;
	f->refs = 1;
	f->used = ++files->clock;
	files->nr++;
	return f;
}

/* Takes over @fd. */
static struct sym_file *add_file(struct sym_files *files, const char *path, int fd,
				 const struct stat *st)
{
	struct sym_file **bucket = bucket_of(files, st), *f;

	while (files->nr_open >= files->max_open && (f = oldest(files, is_open, NULL))) {
		load(files, f);
		close_file(files, f); /* where that was refused */
	}
	f = new_file(files, path);
	if (!f) {
		close(fd);
		return NULL;
	}
	f->st = *st;
	f->fd = fd;
	files->nr_open++;
	f->next = *bucket;
	*bucket = f;
	return f;
}

static struct sym_file *find_file(struct sym_files *files, const struct stat *st)
{
	struct sym_file *f;

	for (f = *bucket_of(files, st); f; f = f->next) {
		if (same_file(&f->st, st))
			return f;
	}
	return NULL;
}

/* Opens the file by the link to what is mapped. Without the right to that (CAP_CHECKPOINT_RESTORE,
 * CAP_SYS_ADMIN before 5.9) it is the link to the program, or the path, if the same inode is there.
 * */
static int open_mapped(uint32_t pid, const struct mapping_line *m, struct stat *st)
{
	char path[96];
	int root, fd;

	map_link(path, sizeof(path), pid, m->start, m->end);
	fd = safeopen_proc_link(path, st);
	if (fd >= 0 || fd == -ENXIO)
		return fd;
	snprintf(path, sizeof(path), "/proc/%u/exe", pid);
	fd = safeopen_proc_link(path, st);
	if (fd >= 0 && st->st_ino == m->inode)
		return fd;
	if (fd >= 0)
		close(fd);
	if (m->deleted)
		return -ENOENT;
	root = safeopen_root_of(pid);
	if (root < 0)
		return root;
	fd = safeopen_in_root(root, m->path, false, st);
	close(root);
	if (fd >= 0 && st->st_ino != m->inode) {
		close(fd);
		return -ESTALE;
	}
	return fd;
}

struct sym_file *sym_file_get(struct sym_files *files, uint32_t pid, const struct mapping_line *m)
{
	struct sym_file *f;
	char path[96];
	struct stat st;
	int fd;

	map_link(path, sizeof(path), pid, m->start, m->end);
	if (!stat(path, &st)) {
		f = find_file(files, &st);
		if (f)
			return sym_file_again(f);
	}
	if (files->nr >= SYM_MAX_FILES)
		return NULL;
	fd = open_mapped(pid, m, &st);
	if (fd < 0)
		return NULL;
	f = find_file(files, &st);
	if (f) {
		close(fd);
		return sym_file_again(f);
	}
	f = add_file(files, m->path, fd, &st);
	if (f) {
		f->pid = pid;
		f->map_start = m->start;
		f->map_end = m->end;
	}
	return f;
}

static size_t read_memory(uint32_t pid, uint64_t start, unsigned char *buf, size_t len)
{
	char path[32];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/mem", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = pread(fd, buf, len, start);
	close(fd);
	return n < 0 ? 0 : n;
}

struct sym_file *sym_file_vdso(struct sym_files *files, uint32_t pid, const struct mapping_line *m)
{
	size_t len = m->end - m->start < MAX_VDSO_LEN ? m->end - m->start : MAX_VDSO_LEN;
	size_t empty = MAX_VDSO, i;
	unsigned char *bytes = malloc(len);
	struct sym_file *f;

	if (!bytes)
		return NULL;
	len = read_memory(pid, m->start, bytes, len);
	for (i = 0; i < MAX_VDSO; i++) {
		f = files->vdsos[i];
		if (!f)
			empty = i;
		else if (f->vdso_len == len && !memcmp(f->vdso, bytes, len)) {
			free(bytes);
			return sym_file_again(f);
		}
	}
	f = len && empty < MAX_VDSO ? new_file(files, "[vdso]") : NULL;
	if (!f) {
		free(bytes);
		return NULL;
	}
	f->vdso = bytes;
	f->vdso_len = len;
	f->state = elf_syms_load_memory(&f->syms, bytes, len) ? NOTHING : READ;
	files->bytes += symtab_bytes(&f->syms.table);
	files->vdsos[empty] = f;
	return f;
}

void sym_file_name(struct sym_files *files, struct sym_file *f, uint64_t offset,
		   struct frame_name *name)
{
	const struct symbol *sym;

	*name = (struct frame_name){ .module = f->name, .module_offset = offset };
	if (!load(files, f) || !elf_syms_vaddr(&f->syms, offset, &name->module_offset))
		return;
	sym = symtab_find(&f->syms.table, name->module_offset);
	if (sym) {
		name->function = symtab_name(&f->syms.table, sym);
		name->offset = name->module_offset - sym->addr;
	}
}

void sym_files_stats(const struct sym_files *files, struct symbols_stats *stats)
{
	const struct sym_file *f;
	size_t i;

	stats->files += files->nr;
	stats->open += files->nr_open;
	stats->bytes += files->bytes;
	for (i = 0; i < NR_BUCKETS + MAX_VDSO; i++) {
		f = i < NR_BUCKETS ? files->buckets[i] : files->vdsos[i - NR_BUCKETS];
		for (; f; f = f->next) {
			stats->tables += f->state == READ;
			stats->symbols += f->syms.table.nr;
		}
	}
}
