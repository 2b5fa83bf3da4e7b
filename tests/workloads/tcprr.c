/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * tcprr N [connect]: N requests of a byte, and as many answers, over TCP on the loopback; one
 * connection for all, or with "connect" one for each.
 */
#include "workload.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/wait.h>

static int new_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	return fd;
}

static void no_delay(int fd)
{
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int)))
		die("TCP_NODELAY");
}

/* Answers @requests of each of @connections. */
static void server(int listener, long connections, long requests)
{
	char byte;

	while (connections--) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			die("accept");
		no_delay(fd);
		for (long i = 0; i < requests; i++)
			if (read(fd, &byte, 1) != 1 || write(fd, &byte, 1) != 1)
				die("server");
		close(fd);
	}
}

static void client(const struct sockaddr_in *to, long connections, long requests)
{
	/* the client's end is reset, so that no TIME_WAIT is left to wear the ports out */
	struct linger reset = { .l_onoff = 1 };
	char byte = 'x';

	while (connections--) {
		int fd = new_socket();

		if (connect(fd, (const void *)to, sizeof(*to)) ||
		    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)))
			die("connect");
		no_delay(fd);
		for (long i = 0; i < requests; i++)
			if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1)
				die("client");
		close(fd);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int listener = new_socket(), status;
	long total, connections = 1;
	uint64_t start;
	pid_t child;

	if (argc < 2)
		usage("N [connect]");
	total = number(argv[1]);
	if (argc > 2)
		connections = total;
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (void *)&addr, len) || listen(listener, 64) ||
	    getsockname(listener, (void *)&addr, &len))
		die("listen");
	wait_for_go();
	start = now_ns();
	child = fork();
	if (child < 0)
		die("fork");
	if (!child) {
		server(listener, connections, total / connections);
		_exit(0);
	}
	client(&addr, connections, total / connections);
	if (waitpid(child, &status, 0) != child || status)
		die("child");
	printf("pid=%d\tdone=%ld\tns=%lu\n", getpid(), total, now_ns() - start);
	return 0;
}
