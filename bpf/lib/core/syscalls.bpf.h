/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * syscalls.bpf.h: the system calls that a tool looks at, seen by their own functions or at the
 * exit of any call. The numbers and the registers of an architecture are in compat.bpf.h.
 */
#ifndef BORESCOPE_BPF_CORE_SYSCALLS_BPF_H
#define BORESCOPE_BPF_CORE_SYSCALLS_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "lib/core/compat.bpf.h"
#include "lib/core/constants.bpf.h"
#include "lib/core/syscalls.shared.h"

/* The function of a call, for the name of a section; and the one that 32-bit callers come to, where
 * that is another. */
#if defined(__TARGET_ARCH_x86)
#define SYSCALL_FUNCTION(name)	      "__x64_sys_" name
#define COMPAT_SYSCALL_FUNCTION(name) "__ia32_compat_sys_" name
#elif defined(__TARGET_ARCH_arm64)
#define SYSCALL_FUNCTION(name)	      "__arm64_sys_" name
#define COMPAT_SYSCALL_FUNCTION(name) "__arm64_compat_sys_" name
#endif

/*
 * A signal has come while the call waited: the kernel will look at who handles it, and either start
 * the call again, with the same registers, or let it fail with EINTR. Which of the two is not known
 * yet; the program never sees these numbers.
 */
static __always_inline bool syscall_may_restart(long ret)
{
	return ret <= -ERESTARTSYS && ret >= -ERESTART_RESTARTBLOCK;
}

/* --- at the exit of any call -------------------------------------------------------------- */

/* One system call of a table: its number for 64-bit and for 32-bit callers. */
struct syscall_row {
	long nr, compat_nr;
};
#define SYSCALL(NAME)                                                                              \
	{                                                                                          \
		SYSCALL_NR_##NAME, COMPAT_NR_##NAME                                                \
	}

/*
 * Which call of @table has number @nr, for the caller on the CPU? Returns its index, and in
 * *@compat whether it is a 32-bit one; -1: none of them. @table is a static const array: the loops
 * become comparisons with constants. Nearly all calls of a machine are in neither column of it,
 * and leave before anybody asks who called.
 */
#define syscall_find(table, nr, compat)                                                            \
	__syscall_find(table, sizeof(table) / sizeof((table)[0]), nr, compat)

static __always_inline int __syscall_find(const struct syscall_row *table, int rows, long nr,
					  bool *compat)
{
	bool any = false;

#pragma unroll
	for (int i = 0; i < rows; i++)
		any |= nr == table[i].nr || nr == table[i].compat_nr;
	if (!any)
		return -1;
	*compat = syscall_is_compat();
#pragma unroll
	for (int i = 0; i < rows; i++)
		if (nr == (*compat ? table[i].compat_nr : table[i].nr))
			return i;
	return -1;
}

/* The number without the bit that x32 callers set: for calls that have the same number there. */
static __always_inline long syscall_without_x32(long nr)
{
#ifdef SYSCALL_X32_BIT
	nr &= ~SYSCALL_X32_BIT;
#endif
	return nr;
}

/* The number of the call that the task on the CPU is in, the same for x32 callers. */
static __always_inline long syscall_nr_any(struct pt_regs *regs, bool typed)
{
	return syscall_without_x32(syscall_nr(regs, typed));
}

/* The pid and tid of the caller on the CPU, as bpf_get_current_pid_tgid() has them, and in *@compat
 * whether its call is one of the 32-bit table: both by one helper, for programs that every call of
 * the machine runs. */
static __always_inline __u64 syscall_caller(bool *compat)
{
	struct task_struct *task;

	if (!have_task_btf()) {
		*compat = syscall_is_compat();
		return bpf_get_current_pid_tgid();
	}
	task = bpf_get_current_task_btf();
	*compat = syscall_is_compat_of(task, true);
	return (__u64)task->tgid << 32 | (__u32)task->pid;
}

/* Which call has this number (sys_enter's argument, or syscall_nr()), for such a caller? */
static __always_inline struct syscall_id syscall_id(long nr, bool compat)
{
	struct syscall_id id = { .nr = nr, .abi = SYSCALL_ABI_64 };

	if (compat) {
		id.abi = SYSCALL_ABI_32;
#ifdef SYSCALL_X32_BIT
	} else if (id.nr > 0 && id.nr & SYSCALL_X32_BIT) {
		id.abi = SYSCALL_ABI_X32;
		id.nr = syscall_without_x32(id.nr);
#endif
	}
	return id;
}

#define SYSCALL_IS(id, NAME)                                                                       \
	((id).nr == ((id).abi == SYSCALL_ABI_32 ? COMPAT_NR_##NAME : SYSCALL_NR_##NAME))
#define SYSCALL_IS_EXEC(id) (SYSCALL_IS(id, EXECVE) || SYSCALL_IS(id, EXECVEAT))
/* These never end. */
#define SYSCALL_IS_EXIT(id) (SYSCALL_IS(id, EXIT) || SYSCALL_IS(id, EXIT_GROUP))
/* These end twice: in the new task, too. */
#define SYSCALL_IS_FORK(id)                                                                        \
	(SYSCALL_IS(id, CLONE) || SYSCALL_IS(id, FORK) || SYSCALL_IS(id, VFORK) ||                 \
	 SYSCALL_IS(id, CLONE3))

/*
 * The two programs at the exit of all system calls, sys_exit and raw_sys_exit (the same for a
 * kernel without BTF of its own). A tool has this once; @handlers are calls of what its probe
 * headers offer for it, with these arguments:
 *
 *	SYSCALL_EXIT(open_at_exit(regs, ret, typed), exec_at_exit(regs, ret, typed))
 */
#define SYSCALL_EXIT(handlers...)                                                                  \
	SEC("tp_btf/sys_exit")                                                                     \
	int BPF_PROG(sys_exit, struct pt_regs *regs, long ret)                                     \
	{                                                                                          \
		const bool typed = true;                                                           \
		return handlers;                                                                   \
	}                                                                                          \
	SEC("raw_tp/sys_exit")                                                                     \
	int BPF_PROG(raw_sys_exit, struct pt_regs *regs, long ret)                                 \
	{                                                                                          \
		const bool typed = false;                                                          \
		return handlers;                                                                   \
	}

#endif
