/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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
#define REMEMBER_NS   NSEC_PER_SEC /* between two samples for which /proc is asked */
#define NR_GONE	      1024
#define NR_RECENT     1024
#define RECENT_OF_ONE 64		 /* process */
#define LOOK_SHARE    20		 /* looking takes at most one part in so many of the time */
#define PARTIAL_NS    (5 * NSEC_PER_SEC) /* when not all of it could be read */

/* A program that was not there any more when its first sample came: it never comes back. */
struct gone {
	uint32_t pid;
	struct task_image seen;
};

/* What was mapped of late, by whomever: a process that is new may have done so before we look. */
struct recent {
	uint32_t pid;
	uint64_t ts, start, end;
};

struct processes {
	struct process *buckets[NR_BUCKETS];
	struct sym_files *files;
	struct foreign *foreign;
	size_t nr, nr_maps, jit_bytes;
	uint64_t clock; /* counts uses */
	uint32_t images;
	struct gone gone[NR_GONE];
	struct recent recent[NR_RECENT];
	uint64_t nr_recent; /* all that came */
	void (*drain)(void *arg);
	void *drain_arg;
	uint64_t born; /* ns since boot */
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

static bool is_same_program(const struct process_id *a, const struct process_id *b)
{
	struct process_id same_size = *b;

	same_size.vsize = a->vsize;
	return !memcmp(a, &same_size, sizeof(*a));
}

/* Whether the pid still stands for that process, and the process for that program. */
static bool is_same(const struct process *p)
{
	struct process_id id;

	return !process_id_read(p->pid, &id) && is_same_program(&p->id, &id);
}

struct processes *processes_new(struct sym_files *files, struct foreign *foreign)
{
	struct processes *ps = calloc(1, sizeof(*ps));

	if (ps)
		*ps = (struct processes){ .files = files,
					  .foreign = foreign,
					  .born = clock_now_ns(CLOCK_BOOTTIME) };
	return ps;
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
	ps->nr_maps -= p->mapped.nr;
	mappings_free(&p->mapped, ps->files);
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
	if (err == -ESTALE && !p->jit_is_old)
		note("the perf map of process %u is older than the process: it is not used",
		     p->pid);
	p->jit_is_old |= err == -ESTALE;
	p->jit_is_cut |= p->jit.is_cut;
}

static void tell_unread(struct processes *ps, struct process *p, int err)
{
	p->mapped.is_partial = true;
	if (!p->unread)
		foreign_unread(ps->foreign, NULL, p->pid, p->uid, err);
	p->unread = true;
}

static struct process *add_process(struct processes *ps, uint32_t pid, const struct process_id *id)
{
	struct process *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->pid = pid;
	p->image = ++ps->images ?: ++ps->images;
	p->id = *id;
	p->used = ++ps->clock;
	p->next = ps->buckets[pid % NR_BUCKETS];
	ps->buckets[pid % NR_BUCKETS] = p;
	ps->nr++;
	return p;
}

/* @now is used up. */
static void replace_maps(struct processes *ps, struct process *p, struct mappings *now)
{
	mappings_keep(now, &p->mapped);
	ps->nr_maps += now->nr - p->mapped.nr;
	mappings_free(&p->mapped, ps->files);
	p->mapped = *now;
	p->is_behind = false;
	if (p->until && p->until != p->replaced)
		p->since = p->replaced; /* what was there in between is not known */
	p->until = 0;
}

/* What was read is of the time from @p->maps_look on, or from the last time that code was replaced,
 * if that was told; what was known is good up to the first time, or @valid. */
static void add_version(struct processes *ps, struct process *p, struct mappings *now,
			uint64_t valid)
{
	struct process *new = add_process(ps, p->pid, &p->id);

	if (!new) {
		mappings_free(now, ps->files);
		return;
	}
	new->seen = p->seen;
	new->uid = p->uid;
	new->unread = p->unread;
	new->maps_look = p->maps_look;
	new->read = p->read;
	new->first_look_end = p->first_look_end;
	new->remembered = p->remembered;
	new->is_sure = p->is_sure;
	new->since = p->until ? p->replaced : p->maps_look.begun;
	if (!p->until)
		p->until = valid;
	p->is_behind = false;
	replace_maps(ps, new, now);
}

/* A process that can't be read in time stays known, with what was known of it. */
static int look_at_maps(struct processes *ps, struct process *p)
{
	uint64_t valid = p->read;
	const struct mappings_of of = {
		.pid = p->pid, .uid = p->uid, .again = valid, .anew = p->until
	};
	struct mappings now;
	int err;

	make_room(ps, p);
	look_begin(&p->maps_look);
	err = mappings_read(&now, ps->files, ps->foreign, &of, &p->mapped);
	if (!err && !is_same(p)) {
		mappings_free(&now, ps->files);
		err = -ESRCH;
	}
	look_end(&p->maps_look);
	if (ps->drain)
		ps->drain(ps->drain_arg);
	if (!err && p->until && p->replaced >= p->maps_look.begun) {
		mappings_free(&now, ps->files); /* of before or after that: another time */
		return 0;
	}
	p->read = p->maps_look.begun;
	if (!err && mappings_replaced(&p->mapped, &now))
		add_version(ps, p, &now, valid);
	else if (!err)
		replace_maps(ps, p, &now);
	if (!err)
		return 0;
	if (err == -EDQUOT && of.again) { /* later, then */
		p->mapped.is_partial = true;
		return 0;
	}
	if (err != -EDQUOT && !foreign_is_hopeless(err))
		return err;
	tell_unread(ps, p, err);
	return 0;
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
	p->first_look_end = clock_mono_ns();
	if (err)
		forget(ps, p);
	return err;
}

static int look_if_changed(struct processes *ps, struct process *p, const struct process_id *id)
{
	int err;

	/* its heap grows and shrinks all the time: that alone must not cost too much */
	if (p->mapped.is_partial ? !is_due(&p->maps_look, PARTIAL_NS)
				 : p->id.vsize == id->vsize || !is_due(&p->maps_look, 0))
		return 0;
	err = look_at_maps(ps, p);
	if (!err)
		p->id = *id;
	return err;
}

static void look_if_jit(struct processes *ps, struct process *p)
{
	if (p->mapped.may_jit && is_due(&p->jit_look, JIT_NS))
		look_at_jit(ps, p);
	make_room(ps, p);
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
	look_if_jit(ps, process_find(ps, pid));
	return 0;
}

/* --- by what a sample says of its program ------------------------------------------------- */

static bool is_seen(const struct task_image *a, const struct task_image *b)
{
	return a->generation == b->generation && a->layout == b->layout;
}

/* The one that is good for a sample of @ts. */
static struct process *find_seen(struct processes *ps, uint32_t pid, const struct task_image *im,
				 uint64_t ts)
{
	struct process *p;

	for (p = ps->buckets[pid % NR_BUCKETS]; p; p = p->next)
		if (p->pid == pid && is_seen(&p->seen, im) && ts >= p->since &&
		    (!p->until || ts < p->until))
			break;
	if (p)
		p->used = ++ps->clock;
	return p;
}

/* The newest one of the program, which is brought up to date if it is behind. NULL: none is known.
 */
static struct process *newest_seen(struct processes *ps, uint32_t pid, const struct task_image *im)
{
	struct process *p;
	struct process_id id;

	for (p = ps->buckets[pid % NR_BUCKETS]; p; p = p->next)
		if (p->pid == pid && is_seen(&p->seen, im))
			break;
	if (!p || (!p->until && !p->is_behind) || !is_due(&p->maps_look, 0))
		return p;
	if (process_id_read(pid, &id) || !is_same_program(&p->id, &id))
		p->is_behind = false; /* what it has mapped will never be known */
	else
		look_at_maps(ps, p);
	return p;
}

/* Whether [@start, @end) has code that is known in it. */
static bool is_over_code(const struct process *p, uint64_t start, uint64_t end)
{
	const struct exec_mapping *m = search_last(p->mapped.maps, p->mapped.nr, start, end - 1);

	for (; m && m >= p->mapped.maps && m->end > start; m--)
		if (!m->is_memfd)
			return true;
	return false;
}

void process_mapped(struct processes *ps, uint32_t pid, uint64_t ts, uint64_t start, uint64_t end)
{
	struct process *p;

	for (p = ps->buckets[pid % NR_BUCKETS]; p && p->pid != pid; p = p->next)
		;
	ps->recent[ps->nr_recent++ % NR_RECENT] = (struct recent){ pid, ts, start, end };
	if (!p || ts <= p->read)
		return;
	p->is_behind = true;
	if (!is_over_code(p, start, end))
		return;
	if (!p->until)
		p->until = ts;
	p->replaced = ts;
}

void processes_set_drain(struct processes *ps, void (*drain)(void *arg), void *arg)
{
	ps->drain = drain;
	ps->drain_arg = arg;
}

void processes_mapped_lost(struct processes *ps)
{
	for (size_t i = 0; i < NR_BUCKETS; i++)
		for (struct process *p = ps->buckets[i]; p; p = p->next)
			p->is_behind = true;
}

static bool has_layout(const struct process_id *id, const struct task_image *im)
{
	return task_layout(id->start_code, id->end_code, id->start_stack) == im->layout;
}

static struct gone *gone_of(struct processes *ps, uint32_t pid, const struct task_image *im)
{
	return &ps->gone[(pid ^ im->layout) % NR_GONE];
}

static uint32_t note_gone(struct processes *ps, uint32_t pid, const struct task_image *im)
{
	*gone_of(ps, pid, im) = (struct gone){ .pid = pid, .seen = *im };
	return PROCESS_GONE;
}

/*
 * The process @pid is now another program than @p, or @p's pid stands for another process, and
 * /proc cannot tell the two apart: their addresses are not random. If no sample of @p is younger
 * than what was read of it, that may have been the other one's.
 */
static void forget_unsure(struct processes *ps, uint32_t pid, const struct task_image *im)
{
	struct process *p, *next;

	for (p = ps->buckets[pid % NR_BUCKETS]; p; p = next) {
		next = p->next;
		if (p->pid != pid || p->is_sure || !p->seen.generation ||
		    p->seen.generation == im->generation || p->seen.layout != im->layout)
			continue;
		note_gone(ps, pid, &p->seen);
		forget(ps, p);
	}
}

static bool overlap(const struct recent *a, const struct recent *b)
{
	return a->start < b->end && b->start < a->end;
}

/*
 * From when on the process has what was read at the first look: the last time that code took the
 * place of other code. What an older process than we had before is not known; there it is the last
 * time that it has mapped any.
 */
static uint64_t first_since(const struct processes *ps, const struct process *p)
{
	bool is_older = process_born_ns(p->id.start_time) < ps->born;
	const struct recent *of_it[RECENT_OF_ONE];
	size_t nr = 0, all = min_u64(ps->nr_recent, NR_RECENT);

	for (size_t i = 1; i <= all && nr < RECENT_OF_ONE; i++) {
		const struct recent *r = &ps->recent[(ps->nr_recent - i) % NR_RECENT];

		if (r->pid == p->pid)
			of_it[nr++] = r;
	}
	for (size_t i = 0; i < nr; i++) {
		if (is_older)
			return of_it[i]->ts;
		for (size_t k = i + 1; k < nr; k++)
			if (overlap(of_it[i], of_it[k]))
				return of_it[i]->ts;
	}
	return 0;
}

/* Looks at the program that a first sample has come of, if it is still there. */
static struct process *add_seen(struct processes *ps, uint32_t pid, const struct task_image *im)
{
	struct process_id id;
	struct process *p;

	if (process_id_read(pid, &id) || !has_layout(&id, im))
		return NULL;
	forget_unsure(ps, pid, im);
	p = process_find(ps, pid);
	if (!p || p->seen.generation || !is_same_program(&p->id, &id)) {
		if (add_and_look(ps, pid, &id))
			return NULL;
		p = process_find(ps, pid);
		p->since = first_since(ps, p);
	}
	p->seen = *im;
	return p;
}

static void look_at_known(struct processes *ps, struct process *p)
{
	struct process_id id;

	if (p->until || process_id_read(p->pid, &id) || !is_same_program(&p->id, &id))
		return;
	if (!look_if_changed(ps, p, &id))
		look_if_jit(ps, p);
}

uint32_t process_remember_image(struct processes *ps, uint32_t pid, const struct task_image *im,
				uint64_t ts, bool again)
{
	const struct gone *g = gone_of(ps, pid, im);
	bool is_known = newest_seen(ps, pid, im);
	struct process *p = find_seen(ps, pid, im, ts);

	if (!p && is_known)
		return PROCESS_GONE; /* it is about code that may have been another's */
	if (p && (again || ts - p->remembered >= REMEMBER_NS)) {
		p->remembered = ts;
		look_at_known(ps, p);
	} else if (!p) {
		if (g->pid == pid && is_seen(&g->seen, im))
			return PROCESS_GONE;
		p = add_seen(ps, pid, im);
		if (!p)
			return note_gone(ps, pid, im);
		if (ts < p->since)
			return PROCESS_GONE;
		p->remembered = ts;
		look_if_jit(ps, p);
	}
	p->is_sure |= ts > p->first_look_end;
	return p->image;
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

	for (p = ps->buckets[pid % NR_BUCKETS]; p && (p->pid != pid || p->image != image);
	     p = p->next)
		;
	if (p)
		p->used = ++ps->clock;
	return p;
}

const struct exec_mapping *process_mapping(const struct process *p, uint64_t addr)
{
	const struct exec_mapping *m = search_last(p->mapped.maps, p->mapped.nr, start, addr);

	return m && addr < m->end ? m : NULL;
}

/* The process has ended: once, at what its compiler wrote until then. */
static bool look_at_last_jit(struct processes *ps, struct process *p)
{
	if (p->jit_is_last || !p->mapped.may_jit || !p->jit_look.begun)
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

	if (p->until || (!maps && !jit))
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
	if (p->mapped.may_jit && jit) {
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
