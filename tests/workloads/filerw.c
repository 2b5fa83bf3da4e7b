/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* filerw N PATH: writes and reads the same 4 KiB of a file N times, from and to the page cache. */
#include "workload.h"

int main(int argc, char **argv)
{
	static char buffer[4096];
	uint64_t start;
	long total;
	int fd;

	if (argc != 3)
		usage("N PATH");
	total = number(argv[1]);
	fd = open(argv[2], O_RDWR | O_CREAT, 0644);
	if (fd < 0 || pwrite(fd, buffer, sizeof(buffer), 0) != sizeof(buffer))
		die(argv[2]);
	wait_for_go();
	start = now_ns();
	for (long i = 0; i < total; i++)
		if (pwrite(fd, buffer, sizeof(buffer), 0) != sizeof(buffer) ||
		    pread(fd, buffer, sizeof(buffer), 0) != sizeof(buffer))
			die(argv[2]);
	printf("pid=%d\tdone=%ld\tns=%lu\n", getpid(), total, now_ns() - start);
	return 0;
}
