/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/syscalls.h"
#include "kernel/object.h"
#include "tasks/waits.h"

/* clang-format off */
/* Calls in which threads wait until there is something to do. */
static const char *const idle[] = {
	"accept", "accept4", "clock_nanosleep", "clock_nanosleep_time64", "epoll_pwait",
	"epoll_pwait2", "epoll_wait", "futex", "futex_time64", "futex_wait", "futex_waitv",
	"io_getevents", "io_pgetevents", "nanosleep", "pause", "poll", "ppoll", "ppoll_time64",
	"pselect6", "pselect6_time64", "restart_syscall", "rt_sigsuspend", "rt_sigtimedwait",
	"rt_sigtimedwait_time64", "select", "_newselect", "sigsuspend", "wait4", "waitid",
	"waitpid", NULL
};
/* Calls whose first argument is a file descriptor. */
static const char *const by_fd[] = {
	"accept", "accept4", "bind", "close", "connect", "copy_file_range", "epoll_ctl",
	"epoll_pwait", "epoll_pwait2", "epoll_wait", "fadvise64", "fallocate", "fchmod", "fchown",
	"fcntl", "fdatasync", "flock", "fstat", "fstatfs", "fsync", "ftruncate", "getdents",
	"getdents64", "io_uring_enter", "ioctl", "listen", "lseek", "pread64", "preadv", "preadv2",
	"pwrite64", "pwritev", "pwritev2", "read", "readahead", "readv", "recvfrom", "recvmmsg",
	"recvmsg", "sendfile", "sendfile64", "sendmmsg", "sendmsg", "sendto", "shutdown", "splice",
	"sync_file_range", "syncfs", "tee", "vmsplice", "write", "writev", NULL
};
/* clang-format on */

static void set_calls(__u64 *bits, const char *const *names, bool compat)
{
	for (; *names; names++) {
		int nr = syscall_number(*names, compat);

		if (nr >= 0 && nr < WAIT_CALLS)
			bits[nr / 64] |= 1ULL << (nr % 64);
	}
}

void waits_configure(struct object *o)
{
	struct wait_config *c = object_section(o, ".rodata.waits", "lib/tasks/waits.bpf.h");

	set_calls(c->native.idle, idle, false);
	set_calls(c->compat.idle, idle, true);
	set_calls(c->native.by_fd, by_fd, false);
	set_calls(c->compat.by_fd, by_fd, true);
}

int waits_idle(const struct programs *p, struct wait_idle_counts *counts)
{
	int err = programs_read(p, ".data.waits", counts);

	if (err)
		*counts = (struct wait_idle_counts){ 0 };
	return err;
}

uint64_t waits_idle_total(const struct wait_idle_counts *counts)
{
	uint64_t total = counts->kernel + counts->other + counts->compat;

	for (int i = 0; i < WAIT_CALLS; i++)
		total += counts->calls[i];
	return total;
}

struct text {
	char *buf;
	size_t size, len;
};

/* "name 12", with a comma between two; nothing for 0. */
static void add(struct text *t, const char *name, uint64_t nr)
{
	int n;

	if (!nr)
		return;
	n = snprintf(t->buf + t->len, t->size - t->len, "%s%s %llu", t->len ? ", " : "", name,
		     (unsigned long long)nr);
	t->len += n < 0 || (size_t)n >= t->size - t->len ? strlen(t->buf + t->len) : (size_t)n;
}

static int most_frequent(const __u64 *calls)
{
	int top = 0;

	for (int i = 1; i < WAIT_CALLS; i++)
		if (calls[i] > calls[top])
			top = i;
	return top;
}

const char *waits_idle_text(const struct wait_idle_counts *counts, char *buf, size_t size)
{
	uint64_t left = waits_idle_total(counts) - counts->kernel;
	struct text text = { buf, size, 0 };
	__u64 calls[WAIT_CALLS];

	buf[0] = '\0';
	memcpy(calls, counts->calls, sizeof(calls));
	for (int n = 0; n < 3; n++) {
		int top = most_frequent(calls);

		add(&text, syscall_name(top, false) ?: "?", calls[top]);
		left -= calls[top];
		calls[top] = 0;
	}
	add(&text, "kernel threads", counts->kernel);
	add(&text, "others", left);
	return buf;
}
