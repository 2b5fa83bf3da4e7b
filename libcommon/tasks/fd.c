/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "tasks/fd.h"

static const char *socket_name(const struct fd_info *fd)
{
	switch (fd->family) {
	case AF_UNIX:
		return "unix";
	case AF_NETLINK:
		return "netlink";
	case AF_PACKET:
		return "packet";
	case AF_INET:
	case AF_INET6:
		return fd->type == SOCK_STREAM ? "tcp" : fd->type == SOCK_DGRAM ? "udp" : "raw";
	default:
		return "socket";
	}
}

/* "10.0.0.1:80" or "[::1]:80" */
static void address(const struct fd_info *fd, const __u8 *addr, unsigned int port, char *buf,
		    size_t size)
{
	char text[INET6_ADDRSTRLEN];

	if (!inet_ntop(fd->family, addr, text, sizeof(text)))
		text[0] = '\0';
	snprintf(buf, size, fd->family == AF_INET6 ? "[%s]:%u" : "%s:%u", text, port);
}

static int socket_text(const struct fd_info *fd, char *buf, size_t size)
{
	char local[64], peer[64];

	if (fd->family != AF_INET && fd->family != AF_INET6)
		return snprintf(buf, size, "%s:[%llu]", socket_name(fd),
				(unsigned long long)fd->inode);
	address(fd, fd->local, fd->local_port, local, sizeof(local));
	if (!fd->peer_port)
		return snprintf(buf, size, "%s:%s", socket_name(fd), local);
	address(fd, fd->peer, ntohs(fd->peer_port), peer, sizeof(peer));
	return snprintf(buf, size, "%s:%s->%s", socket_name(fd), local, peer);
}

size_t fd_text(const struct fd_info *fd, const char *path, size_t len, char *buf, size_t size)
{
	int n = 0;

	buf[0] = '\0';
	switch (fd->kind) {
	case FD_SOCKET:
		n = socket_text(fd, buf, size);
		break;
	case FD_PIPE:
	case FD_FILE:
		if (len)
			n = snprintf(buf, size, "%.*s", (int)len, path);
		else if (fd->kind == FD_FILE)
			n = snprintf(buf, size, "/");
		else
			n = snprintf(buf, size, "pipe:[%llu]", (unsigned long long)fd->inode);
		break;
	case FD_ANON: /* its name, behind a slash */
		if (len > 1 && path[1] == '[')
			n = snprintf(buf, size, "anon_inode:%.*s", (int)len - 1, path + 1);
		else
			n = snprintf(buf, size, "%.*s", (int)len, path);
		break;
	}
	return n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
}
