/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ends WAY [N [N]]: processes that end, one after the other, as wait4(2) sees it. Prints pid,
 * ppid, status or signal (0: none), core (1: dumped), the killer's pid and name (0: nobody), CPU
 * time in us and peak memory in KiB of each:
 *
 *  plain N     N children that exit with the status 0, 1, 2 and so on, modulo 256
 *  exits       11 exits: by the first thread, another one, the last one; after fork, vfork, exec
 *  kills       7 signals from 7 processes, killer0 to killer6, which end after them
 *  faults      5 faults, and no core dump
 *  core        abort(3), with a core dump if the system makes one
 *  usage MS KB two threads that are busy for MS each, and touch KB, and are gone before the end
 *  threads N   one process, of N threads and the first one, that all end at the same time
 *  race N      N processes of two threads that end at the same time
 *  burst N     N threads, one after the other, as fast as they go; prints how many ends there
 *              are with that of the first one
 *  memory      one that takes memory until it is killed
 */
#include "workload.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define KILLERS	    7
#define THREADS_MAX 512

static pid_t killers[KILLERS];

/* Waits for the child's end, and prints it; @killer: its number, -1: nobody. */
static void print_end(pid_t pid, int killer)
{
	struct rusage used;
	int status;

	if (pid < 0 || wait4(pid, &status, 0, &used) != pid)
		die("wait4");
	printf("pid=%d\tppid=%d\tstatus=%d\tsignal=%d\tcore=%d", pid, getpid(),
	       WIFEXITED(status) ? WEXITSTATUS(status) : 0,
	       WIFSIGNALED(status) ? WTERMSIG(status) : 0,
	       WIFSIGNALED(status) && WCOREDUMP(status));
	printf("\tkiller=%d\tcomm=%s%d", killer < 0 ? 0 : killers[killer],
	       killer < 0 ? "none" : "killer", killer < 0 ? 0 : killer);
	printf("\tcpu_us=%ld\tpeak_kb=%ld\n",
	       (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000L + used.ru_utime.tv_usec +
		       used.ru_stime.tv_usec,
	       used.ru_maxrss);
	fflush(stdout);
}

/* --- exits -------------------------------------------------------------------------------- */

static void *return_late(void *unused)
{
	usleep(20000);
	return NULL;
}

static void *exit_late(void *status)
{
	usleep(20000);
	exit((int)(intptr_t)status);
}

static void *exit_thread_late(void *status)
{
	usleep(20000);
	syscall(SYS_exit, (intptr_t)status);
	return NULL;
}

static void *sleep_long(void *unused)
{
	for (;;)
		pause();
	return NULL;
}

static void *exec_late(void *status)
{
	usleep(20000);
	execl("/proc/self/exe", "ends", "child", (char *)status, NULL);
	_exit(127);
}

static void in_thread(void *(*begin)(void *), void *arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, begin, arg))
		die("pthread_create");
}

static void exit_now(void)
{
	_exit(0);
}

static void exit_1(void)
{
	_exit(1);
}

static void exit_255(void)
{
	_exit(255);
}

static void exit_by_exec(void)
{
	execl("/proc/self/exe", "ends", "child", "3", NULL);
	_exit(127);
}

static void exit_by_other_thread(void)
{
	in_thread(exit_late, (void *)4);
	sleep_long(NULL);
}

static void exit_first_thread_earlier(void)
{
	in_thread(exit_late, (void *)5);
	pthread_exit(NULL);
}

static void exit_all_threads_alone(void)
{
	in_thread(exit_thread_late, (void *)6);
	syscall(SYS_exit, 7);
}

static void exit_with_last_thread_earlier(void)
{
	in_thread(return_late, NULL);
	usleep(40000);
	_exit(8);
}

static void exit_with_threads(void)
{
	for (int i = 0; i < 3; i++)
		in_thread(sleep_long, NULL);
	_exit(9);
}

static void exit_by_exec_of_thread(void)
{
	in_thread(exec_late, "10");
	sleep_long(NULL);
}

static void (*const exits[])(void) = {
	exit_now,
	exit_1,
	exit_255,
	exit_by_exec,
	exit_by_other_thread,
	exit_first_thread_earlier,
	exit_all_threads_alone,
	exit_with_last_thread_earlier,
	exit_with_threads,
	exit_by_exec_of_thread,
};

static __attribute__((noinline)) pid_t vforked(void)
{
	pid_t pid = vfork();

	if (!pid)
		_exit(11);
	return pid;
}

static void do_exits(void)
{
	for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++) {
		pid_t pid = fork();

		if (!pid)
			exits[i]();
		print_end(pid, -1);
	}
	print_end(vforked(), -1);
}

static void do_plain(long total)
{
	for (long i = 0; i < total; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit((int)(i & 255));
		print_end(pid, -1);
	}
}

/* --- kills -------------------------------------------------------------------------------- */

static void kill_by_number(int how, pid_t victim)
{
	siginfo_t info = { .si_code = SI_QUEUE };
	int pidfd;

	switch (how) {
	case 0:
		kill(victim, SIGKILL);
		break;
	case 1:
		kill(victim, SIGTERM);
		break;
	case 2:
		syscall(SYS_tgkill, victim, victim, SIGHUP);
		break;
	case 3:
		sigqueue(victim, SIGUSR1, (union sigval){ .sival_int = 1 });
		break;
	case 4:
		info.si_signo = SIGRTMIN + 3;
		pidfd = syscall(434, victim, 0);	     /* pidfd_open */
		syscall(424, pidfd, SIGRTMIN + 3, &info, 0); /* pidfd_send_signal */
		break;
	case 5:
		kill(-victim, SIGKILL);
		break;
	default:
		kill(victim, SIGQUIT); /* which waits */
	}
}

static void *kill_in_thread(void *victim)
{
	kill_by_number(1, (pid_t)(intptr_t)victim);
	return NULL;
}

/* Is told whom to kill, and ends with the pipe; the second one does it in a thread. */
static void be_killer(int number, int from)
{
	char name[16];
	pid_t victim;

	snprintf(name, sizeof(name), "killer%d", number);
	prctl(PR_SET_NAME, name);
	while (read(from, &victim, sizeof(victim)) == sizeof(victim)) {
		if (number == 1)
			in_thread(kill_in_thread, (void *)(intptr_t)victim);
		else
			kill_by_number(number, victim);
	}
	_exit(0);
}

static void be_victim(int number)
{
	sigset_t set;

	prctl(PR_SET_DUMPABLE, 0);
	if (number == 5)
		setpgid(0, 0);
	if (number < 6)
		sleep_long(NULL);
	/* blocks the signal until it is there */
	sigemptyset(&set);
	sigaddset(&set, SIGQUIT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	do {
		usleep(1000);
		sigpending(&set);
	} while (!sigismember(&set, SIGQUIT));
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void do_kills(int to[KILLERS])
{
	for (int i = 0; i < KILLERS; i++) {
		pid_t victim = fork();

		if (!victim)
			be_victim(i);
		if (i == 5)
			setpgid(victim, victim);
		if (i == 6)
			usleep(20000);
		if (write(to[i], &victim, sizeof(victim)) != sizeof(victim))
			die("write");
		print_end(victim, i);
	}
}

static void make_killers(int to[KILLERS])
{
	for (int i = 0; i < KILLERS; i++) {
		int ends[2];

		if (pipe2(ends, O_CLOEXEC))
			die("pipe");
		killers[i] = fork();
		if (!killers[i]) {
			for (int j = 0; j < i; j++)
				close(to[j]);
			close(ends[1]);
			be_killer(i, ends[0]);
		}
		close(ends[0]);
		to[i] = ends[1];
	}
}

/* --- faults ------------------------------------------------------------------------------- */

static void fault_by_number(int number)
{
	volatile long address = 16;
	volatile int *read_only, zero = 0;
	int fd;

	switch (number) {
	case 0:
		*(volatile int *)address = 1;
		break;
	case 1:
		read_only = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		*read_only = 1;
		break;
	case 2:
		fd = memfd_create("empty", 0);
		zero = *(volatile int *)mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
		break;
	case 3:
#if defined(__x86_64__)
		__asm__ volatile("ud2");
#else
		__asm__ volatile(".inst 0");
#endif
		break;
	default:
#if defined(__x86_64__)
		__asm__ volatile("int3");
#else
		__asm__ volatile("brk #0");
#endif
	}
	_exit(zero);
}

static void do_faults(void)
{
	for (int i = 0; i < 5; i++) {
		pid_t pid = fork();

		if (!pid) {
			prctl(PR_SET_DUMPABLE, 0);
			fault_by_number(i);
		}
		print_end(pid, -1);
	}
}

static void do_core(void)
{
	struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	pid_t pid = fork();

	if (!pid) {
		setrlimit(RLIMIT_CORE, &all);
		abort();
	}
	print_end(pid, -1);
}

/* --- what is used ------------------------------------------------------------------------- */

static long busy_ms, touch_kb;

static void *be_busy(void *unused)
{
	struct timespec t;
	volatile char *memory = malloc(touch_kb * 1024);

	for (long i = 0; i < touch_kb; i++)
		memory[i * 1024] = 1;
	do
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	while (t.tv_sec * 1000 + t.tv_nsec / 1000000 < busy_ms);
	return NULL;
}

static void do_usage(long ms, long kb)
{
	pthread_t threads[2];
	pid_t pid = fork();

	busy_ms = ms;
	touch_kb = kb;
	if (!pid) {
		for (int i = 0; i < 2; i++)
			pthread_create(&threads[i], NULL, be_busy, NULL);
		for (int i = 0; i < 2; i++)
			pthread_join(threads[i], NULL);
		_exit(0);
	}
	print_end(pid, -1);
}

static atomic_bool go;

static void *end_on_go(void *unused)
{
	while (!go)
		sched_yield();
	syscall(SYS_exit, 0);
	return NULL;
}

/* A process of @count threads beside its first one, all of which end when it does. */
static void end_together(long count)
{
	pid_t pid = fork();

	if (!pid) {
		for (long i = 0; i < count; i++)
			in_thread(end_on_go, NULL);
		go = true;
		syscall(SYS_exit, 0);
	}
	print_end(pid, -1);
}

static void *end_now(void *unused)
{
	return NULL;
}

static void do_burst(long total)
{
	pthread_t thread;

	for (long i = 0; i < total; i++)
		if (pthread_create(&thread, NULL, end_now, NULL) || pthread_join(thread, NULL))
			die("a thread");
	printf("pid=%d\tdone=%ld\tfailed=0\n", getpid(), total + 1);
}

static void do_memory(void)
{
	pid_t pid = fork();

	while (!pid) {
		char *more = malloc(1 << 20);

		if (more)
			memset(more, 1, 1 << 20);
	}
	print_end(pid, -1);
}

int main(int argc, char **argv)
{
	const char *way = argc > 1 ? argv[1] : "";
	long n = argc > 2 ? number(argv[2]) : 1;
	int to[KILLERS];

	if (!strcmp(way, "child"))
		return (int)n;
	if (!strcmp(way, "kills"))
		make_killers(to);
	wait_for_go();
	if (!strcmp(way, "plain"))
		do_plain(n);
	else if (!strcmp(way, "exits"))
		do_exits();
	else if (!strcmp(way, "kills"))
		do_kills(to);
	else if (!strcmp(way, "faults"))
		do_faults();
	else if (!strcmp(way, "core"))
		do_core();
	else if (!strcmp(way, "usage") && argc == 4)
		do_usage(n, number(argv[3]));
	else if (!strcmp(way, "threads") && n <= THREADS_MAX)
		end_together(n);
	else if (!strcmp(way, "race"))
		for (long i = 0; i < n; i++)
			end_together(1);
	else if (!strcmp(way, "burst"))
		do_burst(n);
	else if (!strcmp(way, "memory"))
		do_memory();
	else
		usage("WAY [N [N]]");
	return 0;
}
