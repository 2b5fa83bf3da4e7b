/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * tcpsyns N [4|6|mapped [NAME]]: N connections, of each of which the first SYN is lost, and a
 * second one, and no more: N retransmissions, one second after the beginning, on the loopback of a
 * network namespace of its own. Its listener's queue is full, so that the kernel drops them. Calls
 * itself NAME. Prints "netns" and, for each, its ports.
 */
#include "workload.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

static void own_network(void)
{
	int fd, linear;
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	if (unshare(CLONE_NEWNET))
		die("unshare");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) || close(fd))
		die("lo");
	/* from 6.5 on: four more SYNs than TCP_SYNCNT says */
	linear = open("/proc/sys/net/ipv4/tcp_syn_linear_timeouts", O_WRONLY | O_CLOEXEC);
	if (linear >= 0 && (write(linear, "0", 1) != 1 || close(linear)))
		die("tcp_syn_linear_timeouts");
}

int main(int argc, char **argv)
{
	const char *kind = argc > 2 ? argv[2] : "4";
	struct sockaddr_storage addr = { 0 };
	struct sockaddr_in *v4 = (void *)&addr;
	struct sockaddr_in6 *v6 = (void *)&addr;
	socklen_t len = sizeof(addr);
	int family = *kind == '4' ? AF_INET : AF_INET6, one = 1, listener, *fds;
	struct stat ns;
	long total;

	if (argc < 2)
		usage("N [4|6|mapped [NAME]]");
	total = number(argv[1]);
	if (argc > 3)
		prctl(PR_SET_NAME, argv[3]);
	setrlimit(RLIMIT_NOFILE, &(struct rlimit){ total + 64, total + 64 });
	own_network();
	if (stat("/proc/self/ns/net", &ns))
		die("netns");

	addr.ss_family = family;
	if (family == AF_INET)
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		inet_pton(AF_INET6, *kind == '6' ? "::1" : "::ffff:127.0.0.1", &v6->sin6_addr);
	listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, (void *)&addr, len) || listen(listener, 0) ||
	    getsockname(listener, (void *)&addr, &len))
		die("listen");
	if (connect(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), (void *)&addr, len))
		die("connect"); /* fills the queue */

	fds = calloc(total, sizeof(*fds));
	wait_for_go();
	printf("netns=%lu\n", (unsigned long)ns.st_ino);
	for (long i = 0; i < total; i++) {
		struct sockaddr_in6 own;
		socklen_t own_len = sizeof(own);

		fds[i] = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (fds[i] < 0 || setsockopt(fds[i], IPPROTO_TCP, TCP_SYNCNT, &one, sizeof(one)))
			die("socket");
		if (!connect(fds[i], (void *)&addr, len) || errno != EINPROGRESS)
			die("connect");
		if (getsockname(fds[i], (void *)&own, &own_len))
			die("getsockname");
		printf("pid=%d\ttid=%d\tlport=%d\trport=%d\n", getpid(), tid(),
		       ntohs(own.sin6_port), ntohs(v4->sin_port));
	}
	for (long i = 0; i < total; i++) { /* the end: ETIMEDOUT */
		struct pollfd p = { .fd = fds[i], .events = POLLOUT };
		int err = 0;

		len = sizeof(err);
		if (poll(&p, 1, -1) != 1 || getsockopt(fds[i], SOL_SOCKET, SO_ERROR, &err, &len) ||
		    err != ETIMEDOUT) {
			errno = err;
			die("it was to time out");
		}
	}
	return 0;
}
