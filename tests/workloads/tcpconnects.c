/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * tcpconnects [name=NAME] HOW,ADDR,PORT,COUNT...: makes so many connects of each kind, one after
 * another, then waits for the results of those that go on by themselves. PORT 0: one where it
 * listens itself. Calls itself NAME. HOW:
 *	block		connect() waits for the result
 *	nonblock	poll() waits for it
 *	uring		an io_uring connects, by one of its workers; as block, where it can't
 *	fastopen	sendto() connects, with data
 *	close, shutdown, again	gives up: by that call, or by connect() to nowhere
 *	bound		from port 4999, which all of these share
 *	hang		leaves it open, and has the kernel try for two minutes
 * Prints pid, how, addr, rport, lport, result and errno of each; without a result where it hangs.
 * What is open then stays open until the end of stdin.
 */
#include "uring.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define CONNECTS_MAX 100000

struct one {
	const char *how, *addr;
	int fd, lport, rport, err;
};
static struct one *all;
static int nr, own_port;
static struct uring ring;

static socklen_t address(struct sockaddr_storage *s, const char *text, int port)
{
	struct sockaddr_in6 *v6 = (void *)s;
	struct sockaddr_in *v4 = (void *)s;

	memset(s, 0, sizeof(*s));
	v4->sin_port = htons(port); /* at the same place in both */
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		s->ss_family = AF_INET;
		return sizeof(*v4);
	}
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1)
		usage("an address, not a name");
	s->ss_family = AF_INET6;
	return sizeof(*v6);
}

static int port_of(int fd)
{
	struct sockaddr_in6 s = { 0 };
	socklen_t len = sizeof(s);

	return getsockname(fd, (void *)&s, &len) ? 0 : ntohs(s.sin6_port);
}

static int uring_connect(int fd, const struct sockaddr_storage *to, socklen_t len)
{
	struct io_uring_sqe sqe = { .opcode = IORING_OP_CONNECT,
				    .flags = IOSQE_ASYNC,
				    .fd = fd,
				    .addr = (uintptr_t)to,
				    .off = len };

	return -uring_call(&ring, &sqe);
}

/* As many as wait to be accepted have room. */
static void listen_here(void)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6 };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (void *)&any, sizeof(any)) || listen(fd, 4096))
		die("listen");
	own_port = port_of(fd);
}

static void bind_port(int fd, int family, int port)
{
	struct sockaddr_in6 any = { .sin6_family = family, .sin6_port = htons(port) };
	int one = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, (void *)&any, sizeof(any)))
		die("bind");
}

static void give_up(struct one *o)
{
	struct sockaddr_storage nowhere = { .ss_family = AF_UNSPEC };

	if (!strcmp(o->how, "close"))
		close(o->fd);
	else if (!strcmp(o->how, "shutdown"))
		shutdown(o->fd, SHUT_RDWR);
	else if (connect(o->fd, (void *)&nowhere, sizeof(nowhere)))
		die("connect to nowhere");
	o->fd = -1;
}

static void do_one(struct one *o)
{
	int waits = !strcmp(o->how, "block") || !strcmp(o->how, "uring") ||
		    !strcmp(o->how, "fastopen") || !strcmp(o->how, "bound");
	struct sockaddr_storage to;
	socklen_t len = address(&to, o->addr, o->rport);
	int err;

	o->fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | (waits ? 0 : SOCK_NONBLOCK), 0);
	if (o->fd < 0)
		die("socket");
	if (!strcmp(o->how, "hang") &&
	    setsockopt(o->fd, IPPROTO_TCP, TCP_SYNCNT, &(int){ 6 }, sizeof(int)))
		die("TCP_SYNCNT");
	if (!strcmp(o->how, "bound"))
		bind_port(o->fd, to.ss_family, 4999);
	if (!strcmp(o->how, "uring")) {
		err = uring_connect(o->fd, &to, len);
	} else {
		if (!strcmp(o->how, "fastopen"))
			err = sendto(o->fd, "23", 2, MSG_FASTOPEN, (void *)&to, len);
		else
			err = connect(o->fd, (void *)&to, len);
		err = err < 0 ? errno : 0;
	}
	o->lport = port_of(o->fd);
	o->err = err;
	if (err != EINPROGRESS) {
		o->fd = -1; /* it stays open */
		return;
	}
	if (strcmp(o->how, "nonblock") && strcmp(o->how, "hang"))
		give_up(o);
}

static void wait_for(struct one *o)
{
	socklen_t len = sizeof(o->err);

	if (o->fd < 0 || strcmp(o->how, "nonblock"))
		return;
	if (poll(&(struct pollfd){ .fd = o->fd, .events = POLLOUT }, 1, -1) != 1 ||
	    getsockopt(o->fd, SOL_SOCKET, SO_ERROR, &o->err, &len))
		die("poll");
}

static void parse(char *spec, int have_uring)
{
	char *how = strtok(spec, ","), *addr = strtok(NULL, ","), *port = strtok(NULL, ",");
	char *count = strtok(NULL, ",");

	if (!count)
		usage("HOW,ADDR,PORT,COUNT...");
	if (!strcmp(how, "uring") && !have_uring)
		how = "block";
	if (!number(port) && !own_port)
		listen_here();
	for (long i = number(count); i > 0 && nr < CONNECTS_MAX; i--)
		all[nr++] = (struct one){ .how = how,
					  .addr = addr,
					  .rport = number(port) ? number(port) : own_port };
}

int main(int argc, char **argv)
{
	int have_uring = uring_open(&ring, 1);

	all = calloc(CONNECTS_MAX, sizeof(*all));
	setrlimit(RLIMIT_NOFILE, &(struct rlimit){ CONNECTS_MAX, CONNECTS_MAX });
	for (int i = 1; i < argc; i++) {
		if (!strncmp(argv[i], "name=", 5))
			prctl(PR_SET_NAME, argv[i] + 5);
		else
			parse(argv[i], have_uring);
	}
	wait_for_go();
	for (int i = 0; i < nr; i++)
		do_one(&all[i]);
	for (int i = 0; i < nr; i++) {
		struct one *o = &all[i];

		wait_for(o);
		printf("pid=%d\thow=%s\taddr=%s\trport=%d\tlport=%d\terrno=%d\n", getpid(), o->how,
		       o->addr, o->rport, o->lport, o->err);
	}
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}
