/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/msg.h"
#include "base/patience.h"
#include "base/status.h"
#include "base/util.h"
#include "run/guard.h"
#include "run/timers.h"

#define SAME_REQUEST_NS (100 * NSEC_PER_MSEC)
#define TICK_NS		(100 * NSEC_PER_MSEC) /* once the end is due */
#define STUCK_TICKS	20
#define STUCK_AGAIN	3 /* for the writes after one that was given up */
#define HANGS_TICKS	100
#define STACK_BYTES	(64 << 10)
#define NUDGE		SIGALRM /* wakes up either thread */

static pthread_t main_thread, guard_thread;
static sigset_t taken; /* by the guard's thread */
static int asked_fd;
static atomic_bool asked, ending, interrupts;
static _Atomic uint64_t deadline = TIMER_NEVER;

/* The thread's own. */
static uint64_t asked_ns;
static unsigned int seen_write, stuck_ticks, stuck_most = STUCK_TICKS;
static uint64_t seen_cpu_ns;
static unsigned int hangs_ticks;

static void nudged(int sig)
{
}

/* --- the thread --------------------------------------------------------------------------- */

/* By the signal, for whoever waits for us; the init process of a pid namespace survives it. */
static void __attribute__((noreturn)) end_by(int sig)
{
	sigset_t this;

	signal(sig, SIG_DFL);
	sigemptyset(&this);
	sigaddset(&this, sig);
	pthread_sigmask(SIG_UNBLOCK, &this, NULL);
	raise(sig);
	_exit(128 + sig);
}

static void take(int sig)
{
	const uint64_t one = 1;
	ssize_t n;

	if (sig == NUDGE)
		return;
	if (!atomic_exchange(&asked, true)) {
		asked_ns = clock_mono_ns();
		atomic_store(&ending, true);
		n = write(asked_fd, &one, sizeof(one));
		(void)n; /* never full: it is written to once */
	} else if (sig != SIGHUP && clock_mono_ns() - asked_ns > SAME_REQUEST_NS) {
		end_by(sig); /* not by SIGHUP: the shell passes its own on, too */
	}
}

static bool may_be_a_pager(void)
{
	struct stat st;

	return !fstat(STDOUT_FILENO, &st) && S_ISFIFO(st.st_mode) && isatty(STDERR_FILENO) &&
	       tcgetpgrp(STDERR_FILENO) == getpgrp();
}

/* Not by error(): the main thread may be at it. */
static void __attribute__((noreturn)) end_hanging(void)
{
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };

	if (poll(&p, 1, 0) > 0 && (p.revents & POLLOUT))
		dprintf(STDERR_FILENO,
			"%s: gave up: it hangs in the kernel, and should have ended %d s ago\n",
			msg_tool(), HANGS_TICKS / 10);
	_exit(STATUS_FAILED);
}

static uint64_t main_cpu_ns(void)
{
	struct timespec ts = { 0 };
	clockid_t clock;

	if (!pthread_getcpuclockid(main_thread, &clock))
		clock_gettime(clock, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static void look_at_write(unsigned int number)
{
	stuck_ticks = number == seen_write ? stuck_ticks + 1 : 0;
	seen_write = number;
	if (stuck_ticks >= stuck_most && !may_be_a_pager()) {
		stuck_most = STUCK_AGAIN;
		patience_give_up(number);
	}
	pthread_kill(main_thread, NUDGE);
}

static void look_at_end(void)
{
	unsigned int number = patience_current();
	uint64_t cpu = main_cpu_ns();

	if (number)
		look_at_write(number);
	hangs_ticks = !number && cpu == seen_cpu_ns ? hangs_ticks + 1 : 0;
	seen_cpu_ns = cpu;
	if (hangs_ticks >= HANGS_TICKS)
		end_hanging();
}

/* How long to wait for a signal. */
static uint64_t pause_ns(void)
{
	uint64_t now = clock_mono_ns(), at = atomic_load(&deadline);

	if (now >= at)
		atomic_store(&ending, true);
	if (atomic_load(&ending))
		return TICK_NS;
	return min_u64(at - now, atomic_load(&interrupts) ? NSEC_PER_SEC : TIMER_NEVER);
}

static void *guard(void *unused)
{
	for (;;) {
		uint64_t ns = pause_ns();
		const struct timespec ts = { ns / NSEC_PER_SEC, ns % NSEC_PER_SEC };
		int sig = ns > INT32_MAX * NSEC_PER_SEC ? sigwaitinfo(&taken, NULL)
							: sigtimedwait(&taken, NULL, &ts);

		if (sig > 0)
			take(sig);
		else if (errno != EAGAIN)
			continue;
		else if (atomic_load(&ending))
			look_at_end();
		else if (patience_current())
			pthread_kill(main_thread, NUDGE);
	}
	return NULL;
}

/* --- the main thread ---------------------------------------------------------------------- */

/* SIGHUP, when the terminal goes, is a request to end, too; under nohup it is ignored and stays so.
 * Blocked in both threads: what is blocked is kept for sigwaitinfo(2), even where it is ignored. */
static void block_signals(void)
{
	struct sigaction hangup;

	sigemptyset(&taken);
	sigaddset(&taken, SIGINT);
	sigaddset(&taken, SIGTERM);
	if (!sigaction(SIGHUP, NULL, &hangup) && hangup.sa_handler != SIG_IGN)
		sigaddset(&taken, SIGHUP);
	sigprocmask(SIG_BLOCK, &taken, NULL);
}

int guard_start(void)
{
	const struct sigaction nudge = { .sa_handler = nudged };
	pthread_attr_t attr;
	sigset_t all, before;
	int err;

	asked_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (asked_fd < 0)
		return -errno;
	block_signals();
	sigaction(NUDGE, &nudge, NULL);
	sigaddset(&taken, NUDGE);
	main_thread = pthread_self();
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before); /* the thread inherits it */
	err = pthread_create(&guard_thread, &attr, guard, NULL);
	sigdelset(&before, NUDGE);
	sigprocmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return err ? -err : asked_fd;
}

bool guard_asked(void)
{
	return atomic_load(&asked);
}

void guard_deadline(uint64_t at)
{
	atomic_store(&deadline, at);
	pthread_kill(guard_thread, NUDGE);
}

void guard_interrupt_writes(void)
{
	atomic_store(&interrupts, true);
	pthread_kill(guard_thread, NUDGE);
}

void guard_ending(void)
{
	atomic_store(&ending, true);
	pthread_kill(guard_thread, NUDGE);
}
