/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * owner.probes.bpf.h: the process that a TCP socket belongs to, for events that happen when some
 * other task is on the CPU.
 *
 * It defines the programs owner_state_changes, owner_state_changes_raw (the same for a kernel
 * without BTF of its own) and owner_files. An event that has its owner on the CPU, as at
 * connect(), needs none of this: filter_current() and event_head() are right there.
 *
 * Of several processes that have a socket open (after a fork, or handed over by SCM_RIGHTS) the
 * owner is the one that made it, by socket() or accept(). The kernel tells which: a file keeps the
 * credentials of who opened it, and no two processes share theirs (copy_creds(); threads of one
 * process do). If none of them did (it has closed it, has ended, has executed a program or become
 * another user since), there is no owner, unless only one process has it open: then that one. When
 * none has, it is the one that closed it last.
 *
 * Nothing is done for packets. When a socket connects, listens or closes, it is written down who
 * does so: the task on the CPU; after closing nobody could tell any more. An accepted socket, and
 * one that is older than the tool, is looked for when the question first comes up: the program
 * owner_files looks through the open files of all processes (libcommon/net/owner.h runs it). What
 * was written down holds only as long as it is true: at each event owner_of() looks whether that
 * process still has this socket by the same descriptor, and made it, or has it alone. If not, it is
 * looked for anew. So the answer does not depend on when the tool began.
 *
 * A socket is known by its address; the paths of an MPTCP connection, by that of the connection
 * (sock_whole()). The address of a closed one can be another's later: what was written down is
 * forgotten at connect() and listen(), and when a listener makes a new socket. Its place in the map
 * stays, for the next one: to take a new place costs five times what it costs to find one.
 */
#ifndef BORESCOPE_BPF_NET_OWNER_PROBES_BPF_H
#define BORESCOPE_BPF_NET_OWNER_PROBES_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "lib/core/compat.bpf.h"
#include "lib/core/constants.bpf.h"
#include "lib/core/events.shared.h"
#include "lib/core/filter.bpf.h"
#include "lib/core/task.bpf.h"
#include "lib/net/owner.shared.h"

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, OWNERS_MAX); /* owner_make_room() may set more */
	__type(key, __u64);
	__type(value, struct owner);
} owners SEC(".maps");

/* The search that is going on; 0: none. What it has found so far may not be all. Not static: clang
 * would make two variables of it whose type in BTF is still the whole, which kernels refuse. */
struct {
	__u64 number, began; /* bpf_iter_meta.session_id; CLOCK_MONOTONIC, ns */
} owner_search;

/* The place of @sock, which it may have to get first; NULL: there is none. */
static __always_inline struct owner *owner_place(__u64 sock)
{
	struct owner *owner = bpf_map_lookup_elem(&owners, &sock), none = {};

	if (owner)
		return owner;
	bpf_map_update_elem(&owners, &sock, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&owners, &sock);
}

/* What was written down is of another socket, or is to be written anew. */
static __always_inline void owner_forget(struct owner *owner)
{
	owner->known = OWNER_NONE;
	owner->since = owner->search = 0;
	owner->pid = 0;
}

/* The first argument of the system call that the task on the CPU is in. @typed: in a program that
 * may use the kernel's own BTF. */
static __always_inline __u32 owner_call_arg(bool typed)
{
	struct pt_regs *regs = typed && have_task_btf()
				       ? task_regs(bpf_get_current_task_btf())
				       : task_regs_place((void *)bpf_get_current_task());

	return syscall_arg(regs, 0, syscall_is_compat(), false);
}

/* Fills @comm, of 16 bytes, with the name of the main thread of the task on the CPU. Returns where
 * that is. */
static __always_inline __u64 owner_leader(char *comm, bool typed)
{
	struct task_struct *task, *leader;

	if (typed && have_task_btf()) {
		leader = bpf_get_current_task_btf()->group_leader;
		__builtin_memcpy(comm, leader->comm, sizeof(leader->comm));
		return (__u64)leader;
	}
	task = (void *)bpf_get_current_task();
	leader = BPF_CORE_READ(task, group_leader);
	bpf_core_read_str(comm, sizeof(leader->comm), &leader->comm);
	return (__u64)leader;
}

/* The file that a process has open of @sk, or if @is_path of its MPTCP connection; NULL: none. */
static __always_inline const struct file *owner_file(const struct sock *sk, bool is_path,
						     bool typed)
{
	const struct sock *whole;

	if (typed && !is_path)
		return sk->sk_socket->file;
	whole = is_path ? sock_of_path(sk) : sk;
	return BPF_CORE_READ(whole, sk_socket, file);
}

static __always_inline bool owner_is_kernel(bool typed)
{
	struct task_struct *task;

	if (typed && have_task_btf())
		return bpf_get_current_task_btf()->flags & PF_KTHREAD;
	task = (void *)bpf_get_current_task();
	return BPF_CORE_READ(task, flags) & PF_KTHREAD;
}

/*
 * Writes down that the task on the CPU connects, listens or closes. Its descriptor is the first
 * argument of the system call; where it is not (io_uring), or the call closes by other means, the
 * socket is looked for if there is need. That a task is on the CPU only by chance is ruled out by
 * the lock: an interrupt does not own it.
 */
static __always_inline void owner_is_current(const struct sock *sk, enum owner_known known,
					     bool typed)
{
	struct owner *owner;
	bool is_path;
	__u64 sock;
	__u32 pid;

	if (!TYPED_READ(sk, sk_lock.owned))
		return;
	is_path = sock_is_path(sk, typed);
	sock = (__u64)(is_path ? sock_of_path(sk) : sk);
	pid = bpf_get_current_pid_tgid() >> 32;
	owner = owner_place(sock);
	if (!owner)
		return;
	if (known == OWNER_SEEN) /* what there was is another's */
		owner_forget(owner);
	if (pid == filter.own_pid) { /* it looked at the file while its process closed it */
		if (owner->pid)
			owner->known = known;
		return;
	}
	if (owner->pid != pid) { /* if it is the same, that saves the rest */
		if (owner_is_kernel(typed) || !owner_file(sk, is_path, typed))
			return;
		owner_forget(owner);
		owner->fd = owner_call_arg(typed);
		owner->refs = 1;
		owner->pid = pid;
	}
	owner->task = owner_leader(owner->comm, typed);
	owner->known = known;
}

/* Is the task on the CPU closing it? Then what it had open has no references left. */
static __always_inline bool owner_closes(const struct sock *sk, bool typed)
{
	const struct file *file;

	if (!TYPED_READ(sk, sk_lock.owned))
		return false;
	file = owner_file(sk, sock_is_path(sk, typed), typed);
	return file && file_refs(file) <= 0;
}

/* A socket goes from one state to another. That happens a few times in the life of a connection;
 * close() makes such a change even if shutdown() did before (tcp_close_state()). */
static __always_inline void owner_state(const struct sock *sk, int from, int to, bool typed)
{
	__u64 sock = (__u64)sk;
	struct owner *owner;

	switch (to) {
	case TCP_SYN_SENT: /* connect() */
	case TCP_LISTEN:
		owner_is_current(sk, OWNER_SEEN, typed);
		break;
	case TCP_FIN_WAIT1: /* close() or shutdown(); or the end of the process */
	case TCP_LAST_ACK:
	case TCP_CLOSING: /* the other side has closed meanwhile */
		owner_is_current(sk, OWNER_CLOSED, typed);
		break;
	case TCP_CLOSE: /* close() that resets the connection: nobody has it open any more */
		if (from != TCP_LISTEN && owner_closes(sk, typed))
			owner_is_current(sk, OWNER_CLOSED, typed);
		break;
	default: /* a new one is a copy of its listener first */
		owner = from == TCP_LISTEN ? bpf_map_lookup_elem(&owners, &sock) : NULL;
		if (owner)
			owner_forget(owner);
		break;
	}
}

#ifndef OWNER_STATES_SEEN /* session.probes.bpf.h has its own programs there, one for both */
SEC("tp_btf/inet_sock_set_state")
int owner_state_changes(__u64 *ctx)
{
	owner_state((void *)ctx[0], (int)ctx[1], (int)ctx[2], true);
	return 0;
}

SEC("raw_tp/inet_sock_set_state")
int owner_state_changes_raw(__u64 *ctx)
{
	owner_state((void *)ctx[0], (int)ctx[1], (int)ctx[2], false);
	return 0;
}
#endif

/* Did the process of @task make the socket that is @file? */
static __always_inline bool owner_made(struct task_struct *task, const struct file *file)
{
	return BPF_CORE_READ(file, f_cred) == BPF_CORE_READ(task, group_leader, real_cred);
}

/* Is @owner the owner now of the socket that is @file, to which there are @refs references? */
static __always_inline bool owner_holds(const struct owner *owner, const struct file *file,
					__s64 refs)
{
	struct task_struct *task = (void *)owner->task;

	return owner->pid && BPF_CORE_READ(task, tgid) == owner->pid &&
	       task_file(task, owner->fd) == file &&
	       (refs <= owner->refs || owner_made(task, file));
}

/* It was found by the search that is going on: that may not be all. */
static __always_inline bool owner_is_searched(const struct owner *owner)
{
	return owner->search && owner->search == owner_search.number;
}

/* The owner of @sock, with @file, is to be looked for, since @ts. @owner: what is written down. */
static __always_inline void owner_wants(__u64 sock, struct owner *owner, const struct file *file,
					__u64 ts)
{
	if (!owner) {
		owner = owner_place(sock);
		/* not over what an owner_is_current() on another CPU has written meanwhile */
		if (!owner || owner->known != OWNER_NONE)
			return;
	}
	owner_forget(owner);
	owner->since = ts;
	owner->task = (__u64)BPF_CORE_READ(file, f_cred);
	owner->known = OWNER_WANTED;
}

/* As owner_of(), where @owner, what is written down of the socket @sock, and its @file are known
 * already. */
static __always_inline void owner_tell(__u64 sock, struct owner *owner, const struct file *file,
				       struct event_head *head, struct owner_ref *ref)
{
	__s64 refs = file ? file_refs(file) : 0;
	struct task_struct *task;

	ref->sock = sock;
	ref->open = refs > 0;
	ref->shared = refs > 1;
	head->pid = head->tid = EVENT_UNKNOWN;
	__builtin_memset(head->comm, 0, sizeof(head->comm));
	if (!ref->open) {
		if (!owner || owner->known != OWNER_CLOSED)
			return;
		head->pid = head->tid = owner->pid;
		__builtin_memcpy(head->comm, owner->comm, sizeof(head->comm));
		return;
	}
	if (owner && (owner->known == OWNER_WANTED || owner_is_searched(owner) ||
		      (owner->known == OWNER_SEVERAL && refs == owner->refs)))
		return;
	if (owner && owner_holds(owner, file, refs)) {
		task = (void *)owner->task;
		head->pid = head->tid = owner->pid;
		BPF_CORE_READ_STR_INTO(&head->comm, task, group_leader, comm);
		return;
	}
	owner_wants(sock, owner, file, head->ts);
}

/* Fills @head's pid, tid and comm with the owner of @whole (sock_whole()) at the time that stands
 * there, as far as that is known now. */
static __always_inline void owner_of(const struct sock *whole, struct event_head *head,
				     struct owner_ref *ref)
{
	__u64 sock = (__u64)whole;

	owner_tell(sock, bpf_map_lookup_elem(&owners, &sock), BPF_CORE_READ(whole, sk_socket, file),
		   head, ref);
}

/* Is the owner, where owner_of() has told it, one that is wanted? Where it has not, and for what it
 * does not judge, see owner_passes() in libcommon/net/owner.h. */
static __always_inline bool owner_wanted(const struct event_head *head)
{
	return head->pid == EVENT_UNKNOWN ||
	       (filter_ids(head->pid, head->tid) && filter_comm(head->comm));
}

/* Fills @owner: the process of @task has @file open. */
static __always_inline void owner_is(struct owner *owner, struct bpf_iter__task_file *ctx,
				     struct task_struct *task, struct file *file)
{
	owner->task = (__u64)task;
	owner->fd = ctx->fd;
	owner->refs = file_refs(file) - 1; /* without the iterator's own */
	BPF_CORE_READ_STR_INTO(&owner->comm, task, group_leader, comm);
	owner->pid = task->tgid;
}

/* For another iterator over open files, whose tool will want the owner of this one, whose place
 * @owner is: saves a search, if it is the one that made it. */
static __always_inline void owner_of_file(struct owner *owner, struct bpf_iter__task_file *ctx,
					  struct task_struct *task, struct file *file)
{
	if (owner->known != OWNER_NONE || !owner_made(task, file))
		return;
	owner_is(owner, ctx, task, file);
	owner->known = OWNER_OPENER;
}

/* What the search does with each open @file of each @task. */
static __always_inline void owner_found(struct bpf_iter__task_file *ctx, struct task_struct *task,
					struct file *file)
{
	struct socket *socket = file->private_data;
	struct owner *owner;
	bool made;
	__u64 sock = 0;

	bpf_core_read(&sock, sizeof(sock), &socket->sk);
	owner = bpf_map_lookup_elem(&owners, &sock);
	if (!owner || owner->known == OWNER_NONE || owner->known == OWNER_OPENER)
		return;
	if (owner->known == OWNER_WANTED ? owner->since > owner_search.began
					 : owner->search != owner_search.number)
		return;
	made = owner_made(task, file);
	if (made || owner->known == OWNER_WANTED) {
		owner->search = owner_search.number;
		owner_is(owner, ctx, task, file);
		owner->known = made ? OWNER_OPENER : OWNER_HOLDER;
	} else if (owner->pid != (__u32)task->tgid) {
		owner->known = OWNER_SEVERAL;
		owner->pid = 0;
	}
}

/* The iterator comes here with each open file of each process, and at last with none. */
SEC("iter/task_file")
int owner_files(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;

	if (!task || !file) {
		owner_search.number = 0;
		return 0;
	}
	if (owner_search.number != ctx->meta->session_id) {
		owner_search.number = ctx->meta->session_id;
		owner_search.began = bpf_ktime_get_ns();
	}
	if ((file->f_inode->i_mode & S_IFMT) == S_IFSOCK)
		owner_found(ctx, task, file);
	return 0;
}

#endif
