/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * opens CALL N FAILING DIR [thread]: N opens of distinct paths in DIR by CALL (open, openat,
 * openat2, creat, or mix: each in turn; or the 32-bit calls: open32, openat32, openat232, creat32,
 * mix32), of which the last FAILING name a missing directory; optionally from a second thread.
 * Prints pid, tid, call, fd, errno, flags, mode and path of each.
 */
#include "compat.h"
#include "workload.h"
#include <limits.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdbool.h>

static const struct call {
	const char *name;
	int flags, mode;
} calls[] = {
	{ "open", O_RDWR | O_CREAT | O_CLOEXEC, 0640 },
	{ "openat", O_WRONLY | O_APPEND | O_CREAT, 0604 },
	{ "openat2", O_RDONLY | O_CREAT | O_NONBLOCK, 0600 },
	{ "creat", O_WRONLY | O_CREAT | O_TRUNC, 0644 },
};

static const char *dir;
static long total, failing;
static int only = -1;
static bool compat;

static int open_by(const struct call *call, const char *path)
{
	struct open_how how = { .flags = call->flags, .mode = call->mode };

	switch (call - calls) {
#ifdef SYS_open /* newer architectures have openat alone */
	case 0:
		return syscall(SYS_open, path, call->flags, call->mode);
	case 3:
		return syscall(SYS_creat, path, call->mode);
#endif
	case 2:
		return syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
	default:
		return syscall(SYS_openat, AT_FDCWD, path, call->flags, call->mode);
	}
}

/* By the i386 table of calls; what pointers point to goes below 4 GiB. */
static int open32_by(const struct call *call, const char *path)
{
	static struct low {
		struct open_how how;
		char path[PATH_MAX];
	} * low;

	if (!low)
		low = low_memory(sizeof(*low));
	if (strlen(path) >= sizeof(low->path))
		die("path");
	strcpy(low->path, path);
	low->how = (struct open_how){ .flags = call->flags, .mode = call->mode };
	switch (call - calls) {
	case 0:
		return compat_call(5, (long)low->path, call->flags, call->mode, 0);
	case 1:
		return compat_call(295, AT_FDCWD, (long)low->path, call->flags, call->mode);
	case 2:
		return compat_call(437, AT_FDCWD, (long)low->path, (long)&low->how,
				   sizeof(low->how));
	default:
		return compat_call(8, (long)low->path, call->mode, 0, 0);
	}
}

static void *run(void *unused)
{
	for (long i = 0; i < total; i++) {
		const struct call *call = &calls[only < 0 ? i % 4 : only];
		char *path =
			format(i < total - failing ? "%s/open-%ld" : "%s/missing/open-%ld", dir, i);
		int fd, error;

		errno = 0;
		fd = compat ? open32_by(call, path) : open_by(call, path);
		error = errno;
		if (fd >= 0)
			close(fd);
		printf("pid=%d\ttid=%d\tcall=%s\tfd=%d\terrno=%d\tflags=%d\tmode=%d\tpath=%s\n",
		       getpid(), tid(), call->name, fd, error, call->flags, call->mode, path);
		free(path);
	}
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc < 5 || argc > 6)
		usage("CALL N FAILING DIR [thread]");
	if (strlen(argv[1]) > 2 && !strcmp(argv[1] + strlen(argv[1]) - 2, "32")) {
		compat = true;
		argv[1][strlen(argv[1]) - 2] = '\0';
	}
	for (int i = 0; i < 4; i++)
		if (!strcmp(argv[1], calls[i].name))
			only = i;
	total = number(argv[2]);
	failing = number(argv[3]);
	dir = argv[4];
	wait_for_go();
	if (argc < 6) {
		run(NULL);
	} else {
		if (pthread_create(&thread, NULL, run, NULL))
			die("pthread_create");
		pthread_join(thread, NULL);
	}
	return 0;
}
