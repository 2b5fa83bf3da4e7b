/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * symbols_fixture: a struct symbols for each test, and programs of the fixture's directory that run
 * while they are looked at.
 */
#ifndef SYMBOLS_FIXTURE_H
#define SYMBOLS_FIXTURE_H

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "elf_fixture.h"
#include "symbols/symbols.h"

static struct symbols *s;

static inline int group_teardown(void **state)
{
	(void)state;
	fixture_end();
	return 0;
}

static inline int setup(void **state)
{
	(void)state;
	s = symbols_new();
	return s ? 0 : -1;
}

static inline int teardown(void **state)
{
	(void)state;
	symbols_free(s);
	return 0;
}

/* Runs program @name as @uid, with @in (unless -1) as its input and @out as its output. */
static inline pid_t fixture_run(const char *name, const char *arg, uid_t uid, int in, int out)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	if (uid && setresuid(uid, uid, uid))
		_exit(1);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nothing behind */
	if (in >= 0)
		dup2(in, 0);
	dup2(out, 1);
	execl(in_dir("%s", name), name, arg, NULL);
	_exit(1);
}

/* One that runs, and has printed the addresses of two functions and of memory for code. */
struct child {
	pid_t pid;
	uint64_t parked, other, code;
	char map[64]; /* where its perf map is, or would be */
};

static inline void child_start_as(struct child *c, const char *name, const char *arg, uid_t uid)
{
	unsigned long long a[3];
	int out[2];
	FILE *f;

	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	c->pid = fixture_run(name, arg, uid, -1, out[1]);
	close(out[1]);
	f = fdopen(out[0], "r");
	assert_int_equal(fscanf(f, "%llx %llx %llx", &a[0], &a[1], &a[2]), 3);
	fclose(f);
	c->parked = a[0];
	c->other = a[1];
	c->code = a[2];
	snprintf(c->map, sizeof(c->map), "/tmp/perf-%d.map", c->pid);
}

static inline void child_end(struct child *c)
{
	kill(c->pid, SIGKILL);
	waitpid(c->pid, NULL, 0);
	unlink(c->map);
}

#endif
