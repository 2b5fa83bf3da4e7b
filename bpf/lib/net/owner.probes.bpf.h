/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * owner.probes.bpf.h: the process that a TCP socket belongs to, for events that happen when some
 * other task is on the CPU.
 *
 * It defines the programs owner_state_changes, owner_state_changes_raw (the same for a kernel
 * without BTF of its own) and owner_files. An event that has its owner on the CPU, as at
 * connect(), needs none of this: filter_current() and event_head() are right there.
 *
 * Nothing is done for packets. A socket's owner is written down when it connects, listens or
 * closes: then the owner is the task on the CPU, and after closing nobody could tell any more. An
 * accepted socket, and one that is older than the tool, is looked for when the question first comes
 * up: the program owner_files looks through the open files of all processes (libcommon/net/owner.h
 * runs it).
 *
 * Of several processes that have a socket open (after a fork, or handed over by SCM_RIGHTS) the
 * owner is the one that opened it. The kernel tells which: a file keeps the credentials of who
 * opened it, and no two processes share theirs (copy_creds(); threads of one process do). When that
 * process has closed it, or has become another user since, there is no owner.
 *
 * A socket is known by its address. The address of a closed one can be another's later: what was
 * written down is replaced at connect() and listen(), and forgotten when a listener makes a new
 * socket.
 */
#ifndef BORESCOPE_BPF_NET_OWNER_PROBES_BPF_H
#define BORESCOPE_BPF_NET_OWNER_PROBES_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "lib/core/compat.bpf.h"
#include "lib/core/constants.bpf.h"
#include "lib/core/events.shared.h"
#include "lib/net/owner.shared.h"

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, OWNERS_MAX);
	__type(key, __u64);
	__type(value, struct owner);
} owners SEC(".maps");

/* Writes down that the task on the CPU owns @sock. @replace: even if an owner is known already. */
static __always_inline void owner_is_current(__u64 sock, bool replace)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__u64 id = bpf_get_current_pid_tgid();
	struct owner owner = { .known = OWNER_SEEN, .pid = id >> 32, .tid = (__u32)id };
	struct owner *known;

	if (BPF_CORE_READ(task, flags) & PF_KTHREAD)
		return;
	if (!replace) {
		known = bpf_map_lookup_elem(&owners, &sock);
		if (known && known->known != OWNER_WANTED)
			return;
	}
	bpf_get_current_comm(owner.comm, sizeof(owner.comm));
	bpf_map_update_elem(&owners, &sock, &owner, BPF_ANY);
}

/* A socket goes from one state to another. That happens a few times in the life of a connection. */
static __always_inline void owner_state(__u64 sock, int from, int to)
{
	switch (to) {
	case TCP_SYN_SENT: /* connect() */
	case TCP_LISTEN:
		owner_is_current(sock, true);
		break;
	case TCP_FIN_WAIT1: /* close() or shutdown(); or the end of the process */
	case TCP_LAST_ACK:
		owner_is_current(sock, false);
		break;
	case TCP_SYN_RECV:
		if (from == TCP_LISTEN)
			bpf_map_delete_elem(&owners, &sock);
		break;
	}
}

SEC("tp_btf/inet_sock_set_state")
int owner_state_changes(__u64 *ctx)
{
	owner_state(ctx[0], (int)ctx[1], (int)ctx[2]);
	return 0;
}

SEC("raw_tp/inet_sock_set_state")
int owner_state_changes_raw(__u64 *ctx)
{
	owner_state(ctx[0], (int)ctx[1], (int)ctx[2]);
	return 0;
}

/* Fills @head's pid, tid and comm with the owner of @sk, as far as that is known now. */
static __always_inline void owner_of(const struct sock *sk, struct event_head *head,
				     struct owner_ref *ref)
{
	__u64 sock = (__u64)sk;
	struct owner *owner = bpf_map_lookup_elem(&owners, &sock), wanted = {};

	ref->sock = sock;
	ref->open = 0;
	head->pid = head->tid = EVENT_UNKNOWN;
	__builtin_memset(head->comm, 0, sizeof(head->comm));
	/* until the search is over, a holder may turn out to be one of several */
	if (owner && (owner->known == OWNER_SEEN || owner->known == OWNER_OPENER)) {
		head->pid = owner->pid;
		head->tid = owner->tid;
		__builtin_memcpy(head->comm, owner->comm, sizeof(head->comm));
		return;
	}
	ref->open = BPF_CORE_READ(sk, sk_socket, file) != NULL;
	if (!owner && ref->open)
		bpf_map_update_elem(&owners, &sock, &wanted, BPF_NOEXIST);
}

/* The iterator comes here with each open file of each process. */
SEC("iter/task_file")
int owner_files(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task, *leader;
	__u64 sock = 0, search = ctx->meta->session_id;
	struct file *file = ctx->file;
	struct owner *owner;
	struct socket *socket;
	bool opener;

	if (!task || !file || (file->f_inode->i_mode & S_IFMT) != S_IFSOCK)
		return 0;
	socket = file->private_data;
	bpf_core_read(&sock, sizeof(sock), &socket->sk);
	owner = bpf_map_lookup_elem(&owners, &sock);
	leader = task->group_leader;
	if (!owner || owner->known == OWNER_SEEN || owner->known == OWNER_OPENER ||
	    (owner->known != OWNER_WANTED && owner->search != search))
		return 0;
	opener = BPF_CORE_READ(file, f_cred) == BPF_CORE_READ(leader, real_cred);
	if (opener || owner->known == OWNER_WANTED) {
		owner->search = search;
		owner->tid = leader->pid;
		BPF_CORE_READ_STR_INTO(&owner->comm, leader, comm);
		owner->pid = leader->pid;
		owner->known = opener ? OWNER_OPENER : OWNER_HOLDER;
	} else if (owner->pid != leader->pid) {
		owner->known = OWNER_SEVERAL;
		owner->pid = 0;
	}
	return 0;
}

#endif
