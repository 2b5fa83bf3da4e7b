/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A worker that does what it should not: each of its limits, and what is left of it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "base/worker.h"

#define MIB (1u << 20)

enum deed { ECHO, HANG, SPIN, EAT, DIE, STOP, SAY_AND_HANG, COUNT_FDS, SIGNALS };

struct answer {
	uint32_t pid, value;
};

static void eat(void)
{
	for (;;) {
		char *more =
			mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		memset(more, 1, MIB);
		usleep(100);
	}
}

static uint32_t count_fds(void)
{
	uint32_t nr = 0;

	for (int fd = 0; fd < 1024; fd++)
		nr += fcntl(fd, F_GETFD) >= 0;
	return nr;
}

static void do_deed(int sock, struct worker_shared *shared, enum deed deed, int fd)
{
	struct answer a = { getpid(), 0 };
	static volatile uint64_t spun;
	struct stat st;

	shared->at = deed + 1;
	if (deed == ECHO && fd >= 0 && !fstat(fd, &st))
		a.value = st.st_size;
	else if (deed == COUNT_FDS)
		a.value = count_fds();
	else if (deed == SIGNALS)
		kill(getpid(), SIGINT);
	else if (deed == DIE)
		raise(SIGKILL);
	else if (deed == STOP)
		raise(SIGSTOP);
	else if (deed == EAT)
		eat();
	while (deed == SPIN)
		spun++;
	if (deed != HANG)
		worker_put(sock, &a, sizeof(a), &fd, fd >= 0);
	while (deed == HANG || deed == SAY_AND_HANG)
		pause();
}

static void serve(int sock, struct worker_shared *shared)
{
	int fds[WORKER_MAX_FDS];
	enum deed deed;
	unsigned int nr;

	while (worker_take(sock, &deed, sizeof(deed), fds, &nr) > 0) {
		do_deed(sock, shared, deed, nr ? fds[0] : -1);
		if (nr)
			close(fds[0]);
	}
}

static const struct worker_limits limits = {
	.stall_ns = 100 * NSEC_PER_MSEC,
	.cpu_ns = 100 * NSEC_PER_MSEC,
	.wall_ns = 20 * NSEC_PER_SEC,
	.bytes = 64 * MIB,
};
static struct worker *w;
static struct answer got;
static int fds[WORKER_MAX_FDS];
static unsigned int nr_fds;

static int setup(void **state)
{
	(void)state;
	w = worker_new(serve);
	return !w;
}

static int teardown(void **state)
{
	(void)state;
	worker_free(w);
	return 0;
}

static ssize_t ask_for(enum deed deed, int fd)
{
	int err = worker_ask(w, &limits, &deed, sizeof(deed), fd);

	got = (struct answer){ 0 };
	return err ? err : worker_answer(w, &got, sizeof(got), fds, &nr_fds);
}

/* It works, as whichever process. */
static void assert_works(void)
{
	assert_int_equal(ask_for(ECHO, -1), sizeof(got));
	assert_int_not_equal(got.pid, 0);
	assert_int_not_equal(got.pid, getpid());
}

static void assert_gone(uint32_t pid)
{
	for (int tries = 0; workers_undead() && tries < 5000; tries++)
		usleep(1000);
	assert_int_equal(workers_undead(), 0);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
}

static void test_works(void **state)
{
	uint32_t pid;

	(void)state;
	assert_works();
	pid = got.pid;
	assert_works();
	assert_int_equal(got.pid, pid);
	assert_int_equal(ask_for(SIGNALS, -1), sizeof(got)); /* as a terminal does at Ctrl-C */
	assert_works();
	assert_int_equal(got.pid, pid);
	worker_free(w);
	assert_gone(pid);
	w = worker_new(serve);
}

/* Each is given up in time, for the right reason, and the next request finds another worker. */
static void test_limits(void **state)
{
	static const struct {
		enum deed deed;
		int err;
	} deeds[] = { { HANG, -ETIMEDOUT },
		      { STOP, -ETIMEDOUT },
		      { SPIN, -ETIME },
		      { EAT, -ENOMEM },
		      { DIE, -EPIPE } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(deeds); i++) {
		uint32_t pid;

		assert_works();
		pid = got.pid;
		assert_int_equal(ask_for(deeds[i].deed, -1), deeds[i].err);
		assert_int_equal(worker_at(w), deeds[i].deed + 1);
		assert_int_equal(worker_last_killed(w), pid);
		assert_gone(pid);
		assert_works();
		assert_int_not_equal(got.pid, pid);
	}
}

static void test_second_answer(void **state)
{
	(void)state;
	assert_int_equal(ask_for(SAY_AND_HANG, -1), sizeof(got));
	assert_int_equal(worker_answer(w, &got, sizeof(got), fds, &nr_fds), -ETIMEDOUT);
	assert_works();
	assert_int_equal(ask_for(SAY_AND_HANG, -1), sizeof(got));
	worker_stop(w);
	assert_gone(got.pid);
	assert_int_equal(worker_answer(w, &got, sizeof(got), fds, &nr_fds), -EPIPE);
	assert_works();
}

/* Nothing of ours is open in it; what is sent, either way, is. */
static void test_descriptors(void **state)
{
	int fd = memfd_create("sent", MFD_CLOEXEC);
	struct stat st, back;

	(void)state;
	assert_int_equal(ftruncate(fd, 4711), 0);
	worker_free(w);
	w = worker_new(serve);
	assert_int_equal(ask_for(COUNT_FDS, -1), sizeof(got));
	assert_int_equal(got.value, 4); /* stdin, stdout, stderr, its socket */
	assert_int_equal(ask_for(ECHO, fd), sizeof(got));
	assert_int_equal(got.value, 4711);
	assert_int_equal(nr_fds, 1);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(fstat(fds[0], &back), 0);
	assert_int_equal(st.st_ino, back.st_ino);
	close(fds[0]);
	close(fd);
}

/* CPU time of one that works, and of one that was killed. */
static void test_cpu_time(void **state)
{
	uint64_t before = workers_cpu_ns();

	(void)state;
	assert_int_equal(ask_for(SPIN, -1), -ETIME);
	assert_true(worker_used(w).cpu_ns >= limits.cpu_ns);
	assert_true(worker_used(w).wall_ns >= limits.cpu_ns);
	assert_true(workers_cpu_ns() - before >= limits.cpu_ns - 20 * NSEC_PER_MSEC);
	assert_works();
	assert_true(workers_peak_bytes() > 0);
}

/* It ends when the process does that made it, however that ends. */
static void test_orphan(void **state)
{
	int ends[2], tries;
	uint32_t pid = 0;
	pid_t middle;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	middle = fork();
	if (!middle) {
		w = worker_new(serve);
		if (ask_for(SAY_AND_HANG, -1) == sizeof(got) &&
		    write(ends[1], &got.pid, sizeof(got.pid)) == sizeof(got.pid))
			raise(SIGKILL);
		_exit(1);
	}
	assert_int_equal(read(ends[0], &pid, sizeof(pid)), sizeof(pid));
	assert_int_equal(waitpid(middle, NULL, 0), middle);
	for (tries = 0; !kill(pid, 0) && tries < 5000; tries++) {
		char path[32], text[256] = "";
		FILE *f;

		/* nobody may be there to reap it */
		snprintf(path, sizeof(path), "/proc/%u/stat", pid);
		f = fopen(path, "r");
		if (f) {
			text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
			fclose(f);
		}
		if (strstr(text, ") Z "))
			break;
		usleep(1000);
	}
	assert_true(tries < 5000);
	close(ends[0]);
	close(ends[1]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_works),	TEST(test_limits),   TEST(test_second_answer),
		TEST(test_descriptors), TEST(test_cpu_time), TEST(test_orphan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
