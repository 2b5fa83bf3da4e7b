/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "symbols/mappings.h"

/* A list of mappings under way. */
struct reading {
	const struct mappings_of *of;
	const struct mappings *old;
	struct mappings now;
	size_t max;
	size_t at;	       /* where in old the same address would be */
	unsigned int nr_files; /* mappings that may have one */
	/* those whose files are wanted, and the places of these mappings in maps */
	struct sym_wanted *wanted;
	size_t *place;
	size_t nr_wanted, max_wanted;
};

static const char *name_of(const struct mapping_line *m)
{
	static const char *const names[] = { "[vdso]", "[vsyscall]", "[uprobes]", "[stack]",
					     "[heap]" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(m->path, names[i]))
			return names[i];
	}
	return "[anon]";
}

static bool same_mapping(const struct exec_mapping *old, const struct mapping_line *m)
{
	return old->start == m->start && old->end == m->end && old->offset == m->offset &&
	       old->inode == m->inode && old->dev_major == m->dev_major &&
	       old->dev_minor == m->dev_minor;
}

/* The file that a mapping had when it was read last, if that could be opened. */
static struct sym_file *known_file(struct reading *r, const struct mapping_line *m)
{
	const struct exec_mapping *old;

	if (r->of->anew)
		return NULL;
	while (r->at < r->old->nr && r->old->maps[r->at].start < m->start)
		r->at++;
	old = &r->old->maps[r->at];
	if (r->at == r->old->nr || !same_mapping(old, m) || !old->file ||
	    sym_file_is_unopened(old->file))
		return NULL;
	return sym_file_again(old->file);
}

/* Notes that the file of the mapping that comes next is to be opened. */
static int want_file(struct reading *r, const struct mapping_line *m)
{
	struct sym_wanted *more;
	size_t *places;
	char *path = strdup(m->path);

	if (!path)
		return -ENOMEM;
	if (r->nr_wanted == r->max_wanted) {
		r->max_wanted = r->max_wanted ? r->max_wanted * 2 : 16;
		more = realloc(r->wanted, r->max_wanted * sizeof(*more));
		if (more)
			r->wanted = more;
		places = realloc(r->place, r->max_wanted * sizeof(*places));
		if (places)
			r->place = places;
		if (!more || !places) {
			free(path);
			return -ENOMEM;
		}
	}
	r->wanted[r->nr_wanted] = (struct sym_wanted){ .mapped = { .line = *m } };
	r->wanted[r->nr_wanted].mapped.line.path = path;
	r->wanted[r->nr_wanted].mapped.is_vdso = !m->inode;
	r->place[r->nr_wanted++] = r->now.nr;
	return 0;
}

/* The file of a mapping: the one it had when it was read last, or else what will be there. */
static int find_file(struct reading *r, const struct mapping_line *m, struct sym_file **file)
{
	*file = NULL;
	if (r->nr_files >= SYM_MAX_FILES_OF_ONE)
		return 0;
	r->nr_files += m->inode != 0;
	*file = known_file(r, m);
	if (*file || (!m->inode && strcmp(m->path, "[vdso]")))
		return 0;
	return want_file(r, m);
}

static void open_wanted(struct sym_files *files, struct reading *r, uint32_t tid)
{
	struct sym_file *f;

	sym_files_get(files, tid, r->of->uid, r->wanted, r->nr_wanted);
	for (size_t i = 0; i < r->nr_wanted; i++) {
		f = r->now.maps[r->place[i]].file = r->wanted[i].file;
		r->now.is_partial |= f && sym_file_is_unopened(f);
	}
}

static void forget_wanted(struct reading *r)
{
	for (size_t i = 0; i < r->nr_wanted; i++)
		free((char *)r->wanted[i].mapped.line.path);
	free(r->wanted);
	free(r->place);
}

/* Whether code in it may have been made while the process runs. */
static bool is_jit(const struct mapping_line *m)
{
	return m->deleted || m->changes ||
	       (!m->inode && strcmp(m->path, "[vdso]") && strcmp(m->path, "[vsyscall]") &&
		strcmp(m->path, "[uprobes]"));
}

static int add_mapping(void *arg, const struct mapping_line *m)
{
	struct reading *r = arg;
	struct exec_mapping *more;
	struct sym_file *file;
	int err;

	if (r->now.nr == MAX_MAPPINGS)
		return 0;
	if (r->now.nr && m->start < r->now.maps[r->now.nr - 1].end) /* the text is of two moments */
		return 0;
	if (r->now.nr == r->max) {
		r->max = r->max ? r->max * 2 : 16;
		more = realloc(r->now.maps, r->max * sizeof(*more));
		if (!more)
			return -ENOMEM;
		r->now.maps = more;
	}
	err = find_file(r, m, &file);
	if (err)
		return err;
	r->now.may_jit |= is_jit(m);
	r->now.maps[r->now.nr++] = (struct exec_mapping){
		.start = m->start,
		.end = m->end,
		.offset = m->inode ? m->offset : 0,
		.inode = m->inode,
		.dev_major = m->dev_major,
		.dev_minor = m->dev_minor,
		.file = file,
		.name = name_of(m),
		.is_memfd = !strncmp(m->path, "/memfd:", strlen("/memfd:")),
	};
	return 0;
}

static int by_start(const void *va, const void *vb)
{
	const struct exec_mapping *a = va, *b = vb;

	return a->start < b->start ? -1 : a->start > b->start;
}

/* Whether both, which overlap, are the same code, as far as that can be told. */
static bool is_same_code(const struct exec_mapping *a, const struct exec_mapping *b)
{
	if (a->is_memfd || b->is_memfd)
		return true;
	if (!a->file || !b->file)
		return a->file == b->file;
	if (sym_file_is_unopened(a->file) || sym_file_is_unopened(b->file))
		return true;
	return a->file == b->file && a->offset - a->start == b->offset - b->start;
}

bool mappings_replaced(const struct mappings *old, const struct mappings *now)
{
	size_t from = 0;

	for (size_t i = 0; i < old->nr; i++) {
		const struct exec_mapping *m = &old->maps[i];

		while (from < now->nr && now->maps[from].end <= m->start)
			from++;
		for (size_t k = from; k < now->nr && now->maps[k].start < m->end; k++)
			if (!is_same_code(m, &now->maps[k]))
				return true;
	}
	return false;
}

void mappings_keep(struct mappings *now, const struct mappings *old)
{
	size_t at = 0, nr = now->nr, nr_files = 0;
	struct exec_mapping *more = realloc(now->maps, (nr + old->nr) * sizeof(*more));

	if (!more)
		return;
	now->maps = more;
	for (size_t i = 0; i < nr; i++)
		nr_files += !!more[i].file;
	for (size_t i = 0; i < old->nr && now->nr < MAX_MAPPINGS; i++) {
		const struct exec_mapping *m = &old->maps[i];

		while (at < nr && more[at].end <= m->start)
			at++;
		if (at < nr && more[at].start < m->end)
			continue;
		if (m->file && nr_files++ >= SYM_MAX_FILES_OF_ONE)
			continue;
		more[now->nr++] = *m;
		if (m->file)
			sym_file_again(m->file);
	}
	qsort(now->maps, now->nr, sizeof(*now->maps), by_start);
}

int mappings_read(struct mappings *now, struct sym_files *files, struct foreign *foreign,
		  const struct mappings_of *of, const struct mappings *old)
{
	struct reading r = { .of = of, .old = old };
	uint32_t tid;
	int err;

	err = foreign_maps(foreign, of->pid, of->uid, of->again, add_mapping, &r, &tid);
	if (!err)
		open_wanted(files, &r, tid);
	else
		mappings_free(&r.now, files);
	forget_wanted(&r);
	*now = r.now;
	return err;
}

void mappings_free(struct mappings *m, struct sym_files *files)
{
	for (size_t i = 0; i < m->nr; i++)
		sym_file_put(files, m->maps[i].file);
	free(m->maps);
	*m = (struct mappings){ 0 };
}
