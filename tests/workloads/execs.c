/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * execs WAY N DIR [NAME [BYTES]]: N execs of a tiny program DIR/NAME (tiny) by WAY, each from a
 * child of its own (self: from this process, once). Prints pid, ppid and errno of each. The
 * arguments are "DIR/NAME" (also where the exec fails), the number of the exec, "two words" and "",
 * unless said otherwise; with BYTES, "DIR/NAME" and one of that many "x":
 *
 *  spawn        vfork and execve
 *  execveat     execveat(dirfd, "NAME")
 *  fexecve      execveat(fd, "", AT_EMPTY_PATH)
 *  thread       execve from a thread, not the leader
 *  compat       32-bit execve (int $0x80)
 *  untouched    execve, path and arguments in pages not touched before
 *  many         "DIR/NAME", "0" to "199"
 *  long         "DIR/NAME", 3000 "a", 3000 "b", 3000 "c"
 *  noent        execve of DIR/missing
 *  noentat      execveat(dirfd, "missing")
 *  noentcompat  32-bit execve of DIR/missing
 *  noentcold    execve of DIR/missing, path and arguments in pages not touched before
 *  acces        execve of a file that is not executable
 *  self         execve of this very process
 *  selfthread   the same from a second thread
 */
#include "compat.h"
#include "workload.h"
#include <limits.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define MANY 200
#define LONG 3000
#define PAGE 4096

static int dir;
static const char *program_name = "tiny";
static char program[PATH_MAX], ordinal[24];
static char *arguments[MANY + 2] = { program, ordinal };
static char *environment[] = { "BORESCOPE=environment", NULL };

static void by_execve(void)
{
	execve(program, arguments, environment);
}

static void by_execveat(void)
{
	syscall(SYS_execveat, dir, program_name, arguments, environment, 0);
}

static void by_fexecve(void)
{
	int fd = openat(dir, program_name, O_PATH | O_CLOEXEC);

	syscall(SYS_execveat, fd, "", arguments, environment, AT_EMPTY_PATH);
}

static void *exec_in_thread(void *error)
{
	by_execve();
	*(int *)error = errno;
	return NULL;
}

static void by_thread(void)
{
	pthread_t thread;
	int error = 0;

	if (pthread_create(&thread, NULL, exec_in_thread, &error))
		die("pthread_create");
	pthread_join(thread, NULL);
	errno = error;
}

/* The 32-bit system call takes 32-bit pointers: everything goes below 4 GiB. */
static void by_compat(void)
{
	uint32_t *vector = low_memory(2 * PAGE);
	char *at = (char *)vector + PAGE;
	int n = 0;

	for (; arguments[n]; n++) {
		vector[n] = (uintptr_t)at;
		at = stpcpy(at, arguments[n]) + 1;
	}
	compat_call(11, vector[0], (long)vector, (long)&vector[n], 0);
}

/* The path and each argument lie in a page of a file that the process has mapped and never read. */
static void by_untouched(void)
{
	int fd = openat(dir, "pages", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), n = 0;
	char *map;

	for (; arguments[n]; n++)
		if (pwrite(fd, arguments[n], strlen(arguments[n]) + 1, n * PAGE) < 0)
			die("pages");
	map = mmap(NULL, n * PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		die("mmap");
	while (n-- > 0)
		arguments[n] = map + n * PAGE;
	execve(map, arguments, environment);
}

static void by_missing(void)
{
	strcpy(strrchr(program, '/'), "/missing");
	by_execve();
}

static void by_missing_compat(void)
{
	strcpy(strrchr(program, '/'), "/missing");
	by_compat();
}

static void by_missing_untouched(void)
{
	strcpy(strrchr(program, '/'), "/missing");
	by_untouched();
}

static void by_missing_at(void)
{
	program_name = "missing";
	by_execveat();
}

static void by_unexecutable(void)
{
	fchmodat(dir, program_name, 0644, 0);
	by_execve();
}

static const struct way {
	const char *name;
	void (*exec)(void);
} ways[] = {
	{ "spawn", by_execve },
	{ "execveat", by_execveat },
	{ "fexecve", by_fexecve },
	{ "thread", by_thread },
	{ "compat", by_compat },
	{ "untouched", by_untouched },
	{ "many", by_execve },
	{ "long", by_execve },
	{ "noent", by_missing },
	{ "acces", by_unexecutable },
	{ "noentat", by_missing_at },
	{ "self", by_execve },
	{ "selfthread", by_thread },
	{ "noentcold", by_missing_untouched },
	{ "noentcompat", by_missing_compat },
};

static void prepare_arguments(const char *way)
{
	arguments[2] = strdup("two words"); /* not a constant: its page might be untouched */
	arguments[3] = strdup("");
	if (!strcmp(way, "many"))
		for (long i = 0; i < MANY; i++)
			arguments[1 + i] = format("%s%ld", "", i);
	if (!strcmp(way, "long"))
		for (int i = 0; i < 3; i++) {
			arguments[1 + i] = calloc(1, LONG + 1);
			memset(arguments[1 + i], 'a' + i, LONG);
		}
}

static void prepare_one_argument(long bytes)
{
	arguments[1] = calloc(1, bytes + 1);
	memset(arguments[1], 'x', bytes);
	arguments[2] = NULL;
}

static __attribute__((noinline)) pid_t spawn(const struct way *way)
{
	pid_t pid = way->exec == by_execve ? vfork() : fork();

	if (!pid) {
		way->exec();
		_exit(errno);
	}
	return pid;
}

int main(int argc, char **argv)
{
	const struct way *way = NULL;
	long total;

	if (argc < 4 || argc > 6)
		usage("WAY N DIR [NAME [BYTES]]");
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (!strcmp(argv[1], ways[i].name))
			way = &ways[i];
	if (!way)
		usage("WAY N DIR [NAME [BYTES]]");
	total = number(argv[2]);
	dir = open(argv[3], O_PATH | O_CLOEXEC);
	if (dir < 0)
		die(argv[3]);
	if (argc > 4)
		program_name = argv[4];
	snprintf(program, sizeof(program), "%s/%s", argv[3], program_name);
	write_tiny_program(program);
	prepare_arguments(argv[1]);
	if (argc > 5)
		prepare_one_argument(number(argv[5]));
	wait_for_go();
	if (!strncmp(argv[1], "self", 4)) {
		printf("pid=%d\tppid=%d\terrno=0\n", getpid(), getppid());
		fflush(stdout);
		way->exec();
		die(program);
	}
	for (long i = 0; i < total; i++) {
		int status = 0;
		pid_t pid;

		snprintf(ordinal, sizeof(ordinal), "%ld", i);
		pid = spawn(way);
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			die("fork");
		printf("pid=%d\tppid=%d\terrno=%d\n", pid, getpid(),
		       WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	}
	return 0;
}
