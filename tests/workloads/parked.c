/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * parked PLACE COUNT [PLACE COUNT]...: COUNT threads in each PLACE:
 *
 *   mutex   wait for a lock              pipe      read a pipe, in a chain of functions
 *   cond    wait for a condition         nanosleep sleep for an hour
 *   epoll   wait for events              accept    wait for a connection
 *   spin    run, in user space           vfork     wait for a vforked child (D)
 *   mapped  as pipe, its stack in a mapped file
 *   PATH    write to this file (in D, where its file system is frozen)
 *
 * Waits until all are there, and for its input; then prints where each was, and ends. The threads'
 * names are their places. It is built with frame pointers (Makefile).
 */
#include "workload.h"
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define STACK_BYTES 65536

#define NOINLINE __attribute__((noipa)) /* nor changed in any other way */
/* so that a call is not the function's last act, and the function stays on the stack */
#define KEEP_FRAME __asm__ volatile("" ::: "memory")

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t cond_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int pipe_fds[2], listener;
static volatile long spun;
static long spinning; /* threads that are in spin() */

/* A system call in a function of our own: libc's has no frame pointer. */
NOINLINE static long wait_in_read(int fd)
{
	char byte;
	long ret;

#if defined(__x86_64__)
	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "0"((long)SYS_read), "D"((long)fd), "S"(&byte), "d"(1L)
			 : "rcx", "r11", "memory");
#else
	ret = syscall(SYS_read, fd, &byte, 1);
#endif
	KEEP_FRAME;
	return ret;
}

NOINLINE static long third_caller(int fd)
{
	long n = wait_in_read(fd);

	KEEP_FRAME;
	return n;
}

NOINLINE static long second_caller(int fd)
{
	long n = third_caller(fd);

	KEEP_FRAME;
	return n;
}

NOINLINE static long first_caller(int fd)
{
	long n = second_caller(fd);

	KEEP_FRAME;
	return n;
}

NOINLINE static void spin(void)
{
	__atomic_add_fetch(&spinning, 1, __ATOMIC_RELEASE);
	for (;;)
		spun++;
}

/* The stack of the child, which shares our memory. */
static int vforked(void *arg)
{
	(void)arg;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
	return 0;
}

static void wait_for_vfork(void)
{
	char *stack = malloc(STACK_BYTES);

	if (!stack ||
	    clone(vforked, stack + STACK_BYTES, CLONE_VFORK | CLONE_VM | SIGCHLD, NULL) < 0)
		die("clone");
}

static void wait_in_epoll(void)
{
	struct epoll_event ev;
	int fd = epoll_create1(0);

	if (fd < 0 || epoll_wait(fd, &ev, 1, -1) < 0)
		die("epoll");
}

static void write_to(const char *path)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, "x", 1) != 1)
		die(path);
}

struct thread {
	const char *place;
	pid_t tid; /* 0: not started yet */
};

static void *park(void *arg)
{
	struct thread *t = arg;

	pthread_setname_np(pthread_self(), *t->place == '/' ? "file" : t->place);
	__atomic_store_n(&t->tid, tid(), __ATOMIC_RELEASE);
	if (!strcmp(t->place, "mutex")) {
		pthread_mutex_lock(&mutex);
	} else if (!strcmp(t->place, "cond")) {
		pthread_mutex_lock(&cond_mutex);
		pthread_cond_wait(&cond, &cond_mutex);
	} else if (!strcmp(t->place, "pipe") || !strcmp(t->place, "mapped")) {
		first_caller(pipe_fds[0]);
	} else if (!strcmp(t->place, "nanosleep")) {
		sleep(3600);
	} else if (!strcmp(t->place, "epoll")) {
		wait_in_epoll();
	} else if (!strcmp(t->place, "accept")) {
		accept(listener, NULL, NULL);
	} else if (!strcmp(t->place, "spin")) {
		spin();
	} else if (!strcmp(t->place, "vfork")) {
		wait_for_vfork();
	} else if (*t->place == '/') {
		write_to(t->place);
	} else {
		errno = EINVAL;
		die(t->place);
	}
	return NULL;
}

static char state_of(const struct thread *t)
{
	char path[64], text[128] = "", *name_end;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", t->tid);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		die(path);
	close(fd);
	name_end = strrchr(text, ')');
	return name_end ? name_end[2] : '?';
}

/* Waits until no thread runs but those that are to, and these are where they are to be. */
static void settle(const struct thread *threads, long nr)
{
	for (int calm = 0; calm < 3;) {
		long spinners = 0;

		calm++;
		for (long i = 0; i < nr; i++) {
			while (!__atomic_load_n(&threads[i].tid, __ATOMIC_ACQUIRE))
				usleep(1000);
			if (!strcmp(threads[i].place, "spin"))
				spinners++;
			else if (state_of(&threads[i]) == 'R')
				calm = 0;
		}
		if (__atomic_load_n(&spinning, __ATOMIC_ACQUIRE) != spinners)
			calm = 0;
		usleep(20000);
	}
}

static void set_stack(pthread_attr_t *attr, bool in_file)
{
	int fd = in_file ? memfd_create("stack", MFD_CLOEXEC) : -1;
	void *stack;

	pthread_attr_init(attr);
	pthread_attr_setstacksize(attr, STACK_BYTES);
	if (!in_file)
		return;
	if (fd < 0 || ftruncate(fd, STACK_BYTES))
		die("memfd");
	stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (stack == MAP_FAILED || pthread_attr_setstack(attr, stack, STACK_BYTES))
		die("stack");
	close(fd);
}

static void listen_somewhere(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };

	listener = socket(AF_INET, SOCK_STREAM, 0);
	if (listener < 0 || bind(listener, (void *)&any, sizeof(any)) || listen(listener, 1))
		die("socket");
}

int main(int argc, char **argv)
{
	struct sockaddr_in at;
	socklen_t at_len = sizeof(at);
	struct thread *threads;
	pthread_attr_t attr;
	pthread_t id;
	long nr = 0;

	if (argc < 3 || argc % 2 == 0)
		usage("PLACE COUNT [PLACE COUNT]...");
	for (int i = 2; i < argc; i += 2)
		nr += number(argv[i]);
	threads = calloc(nr, sizeof(*threads));
	listen_somewhere();
	if (!threads || pipe(pipe_fds) || getsockname(listener, (void *)&at, &at_len))
		die("cannot prepare");
	pthread_mutex_lock(&mutex);
	for (int i = 1, n = 0; i < argc; i += 2) {
		for (long k = number(argv[i + 1]); k > 0; k--, n++) {
			set_stack(&attr, !strcmp(argv[i], "mapped"));
			threads[n].place = argv[i];
			errno = pthread_create(&id, &attr, park, &threads[n]);
			if (errno)
				die("pthread_create");
		}
	}
	settle(threads, nr);
	printf("pid=%d\n", getpid());
	fflush(stdout);
	/* as wait_for_go() does, but with a stack that can be followed */
	wait_in_read(STDIN_FILENO);
	for (long i = 0; i < nr; i++)
		printf("place=%s\ttid=%d\n", threads[i].place, threads[i].tid);
	printf("pipe=%d\tport=%d\n", pipe_fds[0], ntohs(at.sin_port));
	fflush(stdout);
	_exit(0);
}
