/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * compat.bpf.h: one accessor for everything that differs between kernels or machines. The choice
 * is made by BTF, never by version number; the version that made the change is named beside it.
 * What is here has no prefix of its own: it is named after what it reads.
 */
#ifndef BORESCOPE_BPF_CORE_COMPAT_BPF_H
#define BORESCOPE_BPF_CORE_COMPAT_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "lib/core/kfuncs.shared.h"
#include "lib/core/constants.bpf.h"

/* From 5.11 on (3ca1032ab7ab) the current task can be had as a typed pointer: its fields are read
 * directly, which saves a bpf_probe_read_kernel() of 10 ns each. */
enum bpf_func_id___task_btf {
	BPF_FUNC_get_current_task_btf___here = 158,
};

static __always_inline bool have_task_btf(void)
{
	return bpf_core_enum_value_exists(enum bpf_func_id___task_btf,
					  BPF_FUNC_get_current_task_btf___here);
}

/*
 * A field of what @p points to. @typed (a constant here and in all that follows): the verifier
 * knows its type, because it is an argument of a tp_btf or fexit program, and it may be read
 * directly: by one instruction, where BPF_CORE_READ() calls a helper that takes some ten ns.
 */
#define TYPED_READ(p, field) (typed ? (p)->field : BPF_CORE_READ(p, field))

/* A saved register. */
#define SAVED_REG(field) TYPED_READ(regs, field)

/* --- system calls, seen at their exit ----------------------------------------------------- */

/*
 * At raw tracepoint sys_exit the saved registers still hold the call's arguments: on x86-64 all of
 * them; on arm64 the first in orig_x0 (x0 has the result).
 */
#if defined(__TARGET_ARCH_x86)
#define SYSCALL_NR_READ	    0
#define SYSCALL_NR_OPEN	    2
#define SYSCALL_NR_RECVFROM 45
#define SYSCALL_NR_RECVMSG  47
#define SYSCALL_NR_EXECVE   59
#define SYSCALL_NR_CREAT    85
#define SYSCALL_NR_OPENAT   257
#define SYSCALL_NR_FUTEX    202
#define SYSCALL_NR_EXECVEAT 322
#define SYSCALL_NR_OPENAT2  437
/* the i386 table */
#define COMPAT_NR_OPEN	   5
#define COMPAT_NR_CREAT	   8
#define COMPAT_NR_EXECVE   11
#define COMPAT_NR_FUTEX	   240
#define COMPAT_NR_OPENAT   295
#define COMPAT_NR_EXECVEAT 358
#define COMPAT_NR_OPENAT2  437

#define SYSCALL_NR_RT_SIGQUEUEINFO   129
#define SYSCALL_NR_RT_TGSIGQUEUEINFO 297
#define SYSCALL_NR_PIDFD_SEND_SIGNAL 424
#define COMPAT_NR_RT_SIGQUEUEINFO    178
#define COMPAT_NR_RT_TGSIGQUEUEINFO  335
#define COMPAT_NR_PIDFD_SEND_SIGNAL  424

#define SYSCALL_NR_CLONE      56
#define SYSCALL_NR_FORK	      57
#define SYSCALL_NR_VFORK      58
#define SYSCALL_NR_EXIT	      60
#define SYSCALL_NR_EXIT_GROUP 231
#define SYSCALL_NR_CLONE3     435
#define COMPAT_NR_EXIT	      1
#define COMPAT_NR_FORK	      2
#define COMPAT_NR_CLONE	      120
#define COMPAT_NR_VFORK	      190
#define COMPAT_NR_EXIT_GROUP  252
#define COMPAT_NR_CLONE3      435

#define SYSCALL_X32_BIT 0x40000000

static __always_inline long syscall_nr(struct pt_regs *regs, bool typed)
{
	return SAVED_REG(orig_ax);
}

/* Is the call of @task, which is the current one, one of the 32-bit table?
 * arch/x86/include/asm/thread_info.h: TS_COMPAT */
static __always_inline bool syscall_is_compat_of(struct task_struct *task, bool typed)
{
	if (typed)
		return task->thread_info.status & 0x2;
	return BPF_CORE_READ(task, thread_info.status) & 0x2;
}

static __always_inline unsigned long syscall_arg(struct pt_regs *regs, int n, bool compat,
						 bool typed)
{
	if (compat) {
		switch (n) {
		case 0:
			return (__u32)SAVED_REG(bx);
		case 1:
			return (__u32)SAVED_REG(cx);
		case 2:
			return (__u32)SAVED_REG(dx);
		case 3:
			return (__u32)SAVED_REG(si);
		default:
			return (__u32)SAVED_REG(di);
		}
	}
	switch (n) {
	case 0:
		return SAVED_REG(di);
	case 1:
		return SAVED_REG(si);
	case 2:
		return SAVED_REG(dx);
	case 3:
		return SAVED_REG(r10);
	default:
		return SAVED_REG(r8);
	}
}
#elif defined(__TARGET_ARCH_arm64)
#define SYSCALL_NR_OPEN	    -1 /* does not exist here */
#define SYSCALL_NR_CREAT    -2
#define SYSCALL_NR_OPENAT   56
#define SYSCALL_NR_READ	    63
#define SYSCALL_NR_FUTEX    98
#define SYSCALL_NR_RECVFROM 207
#define SYSCALL_NR_RECVMSG  212
#define SYSCALL_NR_EXECVE   221
#define SYSCALL_NR_EXECVEAT 281
#define SYSCALL_NR_OPENAT2  437
#define COMPAT_NR_OPEN	    5
#define COMPAT_NR_CREAT	    8
#define COMPAT_NR_EXECVE    11
#define COMPAT_NR_FUTEX	    240
#define COMPAT_NR_OPENAT    322
#define COMPAT_NR_EXECVEAT  387
#define COMPAT_NR_OPENAT2   437

#define SYSCALL_NR_RT_SIGQUEUEINFO   138
#define SYSCALL_NR_RT_TGSIGQUEUEINFO 240
#define SYSCALL_NR_PIDFD_SEND_SIGNAL 424
#define COMPAT_NR_RT_SIGQUEUEINFO    178
#define COMPAT_NR_RT_TGSIGQUEUEINFO  363
#define COMPAT_NR_PIDFD_SEND_SIGNAL  424

#define SYSCALL_NR_FORK	      -3
#define SYSCALL_NR_VFORK      -4
#define SYSCALL_NR_EXIT	      93
#define SYSCALL_NR_EXIT_GROUP 94
#define SYSCALL_NR_CLONE      220
#define SYSCALL_NR_CLONE3     435
#define COMPAT_NR_EXIT	      1
#define COMPAT_NR_FORK	      2
#define COMPAT_NR_CLONE	      120
#define COMPAT_NR_VFORK	      190
#define COMPAT_NR_EXIT_GROUP  248
#define COMPAT_NR_CLONE3      435

static __always_inline long syscall_nr(struct pt_regs *regs, bool typed)
{
	return SAVED_REG(syscallno);
}

/* arch/arm64/include/asm/thread_info.h: TIF_32BIT */
static __always_inline bool syscall_is_compat_of(struct task_struct *task, bool typed)
{
	return BPF_CORE_READ(task, thread_info.flags) & (1UL << 22);
}

static __always_inline unsigned long syscall_arg(struct pt_regs *regs, int n, bool compat,
						 bool typed)
{
	unsigned long v = n ? BPF_CORE_READ(regs, regs[n]) : SAVED_REG(orig_x0);

	return compat ? (__u32)v : v;
}
#else
#error "bpf/lib/core/compat.bpf.h knows the system calls of x86 and arm64: add this architecture's"
#endif

static __always_inline bool syscall_is_compat(void)
{
	if (have_task_btf())
		return syscall_is_compat_of(bpf_get_current_task_btf(), true);
	return syscall_is_compat_of((void *)bpf_get_current_task(), false);
}

/* The position given to pread(2), pwritev(2) and their like; a 32-bit task gives it in two halves,
 * on arm in an even register and the next. */
static __always_inline __s64 syscall_position(struct pt_regs *regs, bool compat, bool typed)
{
#if defined(__TARGET_ARCH_arm64)
	int low = compat ? 4 : 3;
#else
	int low = 3;
#endif
	__s64 at = syscall_arg(regs, low, compat, typed);

	if (compat)
		at |= (__s64)syscall_arg(regs, low + 1, compat, typed) << 32;
	return at;
}

/* --- asynchronous direct I/O -------------------------------------------------------------- */

/* The result of an asynchronous request, whose completion function was called with @ret. For a
 * write by io_uring @ret is 0 from 6.6 on, up to 6.18 or so: the rest of the completion, with
 * the result, is done later, in the task. */
static __always_inline long kiocb_result(struct kiocb *iocb, long ret)
{
	struct kiocb___deferred *deferred = (void *)iocb;
	struct iomap_dio *dio;

	if (!bpf_core_field_exists(deferred->dio_complete) ||
	    !(BPF_CORE_READ(deferred, ki_flags) & IOCB_DIO_CALLER_COMP) ||
	    !BPF_CORE_READ(deferred, dio_complete))
		return ret;
	dio = BPF_CORE_READ(deferred, private);
	ret = BPF_CORE_READ(dio, error);
	return ret ? ret : BPF_CORE_READ(dio, size);
}

/* --- the scheduler ------------------------------------------------------------------------ */

/* The run queue that @task is on; its clock is the one that times the task. This needs no symbol of
 * the kernel. */
#define task_rq(task) ((task)->se.cfs_rq->rq)

static __always_inline __u32 rq_cpu(struct rq *rq)
{
	return bpf_core_field_exists(rq->cpu) ? rq->cpu : 0;
}

/* In rq->clock_update_flags (kernel/sched/sched.h; the same in 5.10, 6.1 and 6.12): the next switch
 * is not to renew rq->clock. */
#define RQCF_REQ_SKIP 0x01

/* on_cpu and on_rq were int before they became u8: the macro reads either. */
static __always_inline bool task_on_cpu(struct task_struct *task)
{
	if (bpf_core_field_exists(task->on_cpu))
		return BPF_CORE_READ_BITFIELD_PROBED(task, on_cpu);
	return bpf_get_current_task() == (__u64)task;
}

/* The bits of a task's state (TASK_*); 0: it runs, or wants to. @typed: as in filter_task(). */
static __always_inline __u32 task_state_bits(struct task_struct *task, bool typed)
{
	struct task_struct___state *old = (void *)task;

	if (bpf_core_field_exists(old->state))
		return BPF_CORE_READ(old, state);
	return typed ? task->__state : BPF_CORE_READ(task, __state);
}

/* For the task that is being switched out, at sched_switch: does it wait from now on, by the rule
 * that the kernel's account has (sched_info_depart())? The verifier has to know @task's type. */
static __always_inline bool task_is_running(struct task_struct *task)
{
	return !task_state_bits(task, true);
}

/* For the task that is being switched out, at sched_switch: does it want to go on running?
 * Since 6.12 a task that goes to sleep may stay on the queue for a while: its dequeueing is
 * delayed. */
static __always_inline bool task_is_queued(struct task_struct *task)
{
	if (!BPF_CORE_READ_BITFIELD_PROBED(task, on_rq))
		return false;
	if (bpf_core_field_exists(task->se.sched_delayed))
		return !BPF_CORE_READ(task, se.sched_delayed);
	return true;
}

/* --- files and sockets -------------------------------------------------------------------- */

/* A name of @inode; NULL: none is in memory. A file may have several. */
static __always_inline struct dentry *inode_dentry(struct inode *inode)
{
	void *node = BPF_CORE_READ(inode, i_dentry.first);
	struct dentry___d_u *named = NULL;

	if (!node)
		return NULL;
	if (bpf_core_field_exists(named->d_u))
		return node - bpf_core_field_offset(named->d_u.d_alias);
	return node - bpf_core_field_offset(struct dentry___alias, d_alias);
}

/* How many references there are to @file: one for each descriptor, and for each call that uses it
 * in a process of several threads. 0 or less: the last one has gone. */
static __always_inline __s64 file_refs(const struct file *file)
{
	if (bpf_core_field_exists(file->f_ref)) /* counted from 0 (FILE_REF_ONEREF) */
		return BPF_CORE_READ(file, f_ref.refcnt.counter) + 1;
	return BPF_CORE_READ(file, f_count.counter);
}

/* @sk, if it is a socket of TCP, or else NULL. A tcp_sock begins with its struct sock. */
static __always_inline struct tcp_sock *sock_tcp(const struct sock *sk, bool typed)
{
	if (typed)
		return bpf_skc_to_tcp_sock((void *)sk);
	return BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP ? (void *)sk : NULL;
}

/* Is @sk a path of an MPTCP connection? Its type has that field from 5.6 on, where the kernel has
 * MPTCP. */
static __always_inline bool sock_is_path(const struct sock *sk, bool typed)
{
	struct tcp_sock *tp = NULL;

	if (!bpf_core_field_exists(tp->is_mptcp))
		return false;
	tp = sock_tcp(sk, typed);
	return tp && TYPED_READ(tp, is_mptcp);
}

/* The MPTCP connection that @sk is a path of; @sk, if it is none any more. */
static __always_inline const struct sock *sock_of_path(const struct sock *sk)
{
	struct inet_connection_sock *icsk = (void *)sk;
	struct mptcp_subflow_context *path = BPF_CORE_READ(icsk, icsk_ulp_data);
	const struct sock *whole = BPF_CORE_READ(path, conn);

	return whole ? whole : sk;
}

/* The socket that a process has: @sk, or the MPTCP connection that it is a path of. @typed is about
 * @sk: what is returned must be read with BPF_CORE_READ(). */
static __always_inline const struct sock *sock_whole_of(const struct sock *sk, bool typed)
{
	return sock_is_path(sk, typed) ? sock_of_path(sk) : sk;
}

static __always_inline const struct sock *sock_whole(const struct sock *sk)
{
	return sock_whole_of(sk, false);
}

/* --- pages -------------------------------------------------------------------------------- */

/* The first page of the folio that @page is in: its flags and its mapping are those of all. */
static __always_inline struct page *page_head(struct page *page)
{
	struct page___info *newer = (void *)page;
	__u64 info;

	if (bpf_core_field_exists(page->compound_head))
		info = BPF_CORE_READ(page, compound_head);
	else
		info = BPF_CORE_READ(newer, compound_info);
	if (!(info & 1))
		return page;
	/* compound_info may be a mask for the page's address instead of that of the head */
	if (!bpf_core_field_exists(page->compound_head) && info >> 32 == 0xffffffff)
		return (void *)((__u64)page & info);
	return (void *)(info - 1);
}

static __always_inline __u64 page_flags(struct page *page)
{
	struct page___memdesc *newer = (void *)page;

	if (bpf_core_field_exists(newer->flags.f))
		return BPF_CORE_READ(newer, flags.f);
	return BPF_CORE_READ(page, flags);
}

#define PAGE_HAS(flags, flag) ((flags) >> bpf_core_enum_value(enum pageflags, flag) & 1)

/* The file whose page in the page cache @head is; NULL: it is none of a file's. */
static __always_inline struct inode *page_inode(struct page *head)
{
	struct address_space *mapping = BPF_CORE_READ(head, mapping);

	if (!mapping || (__u64)mapping & 3) /* PAGE_MAPPING_FLAGS: anonymous, or a driver's */
		return NULL;
	return BPF_CORE_READ(mapping, host);
}

/* --- helpers ------------------------------------------------------------------------------ */

/* bpf_probe_read_user_str(): returns the length with the NUL, or a negative error number. Up to
 * 6.12 the helper itself returns 0 for an empty string. */
static __always_inline long read_user_str(char *to, __u32 size, const char *from)
{
	long n;

	to[0] = '\0';
	n = bpf_probe_read_user_str(to, size, from);
	barrier_var(n); /* no branch, or the verifier follows two ways from here */
	return n - (((n - 1) & ~n) >> 63); /* 0 becomes 1 */
}

/*
 * Between taking the time and sending the event a program should not be scheduled out: the event
 * would come late, and out of order. From 6.10 on (fc7566ad0a82) a program can ask for that: it
 * calls preempt_off() before it filters, and preempt_on() at its end, on every path. That is for
 * programs that run in a task that can be preempted: those on functions (fentry, fexit, kprobe),
 * on sys_enter and sys_exit, on tracepoints that are hit by system calls. Programs in an
 * interrupt, or with a lock of the kernel held (at sched_switch, block_rq_complete), can't be
 * scheduled out anyway.
 *
 * What it can't prevent: a task that is due to be scheduled out goes at preempt_on(), and until it
 * runs again the kernel leaves out every other run of that program on the CPU. Those are counted
 * (programs_missed()).
 *
 * Both are written as calls of a helper that does not exist, which libcommon/kernel/support.c
 * makes into calls of the kernel's function, or into nothing. With an extern __weak __ksym, where
 * the kernel has no such function, libbpf would look for it in the modules' BTF, which needs
 * CAP_SYS_ADMIN.
 */
#define KFUNC_CALL(number)                                                                         \
	__asm__ volatile("call %[nr]" ::[nr] "i"(number)                                           \
			 : "r0", "r1", "r2", "r3", "r4", "r5", "memory")

static __always_inline void preempt_off(void)
{
	KFUNC_CALL(KFUNC_PREEMPT_DISABLE);
}

static __always_inline void preempt_on(void)
{
	KFUNC_CALL(KFUNC_PREEMPT_ENABLE);
}

#endif
