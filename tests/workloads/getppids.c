/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* getppids N: calls getppid() N times: what a probe costs a system call that it is not about. */
#include "workload.h"

int main(int argc, char **argv)
{
	uint64_t start;
	long total;

	if (argc != 2)
		usage("N");
	total = number(argv[1]);
	wait_for_go();
	start = now_ns();
	for (long i = 0; i < total; i++)
		syscall(SYS_getppid);
	printf("pid=%d\tdone=%ld\tns=%lu\n", getpid(), total, now_ns() - start);
	return 0;
}
