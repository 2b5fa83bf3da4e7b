/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/msg.h"
#include "base/util.h"
#include "symbols/elfsyms.h"
#include "symbols/sealed.h"
#include "symbols/symfiles.h"

#define NR_BUCKETS   1024
#define MAX_VDSO     8
#define OPEN_AT_ONCE 64

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
	void *vdso;  /* its bytes, if it is one */
	bool unread; /* it was said that it could not be read */
};

struct sym_files {
	struct sym_file *buckets[NR_BUCKETS];
	struct sym_file *vdsos[MAX_VDSO];
	size_t nr, nr_open, max_open, bytes;
	uint64_t clock; /* counts uses */
	struct foreign *foreign;
};

struct sym_files *sym_files_new(struct foreign *foreign)
{
	struct sym_files *files = calloc(1, sizeof(*files));
	struct rlimit limit;

	if (!files)
		return NULL;
	files->foreign = foreign;
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
	if (f->vdso)
		munmap(f->vdso, sealed_next(f->st.st_size));
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

static struct foreign_file as_foreign(const struct sym_file *f)
{
	return (struct foreign_file){
		.fd = f->fd,
		.st = f->st,
		.path = f->path,
		.pid = f->pid,
		.start = f->map_start,
		.end = f->map_end,
	};
}

/* Says why there are no functions, or not all. */
static void tell(struct sym_files *files, struct sym_file *f, const char *what, int err)
{
	debug("%s: no %s: %s", f->path, what, strerror(-err));
	if (f->unread || (err != -EDQUOT && !foreign_is_hopeless(err)))
		return;
	f->unread = true;
	foreign_unread(files->foreign, f->path, 0, f->st.st_uid, err);
}

static void make_room(struct sym_files *files, const struct sym_file *keep)
{
	struct sym_file *f;

	while (files->bytes > foreign_max_bytes(files->foreign) &&
	       (f = oldest(files, has_tables, keep)))
		drop_tables(files, f);
}

/* Sees to it that the table is there. */
static bool load(struct sym_files *files, struct sym_file *f)
{
	const struct foreign_file from = as_foreign(f);
	int err;

	f->used = ++files->clock;
	if (f->state == READ || f->state == NOTHING)
		return f->state == READ;
	err = foreign_symbols(files->foreign, &from, &f->syms);
	if (err)
		tell(files, f, "symbols", err);
	if (err == -EDQUOT)
		return false;
	f->state = !err || f->syms.nr_segments ? READ : NOTHING;
	files->bytes += symtab_bytes(&f->syms.table);
	if (!f->vdso)
		close_file(files, f);
	make_room(files, f);
	return f->state == READ;
}

static void load_cfi(struct sym_files *files, struct sym_file *f)
{
	const struct foreign_file from = as_foreign(f);
	int err = foreign_cfi(files->foreign, &from, &f->cfi);

	if (err)
		tell(files, f, "tables to unwind by", err);
	if (err == -EDQUOT)
		return;
	f->cfi_state = err ? NOTHING : READ;
	files->bytes += cfi_bytes(&f->cfi);
	make_room(files, f);
}

const struct cfi *sym_file_cfi(struct sym_files *files, struct sym_file *f, uint64_t offset,
			       uint64_t *vaddr)
{
	f->used = ++files->clock;
	if (f->cfi_state == UNREAD || f->cfi_state == DROPPED)
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

/* Takes over @fd; -1: it can't be read. */
static struct sym_file *add_file(struct sym_files *files, const struct foreign_mapped *m,
				 uint32_t pid, int fd)
{
	struct sym_file **bucket = bucket_of(files, &m->st), *f;

	while (files->nr_open >= files->max_open && (f = oldest(files, is_open, NULL))) {
		load(files, f);
		close_file(files, f); /* where that was refused */
	}
	f = new_file(files, m->line.path);
	if (!f) {
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	f->st = m->st;
	f->fd = fd;
	f->pid = pid;
	f->map_start = m->line.start;
	f->map_end = m->line.end;
	if (fd >= 0)
		files->nr_open++;
	else
		f->state = f->cfi_state = NOTHING;
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

/* Takes over the descriptor. */
static struct sym_file *add_vdso(struct sym_files *files, struct foreign_mapped *m)
{
	void *bytes = sealed_map(m->fd, m->st.st_size);
	size_t empty = MAX_VDSO, size = m->st.st_size;
	struct sym_file *f = NULL;

	for (size_t i = 0; i < MAX_VDSO && bytes; i++) {
		struct sym_file *known = files->vdsos[i];

		if (!known)
			empty = i;
		else if ((size_t)known->st.st_size == size && !memcmp(known->vdso, bytes, size))
			f = sym_file_again(known);
	}
	if (f || !bytes || empty == MAX_VDSO || !(f = new_file(files, "[vdso]"))) {
		if (bytes)
			munmap(bytes, sealed_next(size));
		close(m->fd);
		return f;
	}
	f->vdso = bytes;
	f->st = m->st;
	f->fd = m->fd;
	files->nr_open++;
	files->vdsos[empty] = f;
	return f;
}

/* One that can't be opened: its name is known, and that is all. */
static struct sym_file *name_only(struct sym_files *files, struct foreign_mapped *m, uint32_t pid,
				  uint32_t uid)
{
	struct sym_file *f;

	m->st = (struct stat){ .st_dev = makedev(m->line.dev_major, m->line.dev_minor),
			       .st_ino = m->line.inode,
			       .st_uid = uid,
			       .st_size = -1 };
	f = find_file(files, &m->st);
	f = f ? sym_file_again(f) : add_file(files, m, pid, -1);
	if (f)
		tell(files, f, "symbols", m->err);
	return f;
}

static struct sym_file *file_of(struct sym_files *files, struct foreign_mapped *m, uint32_t pid,
				uint32_t uid)
{
	struct sym_file *f;

	if (m->is_vdso) {
		m->st.st_uid = uid; /* who may have written into it */
		return m->err ? NULL : add_vdso(files, m);
	}
	if (m->err == -ENXIO)
		return NULL;
	if (m->err)
		return files->nr < SYM_MAX_FILES ? name_only(files, m, pid, uid) : NULL;
	f = find_file(files, &m->st);
	if (!f && files->nr < SYM_MAX_FILES)
		return add_file(files, m, pid, m->fd);
	close(m->fd);
	return f ? sym_file_again(f) : NULL;
}

void sym_files_get(struct sym_files *files, uint32_t tid, uint32_t uid, struct sym_wanted *wanted,
		   size_t nr)
{
	struct foreign_mapped mapped[OPEN_AT_ONCE];
	size_t part;

	for (; nr; wanted += part, nr -= part) {
		part = min_u64(nr, OPEN_AT_ONCE);
		for (size_t i = 0; i < part; i++)
			mapped[i] = wanted[i].mapped;
		foreign_open(files->foreign, tid, uid, mapped, part);
		for (size_t i = 0; i < part; i++)
			wanted[i].file = file_of(files, &mapped[i], tid, uid);
	}
}

bool sym_file_is_unopened(const struct sym_file *f)
{
	return f->st.st_size < 0;
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
