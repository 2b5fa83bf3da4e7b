/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * uring.h: an io_uring, for one call at a time, or for a few that are submitted together.
 */
#ifndef URING_H
#define URING_H

#include "workload.h"
#include <linux/io_uring.h>
#include <sys/mman.h>

struct uring {
	int fd;
	char *sq, *cq;
	struct io_uring_sqe *sqes;
	struct io_uring_params params;
};

static inline void *uring_map(struct uring *u, size_t size, uint64_t offset)
{
	void *p =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, u->fd, offset);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

/* For @entries calls at a time, a power of two. False: the kernel has or allows none; errno says
 * why. */
static inline int uring_open(struct uring *u, int entries)
{
	struct io_uring_params *p = &u->params;

	memset(u, 0, sizeof(*u));
	u->fd = syscall(SYS_io_uring_setup, entries, p);
	if (u->fd < 0)
		return 0;
	u->sq = uring_map(u, p->sq_off.array + p->sq_entries * sizeof(uint32_t),
			  IORING_OFF_SQ_RING);
	u->cq = uring_map(u, p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe),
			  IORING_OFF_CQ_RING);
	u->sqes = uring_map(u, p->sq_entries * sizeof(*u->sqes), IORING_OFF_SQES);
	return 1;
}

/* Submits it so many @times together, waits for their end, and returns the last one's result. */
static inline int uring_calls(struct uring *u, const struct io_uring_sqe *sqe, int times)
{
	const struct io_uring_params *p = &u->params;
	struct io_uring_cqe *cqes = (void *)(u->cq + p->cq_off.cqes);
	uint32_t *tail = (uint32_t *)(u->sq + p->sq_off.tail), *head;
	uint32_t mask = *(uint32_t *)(u->sq + p->sq_off.ring_mask);
	int result;

	for (int i = 0; i < times; i++) {
		uint32_t at = (*tail + i) & mask;

		u->sqes[at] = *sqe;
		((uint32_t *)(u->sq + p->sq_off.array))[at] = at;
	}
	__atomic_store_n(tail, *tail + times, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, u->fd, times, times, IORING_ENTER_GETEVENTS, NULL, 0) !=
	    times)
		die("io_uring_enter");
	head = (uint32_t *)(u->cq + p->cq_off.head);
	mask = *(uint32_t *)(u->cq + p->cq_off.ring_mask);
	result = cqes[(*head + times - 1) & mask].res;
	__atomic_store_n(head, *head + times, __ATOMIC_RELEASE);
	return result;
}

static inline int uring_call(struct uring *u, const struct io_uring_sqe *sqe)
{
	return uring_calls(u, sqe, 1);
}

#endif
