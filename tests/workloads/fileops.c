/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fileops KIND N DIR: N operations of one kind on files in DIR, one after another; prints for each
 * what it was, on which file (its name in DIR), where, how many bytes, and how long it took as this
 * program saw it.
 *
 * read (past the page cache), append (small synchronous writes at the end), write (past the page
 * cache, by pwrite), sync (fsync of a dirty file), open, create (an open that makes the file),
 * rename, unlink, mkdir, readdir, truncate, fault (reads a page of a mapping that is not in
 * memory), mkwrite (writes to a clean page of one), aio (direct reads by io_submit, one at a time),
 * uring and uringwrite (direct reads and writes by io_uring), badread (a direct read of 7 bytes,
 * which most file systems refuse), cached (reads from the page cache), rewrite (writes a file of 16
 * MiB anew and syncs it). "unavailable=ERRNO" where the kernel has or allows no io_uring.
 */
#include "uring.h"
#include <dirent.h>
#include <linux/aio_abi.h>

#define SIZE  4096
#define LARGE (16 << 20)
#define KINDS                                                                                      \
	"read|write|append|sync|open|create|rename|unlink|mkdir|readdir|truncate|fault|mkwrite|"   \
	"aio|uring|uringwrite|badread|cached|rewrite"

static char *buffer, *map;
static int plain, direct, synchronous;
static aio_context_t aio;
static struct uring ring;
static long total;

static const char *file_name(long i)
{
	static char name[32];

	snprintf(name, sizeof(name), "file-%ld", i);
	return name;
}

static int is(const char *kind, const char *name)
{
	return !strcmp(kind, name);
}

/* Files, directories, mappings: whatever the operations need to be there. */
static void prepare(const char *kind)
{
	plain = open("data", O_RDWR | O_CREAT | O_TRUNC, 0644);
	for (long i = 0; i < total; i++)
		if (plain < 0 || pwrite(plain, buffer, SIZE, i * SIZE) != SIZE)
			die("data");
	for (long i = 0;
	     i < total && (is(kind, "open") || is(kind, "rename") || is(kind, "unlink")); i++)
		close(open(file_name(i), O_WRONLY | O_CREAT, 0644));
	if (fsync(plain) || syncfs(plain))
		die("data");
	posix_fadvise(plain, 0, 0, POSIX_FADV_DONTNEED);
	direct = open("data", O_RDWR | O_DIRECT);
	synchronous = open("log", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_SYNC, 0644);
	map = mmap(NULL, total * SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, plain, 0);
	if (direct < 0 || synchronous < 0 || map == MAP_FAILED)
		die("data");
	madvise(map, total * SIZE, MADV_RANDOM);
	for (long i = 0; i < total && (is(kind, "mkwrite") || is(kind, "cached")); i++)
		*(volatile char *)(map + i * SIZE);
	if (is(kind, "aio") && syscall(SYS_io_setup, 1, &aio))
		die("io_setup");
}

static long by_aio(long i)
{
	struct iocb io = { .aio_lio_opcode = IOCB_CMD_PREAD,
			   .aio_fildes = direct,
			   .aio_buf = (uintptr_t)buffer,
			   .aio_nbytes = SIZE,
			   .aio_offset = i * SIZE };
	struct iocb *list = &io;
	struct io_event event;

	if (syscall(SYS_io_submit, aio, 1L, &list) != 1 ||
	    syscall(SYS_io_getevents, aio, 1L, 1L, &event, NULL) != 1)
		die("aio");
	return event.res;
}

static long by_uring(int opcode, long i)
{
	struct io_uring_sqe sqe = { .opcode = opcode,
				    .fd = direct,
				    .addr = (uintptr_t)buffer,
				    .len = SIZE,
				    .off = i * SIZE };
	int result = uring_call(&ring, &sqe);

	errno = -result;
	return result;
}

static long rewrite(void)
{
	int fd = open("large", O_WRONLY | O_CREAT, 0644);
	long bad = fd < 0;

	for (long at = 0; at < LARGE && !bad; at += SIZE)
		bad = write(fd, buffer, SIZE) != SIZE;
	return bad || fsync(fd) || close(fd) ? -1 : 0;
}

static long list(void)
{
	static char entries[65536];
	int fd = open(".", O_RDONLY | O_DIRECTORY);
	long n = syscall(SYS_getdents64, fd, entries, sizeof(entries));

	close(fd);
	return n < 0 ? n : 0;
}

/* The bytes read or written, or a failure. */
static long operate(const char *kind, long i)
{
	char to[40];

	if (is(kind, "read"))
		return pread(direct, buffer, SIZE, i * SIZE);
	if (is(kind, "cached"))
		return pread(plain, buffer, SIZE, i * SIZE);
	if (is(kind, "badread"))
		return pread(direct, buffer, 7, 0);
	if (is(kind, "write"))
		return pwrite(direct, buffer, SIZE, i * SIZE);
	if (is(kind, "append"))
		return write(synchronous, buffer, 100);
	if (is(kind, "sync"))
		return fsync(plain);
	if (is(kind, "open"))
		return close(open(file_name(i), O_RDONLY));
	if (is(kind, "create"))
		return close(open(file_name(i), O_WRONLY | O_CREAT | O_EXCL, 0644));
	if (is(kind, "rename")) {
		snprintf(to, sizeof(to), "%s.new", file_name(i));
		return rename(file_name(i), to);
	}
	if (is(kind, "unlink"))
		return unlink(file_name(i));
	if (is(kind, "mkdir"))
		return mkdir(file_name(i), 0755);
	if (is(kind, "readdir"))
		return list();
	if (is(kind, "truncate"))
		return ftruncate(plain, (total - i - 1) * SIZE);
	if (is(kind, "fault"))
		return *(volatile char *)(map + i * SIZE) ? 0 : -1;
	if (is(kind, "mkwrite"))
		return (*(volatile char *)(map + i * SIZE) = 'f') ? 0 : -1;
	if (is(kind, "aio"))
		return by_aio(i);
	if (is(kind, "uring"))
		return by_uring(IORING_OP_READ, i);
	if (is(kind, "uringwrite"))
		return by_uring(IORING_OP_WRITE, i);
	if (is(kind, "rewrite"))
		return rewrite();
	usage(KINDS " N DIR");
	return -1;
}

static const char *about(const char *kind, long i)
{
	if (is(kind, "append"))
		return "log";
	if (is(kind, "rewrite"))
		return "large";
	if (is(kind, "readdir"))
		return ".";
	if (is(kind, "open") || is(kind, "create") || is(kind, "rename") || is(kind, "unlink") ||
	    is(kind, "mkdir"))
		return file_name(i);
	return "data";
}

static long offset(const char *kind, long i)
{
	if (is(kind, "append"))
		return i * 100;
	if (is(kind, "truncate"))
		return (total - i - 1) * SIZE;
	if (is(kind, "read") || is(kind, "cached") || is(kind, "write") || is(kind, "fault") ||
	    is(kind, "mkwrite") || is(kind, "aio") || is(kind, "uring") || is(kind, "uringwrite"))
		return i * SIZE;
	return 0;
}

int main(int argc, char **argv)
{
	const char *kind;

	if (argc != 4)
		usage(KINDS " N DIR");
	kind = argv[1];
	total = number(argv[2]);
	if (chdir(argv[3]))
		die(argv[3]);
	if (posix_memalign((void **)&buffer, SIZE, SIZE))
		die("posix_memalign");
	memset(buffer, 'b', SIZE);
	prepare(kind);
	if (!strncmp(kind, "uring", 5) && !uring_open(&ring, 1)) {
		printf("unavailable=%d\n", errno);
		return 0;
	}
	wait_for_go();
	for (long i = 0; i < total; i++) {
		uint64_t start, ns;
		long done;

		if (is(kind, "sync") && pwrite(plain, buffer, SIZE, i * SIZE) != SIZE)
			die("data");
		errno = 0;
		start = now_ns();
		done = operate(kind, i);
		ns = now_ns() - start;
		printf("pid=%d\ttid=%d\terrno=%d\tbytes=%ld\toffset=%ld\tns=%lu\tname=%s\n",
		       getpid(), tid(), done < 0 ? errno : 0, done > 0 ? done : 0, offset(kind, i),
		       ns, about(kind, i));
	}
	return 0;
}
