/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fd.bpf.h: what an open file (task_file()) is: a file with its path, a pipe, a socket...
 */
#ifndef BORESCOPE_BPF_TASKS_FD_BPF_H
#define BORESCOPE_BPF_TASKS_FD_BPF_H

#include "lib/core/constants.bpf.h"
#include "lib/core/path.bpf.h"
#include "lib/tasks/fd.shared.h"

/* Fills @info, whose inode is known, for a socket. */
static __always_inline void fd_socket(struct fd_info *info, struct file *file)
{
	struct socket *socket = BPF_CORE_READ(file, private_data);
	struct sock *sk = BPF_CORE_READ(socket, sk);

	info->kind = FD_SOCKET;
	info->type = BPF_CORE_READ(socket, type);
	info->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	info->local_port = BPF_CORE_READ(sk, __sk_common.skc_num);
	info->peer_port = BPF_CORE_READ(sk, __sk_common.skc_dport);
	if (info->family == AF_INET) {
		BPF_CORE_READ_INTO(&info->local, sk, __sk_common.skc_rcv_saddr);
		BPF_CORE_READ_INTO(&info->peer, sk, __sk_common.skc_daddr);
	} else if (info->family == AF_INET6) {
		BPF_CORE_READ_INTO(&info->local, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&info->peer, sk, __sk_common.skc_v6_daddr);
	}
}

/*
 * Describes @file in @info. The path of a file is written to the end of @path->text, from @path->at
 * on, and so is the name of what has no path ("[eventfd]", "memfd:x").
 */
static __always_inline void fd_info(struct fd_info *info, struct path_buf *path, struct file *file)
{
	const unsigned char *name = BPF_CORE_READ(file, f_path.dentry, d_name.name);
	__u16 type = BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT;
	struct path at;
	char first = 0;

	path->at = PATH_BYTES;
	info->inode = BPF_CORE_READ(file, f_inode, i_ino);
	if (type == S_IFSOCK) {
		fd_socket(info, file);
		return;
	}
	info->kind = type == S_IFIFO ? FD_PIPE : FD_FILE;
	BPF_CORE_READ_INTO(&at, file, f_path);
	path_walk(path, &at);
	bpf_probe_read_kernel(&first, sizeof(first), name);
	if (path->at != PATH_BYTES || type == S_IFIFO || first == '/')
		return;
	info->kind = FD_ANON;
	path_prepend(path, name, BPF_CORE_READ(file, f_path.dentry, d_name.len));
}

#endif
