/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * openuring N DIR: N opens in DIR by io_uring (IORING_OP_OPENAT), one after another. Prints pid,
 * fd, errno and path of each, or "unavailable=ERRNO" where the kernel has or allows no io_uring.
 */
#include "uring.h"

int main(int argc, char **argv)
{
	struct uring ring;
	long total;

	if (argc != 3)
		usage("N DIR");
	total = number(argv[1]);
	if (!uring_open(&ring, 1)) {
		printf("unavailable=%d\n", errno);
		return 0;
	}
	wait_for_go();
	for (long i = 0; i < total; i++) {
		char *path = format("%s/uring-%ld", argv[2], i);
		struct io_uring_sqe sqe = { .opcode = IORING_OP_OPENAT,
					    .fd = AT_FDCWD,
					    .addr = (uintptr_t)path,
					    .len = 0644,
					    .open_flags = O_RDWR | O_CREAT };
		int result = uring_call(&ring, &sqe);

		if (result >= 0)
			close(result);
		printf("pid=%d\tfd=%d\terrno=%d\tpath=%s\n", getpid(), result < 0 ? -1 : result,
		       result < 0 ? -result : 0, path);
		free(path);
	}
	return 0;
}
