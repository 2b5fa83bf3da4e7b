/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * tcpends N [new|old|self [NAME]]: N TCP sessions one after the other, on the loopback of a network
 * namespace of its own; of different sizes, by IPv4, IPv6 and both, and ended in all ways. The
 * client is this process, the server its child. Calls itself NAME.
 *
 * Prints "netns" and, for each end of a session, its pid and ports, what it has sent and received
 * (of which "unread" has not been read; -1: nobody knows), and how it must be said to have closed.
 * The client's: when connect() and close() began and ended (ns, CLOCK_MONOTONIC).
 *
 * "self": each is of one socket with itself, so that it has one end. "old": all are established
 * while it prepares; an odd one has carried data, and its program has read them bit by bit; all are
 * reset by the client.
 */
#include "workload.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define LITTLE 5000 /* fits into any buffer */

enum how {
	CLIENT,	    /* closes first */
	SERVER,	    /* the server does */
	HALF,	    /* the client shuts down, and is answered then */
	RESET,	    /* by the client, with nothing on the way */
	UNREAD,	    /* the server closes without reading */
	FAST_OPEN,  /* data with the SYN; the client closes first */
	UNANSWERED, /* the server closes first, the client without reading */
	SELF,	    /* one socket, with itself: both ends at the same time */
	HOWS,
};

static const struct {
	const char *client, *server;
} closed[] = {
	[CLIENT] = { "local", "remote" },
	[SERVER] = { "remote", "local" },
	[HALF] = { "local", "remote" },
	[RESET] = { "local-reset", "remote-reset" },
	[UNREAD] = { "remote-reset", "local-reset" },
	[FAST_OPEN] = { "local", "remote" },
	[UNANSWERED] = { "local-reset", "any" }, /* was its FIN acknowledged before? */
	[SELF] = { "both", NULL },
};

static int old, self;

struct session {
	int number, version; /* 4, 6, or 0: IPv4 through a socket of IPv6 */
	enum how how;
	long up, down;
};

static int listeners[2]; /* IPv4, IPv6 with both */

static struct session session(int i)
{
	struct session s = { i,
			     i % 3 == 0	  ? 4
			     : i % 3 == 1 ? 6
					  : 0,
			     old    ? RESET
			     : self ? SELF
				    : i % HOWS,
			     i * i * 997, (long)(40 - i) * (40 - i) * 499 };

	if (i == 0)
		s.up = s.down = 0;
	if (s.how == UNREAD || s.how == UNANSWERED || s.how == SELF) {
		s.up %= LITTLE;
		s.down %= LITTLE;
	}
	if (s.how == UNREAD || s.how == SELF)
		s.down = 0;
	if (old && i % 2 == 0)
		s.up = s.down = 0;
	return s;
}

static void own_network(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	const char all[] = "1543"; /* both sides, all listeners, without cookies */
	int fd;

	if (unshare(CLONE_NEWNET))
		die("unshare");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) || close(fd))
		die("lo");
	fd = open("/proc/sys/net/ipv4/tcp_fastopen", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, all, strlen(all)) < 0 || close(fd))
		die("tcp_fastopen");
}

static socklen_t address(struct sockaddr_storage *addr, int version, int port)
{
	static const char *const text[] = { "::ffff:127.0.0.1", [4] = "127.0.0.1", [6] = "::1" };
	struct sockaddr_in *v4 = (void *)addr;
	struct sockaddr_in6 *v6 = (void *)addr;

	memset(addr, 0, sizeof(*addr));
	v4->sin_port = htons(port);
	addr->ss_family = version == 4 ? AF_INET : AF_INET6;
	inet_pton(addr->ss_family, text[version],
		  version == 4 ? (void *)&v4->sin_addr : &v6->sin6_addr);
	return version == 4 ? sizeof(*v4) : sizeof(*v6);
}

static int port_of(int fd, int (*name)(int, struct sockaddr *, socklen_t *))
{
	struct sockaddr_in6 s = { 0 };
	socklen_t len = sizeof(s);

	if (name(fd, (void *)&s, &len))
		die("port");
	return ntohs(s.sin6_port);
}

static int new_socket(int of)
{
	int fd = socket(of, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	return fd;
}

static int listening(int of)
{
	struct sockaddr_in6 any = { .sin6_family = of };
	int fd = new_socket(of);

	if (bind(fd, (void *)&any, of == AF_INET ? sizeof(struct sockaddr_in) : sizeof(any)) ||
	    listen(fd, 64))
		die("listen");
	return fd;
}

static void send_all(int fd, long bytes)
{
	static char data[65536];

	while (bytes > 0) {
		size_t part = bytes < (long)sizeof(data) ? bytes : (long)sizeof(data);
		ssize_t n = send(fd, data, part, MSG_NOSIGNAL);

		if (n < 0)
			die("send");
		bytes -= n;
	}
}

/* Reads @bytes, or to the end if there must be one behind them. */
static void read_all(int fd, long bytes, int to_end)
{
	char data[16384];

	for (;;) {
		size_t part = bytes < (long)sizeof(data) ? bytes : (long)sizeof(data);
		ssize_t n;

		if (!bytes && !to_end)
			return;
		n = read(fd, data, bytes ? part : 1);
		if (!n && !bytes)
			return;
		if (n <= 0 || n > bytes)
			die("read");
		bytes -= n;
	}
}

static void wait_unread(int fd, long bytes)
{
	int n = -1;

	while (!ioctl(fd, FIONREAD, &n) && n < bytes)
		usleep(1000);
	if (n != bytes)
		die("FIONREAD");
}

static void wait_for(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	if (poll(&p, 1, -1) != 1)
		die("poll");
}

static void tell(const struct session *s, int fd, const char *side, int rport, long sent,
		 long received)
{
	int client = *side == 'c';
	long unread = s->how == (client ? UNANSWERED : UNREAD) ? received : 0;

	if (client && s->how == HALF) /* it reads on after the end, for the kernel */
		unread = -1;

	printf("number=%d\tside=%s\tpid=%d\tkind=%d\tlport=%d\trport=%d\tsent=%ld\t"
	       "received=%ld\tunread=%ld\tclosed=%s",
	       s->number, side, getpid(), s->version, port_of(fd, getsockname), rport, sent,
	       received, unread, client ? closed[s->how].client : closed[s->how].server);
}

/* --- the server --------------------------------------------------------------------------- */

struct accepted {
	int fd, rport;
};

static struct accepted accepted(const struct session *s)
{
	struct sockaddr_in6 peer = { 0 };
	socklen_t len = sizeof(peer);
	int fd = accept4(listeners[s->version != 4], (void *)&peer, &len, SOCK_CLOEXEC);

	if (fd < 0)
		die("accept");
	return (struct accepted){ fd, ntohs(peer.sin6_port) };
}

static void serve(const struct session *s, struct accepted a)
{
	int fd = a.fd;

	if (s->how == UNREAD)
		wait_unread(fd, s->up);
	else if (!old)
		read_all(fd, s->up, s->how == HALF);
	if (!old)
		send_all(fd, s->down);
	if (s->how == CLIENT || s->how == FAST_OPEN)
		read_all(fd, 0, 1);
	if (s->how == RESET)
		wait_for(fd, 0);
	tell(s, fd, "server", a.rport, s->down, s->up);
	printf("\n");
	fflush(stdout);
	close(fd);
}

static void server(int n, int ready)
{
	struct accepted all[64];

	for (int i = 0; old && i < n; i++) {
		struct session s = session(i);

		all[i] = accepted(&s);
		read_all(all[i].fd, s.up, 0);
		send_all(all[i].fd, s.down);
	}
	close(ready);
	for (int i = 0; i < n; i++) {
		struct session s = session(i);

		if (s.how != SELF)
			serve(&s, old ? all[i] : accepted(&s));
	}
}

/* --- the client --------------------------------------------------------------------------- */

struct client {
	int fd, rport;
	uint64_t began_after, began_before;
};

static struct client begin(const struct session *s)
{
	struct client c = { .fd = new_socket(s->version == 4 ? AF_INET : AF_INET6) };
	struct sockaddr_storage to;
	socklen_t len = address(&to, s->version, 0);

	if (s->how == SELF && bind(c.fd, (void *)&to, len))
		die("bind");
	c.rport = port_of(s->how == SELF ? c.fd : listeners[s->version != 4], getsockname);
	address(&to, s->version, c.rport);
	c.began_after = now_ns();
	if (s->how == FAST_OPEN) {
		if (sendto(c.fd, &to, sizeof(to), MSG_FASTOPEN, (void *)&to, len) != sizeof(to))
			die("sendto");
		send_all(c.fd, s->up - sizeof(to));
	} else if (connect(c.fd, (void *)&to, len)) {
		die("connect");
	}
	c.began_before = now_ns();
	return c;
}

static void carry(const struct session *s, int fd)
{
	if (s->how != FAST_OPEN)
		send_all(fd, s->up);
	if (s->how == HALF && shutdown(fd, SHUT_WR))
		die("shutdown");
	if (s->how == UNREAD) {
		wait_for(fd, 0);
	} else if (s->how == UNANSWERED) {
		wait_unread(fd, s->down);
		wait_for(fd, POLLRDHUP);
	} else {
		read_all(fd, s->how == SELF ? s->up : s->down, s->how == SERVER || s->how == HALF);
	}
}

static void end(const struct session *s, const struct client *c)
{
	struct linger reset = { .l_onoff = 1 };
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);
	uint64_t ended_after;

	if ((s->how == RESET && setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset))) ||
	    getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &len))
		die("the end");
	tell(s, c->fd, "client", c->rport, s->up, s->how == SELF ? s->up : s->down);
	ended_after = now_ns();
	close(c->fd);
	printf("\tsyn_data=%d\tbegan_after=%lu\tbegan_before=%lu\tended_after=%lu\t"
	       "ended_before=%lu\n",
	       !!(info.tcpi_options & 32), c->began_after, c->began_before, ended_after,
	       now_ns()); /* TCPI_OPT_SYN_DATA */
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct client clients[64];
	int n, status, ready[2];
	struct stat ns;
	pid_t child;
	char c;

	if (argc < 2)
		usage("N [new|old|self [NAME]]");
	n = number(argv[1]);
	old = argc > 2 && !strcmp(argv[2], "old");
	self = argc > 2 && !strcmp(argv[2], "self");
	if (n > 64)
		usage("N is at most 64");
	if (argc > 3)
		prctl(PR_SET_NAME, argv[3]);
	own_network();
	listeners[0] = listening(AF_INET);
	listeners[1] = listening(AF_INET6);
	if (stat("/proc/self/ns/net", &ns) || pipe2(ready, O_CLOEXEC))
		die("prepare");
	child = fork();
	if (child < 0)
		die("fork");
	if (!child) {
		close(ready[0]);
		server(n, ready[1]);
		return 0;
	}
	close(ready[1]);
	for (int i = 0; old && i < n; i++) {
		struct session s = session(i);

		clients[i] = begin(&s);
		carry(&s, clients[i].fd);
	}
	if (read(ready[0], &c, 1))
		die("nobody writes there");
	wait_for_go();
	printf("netns=%lu\n", (unsigned long)ns.st_ino);
	fflush(stdout);
	for (int i = 0; i < n; i++) {
		struct session s = session(i);

		if (!old) {
			clients[i] = begin(&s);
			carry(&s, clients[i].fd);
		}
		end(&s, &clients[i]);
	}
	if (waitpid(child, &status, 0) != child || status)
		die("child");
	return 0;
}
