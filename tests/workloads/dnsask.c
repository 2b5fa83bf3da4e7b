/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * dnsask HOW [NAME]: asks a server of its own for the addresses of NAME (www.example.org), by UDP
 * in plain, on the loopback of a network namespace of its own, and connects to both that it is
 * given, 127.0.53.1, by way of a CNAME, and ::1, and to 127.0.53.2, which it was given for another
 * name. Then a child, which has asked for nothing, connects to the first. HOW it receives the
 * answer: recv, read, recvmsg, unconnected (by recv() on a socket that is not connected).
 * NAME may have \DDD. Prints pid and addr of each connect.
 */
#include "workload.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define PORT 7053 /* of the two that listen */

static const struct sockaddr_in server = { .sin_family = AF_INET,
					   .sin_port = 0x3500, /* 53, little-endian */
					   .sin_addr.s_addr = 0x0100007f };

static void own_network(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	if (unshare(CLONE_NEWNET))
		die("unshare");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) || close(fd))
		die("lo");
}

/* Labels with their lengths; returns how many bytes. */
static size_t put_name(unsigned char *to, const char *name)
{
	unsigned char *label = to, *at = to + 1;

	for (; *name; name++) {
		if (*name == '.') {
			*label = at - label - 1;
			label = at++;
		} else if (*name == '\\') {
			*at++ = strtol((char[4]){ name[1], name[2], name[3] }, NULL, 10);
			name += 3;
		} else {
			*at++ = *name;
		}
	}
	*label = at - label - 1;
	*at++ = 0;
	return at - to;
}

static size_t put_record(unsigned char *to, int owner, int type, const void *data, size_t len)
{
	const unsigned char head[] = { 0xc0, owner, 0, type, 0, 1, 0, 0, 0, 60, 0, len };

	memcpy(to, head, sizeof(head));
	memcpy(to + sizeof(head), data, len);
	return sizeof(head) + len;
}

/* Answers one question: a CNAME, whose name is the question's with "a." before it, an A of that, an
 * AAAA of the question's, and an A of another name, which means nothing. */
static void serve(int fd)
{
	unsigned char msg[512] = { 0 }, alias[] = { 1, 'a', 0xc0, 12 };
	static const unsigned char v6[16] = { [15] = 1 };
	static const unsigned char other[] = { 1, 'x', 0xc0, 12 };
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);
	ssize_t len = recvfrom(fd, msg, sizeof(msg), 0, (void *)&from, &from_len);
	size_t at = len, cname;

	if (len < 12)
		die("recvfrom");
	msg[2] = 0x81; /* an answer */
	msg[3] = 0x80;
	msg[7] = 4;
	cname = at + 12;
	at += put_record(msg + at, 12, 5, alias, sizeof(alias));
	at += put_record(msg + at, cname, 1, (unsigned char[]){ 127, 0, 53, 1 }, 4);
	at += put_record(msg + at, 12, 28, v6, 16);
	memcpy(msg + at, other, sizeof(other));
	memcpy(msg + at + sizeof(other),
	       (unsigned char[]){ 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 53, 2 }, 14);
	at += sizeof(other) + 14;
	if (sendto(fd, msg, at, 0, (void *)&from, from_len) < 0)
		die("sendto");
}

static void ask(const char *how, const char *name)
{
	unsigned char msg[512] = { 0x12, 0x34, 1, 0, 0, 1 };
	size_t len = 12 + put_name(msg + 12, name);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct iovec iov = { msg, sizeof(msg) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t got;

	memcpy(msg + len, "\0\1\0\1", 4);
	len += 4;
	if (strcmp(how, "unconnected") && connect(fd, (void *)&server, sizeof(server)))
		die("connect");
	if (strcmp(how, "unconnected")
		    ? send(fd, msg, len, 0) < 0
		    : sendto(fd, msg, len, 0, (void *)&server, sizeof(server)) < 0)
		die("send");
	if (!strcmp(how, "read"))
		got = read(fd, msg, sizeof(msg));
	else if (!strcmp(how, "recvmsg"))
		got = recvmsg(fd, &m, 0);
	else
		got = recv(fd, msg, sizeof(msg), 0);
	if (got < (ssize_t)len)
		die("recv");
	close(fd);
}

static void connect_to(const char *addr)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(PORT) };
	int is_v4 = inet_pton(AF_INET, addr, &v4.sin_addr) == 1, fd;

	if (!is_v4 && inet_pton(AF_INET6, addr, &v6.sin6_addr) != 1)
		die(addr);
	fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    connect(fd, is_v4 ? (void *)&v4 : (void *)&v6, is_v4 ? sizeof(v4) : sizeof(v6)))
		die("connect");
	printf("pid=%d\taddr=%s\n", getpid(), addr);
	fflush(stdout);
	close(fd);
}

int main(int argc, char **argv)
{
	const char *name = argc > 2 ? argv[2] : "www.example.org";
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(PORT) };
	int fd, listener;
	pid_t child;

	if (argc < 2)
		usage("recv|read|recvmsg|unconnected [NAME]");
	own_network();
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(fd, (void *)&server, sizeof(server)) ||
	    bind(listener, (void *)&any, sizeof(any)) || listen(listener, 16))
		die("bind");
	wait_for_go();
	child = fork();
	if (!child) {
		serve(fd);
		_exit(0);
	}
	ask(argv[1], name);
	waitpid(child, NULL, 0);
	connect_to("127.0.53.1");
	connect_to("::1");
	connect_to("127.0.53.2");
	if (!fork()) {
		connect_to("127.0.53.1");
		_exit(0);
	}
	wait(NULL);
	return 0;
}
