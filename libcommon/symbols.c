/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "elfsyms.h"
#include "kallsyms.h"
#include "maps.h"
#include "msg.h"
#include "symbols.h"

#define KALLSYMS_AGE 10 /* seconds */

struct file {
	struct file *next;
	dev_t dev;
	ino_t ino;
	int fd, err;
	char *name;
	bool loaded;
	struct elf_syms syms;
};

struct mapping {
	uint64_t start, end, offset;
	struct file *file;
	char name[16];
};

struct process {
	struct process *next;
	uint32_t pid;
	struct process_id id;
	struct mapping *maps;
	size_t nr;
};

struct symbols {
	struct kallsyms kallsyms;
	time_t kallsyms_read; /* 0: not yet */
	struct file *files;
	struct process *processes;
};

static time_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + 1;
}

struct symbols *symbols_new(void)
{
	struct symbols *s = calloc(1, sizeof(*s));

	if (!s)
		error("out of memory");
	return s;
}

static void free_process(struct process *p)
{
	free(p->maps);
	free(p);
}

void symbols_free(struct symbols *s)
{
	if (!s)
		return;
	while (s->processes) {
		struct process *p = s->processes;

		s->processes = p->next;
		free_process(p);
	}
	while (s->files) {
		struct file *f = s->files;

		s->files = f->next;
		if (f->fd >= 0)
			close(f->fd);
		elf_syms_free(&f->syms);
		free(f->name);
		free(f);
	}
	kallsyms_free(&s->kallsyms);
	free(s);
}

static void read_kallsyms(struct symbols *s)
{
	bool first = !s->kallsyms_read;
	struct kallsyms k;
	const char *why;
	int err;

	err = kallsyms_load(&k);
	why = kallsyms_why_not(&k, err);
	if (why && first)
		note("%s", why);
	s->kallsyms_read = now();
	if (err)
		return;
	kallsyms_free(&s->kallsyms);
	s->kallsyms = k;
}

void symbols_kernel(struct symbols *s, uint64_t addr, struct frame_name *name)
{
	bool own_text = addr >= s->kallsyms.text && addr < s->kallsyms.text_end;

	if (!s->kallsyms_read || (!own_text && now() - s->kallsyms_read >= KALLSYMS_AGE))
		read_kallsyms(s);
	kallsyms_find(&s->kallsyms, addr, name);
}

static struct file *file_of(struct symbols *s, uint32_t pid, const struct mapping_line *m)
{
	const char *base = strrchr(m->path, '/');
	char path[128];
	struct stat st;
	struct file *f;

	snprintf(path, sizeof(path), "/proc/%u/map_files/%" PRIx64 "-%" PRIx64, pid, m->start,
		 m->end);
	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return NULL;
	for (f = s->files; f; f = f->next) {
		if (f->dev == st.st_dev && f->ino == st.st_ino)
			return f;
	}
	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	f->name = strdup(base ? base + 1 : m->path);
	f->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	f->next = s->files;
	s->files = f;
	return f;
}

struct reading {
	struct symbols *s;
	struct process *p;
};

static int add_mapping(void *arg, const struct mapping_line *m)
{
	struct reading *r = arg;
	struct mapping *more;

	if (!m->executable)
		return 0;
	more = realloc(r->p->maps, (r->p->nr + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	r->p->maps = more;
	more += r->p->nr++;
	memset(more, 0, sizeof(*more));
	more->start = m->start;
	more->end = m->end;
	more->offset = m->offset;
	if (m->inode)
		more->file = file_of(r->s, r->p->pid, m);
	snprintf(more->name, sizeof(more->name), "%s", m->path[0] == '[' ? m->path : "[anon]");
	return 0;
}

int symbols_remember(struct symbols *s, uint32_t pid)
{
	struct process **at, *p, *old = NULL;
	struct reading r = { .s = s };
	struct process_id id;
	char path[64];
	FILE *f;
	int err;

	err = process_id_read(pid, &id);
	if (err)
		return err;
	for (at = &s->processes; *at; at = &(*at)->next) {
		if ((*at)->pid == pid) {
			old = *at;
			break;
		}
	}
	if (old && !memcmp(&old->id, &id, sizeof(id)))
		return 0;
	snprintf(path, sizeof(path), "/proc/%u/maps", pid);
	f = fopen(path, "re");
	if (!f)
		return errno == ENOENT ? -ESRCH : -errno;
	p = r.p = calloc(1, sizeof(*p));
	if (!p) {
		fclose(f);
		return -ENOMEM;
	}
	p->pid = pid;
	p->id = id;
	err = maps_each(f, add_mapping, &r);
	fclose(f);
	if (!p->nr) {
		free_process(p);
		return err ? err : -ESRCH;
	}
	if (old) {
		*at = old->next;
		free_process(old);
	}
	p->next = s->processes;
	s->processes = p;
	return 0;
}

static void name_in_file(struct file *f, uint64_t offset, struct frame_name *name)
{
	const struct symbol *sym;

	if (!f->loaded) {
		f->loaded = true;
		f->err = f->fd < 0 ? -ENOENT : elf_syms_load(&f->syms, f->fd);
		if (f->fd >= 0)
			close(f->fd);
		f->fd = -1;
	}
	name->module = f->name;
	name->module_offset = offset;
	if (!elf_syms_vaddr(&f->syms, offset, &name->module_offset))
		return;
	sym = symtab_find(&f->syms.table, name->module_offset);
	if (!sym)
		return;
	name->function = symtab_name(&f->syms.table, sym);
	name->offset = name->module_offset - sym->addr;
}

void symbols_user(struct symbols *s, uint32_t pid, uint64_t addr, struct frame_name *name)
{
	struct process *p;
	size_t i;

	*name = (struct frame_name){ .module_offset = addr };
	for (p = s->processes; p && p->pid != pid; p = p->next)
		;
	if (!p) {
		if (symbols_remember(s, pid))
			return;
		p = s->processes;
	}
	for (i = 0; i < p->nr; i++) {
		struct mapping *m = &p->maps[i];

		if (addr < m->start || addr >= m->end)
			continue;
		if (m->file)
			name_in_file(m->file, addr - m->start + m->offset, name);
		else
			name->module = m->name;
		return;
	}
}

void symbols_build_id(struct symbols *s, const unsigned char id[20], uint64_t file_offset,
		      struct frame_name *name)
{
	*name = (struct frame_name){ .module_offset = file_offset };
}

const char *symbols_frame_text(const struct frame_name *name, char *buf, size_t size)
{
	size_t brackets;

	if (name->function) {
		snprintf(buf, size, "%s", name->function);
	} else if (name->module) {
		brackets = name->module[0] == '[';
		snprintf(buf, size, "[%.*s+0x%" PRIx64 "]",
			 (int)(strlen(name->module) - 2 * brackets), name->module + brackets,
			 name->module_offset);
	} else {
		snprintf(buf, size, "[unknown]");
	}
	return buf;
}

void symbols_stats(const struct symbols *s, struct symbols_stats *stats)
{
	const struct process *p;

	memset(stats, 0, sizeof(*stats));
	for (p = s->processes; p; p = p->next)
		stats->processes++;
}
