/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/number.h"
#include "base/util.h"
#include "base/worker.h"

#define TICK_MS	   20 /* between two looks at what a worker takes */
#define MAX_UNDEAD 64
#define SOCK_FD	   3 /* the worker's */

struct worker {
	worker_serve serve;
	struct worker_shared *shared;
	pid_t pid; /* 0: there is none */
	pid_t last_killed;
	uint64_t killed_ns;
	int sock, nice;
	size_t first_bytes; /* resident when it was forked */
	struct worker_limits limits;
	struct worker_use used;
	uint64_t asked_ns, asked_cpu_ns; /* when the request was made */
	uint64_t moved_ns, moved_cpu_ns; /* when its CPU time was seen to grow last */
	struct worker *next;
};

static struct worker *workers;
static pid_t undead[MAX_UNDEAD];
static unsigned int nr_undead;

/* 0 when it has been reaped. */
static uint64_t cpu_ns_of(pid_t pid)
{
	clockid_t clock;

	return clock_getcpuclockid(pid, &clock) ? 0 : clock_now_ns(clock);
}

/* --- messages ----------------------------------------------------------------------------- */

int worker_put(int sock, const void *msg, size_t len, const int *fds, unsigned int nr)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int) * WORKER_MAX_FDS)];
	} control = { 0 };
	struct iovec part = { (void *)msg, len };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t n;

	if (nr) {
		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * nr);
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof(int) * nr);
		memcpy(CMSG_DATA(&control.head), fds, sizeof(int) * nr);
	}
	do
		n = sendmsg(sock, &m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

ssize_t worker_take(int sock, void *msg, size_t size, int *fds, unsigned int *nr)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int) * WORKER_MAX_FDS)];
	} control = { 0 };
	struct iovec part = { msg, size };
	struct msghdr m = { .msg_iov = &part,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	const struct cmsghdr *c;
	ssize_t n;

	*nr = 0;
	do
		n = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
		*nr = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(c), *nr * sizeof(int));
	}
	return n;
}

/* --- the worker's side -------------------------------------------------------------------- */

/* Memory that is shared with the kernel (rings, maps of BPF programs) would live as long as a
 * worker that can't die. */
static void unmap_shared(void)
{
	unsigned long start, end;
	char line[512];
	FILE *f = fopen("/proc/self/maps", "re");

	while (f && fgets(line, sizeof(line), f)) {
		if (strstr(line, " anon_inode:") && sscanf(line, "%lx-%lx", &start, &end) == 2)
			munmap((void *)start, end - start);
	}
	if (f)
		fclose(f);
}

static void close_all(int sock)
{
	long max = sysconf(_SC_OPEN_MAX);
	int null = open("/dev/null", O_RDWR);

	/* the tool's stdout and stderr end with the tool, though a worker may be left behind */
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	dup2(sock, SOCK_FD);
	if (syscall(SYS_close_range, SOCK_FD + 1, ~0U, 0)) { /* 5.9; a container may refuse it */
		for (int fd = SOCK_FD + 1; fd < max; fd++)
			close(fd);
	}
}

/* If memory is short, the kernel ends the worker first. */
static void be_first_to_go(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return;
	n = write(fd, "1000", 4);
	(void)n; /* then it is as likely to go as we are */
	close(fd);
}

static void __attribute__((noreturn)) work(const struct worker *w, int sock, pid_t parent)
{
	sigset_t all;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	prctl(PR_SET_NAME, "borescope-files");
	close_all(sock);
	setpriority(PRIO_PROCESS, 0, w->nice);
	be_first_to_go();
	unmap_shared();
	w->serve(SOCK_FD, w->shared);
	_exit(0);
}

/* --- our side ----------------------------------------------------------------------------- */

static bool reap(pid_t pid)
{
	pid_t got = waitpid(pid, NULL, WNOHANG);

	return got == pid || (got < 0 && errno == ECHILD);
}

static void reap_undead(void)
{
	for (unsigned int i = 0; i < nr_undead;) {
		if (reap(undead[i]))
			undead[i] = undead[--nr_undead];
		else
			i++;
	}
}

static void update_use(struct worker *w)
{
	uint64_t cpu = cpu_ns_of(w->pid);

	w->used.wall_ns = clock_now_ns(CLOCK_MONOTONIC) - w->asked_ns;
	if (cpu > w->asked_cpu_ns)
		w->used.cpu_ns = cpu - w->asked_cpu_ns;
}

static void end_worker(struct worker *w)
{
	if (!w->pid)
		return;
	update_use(w);
	kill(w->pid, SIGKILL);
	close(w->sock);
	/* as a rule it is gone at once */
	for (int tries = 0; tries < 20 && w->pid; tries++) {
		w->last_killed = w->pid;
		w->killed_ns = clock_now_ns(CLOCK_MONOTONIC);
		if (reap(w->pid))
			w->pid = 0;
		else
			usleep(500);
	}
	if (w->pid && nr_undead < MAX_UNDEAD)
		undead[nr_undead++] = w->pid;
	w->pid = 0;
}

static size_t resident(pid_t pid)
{
	uint64_t pages = 0;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/statm", pid);
	number_read(path, 2, &pages);
	return pages * sysconf(_SC_PAGESIZE);
}

static int start_worker(struct worker *w)
{
	pid_t parent = getpid(), pid;
	int ends[2], err;

	reap_undead();
	if (nr_undead == MAX_UNDEAD)
		return -EAGAIN;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	pid = fork();
	if (!pid)
		work(w, ends[1], parent);
	err = errno;
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return -err;
	}
	w->pid = pid;
	w->sock = ends[0];
	w->first_bytes = resident(pid);
	return 0;
}

struct worker *worker_new(worker_serve serve)
{
	struct worker *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->shared = mmap(NULL, sizeof(*w->shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (w->shared == MAP_FAILED) {
		free(w);
		return NULL;
	}
	signal(SIGCHLD, SIG_DFL); /* ignored, it would take away what they used */
	w->serve = serve;
	w->nice = getpriority(PRIO_PROCESS, 0);
	w->next = workers;
	workers = w;
	start_worker(w);
	return w;
}

void worker_free(struct worker *w)
{
	struct worker **at = &workers;

	if (!w)
		return;
	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	end_worker(w);
	munmap(w->shared, sizeof(*w->shared));
	free(w);
}

int worker_ask(struct worker *w, const struct worker_limits *limits, const void *msg, size_t len,
	       int fd)
{
	int err = w->pid ? 0 : start_worker(w);

	if (err)
		return err;
	w->limits = *limits;
	w->shared->at = 0;
	w->used = (struct worker_use){ 0 };
	w->asked_ns = w->moved_ns = clock_now_ns(CLOCK_MONOTONIC);
	w->asked_cpu_ns = w->moved_cpu_ns = cpu_ns_of(w->pid);
	err = worker_put(w->sock, msg, len, &fd, fd >= 0);
	if (err) {
		end_worker(w);
		return -EPIPE;
	}
	return 0;
}

/* Whether it would run if there was a CPU for it. */
static bool is_runnable(pid_t pid)
{
	char path[32], text[256];
	const char *state;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	state = strrchr(text, ')');
	return state && state[1] && state[2] == 'R';
}

/* Returns 0 or which limit it has broken. */
static int check_limits(struct worker *w)
{
	uint64_t now = clock_now_ns(CLOCK_MONOTONIC), cpu = cpu_ns_of(w->pid);

	if (cpu != w->moved_cpu_ns) {
		w->moved_cpu_ns = cpu;
		w->moved_ns = now;
	}
	if (cpu > w->asked_cpu_ns + w->limits.cpu_ns || now - w->asked_ns > w->limits.wall_ns)
		return -ETIME;
	if (now - w->moved_ns > w->limits.stall_ns) {
		if (!is_runnable(w->pid))
			return -ETIMEDOUT;
		w->moved_ns = now;
	}
	return resident(w->pid) > w->first_bytes + w->limits.bytes ? -ENOMEM : 0;
}

ssize_t worker_answer(struct worker *w, void *msg, size_t size, int *fds, unsigned int *nr)
{
	struct pollfd p = { .fd = w->sock, .events = POLLIN };
	int err = 0;
	ssize_t n;

	*nr = 0;
	if (!w->pid)
		return -EPIPE;
	while (!err && poll(&p, 1, TICK_MS) <= 0)
		err = check_limits(w);
	n = err ? err : worker_take(w->sock, msg, size, fds, nr);
	if (n > 0) {
		update_use(w);
		return n;
	}
	end_worker(w);
	return err ? err : -EPIPE;
}

uint32_t worker_at(const struct worker *w)
{
	return w->shared->at;
}

void worker_stop(struct worker *w)
{
	end_worker(w);
}

struct worker_use worker_used(const struct worker *w)
{
	return w->used;
}

unsigned int workers_undead(void)
{
	reap_undead();
	return nr_undead;
}

pid_t worker_last_killed(const struct worker *w)
{
	return w->last_killed;
}

bool worker_is_undead(pid_t pid)
{
	reap_undead();
	for (unsigned int i = 0; i < nr_undead; i++)
		if (undead[i] == pid)
			return true;
	return false;
}

bool worker_is_ours(pid_t pid)
{
	for (const struct worker *w = workers; w; w = w->next) {
		if (w->pid == pid)
			return true;
		/* a pid may be given to another process, but not so soon */
		if (w->last_killed == pid &&
		    clock_now_ns(CLOCK_MONOTONIC) - w->killed_ns < NSEC_PER_SEC)
			return true;
	}
	return nr_undead && worker_is_undead(pid);
}

uint64_t workers_cpu_ns(void)
{
	struct rusage u = { 0 };
	uint64_t ns;

	reap_undead();
	getrusage(RUSAGE_CHILDREN, &u);
	ns = (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * NSEC_PER_SEC +
	     (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * NSEC_PER_USEC;
	for (unsigned int i = 0; i < nr_undead; i++)
		ns += cpu_ns_of(undead[i]);
	for (const struct worker *w = workers; w; w = w->next)
		ns += w->pid ? cpu_ns_of(w->pid) : 0;
	return ns;
}

uint64_t workers_peak_bytes(void)
{
	uint64_t kib, bytes = 0;
	char path[32];

	for (const struct worker *w = workers; w; w = w->next) {
		snprintf(path, sizeof(path), "/proc/%d/status", w->pid);
		if (w->pid && !number_field(path, "VmHWM", 10, &kib))
			bytes += kib * 1024;
	}
	return bytes;
}
