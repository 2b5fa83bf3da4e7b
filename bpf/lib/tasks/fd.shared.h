/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fd.shared.h: what stands behind a file descriptor, as both sides see it.
 */
#ifndef BORESCOPE_BPF_TASKS_FD_SHARED_H
#define BORESCOPE_BPF_TASKS_FD_SHARED_H

#include "lib/core/types.shared.h"

enum fd_kind {
	FD_NONE, /* it was not looked at, or is not open */
	FD_FILE,
	FD_PIPE,
	FD_SOCKET,
	FD_ANON, /* eventfd, epoll and the like */
};

struct fd_info {
	__u8 kind;
	__u8 type;	  /* all but kind and inode are a socket's; SOCK_STREAM... */
	__u16 family;	  /* AF_INET... */
	__u16 local_port; /* in the host's byte order */
	__be16 peer_port; /* 0: it has no peer */
	__u64 inode;
	__u8 local[16], peer[16]; /* an IPv4 address has the first four bytes */
};

#endif
