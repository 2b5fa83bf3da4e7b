/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * diskio KIND N DISK [FIRST]: N operations on the block device DISK, from block FIRST (0) of 4 KiB
 * on, one after another, past the page cache: write, read (4 KiB each), dsync (4 KiB write with
 * O_DSYNC), flush (fsync), discard (4 KiB), again (a 4 KiB write, to block FIRST each time) or mix
 * (write to discard, N each); or SCSI commands past the block layer: inquiry (which reads 96
 * bytes), ready (TEST UNIT READY, without data). Prints how many were done of each kind, and the
 * sum, minimum and maximum of their times as this program saw them.
 */
#include "workload.h"
#include <linux/fs.h>
#include <scsi/sg.h>
#include <sys/ioctl.h>

#define SIZE  4096
#define KINDS "write|read|dsync|flush|discard|again|mix|inquiry|ready"

static void *buffer;
static int direct, synchronous;
static long first;

static int scsi_command(unsigned char op)
{
	unsigned char command[6] = { op, 0, 0, 0, op ? 96 : 0, 0 };
	struct sg_io_hdr io = { .interface_id = 'S',
				.cmdp = command,
				.cmd_len = sizeof(command),
				.dxfer_direction = op ? SG_DXFER_FROM_DEV : SG_DXFER_NONE,
				.dxferp = buffer,
				.dxfer_len = command[4],
				.timeout = 20000 };

	if (ioctl(direct, SG_IO, &io))
		return -1;
	errno = EIO;
	return io.info & SG_INFO_CHECK ? -1 : 0;
}

static int operate(const char *kind, long i)
{
	off_t at = (first + i) * SIZE;
	uint64_t range[2] = { at, SIZE };

	if (!strcmp(kind, "write"))
		return pwrite(direct, buffer, SIZE, at) == SIZE ? 0 : -1;
	if (!strcmp(kind, "again"))
		return pwrite(direct, buffer, SIZE, first * SIZE) == SIZE ? 0 : -1;
	if (!strcmp(kind, "read"))
		return pread(direct, buffer, SIZE, at) == SIZE ? 0 : -1;
	if (!strcmp(kind, "dsync"))
		return pwrite(synchronous, buffer, SIZE, at) == SIZE ? 0 : -1;
	if (!strcmp(kind, "flush"))
		return fsync(direct);
	if (!strcmp(kind, "discard"))
		return ioctl(direct, BLKDISCARD, range);
	if (!strcmp(kind, "inquiry"))
		return scsi_command(0x12);
	if (!strcmp(kind, "ready"))
		return scsi_command(0);
	usage(KINDS " N DISK [FIRST]");
	return -1;
}

static void run(const char *kind, long total)
{
	uint64_t sum = 0, min = UINT64_MAX, max = 0, start, ns;
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
		min = ns < min ? ns : min;
		max = ns > max ? ns : max;
		done++;
	}
	printf("pid=%d\tkind=%s\tdone=%ld\terrno=%d\tsum_ns=%lu\tmin_ns=%lu\tmax_ns=%lu\n",
	       getpid(), kind, done, error, sum, min, max);
}

int main(int argc, char **argv)
{
	static const char *const kinds[] = { "write", "read", "dsync", "flush", "discard" };
	long total;

	if (argc < 4 || argc > 5)
		usage(KINDS " N DISK [FIRST]");
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
