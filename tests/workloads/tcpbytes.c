/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * tcpbytes N BYTES HOW [ADDR [NAME]]: N connections to a child process, on the loopback. Number i,
 * from 0 on, carries BYTES + i bytes to the child and half as many back. NAME: as which both run.
 *
 * HOW: "short": they are made one after the other, and closed. In the others they are connected
 * while it prepares, and stay open until stdin ends: "open": by write(2); "sendfile", "splice",
 * "uring" (io_uring): by these; "ktls": by the kernel's TLS, and nothing comes back. "reset": as
 * "short", but the client's end is reset.
 *
 * Prints a line for each: pid, and that of the child; the client's port and the child's; what the
 * child has read, and what it has written.
 */
#include "workload.h"
#include "uring.h"
#include <arpa/inet.h>
#include <limits.h>
#include <linux/tls.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/wait.h>

#ifndef SOL_TLS
#define SOL_TLS 282
#endif
#ifndef TCP_ULP
#define TCP_ULP 31
#endif

static char data[65536];
static long total, bytes;
static const char *how;
static struct sockaddr_storage to;
static int listener;
static struct uring ring;
static pid_t server;

static long least(long a, long b)
{
	return a < b ? a : b;
}

static int is(const char *what)
{
	return !strcmp(how, what);
}

static void listen_at(const char *text)
{
	struct sockaddr_in *v4 = (void *)&to;
	struct sockaddr_in6 *v6 = (void *)&to;
	socklen_t len = sizeof(to);

	to.ss_family = AF_INET;
	if (inet_pton(AF_INET, text, &v4->sin_addr) != 1) {
		to.ss_family = AF_INET6;
		if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1)
			usage("an address, not a name");
	}
	listener = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, (void *)&to, len) || listen(listener, 4096) ||
	    getsockname(listener, (void *)&to, &len))
		die("listen");
}

/* --- the child ---------------------------------------------------------------------------- */

struct report {
	long received, sent;
};

static void serve(int fd, long i, int result)
{
	long wanted = is("ktls") ? LONG_MAX : bytes + i, answer = is("ktls") ? 0 : wanted / 2;
	struct report report = { 0 };
	ssize_t n;

	while (report.received < wanted) {
		n = read(fd, data, least(sizeof(data), wanted - report.received));
		if (n <= 0)
			break;
		report.received += n;
	}
	while (report.sent < answer) {
		n = write(fd, data, least(sizeof(data), answer - report.sent));
		if (n <= 0)
			die("server: write");
		report.sent += n;
	}
	if (write(result, &report, sizeof(report)) != sizeof(report))
		die("server: report");
}

static int accepted(void)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		die("accept");
	return fd;
}

static void child(int result, int until)
{
	int *fds = calloc(total, sizeof(*fds)), one_by_one = is("short") || is("reset");
	char byte = 0;

	for (long i = 0; i < total && !one_by_one; i++)
		fds[i] = accepted();
	if (write(result, &byte, 1) != 1) /* ready */
		die("server: ready");
	for (long i = 0; i < total; i++) {
		int fd = one_by_one ? accepted() : fds[i];

		serve(fd, i, result);
		if (one_by_one) {
			while (read(fd, data, 1) > 0) /* the client closes first */
				;
			close(fd);
		}
	}
	if (read(until, &byte, 1)) /* ends when the parent does */
		die("server: until");
	_exit(0);
}

/* --- the parent --------------------------------------------------------------------------- */

static int connected(void)
{
	struct linger reset = { .l_onoff = 1 };
	int fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (void *)&to, sizeof(to)))
		die("connect");
	/* no TIME_WAIT is left to wear the ports out */
	if (!is("short") && setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)))
		die("SO_LINGER");
	return fd;
}

static void start_tls(int fd)
{
	struct tls12_crypto_info_aes_gcm_128 key = {
		.info = { .version = TLS_1_2_VERSION, .cipher_type = TLS_CIPHER_AES_GCM_128 },
	};

	if (setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", sizeof("tls")) ||
	    setsockopt(fd, SOL_TLS, TLS_TX, &key, sizeof(key))) {
		printf("unavailable=%s\n", strerror(errno));
		kill(server, SIGKILL);
		exit(0);
	}
}

static long send_some(int fd, int file, const int *ends, long size)
{
	struct io_uring_sqe sqe = { .opcode = IORING_OP_SEND, .fd = fd, .len = size };
	off_t at = 0;
	long n;

	if (is("sendfile"))
		return sendfile(fd, file, &at, size);
	if (is("splice")) {
		n = write(ends[1], data, least(size, 4096));
		return n < 0 ? n : splice(ends[0], NULL, fd, NULL, n, 0);
	}
	if (is("uring")) {
		sqe.addr = (uintptr_t)data;
		n = uring_call(&ring, &sqe);
		errno = -n;
		return n;
	}
	return write(fd, data, size);
}

static void exchange(int fd, long i, int file, const int *ends)
{
	long left = bytes + i, answer = is("ktls") ? 0 : left / 2;
	ssize_t n;

	while (left > 0) {
		n = send_some(fd, file, ends, least(left, sizeof(data)));
		if (n <= 0)
			die(how);
		left -= n;
	}
	if (is("ktls"))
		shutdown(fd, SHUT_WR);
	while (answer > 0) {
		n = read(fd, data, least(sizeof(data), answer));
		if (n <= 0)
			die("read");
		answer -= n;
	}
}

/* Both kinds of addresses have it in the same place. */
static int port_of(const struct sockaddr_storage *s)
{
	return ntohs(((const struct sockaddr_in *)s)->sin_port);
}

static void print_one(int fd, int result)
{
	struct sockaddr_storage own;
	socklen_t len = sizeof(own);
	struct report report;

	if (getsockname(fd, (void *)&own, &len) ||
	    read(result, &report, sizeof(report)) != sizeof(report))
		die("report");
	printf("pid=%d\tserver=%d\tlport=%d\trport=%d\tsent=%ld\treceived=%ld\n", getpid(), server,
	       port_of(&own), port_of(&to), report.received, report.sent);
}

int main(int argc, char **argv)
{
	struct rlimit files;
	int result[2], until[2], ends[2], file, *fds, one_by_one;
	char byte;

	if (argc < 4)
		usage("N BYTES HOW [ADDR [NAME]]");
	total = number(argv[1]);
	bytes = number(argv[2]);
	how = argv[3];
	one_by_one = is("short") || is("reset");
	if (argc > 5)
		prctl(PR_SET_NAME, argv[5]);
	if (getrlimit(RLIMIT_NOFILE, &files))
		die("RLIMIT_NOFILE");
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files))
		die("RLIMIT_NOFILE");
	if (is("uring") && !uring_open(&ring, 1)) {
		printf("unavailable=%s\n", strerror(errno));
		return 0;
	}
	listen_at(argc > 4 ? argv[4] : "127.0.0.1");
	file = memfd_create("data", MFD_CLOEXEC);
	if (file < 0 || write(file, data, sizeof(data)) != sizeof(data) || pipe(result) ||
	    pipe(until) || pipe(ends))
		die("memfd_create");
	server = fork();
	if (!server) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* whatever becomes of the parent */
		close(until[1]);
		child(result[1], until[0]);
	}
	fds = calloc(total, sizeof(*fds));
	for (long i = 0; i < total && !one_by_one; i++) {
		fds[i] = connected();
		if (is("ktls"))
			start_tls(fds[i]);
	}
	if (read(result[0], &byte, 1) != 1)
		die("server");
	wait_for_go();
	for (long i = 0; i < total; i++) {
		int fd = one_by_one ? connected() : fds[i];

		exchange(fd, i, file, ends);
		print_one(fd, result[0]);
		if (one_by_one)
			close(fd);
	}
	fflush(stdout);
	while (!one_by_one && getchar() != EOF)
		;
	close(until[1]);
	return waitpid(server, NULL, 0) == server ? 0 : 1;
}
