/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/msg.h"
#include "base/status.h"
#include "base/util.h"
#include "script/shell.h"

#define CHUNK	  4096
#define WORDS_MAX 1024 /* of a command of -c */

/* --- reading ------------------------------------------------------------------------------ */

/* Up to @max bytes of what comes from @fd are kept, the rest is read and forgotten with @drain. */
static int take(int fd, size_t max, bool drain, struct text *to)
{
	char chunk[CHUNK];

	for (;;) {
		size_t want = drain || max > CHUNK ? CHUNK : max;
		ssize_t n = want ? read(fd, chunk, want) : 0;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : 0;
		text_mem(to, chunk, min_u64(n, max));
		max -= min_u64(n, max);
	}
}

int shell_file(const char *path, size_t max, struct text *to)
{
	/* not stuck at a fifo that nobody writes to */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), err;

	if (fd < 0)
		return -errno;
	err = take(fd, max, false, to);
	close(fd);
	return err == -EAGAIN ? 0 : err;
}

/* --- system() ----------------------------------------------------------------------------- */

/* What this process blocks or ignores is not for others. */
static int spawn(pid_t *pid, const char *command, const int out[2])
{
	char *const argv[] = { "sh", "-c", (char *)command, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, standard;
	int err;

	sigemptyset(&none);
	sigemptyset(&standard);
	sigaddset(&standard, SIGPIPE);
	sigaddset(&standard, SIGXFSZ);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &standard);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, out[1], STDOUT_FILENO);
	err = posix_spawn(pid, "/bin/sh", &files, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	return -err;
}

int shell_run(const char *command, struct text *to)
{
	int out[2], err;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC))
		return -errno;
	err = spawn(&pid, command, out);
	close(out[1]);
	if (!err)
		err = take(out[0], SHELL_OUTPUT_MAX, true, to);
	close(out[0]);
	while (!err && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return err;
}

/* --- -c ----------------------------------------------------------------------------------- */

/* The next word of *@s, whose quotation marks go, in place. NULL: there is none. */
static char *next_word(char **s)
{
	char *to, *from = *s + strspn(*s, " \t\n"), *word = from, quote = '\0';

	if (!*from)
		return NULL;
	for (to = from; *from && (quote || !strchr(" \t\n", *from)); from++) {
		if (*from == '\\' && from[1] && quote != '\'')
			*to++ = *++from;
		else if (quote ? *from == quote : *from == '"' || *from == '\'')
			quote = quote ? '\0' : *from;
		else
			*to++ = *from;
	}
	*s = *from ? from + 1 : from;
	*to = '\0';
	return word;
}

/* Is there such a program? So that it is known before anything is attached for it. */
static bool is_there(const char *program)
{
	const char *path = getenv("PATH"), *end;
	char name[PATH_MAX];

	if (strchr(program, '/'))
		return !access(program, X_OK);
	for (path = path ? path : "/bin:/usr/bin"; *path; path = *end ? end + 1 : end) {
		end = path + strcspn(path, ":");
		snprintf(name, sizeof(name), "%.*s/%s", (int)(end - path), path, program);
		if (!access(name, X_OK))
			return true;
	}
	errno = ENOENT;
	return false;
}

static void __attribute__((noreturn)) become(char **argv, int go, pid_t parent)
{
	sigset_t none;
	char c;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent || read(go, &c, 1) != 1)
		_exit(STATUS_FAILED);
	execvp(argv[0], argv);
	error("cannot run '%s': %s", argv[0], strerror(errno));
	_exit(127);
}

pid_t shell_start(const char *command, int *go)
{
	char *text = strdup(command), *rest = text, *argv[WORDS_MAX + 1], *word;
	int pipes[2], err = 0;
	pid_t pid = -1, parent = getpid();
	size_t nr = 0;

	while (text && nr < WORDS_MAX && (word = next_word(&rest)))
		argv[nr++] = word;
	argv[nr] = NULL;
	if (!text || !nr || !is_there(argv[0]) || pipe2(pipes, O_CLOEXEC)) {
		err = !text ? -ENOMEM : !nr ? -EINVAL : -errno;
		free(text);
		return err;
	}
	pid = fork();
	if (!pid) {
		close(pipes[1]);
		become(argv, pipes[0], parent);
	}
	err = -errno;
	close(pipes[0]);
	if (pid < 0)
		close(pipes[1]);
	else
		*go = pipes[1];
	free(text);
	return pid < 0 ? err : pid;
}
