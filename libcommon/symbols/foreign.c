/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/clock.h"
#include "base/msg.h"
#include "base/number.h"
#include "base/util.h"
#include "base/worker.h"
#include "symbols/accounts.h"
#include "symbols/foreign.h"
#include "symbols/foreign_wire.h"
#include "symbols/sealed.h"

#define MEMORY_SHARE 8 /* of the machine's: one part in so many */
#define MAX_USERS    16
#define MAX_UNDEAD   16 /* workers that can't die: nothing is done any more for others than root */
/* A worker that waits most of the time is charged this part of it. */
#define WAIT_SHARE 4

/* Rows wait for these; 60,000 mappings take 30 ms. */
static const struct worker_limits look_limits = {
	.stall_ns = 200 * NSEC_PER_MSEC,
	.cpu_ns = 1 * NSEC_PER_SEC,
	.wall_ns = 2 * NSEC_PER_SEC,
};
/* For a large honest file: Debian's largest debug files take 1 s. */
static const struct worker_limits file_limits = {
	.stall_ns = 500 * NSEC_PER_MSEC,
	.cpu_ns = 3 * NSEC_PER_SEC,
	.wall_ns = 5 * NSEC_PER_SEC, /* also where others want the CPUs */
};
static const struct worker_limits root_file_limits = {
	.stall_ns = 1000 * NSEC_PER_MSEC,
	.cpu_ns = 30 * NSEC_PER_SEC,
	.wall_ns = 60 * NSEC_PER_SEC,
};

/* What was not read, of files or of processes. */
struct unread {
	uint64_t nr;
	char name[256], why[32]; /* of the first */
	uint32_t uids[MAX_USERS];
	unsigned int nr_uids;
};

struct foreign {
	struct worker *worker;
	struct accounts accounts;
	struct unread files, processes;
	size_t max_bytes;
	char message[WORKER_MAX_MESSAGE];
};

static size_t memory_limit(void)
{
	uint64_t all = (uint64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
	uint64_t most = min_u64(all, cgroup_memory_limit()) / MEMORY_SHARE;

	return min_u64(most, FOREIGN_MAX_BYTES);
}

struct foreign *foreign_new(void)
{
	struct foreign *fo = calloc(1, sizeof(*fo));

	if (!fo)
		return NULL;
	fo->worker = worker_new(foreign_serve);
	if (!fo->worker) {
		free(fo);
		return NULL;
	}
	fo->max_bytes = memory_limit();
	accounts_init(&fo->accounts, clock_mono_ns());
	return fo;
}

void foreign_free(struct foreign *fo)
{
	if (!fo)
		return;
	worker_free(fo->worker);
	free(fo);
}

size_t foreign_max_bytes(const struct foreign *fo)
{
	return fo->max_bytes;
}

bool foreign_is_hopeless(int err)
{
	return err == -ETIMEDOUT || err == -ETIME || err == -ENOMEM || err == -EFBIG ||
	       err == -EPIPE;
}

/* --- one job ------------------------------------------------------------------------------ */

static bool is_allowed(struct foreign *fo, uint32_t uid, enum account_kind kind)
{
	if (uid && workers_undead() >= MAX_UNDEAD)
		return false;
	return accounts_allow(&fo->accounts, uid, kind, clock_mono_ns());
}

static int ask(struct foreign *fo, struct worker_limits limits, size_t len, int fd)
{
	limits.bytes = fo->max_bytes;
	return worker_ask(fo->worker, &limits, fo->message, len, fd);
}

/* @err: how the job ended. A wait for a CPU is not the user's fault, a file that comes slowly may
 * be. */
static void charge(struct foreign *fo, uint32_t uid, enum account_kind kind, int err)
{
	struct worker_use use = worker_used(fo->worker);
	uint64_t ns = use.wall_ns / WAIT_SHARE;

	if (ns < use.cpu_ns)
		ns = use.cpu_ns;
	if (err == -ETIMEDOUT)
		ns = use.wall_ns;
	accounts_charge(&fo->accounts, uid, kind, ns, clock_mono_ns());
}

static void charge_device(struct foreign *fo, dev_t dev, int err)
{
	if (err == -ETIMEDOUT)
		accounts_stalled(&fo->accounts, dev, worker_used(fo->worker).wall_ns,
				 worker_last_killed(fo->worker), clock_mono_ns());
}

/* The one answer of a job that has one. */
static int take_answer(struct foreign *fo, void *answer, size_t size, int *fd)
{
	int fds[WORKER_MAX_FDS];
	unsigned int nr;
	ssize_t n = worker_answer(fo->worker, answer, size, fds, &nr);

	*fd = nr ? fds[0] : -1;
	while (nr > 1)
		close(fds[--nr]);
	if (n < 0)
		return n;
	if ((size_t)n == size)
		return 0;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return -EPIPE;
}

/* --- maps --------------------------------------------------------------------------------- */

/* Returns 1 at the end, with its *err. */
static int take_mappings(const char *text, size_t len,
			 int (*each)(void *arg, const struct mapping_line *line), void *arg,
			 uint32_t *tid, int *err)
{
	while (len >= sizeof(struct foreign_mapping)) {
		struct mapping_line line = { .executable = true };
		struct foreign_mapping m;

		memcpy(&m, text, sizeof(m));
		text += sizeof(m);
		len -= sizeof(m);
		if (m.kind == FOREIGN_END) {
			*tid = m.tid;
			*err = m.err;
			return 1;
		}
		if (!m.path || m.path > len || text[m.path - 1] || m.end <= m.start)
			return -EPIPE;
		line.start = m.start;
		line.end = m.end;
		line.offset = m.offset;
		line.inode = m.inode;
		line.dev_major = m.dev_major;
		line.dev_minor = m.dev_minor;
		line.deleted = m.is_deleted;
		line.changes = m.changes;
		line.path = text;
		*err = each(arg, &line);
		if (*err < 0)
			return *err;
		text += m.path;
		len -= m.path;
	}
	return 0;
}

int foreign_maps(struct foreign *fo, uint32_t pid, uint32_t uid, bool again,
		 int (*each)(void *arg, const struct mapping_line *line), void *arg, uint32_t *tid)
{
	struct foreign_request r = { .job = FOREIGN_MAPS, .pid = pid };
	enum account_kind kind = again ? ACCOUNT_LOOKS : ACCOUNT_FILES;
	int fds[WORKER_MAX_FDS], err, done = 0;
	unsigned int nr;

	*tid = pid;
	if (!is_allowed(fo, uid, kind))
		return -EDQUOT;
	memcpy(fo->message, &r, sizeof(r));
	err = ask(fo, look_limits, sizeof(r), -1);
	while (!err && !done) {
		ssize_t n = worker_answer(fo->worker, fo->message, sizeof(fo->message), fds, &nr);

		err = n < 0 ? n : 0;
		if (n > 0)
			done = take_mappings(fo->message, n, each, arg, tid, &err);
		if (done < 0) {
			worker_stop(fo->worker); /* what it still says nobody hears */
			err = done;
		}
	}
	charge(fo, uid, kind, err);
	return err;
}

/* --- open --------------------------------------------------------------------------------- */

static dev_t device_of(const struct foreign_mapped *m)
{
	return makedev(m->line.dev_major, m->line.dev_minor);
}

/* Puts those that have no outcome yet into a request, as many as one may have. Returns its length,
 * and their numbers in @which. */
static size_t pack_places(struct foreign *fo, uint32_t tid, const struct foreign_mapped *mapped,
			  size_t nr, size_t *which, uint32_t *nr_which)
{
	struct foreign_request r = { .job = FOREIGN_OPEN, .pid = tid };
	size_t len = sizeof(r);

	for (size_t i = 0; i < nr && r.nr < WORKER_MAX_FDS; i++) {
		const struct mapping_line *line = &mapped[i].line;
		struct foreign_place p = {
			.start = line->start,
			.end = line->end,
			.inode = line->inode,
			.is_vdso = mapped[i].is_vdso,
			.is_deleted = line->deleted,
			.path = strlen(line->path) + 1,
		};

		if (mapped[i].err != -EINPROGRESS)
			continue;
		if (len + sizeof(p) + p.path > sizeof(fo->message))
			break;
		memcpy(fo->message + len, &p, sizeof(p));
		memcpy(fo->message + len + sizeof(p), line->path, p.path);
		len += sizeof(p) + p.path;
		which[r.nr++] = i;
	}
	*nr_which = r.nr;
	memcpy(fo->message, &r, sizeof(r));
	return r.nr ? len : 0;
}

static int take_opened(struct foreign *fo, struct foreign_mapped *mapped, const size_t *which,
		       uint32_t nr_which)
{
	struct foreign_opened opened[WORKER_MAX_FDS];
	int fds[WORKER_MAX_FDS];
	unsigned int nr, used = 0;
	ssize_t n = worker_answer(fo->worker, opened, sizeof(opened), fds, &nr);

	if (n >= 0 && (size_t)n != nr_which * sizeof(*opened))
		n = -EPIPE;
	for (uint32_t i = 0; n > 0 && i < nr_which; i++) {
		struct foreign_mapped *m = &mapped[which[i]];

		m->err = opened[i].err;
		m->st = opened[i].st;
		if (m->err)
			continue;
		if (used < nr)
			m->fd = fds[used++];
		else
			m->err = -EMFILE; /* of ours, there is none left */
	}
	while (used < nr)
		close(fds[used++]);
	return n < 0 ? n : 0;
}

void foreign_open(struct foreign *fo, uint32_t tid, uint32_t uid, struct foreign_mapped *mapped,
		  size_t nr)
{
	size_t which[WORKER_MAX_FDS], len;
	uint32_t nr_which, at;
	int err;

	for (size_t i = 0; i < nr; i++) {
		mapped[i].fd = -1;
		mapped[i].err =
			accounts_is_stalled(&fo->accounts, device_of(&mapped[i]), clock_mono_ns())
				? -EDQUOT
				: -EINPROGRESS;
	}
	while ((len = pack_places(fo, tid, mapped, nr, which, &nr_which))) {
		err = is_allowed(fo, uid, ACCOUNT_FILES) ? ask(fo, look_limits, len, -1) : -EDQUOT;
		if (!err)
			err = take_opened(fo, mapped, which, nr_which);
		if (err != -EDQUOT)
			charge(fo, uid, ACCOUNT_FILES, err);
		if (!err)
			continue;
		/* the one it was at is to blame, and its file system: the others once more */
		at = worker_at(fo->worker);
		if (err == -EDQUOT || at >= nr_which)
			at = 0;
		charge_device(fo, device_of(&mapped[which[at]]), err);
		mapped[which[at]].err = err;
		for (uint32_t i = 0; i < nr_which; i++) {
			struct foreign_mapped *m = &mapped[which[i]];

			if (err == -EDQUOT || (m->err == -EINPROGRESS && err == -ETIMEDOUT &&
					       device_of(m) == device_of(&mapped[which[at]])))
				m->err = err;
		}
	}
}

/* --- tables ------------------------------------------------------------------------------- */

/* Whose account a file is on; root's and our own need none. */
static uint32_t payer(const struct foreign_file *f)
{
	return f->st.st_uid == geteuid() ? 0 : f->st.st_uid;
}

static int ask_for_file(struct foreign *fo, const struct foreign_file *f, enum foreign_job job)
{
	struct foreign_request r = {
		.job = job,
		.pid = f->pid,
		.path = strlen(f->path) + 1,
		.max = fo->max_bytes,
		.st = f->st,
		.start = f->start,
		.end = f->end,
	};

	if (r.path > sizeof(fo->message) - sizeof(r))
		return -ENAMETOOLONG;
	if (accounts_is_stalled(&fo->accounts, f->st.st_dev, clock_mono_ns()) ||
	    !is_allowed(fo, payer(f), ACCOUNT_FILES))
		return -EDQUOT;
	memcpy(fo->message, &r, sizeof(r));
	memcpy(fo->message + sizeof(r), f->path, r.path);
	return ask(fo, payer(f) ? file_limits : root_file_limits, sizeof(r) + r.path, f->fd);
}

static int ask_and_take(struct foreign *fo, const struct foreign_file *f, enum foreign_job job,
			void *answer, size_t size, int *fd)
{
	int err = ask_for_file(fo, f, job);

	*fd = -1;
	if (err == -EDQUOT || err == -ENAMETOOLONG)
		return err;
	if (!err)
		err = take_answer(fo, answer, size, fd);
	charge(fo, payer(f), ACCOUNT_FILES, err);
	charge_device(fo, f->st.st_dev, err);
	return err;
}

/* What the worker says of a table it has made. */
static int take_table(struct symtab *t, const struct foreign_symbols *a, int fd)
{
	*t = (struct symtab){ 0 };
	if (fd < 0)
		return 0;
	return symtab_adopt(t, fd, a->nr, a->names_len) ? -EPIPE : 0;
}

int foreign_symbols(struct foreign *fo, const struct foreign_file *f, struct elf_syms *e)
{
	struct foreign_symbols a;
	int fd, err = ask_and_take(fo, f, FOREIGN_SYMBOLS, &a, sizeof(a), &fd);

	*e = (struct elf_syms){ 0 };
	if (!err && a.nr_segments > ELF_MAX_SEGMENTS)
		err = -EPIPE;
	if (!err)
		err = take_table(&e->table, &a, fd);
	if (fd >= 0)
		close(fd);
	if (err)
		return err;
	e->build_id = a.build_id;
	e->nr_segments = a.nr_segments;
	memcpy(e->segments, a.segments, sizeof(e->segments));
	return a.err;
}

int foreign_cfi(struct foreign *fo, const struct foreign_file *f, struct cfi *c)
{
	struct foreign_cfi a;
	int fd, err = ask_and_take(fo, f, FOREIGN_CFI, &a, sizeof(a), &fd);

	*c = (struct cfi){ 0 };
	if (!err)
		err = a.err;
	if (!err && a.nr_segments > ELF_MAX_SEGMENTS)
		err = -EPIPE;
	if (!err) {
		c->nr_segments = a.nr_segments;
		memcpy(c->segments, a.segments, sizeof(c->segments));
		for (int i = 0; i < 2; i++)
			c->tables[i] = (struct cfi_table){ .size = a.tables[i].size,
							   .nr = a.tables[i].nr,
							   .vaddr = a.tables[i].vaddr,
							   .is_debug = a.tables[i].is_debug };
		err = cfi_adopt(c, fd);
	}
	if (fd >= 0)
		close(fd);
	return err;
}

static int ask_perf_map(struct foreign *fo, uint32_t pid, uint64_t start_time, uint32_t uid,
			const struct perf_map *m, struct foreign_symbols *a, int *fd)
{
	struct foreign_request r = {
		.job = FOREIGN_PERF_MAP,
		.pid = pid,
		.max = fo->max_bytes,
		.start_time = start_time,
		.dev = m->dev,
		.ino = m->ino,
		.read = m->read,
		.mark = m->mark,
	};
	int err;

	*fd = -1;
	if (!is_allowed(fo, uid, ACCOUNT_FILES))
		return -EDQUOT;
	memcpy(fo->message, &r, sizeof(r));
	err = ask(fo, uid ? file_limits : root_file_limits, sizeof(r), -1);
	if (!err)
		err = take_answer(fo, a, sizeof(*a), fd);
	charge(fo, uid, ACCOUNT_FILES, err);
	return err ? err : a->err;
}

int foreign_perf_map(struct foreign *fo, uint32_t pid, uint64_t start_time, uint32_t uid,
		     struct perf_map *m)
{
	struct foreign_symbols a;
	struct perf_map more = { 0 };
	int fd, err = ask_perf_map(fo, pid, start_time, uid, m, &a, &fd);

	if (!err)
		err = take_table(&more.table, &a, fd);
	if (fd >= 0)
		close(fd);
	if (err)
		return err;
	more.dev = a.dev;
	more.ino = a.ino;
	more.read = a.read;
	more.mark = a.mark;
	more.is_new = a.is_new;
	more.is_cut = a.is_cut;
	return perf_map_merge(m, &more);
}

/* --- what was not read -------------------------------------------------------------------- */

static const char *reason(int err)
{
	switch (err) {
	case -ETIMEDOUT:
		return "no answer";
	case -EFBIG:
	case -ENOMEM:
		return "too large";
	case -EPIPE:
		return "broken";
	default:
		return "took too long";
	}
}

void foreign_unread(struct foreign *fo, const char *name, uint32_t pid, uint32_t uid, int err)
{
	struct unread *u = name ? &fo->files : &fo->processes;

	if (!u->nr++) {
		if (name)
			snprintf(u->name, sizeof(u->name), "%s", name);
		else
			snprintf(u->name, sizeof(u->name), "%u", pid);
		snprintf(u->why, sizeof(u->why), "%s", reason(err));
	}
	for (unsigned int i = 0; i < u->nr_uids; i++)
		if (u->uids[i] == uid)
			return;
	if (u->nr_uids < MAX_USERS)
		u->uids[u->nr_uids++] = uid;
}

static void remark(const struct unread *u, const char *one, const char *many)
{
	if (!u->nr)
		return;
	note("%llu %s of %u user%s could not be read (%s%s: %s): their functions have no names",
	     (unsigned long long)u->nr, u->nr == 1 ? one : many, u->nr_uids,
	     u->nr_uids == 1 ? "" : "s", u->nr == 1 ? "" : "first ", u->name, u->why);
}

void foreign_remarks(const struct foreign *fo)
{
	remark(&fo->files, "file", "files");
	remark(&fo->processes, "process", "processes");
}

void foreign_stats(const struct foreign *fo, struct symbols_stats *stats)
{
	stats->files_unread = fo->files.nr;
	stats->processes_unread = fo->processes.nr;
}
