/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * tcp connect ADDR PORT SECONDS	connects, for so long
 * tcp send ADDR PORT BYTES [HOW]	connects while it prepares; sends. "leave": ends at once;
 *					"abandon": gives up after a second (TCP_USER_TIMEOUT);
 *					"twice": the second time held back (Nagle);
 *					"mptcp": by MPTCP
 * tcp serve ADDR PORT BYTES [HOW]	listens while it prepares; accepts one connection and sends;
 *					"mptcp": by MPTCP; "worker": in a child. "fork": a child
 *					has it open, too. In the others a child accepts and hands
 *					the connection to its parent: "pass": the child sends;
 *					"give": it is gone, and the parent sends; "orphan": so is
 *					it, but a child of its own has the connection open, too
 * tcp hand ADDR PORT BYTES HOW		a child connects while it prepares, and another process
 *					comes to have the connection, which sends, and ends after
 *					two retransmissions, with data on its way. "leave": it is
 *					a child of the first, which ends; "two": so do two, and
 *					one sends; "close": the first closes it and lives; "pass":
 *					it hands it over; "keep": it has it still; "late": the
 *					first sends, and ends after two retransmissions, the
 *					second after two more
 * tcp listen ADDR PORT SECONDS		listens while it prepares, and does not accept
 * tcp sink ADDR PORT [0 mptcp]		accepts and reads, from before it is ready
 * tcp pull ADDR PORT [0 mptcp]		connects and reads to the end
 *
 * Who sends waits until all is acknowledged. Each prints the pid and tid that connected, accepted
 * or listened (with hand: that has the connection), its ports and how many segments the kernel says
 * it retransmitted (TCP_INFO).
 */
#include "workload.h"
#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* struct sockaddr_in or _in6; an IPv4 address in an IPv6 socket as ::ffff:a.b.c.d */
static struct sockaddr_storage address(const char *text, const char *port)
{
	struct sockaddr_storage s = { 0 };
	struct sockaddr_in *v4 = (void *)&s;
	struct sockaddr_in6 *v6 = (void *)&s;

	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		s.ss_family = AF_INET;
		v4->sin_port = htons(number(port));
	} else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
		s.ss_family = AF_INET6;
		v6->sin6_port = htons(number(port));
	} else {
		usage("an address, not a name");
	}
	return s;
}

#define PROTOCOL_MPTCP 262 /* IPPROTO_MPTCP, which an old libc does not have */

static int protocol;

static int new_socket(const struct sockaddr_storage *s, int flags)
{
	int fd = socket(s->ss_family, SOCK_STREAM | SOCK_CLOEXEC | flags, protocol);

	if (fd < 0)
		die("socket");
	return fd;
}

static int connected(const struct sockaddr_storage *to, int flags)
{
	int fd = new_socket(to, flags);

	if (connect(fd, (void *)to, sizeof(*to)) && errno != EINPROGRESS)
		die("connect");
	return fd;
}

static int listening(const struct sockaddr_storage *on)
{
	int fd = new_socket(on, 0), one = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, (void *)on, sizeof(*on)) || listen(fd, 16))
		die("listen");
	return fd;
}

static int accepted(int fd)
{
	int new = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

	if (new < 0)
		die("accept");
	return new;
}

static void send_all(int fd, long bytes)
{
	static char data[65536];

	while (bytes > 0) {
		ssize_t n = send(fd, data, bytes < (long)sizeof(data) ? bytes : (long)sizeof(data),
				 MSG_NOSIGNAL);

		if (n < 0)
			die("send");
		bytes -= n;
	}
}

static void wait_acknowledged(int fd)
{
	int left;

	while (!ioctl(fd, SIOCOUTQ, &left) && left)
		usleep(1000);
}

static long read_all(int fd)
{
	char data[65536];
	ssize_t n;
	long sum = 0;

	while ((n = read(fd, data, sizeof(data))) > 0)
		sum += n;
	return sum;
}

static void *reader(void *fd)
{
	read_all((long)fd);
	close((long)fd);
	return NULL;
}

static void *sink(void *listener)
{
	for (;;) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, reader, (void *)(long)accepted((long)listener)))
			die("pthread_create");
		pthread_detach(thread);
	}
	return NULL;
}

/* Waits until the kernel has given the connection up. */
static void wait_abandoned(int fd)
{
	char c;

	if (read(fd, &c, 1) >= 0 || errno != ETIMEDOUT)
		die("it was to time out");
}

static int port_of(int fd, int (*name)(int, struct sockaddr *, socklen_t *))
{
	struct sockaddr_in6 s = { 0 };
	socklen_t len = sizeof(s);

	return name(fd, (void *)&s, &len) ? 0 : ntohs(s.sin6_port);
}

static unsigned retransmits(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	return info.tcpi_total_retrans;
}

static void tell(int fd)
{
	printf("pid=%d\ttid=%d\tlport=%d\trport=%d\tretransmits=%u\n", getpid(), tid(),
	       port_of(fd, getsockname), port_of(fd, getpeername), retransmits(fd));
	fflush(stdout);
}

static void serve(int fd, long bytes)
{
	send_all(fd, bytes);
	wait_acknowledged(fd);
	tell(fd);
}

static pid_t forked(void)
{
	pid_t child = fork();

	if (child < 0)
		die("fork");
	return child;
}

static void end_of(pid_t child)
{
	int status;

	if (waitpid(child, &status, 0) != child || status)
		die("a child failed");
}

/* In a child: keeps open what it has inherited, until the first process has ended. */
static void hold(const int *channel)
{
	char c;

	close(channel[0]);
	while (read(channel[1], &c, 1) > 0)
		;
	_exit(0);
}

/* SCM_RIGHTS */
struct rights {
	struct msghdr msg;
	struct iovec part;
	char byte;
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
};

static struct msghdr *prepare(struct rights *r)
{
	*r = (struct rights){ .part = { &r->byte, 1 } };
	r->msg = (struct msghdr){ .msg_iov = &r->part,
				  .msg_iovlen = 1,
				  .msg_control = r->control,
				  .msg_controllen = sizeof(r->control) };
	return &r->msg;
}

static void hand_over(int channel, int fd)
{
	struct rights r;
	struct msghdr *msg = prepare(&r);
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	if (sendmsg(channel, msg, 0) != 1)
		die("sendmsg");
}

static int handed_over(int channel)
{
	struct rights r;
	int fd;

	if (recvmsg(channel, prepare(&r), MSG_CMSG_CLOEXEC) != 1 || !CMSG_FIRSTHDR(&r.msg))
		die("recvmsg");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&r.msg)), sizeof(fd));
	return fd;
}

static void serve_shared(int listener, long bytes, const char *how)
{
	int channel[2], fd;
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel))
		die("socketpair");
	if (!strcmp(how, "fork")) {
		fd = accepted(listener);
		if (!forked())
			hold(channel);
		serve(fd, bytes);
		return;
	}
	child = forked();
	if (!child) {
		fd = accepted(listener);
		hand_over(channel[1], fd);
		if (!strcmp(how, "orphan") && !forked())
			hold(channel);
		if (!strcmp(how, "pass"))
			serve(fd, bytes);
		_exit(0);
	}
	fd = handed_over(channel[0]);
	end_of(child);
	if (strcmp(how, "pass"))
		serve(fd, bytes);
}

static void wait_retransmits(int fd, unsigned nr)
{
	while (retransmits(fd) < nr)
		usleep(1000);
}

static void send_and_end(int fd, long bytes)
{
	wait_for_go();
	send_all(fd, bytes);
	wait_retransmits(fd, 2);
	tell(fd);
	_exit(0);
}

/* In the first process to have the connection. */
static void hand(int fd, long bytes, const char *how)
{
	int channel[2];
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel))
		die("socketpair");
	if (!strcmp(how, "two") && !forked())
		hold(channel);
	child = forked();
	if (!child && !strcmp(how, "late")) {
		char c;

		close(channel[0]);
		if (read(channel[1], &c, 1))
			die("the first process did not end");
		wait_retransmits(fd, 4);
		tell(fd);
		_exit(0);
	}
	if (!child && !strcmp(how, "pass")) {
		close(fd);
		fd = handed_over(channel[1]);
	}
	if (!child || !strcmp(how, "late"))
		send_and_end(fd, bytes);
	if (!strcmp(how, "pass"))
		hand_over(channel[0], fd);
	if (!strcmp(how, "pass") || !strcmp(how, "close"))
		close(fd);
	if (!strcmp(how, "pass") || !strcmp(how, "close") || !strcmp(how, "keep"))
		end_of(child);
	_exit(0);
}

/* Waits for the end of the children, and of theirs: they have a pipe open. */
static void hand_in_child(const struct sockaddr_storage *to, long bytes, const char *how)
{
	int alive[2];
	char c;

	if (pipe2(alive, O_CLOEXEC))
		die("pipe2");
	if (!forked())
		hand(connected(to, 0), bytes, how);
	close(alive[1]);
	if (read(alive[0], &c, 1))
		die("nobody writes there");
}

int main(int argc, char **argv)
{
	const char *mode = argc > 3 ? argv[1] : "", *last = argc > 5 ? argv[5] : "";
	long amount = argc > 4 ? number(argv[4]) : 0;
	struct sockaddr_storage addr;
	pthread_t thread;
	int fd = -1;

	if (argc < 4)
		usage("connect|send|serve|hand|listen|sink|pull ADDR PORT [BYTES|SECONDS "
		      "[leave|abandon|twice|worker|fork|pass|give|orphan|mptcp|two|close|keep|late]"
		      "]");
	addr = address(argv[2], argv[3]);
	if (!strcmp(last, "mptcp")) {
		protocol = PROTOCOL_MPTCP;
		last = "";
	}
	if (!strcmp(mode, "hand")) {
		hand_in_child(&addr, amount, last);
		return 0;
	}
	if (!strcmp(mode, "send") || !strcmp(mode, "pull"))
		fd = connected(&addr, 0);
	else if (strcmp(mode, "connect"))
		fd = listening(&addr);
	if (!strcmp(mode, "sink") && pthread_create(&thread, NULL, sink, (void *)(long)fd))
		die("pthread_create");
	wait_for_go();
	if (!strcmp(mode, "connect")) {
		fd = connected(&addr, SOCK_NONBLOCK);
		poll(&(struct pollfd){ .fd = fd, .events = 0 }, 1, amount * 1000);
	} else if (!strcmp(mode, "listen")) {
		sleep(amount);
	} else if (!strcmp(mode, "send")) {
		if (!strcmp(last, "abandon") &&
		    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &(int){ 1000 }, sizeof(int)))
			die("TCP_USER_TIMEOUT");
		send_all(fd, amount);
		if (!strcmp(last, "twice"))
			send_all(fd, amount);
		if (!strcmp(last, "abandon"))
			wait_abandoned(fd);
		else if (strcmp(last, "leave"))
			wait_acknowledged(fd);
	} else if (!strcmp(mode, "pull")) {
		read_all(fd);
	} else if (!strcmp(mode, "serve")) {
		pid_t worker = strcmp(last, "worker") ? 0 : forked();

		if (worker)
			end_of(worker);
		else if (!*last || !strcmp(last, "worker"))
			serve(accepted(fd), amount);
		else
			serve_shared(fd, amount, last);
		return 0;
	}
	tell(fd);
	return 0;
}
