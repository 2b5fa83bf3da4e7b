/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * diskio KIND N DISK [FIRST]: N operations on the block device DISK, from block FIRST (0) of 4 KiB
 * on, one after another, past the page cache: write, read (4 KiB each), dsync (4 KiB write with
 * O_DSYNC), flush (fsync), discard (4 KiB) or mix (all of them, N each). Prints how many were done
 * of each kind, and the sum and maximum of their times as this program saw them.
 */
#define _GNU_SOURCE
#include "workload.h"
#include <linux/fs.h>
#include <sys/ioctl.h>

#define SIZE 4096

static void *buffer;
static int direct, synchronous;
static long first;

static int operate(const char *kind, long i)
{
	off_t at = (first + i) * SIZE;
	uint64_t range[2] = { at, SIZE };

	if (!strcmp(kind, "write"))
		return pwrite(direct, buffer, SIZE, at) == SIZE ? 0 : -1;
	if (!strcmp(kind, "read"))
		return pread(direct, buffer, SIZE, at) == SIZE ? 0 : -1;
	if (!strcmp(kind, "dsync"))
		return pwrite(synchronous, buffer, SIZE, at) == SIZE ? 0 : -1;
	if (!strcmp(kind, "flush"))
		return fsync(direct);
	if (!strcmp(kind, "discard"))
		return ioctl(direct, BLKDISCARD, range);
	usage("write|read|dsync|flush|discard|mix N DISK");
	return -1;
}

static void run(const char *kind, long total)
{
	uint64_t sum = 0, max = 0, start, ns;
	int error = 0;
	long done = 0;

	while (done < total) {
		start = now_ns();
		if (operate(kind, done)) {
			error = errno;
			break;
		}
		ns = now_ns() - start;
		sum += ns;
		max = ns > max ? ns : max;
		done++;
	}
	printf("pid=%d\tkind=%s\tdone=%ld\terrno=%d\tsum_ns=%lu\tmax_ns=%lu\n", getpid(), kind,
	       done, error, sum, max);
}

int main(int argc, char **argv)
{
	static const char *const kinds[] = { "write", "read", "dsync", "flush", "discard" };
	long total;

	if (argc < 4 || argc > 5)
		usage("write|read|dsync|flush|discard|mix N DISK [FIRST]");
	total = number(argv[2]);
	if (argc == 5)
		first = number(argv[4]);
	direct = open(argv[3], O_RDWR | O_DIRECT);
	synchronous = open(argv[3], O_RDWR | O_DIRECT | O_DSYNC);
	if (direct < 0 || synchronous < 0)
		die(argv[3]);
	if (posix_memalign(&buffer, SIZE, SIZE))
		die("posix_memalign");
	memset(buffer, 'b', SIZE);
	wait_for_go();
	if (strcmp(argv[1], "mix")) {
		run(argv[1], total);
	} else {
		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
			run(kinds[i], total);
	}
	return 0;
}
