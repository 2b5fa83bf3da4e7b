/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * worker: a child process that does in our place what may never return, may spin, may crash or may
 * take all memory: reading what belongs to other users.
 *
 *	w = worker_new(serve);				early, while the process is small
 *	err = worker_ask(w, &limits, &request, size, fd);
 *	while (!err && (n = worker_answer(w, &answer, size, fds, &nr_fds)) > 0) ...
 *
 * It has to be a process: who waits for a memory map's lock or for a file system that answers no
 * more wakes up for SIGKILL only (mmap_read_lock_killable(), fuse_wait_answer()), and not always
 * for that. A worker that breaks a limit is killed, and left behind where it can't die at once (no
 * call here waits for it); the next worker_ask() forks another one. So a worker must not hold
 * anything that the next one does not have: each request says all.
 *
 * The worker has none of our descriptors but its socket, ignores what a terminal sends, and dies
 * when we do. Its CPU time is ours: see workers_cpu_ns().
 */
#ifndef BORESCOPE_BASE_WORKER_H
#define BORESCOPE_BASE_WORKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define WORKER_MAX_FDS	   64 /* with one message; the kernel allows 253 */
#define WORKER_MAX_MESSAGE (64u << 10)

struct worker;

/* What both sides see; the worker writes it. */
struct worker_shared {
	_Atomic uint32_t at; /* which part of a request it is at, as the two agree */
};

/* The worker's side: takes requests from @sock and answers them until that is closed. */
typedef void (*worker_serve)(int sock, struct worker_shared *shared);

/* One message and up to WORKER_MAX_FDS descriptors, either way, whole or not at all. worker_take()
 * returns the length, 0 when the other side has gone, or -errno; *nr is then how many came, which
 * are the caller's. */
int worker_put(int sock, const void *msg, size_t len, const int *fds, unsigned int nr);
ssize_t worker_take(int sock, void *msg, size_t size, int *fds, unsigned int *nr);

/* NULL: no memory. That it can't be forked shows in worker_ask(). */
struct worker *worker_new(worker_serve serve);
void worker_free(struct worker *w);

/* Of one request, from worker_ask() to its last answer. */
struct worker_limits {
	uint64_t stall_ns; /* so long without any CPU time, and not for want of a CPU */
	uint64_t cpu_ns;
	uint64_t wall_ns;
	size_t bytes; /* resident, more than when it was forked */
};

/* Sends a request, with @fd unless that is -1. Returns 0 or -errno, as below. */
int worker_ask(struct worker *w, const struct worker_limits *limits, const void *msg, size_t len,
	       int fd);

/*
 * Waits for one answer. Returns its length, with *nr descriptors in @fds (room for WORKER_MAX_FDS);
 * -ETIMEDOUT: it stalled; -ETIME: it took too long; -ENOMEM: it took too much memory; -EPIPE: it
 * died. After any of these it is gone, and worker_at() still tells where it was.
 */
ssize_t worker_answer(struct worker *w, void *msg, size_t size, int *fds, unsigned int *nr);
uint32_t worker_at(const struct worker *w);

/* Ends a request of which no more answers are wanted, and its worker. */
void worker_stop(struct worker *w);

/* What the request has taken until now, or until its worker was killed. */
struct worker_use {
	uint64_t cpu_ns, wall_ns;
};
struct worker_use worker_used(const struct worker *w);

/* Whether @pid is a worker of ours, or was a moment ago: it is not to be shown. */
bool worker_is_ours(pid_t pid);

/* How many were killed and could not die yet; and whether the last one killed is one of them. */
unsigned int workers_undead(void);
pid_t worker_last_killed(const struct worker *w);
bool worker_is_undead(pid_t pid);

/* CPU time of all workers, past and present; and the most memory that a present one has had. */
uint64_t workers_cpu_ns(void);
uint64_t workers_peak_bytes(void);

#endif
