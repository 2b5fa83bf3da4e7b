/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * mapreads MILLISECONDS: is inside bpf(2) all the time, where it reads a large value from a map, as
 * agents do that look at what BPF programs have counted. Prints the CPU time that this took, or
 * "unavailable=ERRNO".
 */
#include <linux/bpf.h>
#include <sys/resource.h>

#include "workload.h"

static char value[1 << 18];

static long map_call(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static uint64_t cpu_ns(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t))
		die("clock_gettime");
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

int main(int argc, char **argv)
{
	uint64_t ms = argc == 2 ? number(argv[1]) : 0, end, before;
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_HASH,
				.key_size = 4,
				.value_size = sizeof(value),
				.max_entries = 1 };
	const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	int key = 0, map;

	if (argc != 2)
		usage("MILLISECONDS");
	setrlimit(RLIMIT_MEMLOCK, &unlimited); /* before 5.11 maps count */
	map = map_call(BPF_MAP_CREATE, &attr);
	attr = (union bpf_attr){ .map_fd = map,
				 .key = (unsigned long)&key,
				 .value = (unsigned long)value };
	if (map < 0 || map_call(BPF_MAP_UPDATE_ELEM, &attr)) {
		printf("unavailable=%d\n", errno);
		return 0;
	}
	wait_for_go();
	before = cpu_ns(CLOCK_PROCESS_CPUTIME_ID);
	end = cpu_ns(CLOCK_MONOTONIC) + ms * 1000000;
	while (cpu_ns(CLOCK_MONOTONIC) < end)
		for (int i = 0; i < 50; i++)
			if (map_call(BPF_MAP_LOOKUP_ELEM, &attr))
				die("bpf");
	printf("cpu_ns=%llu\n", (unsigned long long)(cpu_ns(CLOCK_PROCESS_CPUTIME_ID) - before));
	return 0;
}
