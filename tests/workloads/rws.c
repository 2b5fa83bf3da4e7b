/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * rws KIND N DIR [MS]: N reads or writes of one kind, of 100 bytes, 101 and so on, of files in DIR
 * or of what is no file; prints for each which way the bytes went, how many, where (-1: nowhere, or
 * that can't be told), on which file, and how long it took as this program saw it; then what the
 * kernel has counted in /proc/self/io meanwhile, the first look at that included.
 *
 * sendfile and copy are a read and a write each; so are the kinds of no file (pipe, socket,
 * eventfd, zero). bad fails; a read of dir fails, too. fuse and fusewrite: of the file `x`. nap:
 * reads of a pipe that a thread writes to, every other time MS later. mapped: by a mapping, which
 * is none of both. uringtwins: two at a time, which can't be told apart by their number.
 * "unavailable=ERRNO" where the kernel has or allows no io_uring.
 */
#include "uring.h"
#include <linux/aio_abi.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define STEP	4096
#define SIZE(i) (100 + (i))

static char buffer[STEP], *map;
static int data, out, tail, one_way, ends[2], order[2];
static long total, nap_ms;
static off_t in_at, out_at; /* where reads and writes at the file's own position are */
static aio_context_t aio;
static struct uring ring;
static uint64_t took;

#define TIMED(call)                                                                                \
	({                                                                                         \
		uint64_t start_ = now_ns();                                                        \
		long result_ = (errno = 0, call);                                                  \
		took = now_ns() - start_;                                                          \
		result_;                                                                           \
	})

static int is(const char *kind, const char *name)
{
	return !strcmp(kind, name);
}

static off_t moves(off_t *at, long by)
{
	*at += by > 0 ? by : 0;
	return *at - (by > 0 ? by : 0);
}

static void report(char op, int fd, off_t at, long result)
{
	int error = result < 0 ? errno : 0;
	char link[32], name[512] = "";

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (readlink(link, name, sizeof(name) - 1) < 0)
		die(link);
	printf("pid=%d\ttid=%d\top=%c\tbytes=%ld\toffset=%ld\terrno=%d\tns=%lu\tname=%s\n",
	       getpid(), tid(), op, result > 0 ? result : 0, at, error, took, name);
}

static struct iovec *two(long i)
{
	static struct iovec parts[2];

	parts[0] = (struct iovec){ buffer, 10 };
	parts[1] = (struct iovec){ buffer + 10, SIZE(i) - 10 };
	return parts;
}

static int by_read(const char *kind, long i)
{
	off_t at = i * STEP;
	long r;

	if (is(kind, "read"))
		r = TIMED(read(data, buffer, SIZE(i))), at = moves(&in_at, r);
	else if (is(kind, "readv"))
		r = TIMED(readv(data, two(i), 2)), at = moves(&in_at, r);
	else if (is(kind, "preadv2"))
		r = TIMED(preadv2(data, two(i), 2, -1, 0)), at = moves(&in_at, r);
	else if (is(kind, "preadv"))
		r = TIMED(preadv(data, two(i), 2, at));
	else if (is(kind, "pread") || is(kind, "fuse"))
		r = TIMED(pread(data, buffer, SIZE(i), at));
	else if (is(kind, "end"))
		r = TIMED(pread(data, buffer, SIZE(i), at = total * STEP));
	else
		return 0;
	report('R', data, at, r);
	return 1;
}

static int by_write(const char *kind, long i)
{
	off_t at = i * STEP;
	int fd = out;
	long r;

	if (is(kind, "write"))
		r = TIMED(write(out, buffer, SIZE(i))), at = moves(&out_at, r);
	else if (is(kind, "writev"))
		r = TIMED(writev(out, two(i), 2)), at = moves(&out_at, r);
	else if (is(kind, "pwritev2"))
		r = TIMED(pwritev2(out, two(i), 2, -1, 0)), at = moves(&out_at, r);
	else if (is(kind, "pwritev"))
		r = TIMED(pwritev(out, two(i), 2, at));
	else if (is(kind, "pwrite"))
		r = TIMED(pwrite(out, buffer, SIZE(i), at));
	else if (is(kind, "fusewrite"))
		r = TIMED(pwrite(fd = data, buffer, SIZE(i), at));
	else if (is(kind, "append"))
		r = TIMED(write(fd = tail, buffer, SIZE(i))), at = moves(&out_at, r);
	else if (is(kind, "appendat"))
		r = TIMED(pwrite(fd = tail, buffer, SIZE(i), 0)), at = moves(&out_at, r);
	else if (is(kind, "bad"))
		r = TIMED(read(fd = one_way, buffer, SIZE(i))), at = 0;
	else
		return 0;
	report(is(kind, "bad") ? 'R' : 'W', fd, at, r);
	return 1;
}

static int by_move(const char *kind, long i)
{
	loff_t from = i * STEP, to = i * STEP;
	long r;

	if (is(kind, "sendfile")) {
		r = TIMED(sendfile(out, data, i % 2 ? NULL : &from, SIZE(i)));
		report('R', data, i % 2 ? moves(&in_at, r) : i * STEP, r);
		report('W', out, moves(&out_at, r), r);
	} else if (is(kind, "copy")) {
		r = TIMED(copy_file_range(data, &from, out, i % 2 ? NULL : &to, SIZE(i), 0));
		report('R', data, i * STEP, r);
		report('W', out, i % 2 ? moves(&out_at, r) : i * STEP, r);
	} else if (is(kind, "splice")) { /* into a pipe and out of it, which is no regular file */
		r = TIMED(splice(data, &from, ends[1], NULL, SIZE(i), 0));
		report('R', data, i * STEP, r);
		r = TIMED(splice(ends[0], NULL, out, &to, SIZE(i), 0));
		report('W', out, i * STEP, r);
	} else {
		return 0;
	}
	return 1;
}

static long by_aio(int opcode, int fd, long i)
{
	struct iocb request = { .aio_lio_opcode = opcode,
				.aio_fildes = fd,
				.aio_buf = (uintptr_t)buffer,
				.aio_nbytes = SIZE(i),
				.aio_offset = i * STEP };
	struct iocb *list = &request;
	struct io_event event;

	if (syscall(SYS_io_submit, aio, 1L, &list) != 1 ||
	    syscall(SYS_io_getevents, aio, 1L, 1L, &event, NULL) != 1)
		die("aio");
	return event.res;
}

static long by_uring(int opcode, int fd, long i, off_t at, int times)
{
	struct io_uring_sqe sqe = {
		.opcode = opcode, .fd = fd, .addr = (uintptr_t)buffer, .len = SIZE(i), .off = at
	};
	int result = uring_calls(&ring, &sqe, times);

	errno = result < 0 ? -result : 0;
	return result;
}

static int by_queue(const char *kind, long i)
{
	if (is(kind, "aio"))
		report('R', data, i * STEP, TIMED(by_aio(IOCB_CMD_PREAD, data, i)));
	else if (is(kind, "aiowrite"))
		report('W', out, i * STEP, TIMED(by_aio(IOCB_CMD_PWRITE, out, i)));
	else if (is(kind, "uring"))
		report('R', data, i * STEP, TIMED(by_uring(IORING_OP_READ, data, i, i * STEP, 1)));
	else if (is(kind, "uringwrite"))
		report('W', out, i * STEP, TIMED(by_uring(IORING_OP_WRITE, out, i, i * STEP, 1)));
	else if (is(kind, "uringhere"))
		report('R', data, -1, TIMED(by_uring(IORING_OP_READ, data, i, -1, 1)));
	else if (is(kind, "uringtwins"))
		for (long r = TIMED(by_uring(IORING_OP_READ, data, i, i * STEP, 2)), n = 0; n < 2;
		     n++)
			report('R', data, i * STEP, r);
	else if (is(kind, "uringbad"))
		report('R', one_way, i * STEP,
		       TIMED(by_uring(IORING_OP_READ, one_way, i, i * STEP, 1)));
	else
		return 0;
	return 1;
}

/* Of what is no regular file. */
static int by_other(const char *kind, long i)
{
	uint64_t one = 1;
	long size = is(kind, "eventfd") ? (long)sizeof(one) : SIZE(i);

	if (is(kind, "dir")) {
		report('R', data, -1, TIMED(read(data, buffer, SIZE(i))));
		return 1;
	}
	if (is(kind, "nap") && write(order[1], i % 2 ? "1" : "0", 1) != 1)
		die("nap");
	if (!is(kind, "nap")) {
		memcpy(buffer, &one, sizeof(one));
		report('W', ends[1], -1, TIMED(write(ends[1], buffer, size)));
	}
	report('R', ends[0], -1, TIMED(read(ends[0], buffer, size)));
	return 1;
}

static void *napper(void *unused)
{
	char late;

	for (long i = 0; i < total && read(order[0], &late, 1) == 1; i++) {
		if (late == '1')
			usleep(nap_ms * 1000);
		if (write(ends[1], buffer, SIZE(i)) != SIZE(i))
			die("nap");
	}
	return NULL;
}

static void prepare_other(const char *kind)
{
	pthread_t thread;

	if (is(kind, "socket")) {
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
			die("socketpair");
	} else if (is(kind, "eventfd")) {
		ends[0] = ends[1] = eventfd(0, 0);
	} else if (is(kind, "zero")) {
		ends[0] = open("/dev/zero", O_RDONLY);
		ends[1] = open("/dev/null", O_WRONLY);
	} else if (pipe(ends) || pipe(order)) {
		die("pipe");
	}
	if (is(kind, "nap") && pthread_create(&thread, NULL, napper, NULL))
		die("pthread_create");
}

static void prepare(const char *kind)
{
	int is_fuse = !strncmp(kind, "fuse", 4);

	prepare_other(kind);
	if (is(kind, "dir")) {
		data = open(".", O_RDONLY | O_DIRECTORY);
		return;
	}
	data = open(is_fuse ? "x" : "data", is_fuse ? O_RDWR : O_RDWR | O_CREAT | O_TRUNC, 0644);
	for (long i = 0; i < total && !is_fuse; i++)
		if (pwrite(data, buffer, STEP, i * STEP) != STEP)
			die("data");
	if (data < 0)
		die("x");
	if (is_fuse)
		return;
	out = open("out", O_RDWR | O_CREAT | O_TRUNC, 0644);
	tail = open("tail", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);
	one_way = open("out", O_WRONLY);
	map = mmap(NULL, total * STEP, PROT_READ | PROT_WRITE, MAP_SHARED, data, 0);
	if (out < 0 || tail < 0 || one_way < 0 || map == MAP_FAILED)
		die("data");
	if (!strncmp(kind, "aio", 3) && syscall(SYS_io_setup, 1, &aio))
		die("io_setup");
}

/* What the kernel has counted, in @counts: rchar, wchar, syscr, syscw. */
static void look(int io, long counts[4])
{
	char text[512] = "";

	if (pread(io, text, sizeof(text) - 1, 0) <= 0 ||
	    sscanf(text, "rchar: %ld wchar: %ld syscr: %ld syscw: %ld", &counts[0], &counts[1],
		   &counts[2], &counts[3]) != 4)
		die("/proc/self/io");
}

int main(int argc, char **argv)
{
	static char printed[1 << 18]; /* so that nothing is written in between */
	long before[4], after[4];
	const char *kind;
	int io;

	setvbuf(stdout, printed, _IOFBF, sizeof(printed));
	if (argc != 4 && argc != 5)
		usage("KIND N DIR [MS]");
	kind = argv[1];
	total = number(argv[2]);
	nap_ms = argc == 5 ? number(argv[4]) : 0;
	io = open("/proc/self/io", O_RDONLY);
	if (chdir(argv[3]) || io < 0)
		die(argv[3]);
	prepare(kind);
	if (!strncmp(kind, "uring", 5) && !uring_open(&ring, 2)) {
		printf("unavailable=%d\n", errno);
		return 0;
	}
	wait_for_go();
	look(io, before);
	for (long i = 0; i < total; i++) {
		if (is(kind, "mapped"))
			map[i * STEP]++;
		else if (!by_read(kind, i) && !by_write(kind, i) && !by_move(kind, i) &&
			 !by_queue(kind, i))
			by_other(kind, i);
	}
	look(io, after);
	printf("rchar=%ld\twchar=%ld\tsyscr=%ld\tsyscw=%ld\n", after[0] - before[0],
	       after[1] - before[1], after[2] - before[2], after[3] - before[3]);
	return 0;
}
