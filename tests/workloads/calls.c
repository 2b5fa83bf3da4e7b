/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * calls MODE [N]: system calls, as many of each as it says, and nothing else but what it takes to
 * say so: one write, and exit_group.
 *
 *	table		30 kinds and more, 64-bit and where it can 32-bit ones and x32's: a line for
 *			each, with how many there were and what they ended with (errno)
 *	children N	N children one after another: number i calls getppid i % 7 + 1 times
 *	mix DIR		threads, forks, execs, signals: whatever the C library makes of it
 *	refused N	N getppid that a seccomp filter refuses (EPERM)
 *	sleeps N	N nanosleep of 10 ms; says how long they took at least and at most
 *	signals N	N signals come upon a read, which goes on (SA_RESTART); N upon a ppoll,
 *			which ends
 *	thread-exec N DIR	N children, in each of which a thread calls execveat
 *	threads N	N threads one after another, each of which calls getppid once
 *	same-place N	two processes, whose ids end in the same 15 bits, call getppid N times each
 *	name N		calls itself "calls-renamed", and getppid N times
 */
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "compat.h"

struct kind {
	const char *name;
	int nr;
	long a, b;
};

#define CALL(name_, ...)                                                                           \
	{                                                                                          \
		.name = #name_, .nr = SYS_##name_, __VA_ARGS__                                     \
	}
static const struct kind native[] = {
	CALL(getpid),
	CALL(getppid),
	CALL(gettid),
	CALL(getuid),
	CALL(geteuid),
	CALL(getgid),
	CALL(getegid),
	CALL(sched_yield),
	CALL(umask, .a = 022),
	CALL(getsid),
	CALL(getpgid),
	CALL(sched_getscheduler),
	CALL(times),
	CALL(sched_get_priority_max),
	CALL(sched_get_priority_min),
	CALL(setpriority, .a = 99),
	CALL(getpriority),
	CALL(personality, .a = 0xffffffff),
	CALL(close, .a = -1),
	CALL(dup, .a = -1),
	CALL(fsync, .a = -1),
	CALL(fdatasync, .a = -1),
	CALL(fchdir, .a = -1),
	CALL(lseek, .a = -1),
	CALL(ftruncate, .a = -1),
	CALL(flock, .a = -1),
	CALL(fchmod, .a = -1),
	CALL(getrusage, .a = 99),
	CALL(uname),
	CALL(getcwd),
	CALL(munmap, .a = 1),
	CALL(openat, .a = -1),
	CALL(mlock, .a = 4096, .b = -1),
};

#ifdef __x86_64__
/* Of the i386 table: names of its own, and numbers that mean something else in the other. */
static const struct kind compat[] = {
	{ "getpid", 20, 0, 0 },	   { "getuid", 24, 0, 0 },     { "getppid", 64, 0, 0 },
	{ "getuid32", 199, 0, 0 }, { "getegid32", 202, 0, 0 }, { "gettid", 224, 0, 0 },
	{ "close", 6, -1, 0 },	   { "_llseek", 140, -1, 0 },  { "fchown32", 207, -1, 0 },
};
#endif

/* What no table has. */
static const int unknown[] = { 511, 4000, -1 };

#define FIRST 23
#define X32   0x40000000

static char out[65536];

static void say(const char *name, int nr, const char *abi, long count, int err)
{
	printf("syscall=%s\tnr=%d\tabi=%s\tcount=%ld\terrno=%d\n", name, nr, abi, count, err);
}

static void table(void)
{
	long n = FIRST;

	for (size_t k = 0; k < sizeof(native) / sizeof(native[0]); k++, n++) {
		errno = 0;
		for (long i = 0; i < n; i++)
			syscall(native[k].nr, native[k].a, native[k].b, 0, 0);
		say(native[k].name, native[k].nr, "64", n, errno);
	}
	for (size_t k = 0; k < sizeof(unknown) / sizeof(unknown[0]); k++, n++) {
		for (long i = 0; i < n; i++)
			syscall(unknown[k], 0, 0, 0, 0);
		say("?", unknown[k], "64", n, errno);
	}
#ifdef __x86_64__
	for (size_t k = 0; k < sizeof(compat) / sizeof(compat[0]); k++, n++) {
		for (long i = 0; i < n; i++)
			compat_call(compat[k].nr, compat[k].a, compat[k].b, 0, 0);
		say(compat[k].name, compat[k].nr, "32", n, errno);
	}
	errno = 0;
	for (long i = 0; i < n; i++)
		syscall(X32 + 520, 0, 0, 0, 0); /* or it would be what a 64-bit program has there */
	say("execve", 520, "x32", n, errno);
	n++;
	errno = 0;
	for (long i = 0; i < n; i++)
		syscall(X32 + SYS_getpid);
	say("getpid", SYS_getpid, "x32", n, errno);
#endif
}

static void children(long total)
{
	for (long i = 0; i < total; i++) {
		pid_t pid = fork();

		if (!pid) {
			for (long k = 0; k < i % 7 + 1; k++)
				syscall(SYS_getppid);
			_exit(0);
		}
		if (pid < 0 || waitpid(pid, NULL, 0) != pid)
			die("fork");
		printf("pid=%d\tcount=%ld\n", pid, i % 7 + 1);
	}
}

/* --- a mix -------------------------------------------------------------------------------- */

static void nothing(int number)
{
}

static void handle(int number, int flags)
{
	struct sigaction action = { .sa_handler = nothing, .sa_flags = flags };

	if (sigaction(number, &action, NULL))
		die("sigaction");
}

static void *thread(void *arg)
{
	for (int i = 0; i < FIRST; i++)
		syscall(SYS_getppid);
	usleep(1000);
	return NULL;
}

static void run(const char *path, bool at)
{
	char *const argv[] = { (char *)path, NULL };
	pid_t pid = fork();

	if (!pid) {
		if (at)
			syscall(SYS_execveat, AT_FDCWD, path, argv, environ, 0);
		else
			execv(path, argv);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
}

static void mix(const char *dir)
{
	char *path = format("%s/calls-program", dir, 0);
	pthread_t threads[FIRST];

	write_tiny_program(path);
	handle(SIGUSR1, 0);
	handle(SIGALRM, 0);
	for (int i = 0; i < FIRST; i++)
		if (pthread_create(&threads[i], NULL, thread, NULL))
			die("pthread_create");
	for (int i = 0; i < FIRST; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 7; i++) {
		run(path, false);
		run(path, true);
		run("/no/such/program", false);
		raise(SIGUSR1);
	}
	for (int i = 0; i < 3; i++) {
		ualarm(20000, 0);
		pause();
	}
	system("exit 3");
	table();
}

/* --- one thing each ----------------------------------------------------------------------- */

static void refuse_getppid(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		die("seccomp");
}

static void sleeps(long n)
{
	const struct timespec time = { .tv_nsec = 10000000 };
	uint64_t start = now_ns();

	for (long i = 0; i < n; i++)
		syscall(SYS_nanosleep, &time, NULL);
	printf("count=%ld\tleast=%ld\tmost=%lu\n", n, n * time.tv_nsec, now_ns() - start);
}

static void signals(long n)
{
	struct itimerval once = { .it_value.tv_usec = 50000 }, often = once;
	int fds[2];
	char byte;
	pid_t pid;

	if (pipe(fds))
		die("pipe");
	handle(SIGALRM, SA_RESTART);
	often.it_interval = once.it_value;
	pid = fork();
	if (!pid) {
		/* behind the last but one */
		usleep(50000 * n + 25000);
		_exit(write(fds[1], "x", 1) != 1);
	}
	setitimer(ITIMER_REAL, &often, NULL);
	if (read(fds[0], &byte, 1) != 1)
		die("read");
	often = (struct itimerval){ 0 };
	setitimer(ITIMER_REAL, &often, NULL);
	waitpid(pid, NULL, 0);
	for (long i = 0; i < n; i++) {
		setitimer(ITIMER_REAL, &once, NULL);
		syscall(SYS_ppoll, NULL, 0, NULL, NULL, 8);
	}
}

static void *exec_here(void *path)
{
	char *const argv[] = { path, NULL };

	syscall(SYS_execveat, AT_FDCWD, path, argv, environ, 0);
	_exit(1);
}

static void thread_exec(long n, char *path)
{
	for (long i = 0; i < n; i++) {
		pid_t pid = fork();
		pthread_t other;

		if (!pid) {
			if (pthread_create(&other, NULL, exec_here, path))
				_exit(1);
			for (;;)
				pause();
		}
		waitpid(pid, NULL, 0);
	}
}

static void *one_getppid(void *arg)
{
	syscall(SYS_getppid);
	return NULL;
}

static void many_threads(long n)
{
	for (long i = 0; i < n; i++) {
		pthread_t one;

		if (pthread_create(&one, NULL, one_getppid, NULL) || pthread_join(one, NULL))
			die("pthread_create");
	}
}

/* Both on a CPU of their own, if there are two, and at the same time. */
static void same_place(long n)
{
	pid_t wanted = getpid() + 32768;
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)&wanted,
		.set_tid_size = 1,
	};
	pid_t pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid < 0)
		die("a process of this id");
	for (long i = 0; i < n; i++)
		syscall(SYS_getppid);
	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	long n = argc > 2 && strcmp(mode, "mix") ? number(argv[2]) : 0;
	char *program = NULL;

	setvbuf(stdout, out, _IOFBF, sizeof(out));
	if (!strcmp(mode, "refused"))
		refuse_getppid();
	if (!strcmp(mode, "thread-exec") && argc == 4)
		write_tiny_program(program = format("%s/calls-program", argv[3], 0));
	wait_for_go();
	if (!strcmp(mode, "table")) {
		table();
	} else if (!strcmp(mode, "children")) {
		children(n);
	} else if (!strcmp(mode, "mix") && argc == 3) {
		mix(argv[2]);
	} else if (!strcmp(mode, "refused")) {
		for (long i = 0; i < n; i++)
			syscall(SYS_getppid);
	} else if (!strcmp(mode, "sleeps")) {
		sleeps(n);
	} else if (!strcmp(mode, "signals")) {
		signals(n);
	} else if (program) {
		thread_exec(n, program);
	} else if (!strcmp(mode, "threads")) {
		many_threads(n);
	} else if (!strcmp(mode, "same-place")) {
		same_place(n);
	} else if (!strcmp(mode, "name")) {
		prctl(PR_SET_NAME, "calls-renamed");
		for (long i = 0; i < n; i++)
			syscall(SYS_getppid);
	} else {
		usage("table|children N|mix DIR|refused N|sleeps N|signals N|thread-exec N DIR|"
		      "threads N|same-place N|name N");
	}
	fflush(stdout);
	_exit(0);
}
