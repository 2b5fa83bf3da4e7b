/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/task_iter.h"
#include "lib/net/netns.shared.h"
#include "net/netns.h"
#include "output/tally.h"
#include "run/run.h"

#define NETNS_MAX  65536
#define NETNS_MODE (O_RDONLY | O_NONBLOCK | O_CLOEXEC)

static struct {
	struct tally *found; /* of struct netns; NULL: nothing is set up yet */
	struct task_iter tasks;
	int own_fd;
	__u32 own; /* inode */
	__u32 round;
	unsigned int refused;
} all;

static struct netns *find(__u32 inode)
{
	struct netns *ns = tally_row(all.found, &inode);

	if (ns)
		ns->round = all.round;
	return ns;
}

static int start(struct run *r)
{
	const struct filter everything = { 0 };
	int prog = object_program(&r->object, "netns_tasks");
	struct stat st;

	all.own_fd = open("/proc/self/ns/net", NETNS_MODE);
	if (all.own_fd < 0 || fstat(all.own_fd, &st))
		return -errno;
	all.own = st.st_ino;
	all.found = tally_new(sizeof(struct netns), offsetof(struct netns, inode), sizeof(__u32),
			      NETNS_MAX);
	if (!all.found)
		return -ENOMEM;
	return prog < 0 ? 0 : task_iter_open(&all.tasks, prog, &everything);
}

static void add_task(void *ctx, void *record, size_t size)
{
	const struct netns_record *task = record;
	struct netns *ns = find(task->inode);

	if (ns)
		snprintf(ns->path, sizeof(ns->path), "/proc/%u/ns/net", task->tid);
}

static void add_named(void)
{
	DIR *dir = opendir(NETNS_NAMED);
	char path[sizeof(((struct netns *)0)->path)];
	struct dirent *entry;
	struct netns *ns;
	struct stat st;

	while (dir && (entry = readdir(dir))) {
		if (snprintf(path, sizeof(path), NETNS_NAMED "%s", entry->d_name) >=
			    (int)sizeof(path) ||
		    *entry->d_name == '.' || stat(path, &st) || !S_ISREG(st.st_mode))
			continue;
		ns = find(st.st_ino);
		if (ns)
			memcpy(ns->path, path, sizeof(path));
	}
	if (dir)
		closedir(dir);
}

static bool still_there(void *ns, void *ctx)
{
	return ((struct netns *)ns)->round == all.round;
}

static int visit_here(struct netns *ns, netns_visit_fn visit, void *ctx)
{
	int err = visit(ctx, ns);

	if (!err)
		ns->visited = all.round;
	return err;
}

static bool is_dir(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISDIR(st.st_mode);
}

/* One that has gone meanwhile is left out. */
static int visit_one(struct netns *ns, netns_visit_fn visit, void *ctx)
{
	struct stat st;
	int fd, err;

	if (ns->inode == all.own)
		return visit_here(ns, visit, ctx);
	fd = open(ns->path, NETNS_MODE);
	if (fd < 0) {
		all.refused += errno == EACCES || errno == EPERM;
		return 0;
	}
	if (fstat(fd, &st) || st.st_ino != ns->inode) {
		/* the task has moved, or its id is another's in this pid namespace; or it is the
		 * directory of the link, which Linux 5.10 opens where it should refuse */
		all.refused += is_dir(fd);
		close(fd);
		return 0;
	}
	err = setns(fd, CLONE_NEWNET) ? -errno : 0;
	close(fd);
	if (err) {
		all.refused += err == -EPERM;
		return 0;
	}
	err = visit_here(ns, visit, ctx);
	if (setns(all.own_fd, CLONE_NEWNET))
		return -errno;
	return err;
}

static int own_first(const void *a, const void *b)
{
	const struct netns *x = a, *y = b;

	if ((x->inode == all.own) != (y->inode == all.own))
		return x->inode == all.own ? -1 : 1;
	return x->inode < y->inode ? -1 : x->inode > y->inode;
}

int netns_each(struct run *r, __u32 only, netns_visit_fn visit, void *ctx)
{
	int err = all.found ? 0 : start(r);
	struct netns *rows;
	size_t nr;

	if (err)
		return err;
	all.round++;
	all.refused = 0;
	find(all.own);
	if (only != all.own) {
		if (all.tasks.nr)
			err = task_iter_read(&all.tasks, 0, offsetof(struct netns_record, size),
					     add_task, NULL);
		add_named();
	}
	tally_keep(all.found, still_there, NULL);
	rows = tally_sorted(all.found, own_first, &nr);
	for (size_t i = 0; i < nr && !err; i++)
		if (!only || only == rows[i].inode)
			err = visit_one(&rows[i], visit, ctx);
	return err;
}

unsigned int netns_refused(void)
{
	return all.refused;
}

bool netns_visited(__u32 inode)
{
	const struct netns *ns = all.found ? tally_row(all.found, &inode) : NULL;

	return ns && ns->visited == all.round;
}
