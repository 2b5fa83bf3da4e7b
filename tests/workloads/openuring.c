/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * openuring N DIR: N opens in DIR by io_uring (IORING_OP_OPENAT), one after another. Prints pid,
 * fd, errno and path of each, or "unavailable=ERRNO" where the kernel has or allows no io_uring.
 */
#define _GNU_SOURCE
#include "workload.h"
#include <linux/io_uring.h>
#include <sys/mman.h>

static struct io_uring_params params;
static int ring;

static void *map_ring(size_t size, uint64_t offset)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, offset);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

int main(int argc, char **argv)
{
	struct io_uring_cqe *cqes;
	struct io_uring_sqe *sqes;
	char *sq, *cq;
	long total;

	if (argc != 3)
		usage("N DIR");
	total = number(argv[1]);
	ring = syscall(SYS_io_uring_setup, 1, &params);
	if (ring < 0) {
		printf("unavailable=%d\n", errno);
		return 0;
	}
	sq = map_ring(params.sq_off.array + params.sq_entries * sizeof(uint32_t),
		      IORING_OFF_SQ_RING);
	cq = map_ring(params.cq_off.cqes + params.cq_entries * sizeof(*cqes), IORING_OFF_CQ_RING);
	sqes = map_ring(params.sq_entries * sizeof(*sqes), IORING_OFF_SQES);
	cqes = (void *)(cq + params.cq_off.cqes);
	wait_for_go();
	for (long i = 0; i < total; i++) {
		uint32_t *tail = (uint32_t *)(sq + params.sq_off.tail), *head;
		uint32_t mask = *(uint32_t *)(sq + params.sq_off.ring_mask), at = *tail & mask;
		char *path = format("%s/uring-%ld", argv[2], i);
		int result;

		memset(&sqes[at], 0, sizeof(sqes[at]));
		sqes[at].opcode = IORING_OP_OPENAT;
		sqes[at].fd = AT_FDCWD;
		sqes[at].addr = (uintptr_t)path;
		sqes[at].len = 0644;
		sqes[at].open_flags = O_RDWR | O_CREAT;
		((uint32_t *)(sq + params.sq_off.array))[at] = at;
		__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
		if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
			die("io_uring_enter");
		head = (uint32_t *)(cq + params.cq_off.head);
		result = cqes[*head & *(uint32_t *)(cq + params.cq_off.ring_mask)].res;
		__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
		if (result >= 0)
			close(result);
		printf("pid=%d\tfd=%d\terrno=%d\tpath=%s\n", getpid(), result < 0 ? -1 : result,
		       result < 0 ? -result : 0, path);
		free(path);
	}
	return 0;
}
