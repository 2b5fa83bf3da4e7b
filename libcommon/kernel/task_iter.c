/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>

#include "kernel/task_iter.h"
#include "base/msg.h"
#include "kernel/pidns.h"

#define READ_BYTES 65536 /* more than the kernel's buffer: it gives whole records then */

/* @pid, @tid: 0: all */
static int add_link(struct task_iter *it, int prog_fd, uint32_t pid, uint32_t tid)
{
	union bpf_iter_link_info info = { .task = { .pid = pid, .tid = tid } };
	LIBBPF_OPTS(bpf_link_create_opts, opts);
	int fd;

	if (pid || tid) {
		opts.iter_info = &info;
		opts.iter_info_len = sizeof(info);
	}
	fd = bpf_link_create(prog_fd, 0, BPF_TRACE_ITER, &opts);
	if (fd < 0)
		return -errno;
	it->links[it->nr++] = fd;
	return 0;
}

/* A kernel that can't do it refuses a process, but overlooks that it was given a thread. */
static int can_narrow(struct task_iter *it, int prog_fd)
{
	int err = add_link(it, prog_fd, getpid(), 0);

	task_iter_close(it);
	return err;
}

static int open_narrow(struct task_iter *it, int prog_fd, const struct filter *f)
{
	int err = can_narrow(it, prog_fd);

	if (f->nr_tids)
		for (uint32_t i = 0; i < f->nr_tids && !err; i++)
			err = add_link(it, prog_fd, 0, f->tids[i]);
	else
		for (uint32_t i = 0; i < f->nr_pids && !err; i++)
			err = add_link(it, prog_fd, f->pids[i], 0);
	return err;
}

int task_iter_open(struct task_iter *it, int prog_fd, const struct filter *filter)
{
	int err;

	*it = (struct task_iter){ 0 };
	if ((filter->nr_tids || filter->nr_pids) && pidns_is_initial()) {
		err = open_narrow(it, prog_fd, filter);
		it->narrow = !err;
		if (!err)
			return 0;
		task_iter_close(it);
		debug("this kernel can't visit single processes (%s): visiting all, to show some",
		      strerror(-err));
	}
	return add_link(it, prog_fd, 0, 0);
}

void task_iter_close(struct task_iter *it)
{
	for (size_t i = 0; i < it->nr; i++)
		close(it->links[i]);
	it->nr = 0;
}

/* Hands over the whole records in @buf (or none: without @fn they are thrown away); returns how
 * many bytes they were, or -EPROTO. */
static ssize_t hand_over(char *buf, size_t len, size_t size_offset, task_iter_fn fn, void *ctx)
{
	size_t at = 0;

	if (!fn)
		return len;
	while (len - at >= size_offset + sizeof(uint32_t)) {
		uint32_t size;

		memcpy(&size, buf + at + size_offset, sizeof(size));
		if (size < size_offset + sizeof(size) || size > READ_BYTES)
			return -EPROTO;
		if (size > len - at)
			break;
		fn(ctx, buf + at, size);
		at += size;
	}
	return at;
}

int task_iter_read(struct task_iter *it, size_t pass, size_t size_offset, task_iter_fn fn,
		   void *ctx)
{
	static char buf[2 * READ_BYTES] __attribute__((aligned(8)));
	size_t len = 0;
	ssize_t n;
	int err = 0, fd = bpf_iter_create(it->links[pass]);

	if (fd < 0)
		return -errno;
	for (;;) {
		n = read(fd, buf + len, READ_BYTES);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue; /* a million tasks without a record */
		if (n <= 0)
			break;
		len += n;
		n = hand_over(buf, len, size_offset, fn, ctx);
		if (n < 0)
			break;
		len -= n;
		memmove(buf, buf + n, len);
	}
	if (n < 0)
		err = n == -EPROTO ? -EPROTO : -errno;
	else if (len)
		err = -EPROTO;
	close(fd);
	return err;
}

/* One pass by this link, or -errno in place of it, for what the program does. */
static int run_link(int link)
{
	struct task_iter it = { .links = { link }, .nr = 1 };
	int err;

	if (link < 0)
		return -errno;
	err = task_iter_read(&it, 0, 0, NULL, NULL);
	task_iter_close(&it);
	return err;
}

int task_iter_run(int prog_fd)
{
	return run_link(bpf_link_create(prog_fd, 0, BPF_TRACE_ITER, NULL));
}

int task_iter_run_map(int prog_fd, int map_fd)
{
	union bpf_iter_link_info info = { .map = { .map_fd = map_fd } };
	LIBBPF_OPTS(bpf_link_create_opts, opts, .iter_info = &info, .iter_info_len = sizeof(info));

	return run_link(bpf_link_create(prog_fd, 0, BPF_TRACE_ITER, &opts));
}
