/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * names.probes.bpf.h: the answers of the DNS that processes receive in plain by UDP. It defines
 * the programs names_received, names_received_raw, fexit_udp_recvmsg and fexit_udpv6_recvmsg; the
 * tool's EVENT_SCRATCH() is here, too. What they send is not more than a first look says could be
 * an answer: libcommon/net/names.c reads it, and trusts nothing in it.
 *
 * The message is read where the process has it by now. Where that is, its system call says:
 * read(), recvfrom() and recvmsg() are known, of 64-bit programs.
 */
#ifndef BORESCOPE_BPF_NET_NAMES_PROBES_BPF_H
#define BORESCOPE_BPF_NET_NAMES_PROBES_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

#include "lib/core/compat.bpf.h"
#include "lib/core/constants.bpf.h"
#include "lib/core/events.bpf.h"
#include "lib/core/filter.bpf.h"
#include "lib/core/task.bpf.h"
#include "lib/net/names.shared.h"

#define NAMES_PORT	53
#define NAMES_LEAST	33     /* bytes: a header, the shortest question, an address for it */
#define NAMES_FLAGS	0xf80f /* of a message: it is an answer; to what; how it went */
#define NAMES_IS_ANSWER 0x8000 /* to a question, without an error */

const volatile struct names_config names_config SEC(".rodata.names");

EVENT_SCRATCH(struct names_answer, 1);

struct names_header {
	__be16 id, flags, questions, answers;
};

/* Where the task on the CPU receives to, by its system call. */
static __always_inline void *names_buffer(bool typed)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct pt_regs *regs = typed && have_task_btf() ? task_regs(bpf_get_current_task_btf())
							: task_regs_place(task);
	struct user_msghdr *msg;
	struct iovec *iov = NULL;
	void *base = NULL;
	long nr = syscall_nr(regs, false);
	void *arg = (void *)syscall_arg(regs, 1, false, false);

	if (syscall_is_compat())
		return NULL;
	if (nr == SYSCALL_NR_READ || nr == SYSCALL_NR_RECVFROM)
		return arg;
	if (nr != SYSCALL_NR_RECVMSG)
		return NULL;
	msg = arg;
	bpf_core_read_user(&iov, sizeof(iov), &msg->msg_iov);
	bpf_core_read_user(&base, sizeof(base), &iov->iov_base);
	return base;
}

static __always_inline void names_read(const void *from, __u64 len)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct names_answer *a = event_begin(0);

	if (!a)
		return;
	event_head(&a->head);
	a->head.flags = NAMES_ANSWER;
	a->born = BPF_CORE_READ(task, group_leader, start_boottime);
	if (len > NAMES_MESSAGE_MAX)
		len = NAMES_MESSAGE_MAX;
	barrier_var(len);
	if (len > NAMES_MESSAGE_MAX)
		return;
	a->len = len;
	if (bpf_probe_read_user(a->message, len, from))
		event_count_lost();
	else
		event_send(a, offsetof(struct names_answer, message) + len);
}

/* May the process connect, as far as filters go? By whichever thread, and name, it receives. */
static __always_inline bool names_wanted(void)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;

	return (!filter.nr_pids || filter_id(filter.pids, filter.nr_pids, pid)) &&
	       (!filter.cgroup || filter_cgroup((void *)bpf_get_current_task()));
}

/* A socket that is not connected does not say here who has sent it something. */
static __always_inline int names_datagram(const struct sock *sk, int len, bool typed)
{
	struct names_header header = {};
	__be16 port;
	void *from;

	if (len < NAMES_LEAST || BPF_CORE_READ(sk, sk_protocol) != IPPROTO_UDP)
		return 0;
	port = BPF_CORE_READ(sk, __sk_common.skc_dport);
	if ((port && port != bpf_htons(NAMES_PORT)) || !names_wanted())
		return 0;
	from = names_buffer(typed);
	if (!from || bpf_probe_read_user(&header, sizeof(header), from))
		return 0;
	if ((bpf_ntohs(header.flags) & NAMES_FLAGS) != NAMES_IS_ANSWER ||
	    header.questions != bpf_htons(1) || !header.answers)
		return 0;
	preempt_off();
	names_read(from, len);
	preempt_on();
	return 0;
}

/* From 6.3 on (6e6eda44b939). */
SEC("tp_btf/sock_recv_length")
int names_received(__u64 *ctx)
{
	return names_datagram((void *)ctx[0], (int)ctx[1], true);
}

SEC("raw_tp/sock_recv_length")
int names_received_raw(__u64 *ctx)
{
	return names_datagram((void *)ctx[0], (int)ctx[1], false);
}

/* A word of the context at an offset that the compiler can't make a variable of. */
#define NAMES_CTX(ctx, number)                                                                     \
	({                                                                                         \
		__u64 __word;                                                                      \
		__asm__ volatile("%0 = *(u64 *)(%1 + %2)"                                          \
				 : "=r"(__word)                                                    \
				 : "r"(ctx), "i"(8 * (number)));                                   \
		__word;                                                                            \
	})

/* Up to 5.18 these have six arguments, then five (ec095263a965); the result is behind them. */
static __always_inline int names_returned(__u64 *ctx)
{
	int len = names_config.recv_args == 6 ? NAMES_CTX(ctx, 6) : NAMES_CTX(ctx, 5);

	return names_datagram((void *)ctx[0], len, true);
}

SEC("fexit/udp_recvmsg")
int fexit_udp_recvmsg(__u64 *ctx)
{
	return names_returned(ctx);
}

SEC("fexit/udpv6_recvmsg")
int fexit_udpv6_recvmsg(__u64 *ctx)
{
	return names_returned(ctx);
}

#endif
