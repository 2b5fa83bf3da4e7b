/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fd.shared.h: what stands behind a file descriptor, as both sides see it.
 */
#ifndef BORESCOPE_BPF_TASKS_FD_SHARED_H
#define BORESCOPE_BPF_TASKS_FD_SHARED_H

#include "lib/core/types.shared.h"

enum fd_kind {
	FD_NONE, /* not looked at, or not open */
	FD_FILE,
	FD_PIPE,
	FD_SOCKET,
	FD_ANON, /* eventfd, epoll and the like */
};

#define FD_INET	 2 /* AF_INET and AF_INET6 */
#define FD_INET6 10

struct fd_info {
	__u8 kind;
	__u8 type;	  /* of a socket: SOCK_STREAM... */
	__u16 family;	  /* of a socket: AF_INET... */
	__u16 local_port; /* of a socket: in the host's order */
	__be16 peer_port; /* 0: no peer */
	__u64 inode;
	__u8 local[16], peer[16]; /* IPv4: the first four bytes */
};

#endif
