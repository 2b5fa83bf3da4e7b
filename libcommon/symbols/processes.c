/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/msg.h"
#include "base/number.h"
#include "base/search.h"
#include "base/util.h"
#include "symbols/processes.h"

#define NR_BUCKETS    1024
#define MAX_JIT_BYTES (128u << 20) /* of all processes' perf maps */
#define AGAIN_NS      100000000ull /* between two looks at a process for the sake of an address */
#define JIT_NS	      NSEC_PER_SEC /* between two looks at a perf map when it is remembered */
#define LOOK_SHARE    20	   /* looking takes at most one part in so many of the time */
#define PARTIAL_NS    (5 * NSEC_PER_SEC) /* when not all of it could be read */

struct processes {
	struct process *buckets[NR_BUCKETS];
	struct sym_files *files;
	struct foreign *foreign;
	size_t nr, nr_maps, jit_bytes;
	uint64_t clock; /* counts uses */
	uint32_t images;
};

/* Whether it is time to look again: @pause ns after the last look, or later if that took long. */
static bool is_due(const struct look *l, uint64_t pause)
{
	if (pause < l->took * LOOK_SHARE)
		pause = l->took * LOOK_SHARE;
	return clock_mono_ns() - l->begun >= pause;
}

static void look_begin(struct look *l)
{
	l->begun = clock_mono_ns();
}

static void look_end(struct look *l)
{
	l->took = clock_mono_ns() - l->begun;
}

/* Whether the pid still stands for that process. */
static bool is_same(const struct process *p)
{
	struct process_id id;

	return !process_id_read(p->pid, &id) && id.start_time == p->id.start_time;
}

struct processes *processes_new(struct sym_files *files, struct foreign *foreign)
{
	struct processes *ps = calloc(1, sizeof(*ps));

	if (ps)
		*ps = (struct processes){ .files = files, .foreign = foreign };
	return ps;
}

static void free_maps(struct processes *ps, struct exec_mapping *maps, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		sym_file_put(ps->files, maps[i].file);
	free(maps);
}

static void drop_jit(struct processes *ps, struct process *p)
{
	ps->jit_bytes -= symtab_bytes(&p->jit.table);
	perf_map_free(&p->jit);
}

static void forget(struct processes *ps, struct process *p)
{
	struct process **at = &ps->buckets[p->pid % NR_BUCKETS];

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	ps->nr--;
	ps->nr_maps -= p->nr_maps;
	free_maps(ps, p->maps, p->nr_maps);
	drop_jit(ps, p);
	free(p);
}

void processes_free(struct processes *ps)
{
	size_t i;

	if (!ps)
		return;
	for (i = 0; i < NR_BUCKETS; i++) {
		while (ps->buckets[i])
			forget(ps, ps->buckets[i]);
	}
	free(ps);
}

/* The least recently used process other than @keep; with @jit, of those that have a perf map. */
static struct process *oldest(const struct processes *ps, const struct process *keep, bool jit)
{
	struct process *p, *best = NULL;
	size_t i;

	for (i = 0; i < NR_BUCKETS; i++) {
		for (p = ps->buckets[i]; p; p = p->next) {
			if (p != keep && (!jit || p->jit.table.max) &&
			    (!best || p->used < best->used))
				best = p;
		}
	}
	return best;
}

/* Of all processes' perf maps. */
static size_t max_jit_bytes(const struct processes *ps)
{
	return foreign_max_bytes(ps->foreign) / 2;
}

static void make_room(struct processes *ps, const struct process *keep)
{
	struct process *p;

	while ((ps->nr > MAX_PROCESSES || ps->nr_maps > MAX_ALL_MAPPINGS ||
		sym_files_full(ps->files)) &&
	       (p = oldest(ps, keep, false)))
		forget(ps, p);
	while (ps->jit_bytes > max_jit_bytes(ps) && (p = oldest(ps, keep, true)))
		drop_jit(ps, p);
}

/* A list of mappings under way. */
struct maps_reading {
	struct process *p;
	struct exec_mapping *maps;
	size_t nr, max;
	size_t old;	       /* where in p->maps the same address would be */
	unsigned int nr_files; /* mappings that may have one */
	/* those whose files are wanted, and the places of these mappings in maps */
	struct sym_wanted *wanted;
	size_t *place;
	size_t nr_wanted, max_wanted;
	bool may_jit, is_partial;
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
static struct sym_file *known_file(struct maps_reading *r, const struct mapping_line *m)
{
	const struct process *p = r->p;
	const struct exec_mapping *old;

	while (r->old < p->nr_maps && p->maps[r->old].start < m->start)
		r->old++;
	old = &p->maps[r->old];
	if (r->old == p->nr_maps || !same_mapping(old, m) || !old->file ||
	    sym_file_is_unopened(old->file))
		return NULL;
	return sym_file_again(old->file);
}

/* Notes that the file of the mapping that comes next is to be opened. */
static int want_file(struct maps_reading *r, const struct mapping_line *m)
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
	r->place[r->nr_wanted++] = r->nr;
	return 0;
}

/* The file of a mapping: the one it had when it was read last, or else what will be there. */
static int find_file(struct maps_reading *r, const struct mapping_line *m, struct sym_file **file)
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

static void open_wanted(struct processes *ps, struct maps_reading *r, uint32_t tid)
{
	struct sym_file *f;

	sym_files_get(ps->files, tid, r->p->uid, r->wanted, r->nr_wanted);
	for (size_t i = 0; i < r->nr_wanted; i++) {
		f = r->maps[r->place[i]].file = r->wanted[i].file;
		r->is_partial |= f && sym_file_is_unopened(f);
	}
}

static void forget_wanted(struct maps_reading *r)
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
	struct maps_reading *r = arg;
	struct exec_mapping *more;
	struct sym_file *file;
	int err;

	if (r->nr == MAX_MAPPINGS)
		return 0;
	if (r->nr && m->start < r->maps[r->nr - 1].end) /* the text is of two moments */
		return 0;
	if (r->nr == r->max) {
		r->max = r->max ? r->max * 2 : 16;
		more = realloc(r->maps, r->max * sizeof(*more));
		if (!more)
			return -ENOMEM;
		r->maps = more;
	}
	err = find_file(r, m, &file);
	if (err)
		return err;
	r->may_jit |= is_jit(m);
	r->maps[r->nr++] = (struct exec_mapping){
		.start = m->start,
		.end = m->end,
		.offset = m->inode ? m->offset : 0,
		.inode = m->inode,
		.dev_major = m->dev_major,
		.dev_minor = m->dev_minor,
		.file = file,
		.name = name_of(m),
	};
	return 0;
}

static int by_start(const void *va, const void *vb)
{
	const struct exec_mapping *a = va, *b = vb;

	return a->start < b->start ? -1 : a->start > b->start;
}

/* Moves what was mapped before, and is not overlapped by what is now, to the new list. */
static void keep_old(struct maps_reading *r)
{
	struct process *p = r->p;
	size_t i, now = 0, nr = r->nr;
	struct exec_mapping *more, *old;

	more = realloc(r->maps, (r->nr + p->nr_maps) * sizeof(*more));
	if (!more)
		return;
	r->maps = more;
	for (i = 0; i < p->nr_maps && r->nr < MAX_MAPPINGS; i++) {
		old = &p->maps[i];
		while (now < nr && r->maps[now].end <= old->start)
			now++;
		if (now < nr && r->maps[now].start < old->end)
			continue;
		if (old->file && r->nr_files++ >= SYM_MAX_FILES_OF_ONE)
			continue;
		r->maps[r->nr++] = *old;
		old->file = NULL;
	}
	qsort(r->maps, r->nr, sizeof(*r->maps), by_start);
}

static void tell_jit_unread(struct processes *ps, struct process *p, int err)
{
	char name[32];

	if (p->jit_unread || (err != -EDQUOT && !foreign_is_hopeless(err)))
		return;
	snprintf(name, sizeof(name), "perf map of %u", p->pid);
	foreign_unread(ps->foreign, name, p->pid, p->uid, err);
	p->jit_unread = true;
}

static void look_at_jit(struct processes *ps, struct process *p)
{
	int err;

	look_begin(&p->jit_look);
	ps->jit_bytes -= symtab_bytes(&p->jit.table);
	err = foreign_perf_map(ps->foreign, p->pid, p->id.start_time, p->uid, &p->jit);
	if (err == -E2BIG) /* with what came since: the newest of it, then */
		err = foreign_perf_map(ps->foreign, p->pid, p->id.start_time, p->uid, &p->jit);
	ps->jit_bytes += symtab_bytes(&p->jit.table);
	if (!p->jit_is_last && !is_same(p))
		drop_jit(ps, p);
	look_end(&p->jit_look);
	if (err)
		tell_jit_unread(ps, p, err);
	if (p->jit.is_cut && !p->jit_is_cut)
		note("the perf map of process %u is too large: only its newest symbols are used",
		     p->pid);
	p->jit_is_cut |= p->jit.is_cut;
}

static void tell_unread(struct processes *ps, struct process *p, int err)
{
	p->is_partial = true;
	if (!p->unread)
		foreign_unread(ps->foreign, NULL, p->pid, p->uid, err);
	p->unread = true;
}

static void replace_maps(struct processes *ps, struct process *p, struct maps_reading *r)
{
	keep_old(r);
	ps->nr_maps += r->nr - p->nr_maps;
	free_maps(ps, p->maps, p->nr_maps);
	p->maps = r->maps;
	p->nr_maps = r->nr;
	p->may_jit = r->may_jit;
	p->is_partial = r->is_partial;
}

/* A process that can't be read in time stays known, with what was known of it. */
static int look_at_maps(struct processes *ps, struct process *p)
{
	bool again = p->maps_look.begun;
	struct maps_reading r = { .p = p };
	uint32_t tid;
	int err;

	make_room(ps, p);
	look_begin(&p->maps_look);
	err = foreign_maps(ps->foreign, p->pid, p->uid, again, add_mapping, &r, &tid);
	if (!err)
		open_wanted(ps, &r, tid);
	if (!err && !is_same(p))
		err = -ESRCH;
	look_end(&p->maps_look);
	forget_wanted(&r);
	if (!err) {
		replace_maps(ps, p, &r);
		return 0;
	}
	free_maps(ps, r.maps, r.nr);
	if (err == -EDQUOT && again) { /* later, then */
		p->is_partial = true;
		return 0;
	}
	if (err != -EDQUOT && !foreign_is_hopeless(err))
		return err;
	tell_unread(ps, p, err);
	return 0;
}

static struct process *add_process(struct processes *ps, uint32_t pid, const struct process_id *id)
{
	struct process *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->pid = pid;
	p->image = ++ps->images ?: ++ps->images;
	p->id = *id;
	p->next = ps->buckets[pid % NR_BUCKETS];
	ps->buckets[pid % NR_BUCKETS] = p;
	ps->nr++;
	return p;
}

/* Adds a process that isn't known, or whose pid is known for another one, which stands behind it
 * then. */
static int add_and_look(struct processes *ps, uint32_t pid, const struct process_id *id)
{
	struct process *p = add_process(ps, pid, id);
	char path[32];
	uint64_t uid;
	int err;

	if (!p)
		return -ENOMEM;
	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	err = number_field(path, "Uid", 10, &uid);
	p->uid = uid;
	err = err ? -ESRCH : look_at_maps(ps, p);
	if (err)
		forget(ps, p);
	return err;
}

static bool is_same_program(const struct process_id *a, const struct process_id *b)
{
	struct process_id same_size = *b;

	same_size.vsize = a->vsize;
	return !memcmp(a, &same_size, sizeof(*a));
}

static int look_if_changed(struct processes *ps, struct process *p, const struct process_id *id)
{
	int err;

	/* its heap grows and shrinks all the time: that alone must not cost too much */
	if (p->is_partial ? !is_due(&p->maps_look, PARTIAL_NS)
			  : p->id.vsize == id->vsize || !is_due(&p->maps_look, 0))
		return 0;
	err = look_at_maps(ps, p);
	if (!err)
		p->id = *id;
	return err;
}

int process_remember(struct processes *ps, uint32_t pid)
{
	struct process *p = process_find(ps, pid);
	struct process_id id;
	int err;

	err = process_id_read(pid, &id);
	if (err)
		return err;
	if (p && is_same_program(&p->id, &id))
		err = look_if_changed(ps, p, &id);
	else
		err = add_and_look(ps, pid, &id);
	if (err)
		return err;
	p = process_find(ps, pid);
	if (p->may_jit && is_due(&p->jit_look, JIT_NS))
		look_at_jit(ps, p);
	make_room(ps, p);
	return 0;
}

struct process *process_find(struct processes *ps, uint32_t pid)
{
	struct process *p;

	for (p = ps->buckets[pid % NR_BUCKETS]; p && p->pid != pid; p = p->next)
		;
	if (p)
		p->used = ++ps->clock;
	return p;
}

struct process *process_find_image(struct processes *ps, uint32_t pid, uint32_t image)
{
	struct process *p;

	for (p = ps->buckets[pid % NR_BUCKETS]; p && p->image != image; p = p->next)
		;
	if (p)
		p->used = ++ps->clock;
	return p;
}

const struct exec_mapping *process_mapping(const struct process *p, uint64_t addr)
{
	const struct exec_mapping *m = search_last(p->maps, p->nr_maps, start, addr);

	return m && addr < m->end ? m : NULL;
}

/* The process has ended: once, at what its compiler wrote until then. */
static bool look_at_last_jit(struct processes *ps, struct process *p)
{
	if (p->jit_is_last || !p->may_jit || !p->jit_look.begun)
		return false;
	p->jit_is_last = true;
	look_at_jit(ps, p);
	make_room(ps, p);
	return true;
}

bool process_look_again(struct processes *ps, struct process *p)
{
	bool maps = is_due(&p->maps_look, AGAIN_NS), jit = is_due(&p->jit_look, AGAIN_NS);
	struct process_id id;
	bool looked = false;
	int err;

	if (!maps && !jit)
		return false;
	err = process_id_read(p->pid, &id);
	if (err || !is_same_program(&p->id, &id)) {
		look_begin(&p->maps_look); /* it has ended, or is another program */
		if ((err || id.start_time != p->id.start_time || !id.start_code) &&
		    look_at_last_jit(ps, p))
			return true;
		look_begin(&p->jit_look);
		return false;
	}
	if (maps && !look_at_maps(ps, p)) {
		p->id = id;
		looked = true;
	}
	if (p->may_jit && jit) {
		look_at_jit(ps, p);
		looked = true;
	}
	make_room(ps, p);
	return looked;
}

void processes_stats(const struct processes *ps, struct symbols_stats *stats)
{
	struct process *p;
	size_t i;

	stats->processes = ps->nr;
	stats->mappings = ps->nr_maps;
	stats->bytes += ps->jit_bytes;
	for (i = 0; i < NR_BUCKETS; i++) {
		for (p = ps->buckets[i]; p; p = p->next)
			stats->symbols += p->jit.table.nr;
	}
}
