/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/perf_event.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/msg.h"
#include "base/number.h"
#include "base/regex.h"
#include "base/util.h"
#include "kernel/perf.h"
#include "script/attach.h"
#include "script/multi.h"

#define ENOTSUPP 524 /* of the kernel's own errors, but uprobes let it out */

#define PMU "/sys/bus/event_source/devices/"

#define SPARE_FILES 256	 /* that this process needs besides */
#define THREADS_MAX 1024 /* of a process, that a perf event follows */
#define CPUS_MAX    4096

/* A link takes up to 50 ms to go, most of it waiting, so many are closed at the same time. */
#define CLOSERS	     16
#define CLOSERS_FROM 8 /* links */
#define PAUSE_NS     (100 * NSEC_PER_MSEC)

/* In the order of attaching: links, and the perf events that they are on. */
struct attached {
	int *fds;
	size_t nr, room;
};

/* What is being attached. */
struct job {
	struct attached *a;
	const struct program *program;
	const struct target *target;
	int prog_fd;
	uint64_t cookie;
};

static int keep(struct attached *a, int fd)
{
	size_t room = a->room ? a->room * 2 : 64;
	int *fds = a->fds;

	if (a->nr == a->room) {
		fds = reallocarray(fds, room, sizeof(*fds));
		if (!fds) {
			close(fd);
			return -ENOMEM;
		}
		a->fds = fds;
		a->room = room;
	}
	fds[a->nr++] = fd;
	return 0;
}

/* --- perf events -------------------------------------------------------------------------- */

/*
 * The program to the event, which becomes the job's. A link carries a cookie (Linux 5.15); before
 * there were links, there is the ioctl. An event that is not disabled has begun.
 */
static int attach_event(struct job *j, int event_fd)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .perf_event.bpf_cookie = j->cookie);
	int link, err = 0;

	link = bpf_link_create(j->prog_fd, event_fd, BPF_PERF_EVENT, &opts);
	if (link < 0 && (errno != EINVAL || j->cookie)) {
		err = -errno;
		close(event_fd);
		return err;
	}
	if (link < 0 && ioctl(event_fd, PERF_EVENT_IOC_SET_BPF, j->prog_fd))
		err = -errno;
	if (!err && ioctl(event_fd, PERF_EVENT_IOC_ENABLE, 0))
		err = -errno;
	if (err) {
		close(event_fd);
		if (link >= 0)
			close(link);
		return err;
	}
	err = link >= 0 ? keep(j->a, link) : 0;
	if (!err)
		return keep(j->a, event_fd);
	close(event_fd);
	return err;
}

static int open_event(struct job *j, struct perf_event_attr *attr, pid_t pid, int cpu)
{
	int fd;

	attr->size = sizeof(*attr);
	fd = syscall(SYS_perf_event_open, attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : attach_event(j, fd);
}

/* On all CPUs, or for one process. */
static int open_probe(struct job *j, struct perf_event_attr *attr)
{
	const pid_t pid = j->target->pid;

	attr->sample_period = 1;
	return open_event(j, attr, pid ? pid : -1, pid ? -1 : 0);
}

static int attach_tracepoint(struct job *j)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.config = j->target->tracepoint_id,
	};

	attr.sample_period = 1;
	return open_event(j, &attr, -1, 0);
}

/* The type of a dynamic PMU, and which bit of .config says that the return is meant. -ENODEV: this
 * kernel has none. */
static int find_pmu(const char *name, struct perf_event_attr *attr, bool at_return)
{
	char path[80], text[32] = "";
	uint64_t type, bit = 0;
	FILE *f;

	snprintf(path, sizeof(path), PMU "%s/type", name);
	if (number_read(path, 1, &type))
		return -ENODEV;
	attr->type = type;
	if (!at_return)
		return 0;
	snprintf(path, sizeof(path), PMU "%s/format/retprobe", name);
	f = fopen(path, "re");
	if (f && fgets(text, sizeof(text), f) && !strncmp(text, "config:", 7)) {
		text[strcspn(text, "\n")] = '\0';
		if (!number_parse(text + 7, 0, 63, &bit))
			bit = 0;
	}
	if (f)
		fclose(f);
	attr->config |= 1ull << bit;
	return 0;
}

static int attach_kprobe(struct job *j)
{
	const struct target *t = j->target;
	struct perf_event_attr attr = { 0 };
	char function[256];
	int err = find_pmu("kprobe", &attr, t->attach == ATTACH_KRETPROBE);

	if (err)
		return err;
	if (t->address) {
		attr.kprobe_addr = t->address;
		return open_probe(j, &attr);
	}
	if (snprintf(function, sizeof(function), "%s%s%s", t->module ? t->module : "",
		     t->module ? ":" : "", t->function) >= (int)sizeof(function))
		return -ENAMETOOLONG;
	attr.kprobe_func = (uintptr_t)function;
	attr.probe_offset = t->file_offset;
	return open_probe(j, &attr);
}

static int attach_uprobe(struct job *j)
{
	const struct target *t = j->target;
	struct perf_event_attr attr = { 0 };
	int err = find_pmu("uprobe", &attr, t->attach == ATTACH_URETPROBE);

	if (err)
		return err;
	if (t->semaphore > UINT32_MAX)
		return -EOVERFLOW;
	attr.config |= t->semaphore << 32; /* PERF_UPROBE_REF_CTR_OFFSET_SHIFT of the kernel */
	attr.uprobe_path = (uintptr_t)t->path;
	attr.probe_offset = t->file_offset;
	return open_probe(j, &attr);
}

/* Never by a frequency: see kernel/perf.c. */
static void set_period(const struct target *t, struct perf_event_attr *attr)
{
	attr->sample_period = t->perf_period;
	if (!t->perf_period && t->perf_frequency && t->perf_type == PERF_TYPE_SOFTWARE)
		attr->sample_period = NSEC_PER_SEC / t->perf_frequency;
	if (!attr->sample_period)
		attr->sample_period = 1;
}

/* An event for each thread that there is now, and those that they make. */
static int attach_threads(struct job *j, struct perf_event_attr *attr)
{
	char path[40];
	struct dirent *entry;
	size_t nr = 0;
	int err = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", j->target->pid);
	dir = opendir(path);
	if (!dir)
		return -errno;
	attr->inherit = 1;
	while (!err && nr < THREADS_MAX && (entry = readdir(dir))) {
		uint64_t tid;

		if (!number_parse(entry->d_name, 1, INT32_MAX, &tid))
			continue;
		err = open_event(j, attr, tid, -1);
		nr += !err;
		if (err == -ESRCH) /* it has ended meanwhile */
			err = 0;
	}
	closedir(dir);
	return err ? err : nr ? 0 : -ESRCH;
}

static int attach_perf(struct job *j)
{
	const struct target *t = j->target;
	struct perf_event_attr attr = { .type = t->perf_type, .config = t->perf_config };
	int cpus = libbpf_num_possible_cpus(), err = 0;
	bool online[CPUS_MAX];

	set_period(t, &attr);
	if (t->pid)
		return attach_threads(j, &attr);
	if (t->cpu >= 0)
		return open_event(j, &attr, -1, t->cpu);
	cpus = cpus < 1 ? 1 : cpus > CPUS_MAX ? CPUS_MAX : cpus;
	if (!perf_cpus_online(online, cpus))
		return -ENODEV;
	for (int cpu = 0; cpu < cpus && !err; cpu++) {
		if (online[cpu])
			err = open_event(j, &attr, -1, cpu);
		if (err == -ENODEV) /* it went offline meanwhile */
			err = 0;
	}
	return err;
}

/* --- the others --------------------------------------------------------------------------- */

static int attach_raw(struct job *j, const char *name)
{
	int fd = bpf_raw_tracepoint_open(name, j->prog_fd);

	return fd < 0 ? -errno : keep(j->a, fd);
}

static int attach_one(struct job *j)
{
	switch (j->target->attach) {
	case ATTACH_RUN:
		return 0;
	case ATTACH_RAW_TP:
		return attach_raw(j, j->target->function);
	case ATTACH_FOLDED:
		return attach_raw(j, j->target->folded);
	case ATTACH_FENTRY:
	case ATTACH_FEXIT:
		return attach_raw(j, NULL);
	case ATTACH_TRACEPOINT:
		return attach_tracepoint(j);
	case ATTACH_KPROBE:
	case ATTACH_KRETPROBE:
		return attach_kprobe(j);
	case ATTACH_UPROBE:
	case ATTACH_URETPROBE:
		return attach_uprobe(j);
	case ATTACH_PERF:
		return attach_perf(j);
	}
	return -EINVAL;
}

/* --- many at once ------------------------------------------------------------------------- */

/* The places of a program that one link is for. */
struct group {
	struct multi_places places;
	const char **functions;
	uint64_t *offsets, *semaphores;
	unsigned long long *cookies;
};

static void group_free(struct group *g)
{
	free(g->functions);
	free(g->offsets);
	free(g->semaphores);
	free(g->cookies);
}

static bool group_alloc(struct group *g, size_t room)
{
	g->functions = calloc(room, sizeof(*g->functions));
	g->offsets = calloc(room, sizeof(*g->offsets));
	g->semaphores = calloc(room, sizeof(*g->semaphores));
	g->cookies = calloc(room, sizeof(*g->cookies));
	return g->functions && g->offsets && g->semaphores && g->cookies;
}

static bool is_meant(const struct regex *only, const struct target *t)
{
	return !only || regex_matches(only, t->name, strlen(t->name));
}

/* Of those of @p that are meant, all that are of the same file as number @first, and of a file that
 * none before it is of. None: .places.nr is 0. */
static void group_fill(struct group *g, const struct program *p, size_t first,
		       const struct regex *only)
{
	const struct target *like = p->targets[first];
	const bool user = like->attach == ATTACH_UPROBE || like->attach == ATTACH_URETPROBE;
	uint32_t nr = 0;

	for (size_t i = 0; i < p->nr_targets; i++) {
		const struct target *t = p->targets[i];

		if (!is_meant(only, t) || (user && strcmp(t->path, like->path)))
			continue;
		if (i < first) { /* that link is there already */
			nr = 0;
			break;
		}
		g->functions[nr] = t->function;
		g->offsets[nr] = t->file_offset;
		g->semaphores[nr] = t->semaphore;
		g->cookies[nr++] = p->probe_number + i;
	}
	g->places = (struct multi_places){
		.user = user,
		.at_return = like->attach == ATTACH_URETPROBE || like->attach == ATTACH_KRETPROBE,
		.path = like->path,
		.functions = g->functions,
		.offsets = g->offsets,
		.semaphores = g->semaphores,
		.cookies = g->cookies,
		.nr = nr,
		.pid = like->pid,
	};
}

/* A link for each file, or one for functions of the kernel. Returns 0, or -errno with none of them
 * attached. */
static int attach_multi(struct attached *a, const struct program *p, int prog_fd,
			const struct regex *only, size_t *nr)
{
	const size_t before = a->nr;
	struct group g = { 0 };
	size_t places = 0;
	int err = group_alloc(&g, p->nr_targets) ? 0 : -ENOMEM;

	for (size_t i = 0; i < p->nr_targets && !err; i++) {
		int fd = -1;

		if (!is_meant(only, p->targets[i]))
			continue;
		group_fill(&g, p, i, only);
		if (g.places.nr)
			fd = multi_link(prog_fd, &g.places);
		if (g.places.nr)
			err = fd < 0 ? fd : keep(a, fd);
		places += g.places.nr;
	}
	group_free(&g);
	while (err && a->nr > before)
		close(a->fds[--a->nr]);
	if (!err)
		*nr += places;
	return err;
}

/* --- what is said ------------------------------------------------------------------------- */

/* What would help, a clause; NULL: that is not known. */
static const char *remedy(const struct target *t, int err)
{
	const bool function = t->attach == ATTACH_KPROBE || t->attach == ATTACH_KRETPROBE ||
			      t->attach == ATTACH_FENTRY || t->attach == ATTACH_FEXIT;

	switch (err) {
	case -EPERM:
	case -EACCES:
		return function ? "it takes root, or CAP_BPF and CAP_PERFMON; a kernel that is "
				  "locked down refuses it to all"
				: "it takes root, or CAP_BPF and CAP_PERFMON, and a "
				  "kernel.perf_event_paranoid that grants it";
	case -EMFILE:
	case -ENFILE:
		return "too many open files: raise the limit (ulimit -n)";
	case -ENODEV:
		return t->attach == ATTACH_PERF ? "no CPU here has this event"
						: "this kernel is built without such probes";
	case -EINVAL:
	case -EOPNOTSUPP:
	case -EBUSY:
	case -EADDRNOTAVAIL:
		return function ? "the kernel lets no probe be put there" : NULL;
	case -EEXIST:
		return "another program has the place";
	case -ENOTSUPP:
		return "the kernel can't put a probe on the instruction there";
	case -ENOENT:
		if (t->attach == ATTACH_PERF)
			return "no CPU here counts it";
		return function ? "there is no such function, or it has been inlined" : NULL;
	case -ESRCH:
		return t->pid ? "the process has ended" : NULL;
	default:
		return NULL;
	}
}

static void say_why(struct source *src, const struct target *t, int err, bool warning)
{
	const char *help = remedy(t, err);
	struct span at = t->point ? t->point->span : (struct span){ 0 };

	if (warning)
		source_warning(src, at, "cannot attach to %s: %s%s%s", t->name, strerror(-err),
			       help ? ": " : "", help ? help : "");
	else
		source_error(src, at, "cannot attach to %s: %s%s%s", t->name, strerror(-err),
			     help ? ": " : "", help ? help : "");
}

/* --- all of them -------------------------------------------------------------------------- */

/* The kernel runs what was attached last first at these, so that clauses run in their order. */
static bool runs_in_reverse(enum attach attach)
{
	return attach == ATTACH_KPROBE || attach == ATTACH_UPROBE || attach == ATTACH_URETPROBE ||
	       attach == ATTACH_FENTRY || attach == ATTACH_FEXIT;
}

/* Each by itself. */
static int attach_singly(struct attached *a, const struct loaded *l, size_t number,
			 const struct regex *only, size_t *nr)
{
	const struct program *p = l->compiled->programs[number];
	const struct script_config *config = l->compiled->config;

	for (size_t i = 0; i < p->nr_targets; i++) {
		struct job j = {
			.a = a,
			.program = p,
			.target = p->targets[i],
			.prog_fd = l->programs[number],
			.cookie = p->wants_cookie ? p->probe_number + i : 0,
		};
		bool missing_ok =
			config && (config->missing_probes_warn || config->missing_probes_ignore);
		int err;

		if (!is_meant(only, j.target))
			continue;
		err = attach_one(&j);

		if (err && missing_ok && err != -EMFILE && err != -ENOMEM) {
			if (config->missing_probes_warn)
				say_why(l->compiled->source, j.target, err, true);
			continue;
		}
		if (err) {
			say_why(l->compiled->source, j.target, err, false);
			return err;
		}
		if (j.target->attach == ATTACH_FOLDED) { /* all at once */
			*nr += p->nr_targets;
			return 0;
		}
		*nr += j.target->attach != ATTACH_RUN;
	}
	return 0;
}

static int attach_program(struct attached *a, struct loaded *l, size_t number,
			  const struct regex *only, size_t *nr)
{
	int err;

	if (l->multi[number]) {
		const struct program *p = l->compiled->programs[number];

		err = attach_multi(a, p, l->programs[number], only, nr);
		if (!err)
			return 0;
		debug("%s and others: a probe each, since all at once are refused: %s",
		      p->targets[0]->name, strerror(-err));
		err = loaded_singly(l, number);
		if (err)
			return err;
	}
	return attach_singly(a, l, number, only, nr);
}

/* About as many open files as the probes will take. */
static void raise_limit(const struct compiled *c)
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t files = SPARE_FILES;

	for (size_t i = 0; i < c->nr_programs; i++)
		for (size_t k = 0; k < c->programs[i]->nr_targets; k++)
			files += c->programs[i]->targets[k]->attach == ATTACH_PERF && cpus > 0
					 ? 2ull * cpus
					 : 2;
	limits_raise_files(files);
}

int script_attach(struct attached **attached, struct loaded *l, const struct regex *only,
		  size_t *nr)
{
	const struct compiled *c = l->compiled;
	struct attached *a = calloc(1, sizeof(*a));
	int err = a ? 0 : -ENOMEM;

	*attached = NULL;
	*nr = 0;
	if (err) {
		error("not enough memory");
		return err;
	}
	raise_limit(c);
	for (size_t i = 0; i < c->nr_programs && !err; i++)
		if (!runs_in_reverse(c->programs[i]->targets[0]->attach))
			err = attach_program(a, l, i, only, nr);
	for (size_t i = c->nr_programs; i-- > 0 && !err;)
		if (runs_in_reverse(c->programs[i]->targets[0]->attach))
			err = attach_program(a, l, i, only, nr);
	if (err)
		script_detach(a);
	else
		*attached = a;
	return err;
}

/* --- off again ---------------------------------------------------------------------------- */

struct closer {
	pthread_t thread;
	const struct attached *a;
	size_t first, step;
};

static void *close_some(void *arg)
{
	const struct closer *c = arg;

	for (size_t i = c->first; i < c->a->nr; i += c->step)
		close(c->a->fds[i]);
	return NULL;
}

/* Not by pthread_join(): who guards us takes a main thread that does nothing for 10 s for one that
 * hangs (run/guard.h), and hundreds of tracepoints take longer to go. */
static void join(const struct closer *c, uint64_t since, size_t nr)
{
	struct timespec until;

	do {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += PAUSE_NS;
		if (until.tv_nsec >= (long)NSEC_PER_SEC) {
			until.tv_nsec -= NSEC_PER_SEC;
			until.tv_sec++;
		}
		if (clock_mono_ns() - since > NSEC_PER_SEC)
			progress("taking off %zu probes", nr);
	} while (pthread_timedjoin_np(c->thread, NULL, &until) == ETIMEDOUT);
}

void script_detach(struct attached *a)
{
	const uint64_t since = clock_mono_ns();
	struct closer closers[CLOSERS];
	size_t nr = 0;

	if (!a)
		return;
	while (a->nr >= CLOSERS_FROM && nr < CLOSERS) {
		closers[nr] = (struct closer){ .a = a, .first = nr, .step = CLOSERS };
		if (pthread_create(&closers[nr].thread, NULL, close_some, &closers[nr]))
			break;
		nr++;
	}
	for (size_t first = nr; first < CLOSERS; first++) {
		struct closer own = { .a = a, .first = first, .step = CLOSERS };

		close_some(&own);
	}
	for (size_t i = 0; i < nr; i++)
		join(&closers[i], since, a->nr);
	progress_end();
	free(a->fds);
	free(a);
}
