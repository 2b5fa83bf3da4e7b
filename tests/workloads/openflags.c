/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * openflags DIR: opens a file in DIR (or DIR itself, where a directory is asked for) with one set
 * of flags after another. Prints pid, flags and errno of each.
 */
#include "workload.h"

static const int sets[] = {
	O_RDONLY | O_CREAT,
	O_RDONLY,
	O_WRONLY,
	O_RDWR,
	O_WRONLY | O_TRUNC,
	O_RDWR | O_TRUNC,
	O_WRONLY | O_APPEND,
	O_RDONLY | O_DIRECTORY,
	O_RDWR | O_TMPFILE,
	O_WRONLY | O_DSYNC,
	O_WRONLY | O_SYNC,
	O_RDONLY | O_NONBLOCK | O_CLOEXEC,
};

int main(int argc, char **argv)
{
	char *file;

	if (argc != 2)
		usage("DIR");
	file = format("%s/file", argv[1], 0);
	wait_for_go();
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		int fd = open(sets[i] & O_DIRECTORY ? argv[1] : file, sets[i], 0600), error = errno;

		if (fd >= 0)
			close(fd);
		printf("pid=%d\tflags=%d\terrno=%d\n", getpid(), sets[i], fd < 0 ? error : 0);
	}
	return 0;
}
