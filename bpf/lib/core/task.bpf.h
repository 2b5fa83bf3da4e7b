/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * task.bpf.h: what a program can ask about any task: its state, its files, and, if it is not on a
 * CPU, which system call it is in and where it called from.
 */
#ifndef BORESCOPE_BPF_CORE_TASK_BPF_H
#define BORESCOPE_BPF_CORE_TASK_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "lib/core/compat.bpf.h"
#include "lib/core/constants.bpf.h"
#include "lib/core/task.shared.h"

/* The state that the bits @state of task_struct.__state and @exit_state stand for, by the kernel's
 * own rule (__task_state_index()). */
static __always_inline enum task_state task_state_of(__u32 state, __u32 exit_state)
{
	__u32 report;

	if (state & (TASK_RTLOCK_WAIT | TASK_FROZEN))
		return TASK_IS_BLOCKED;
	report = (state | exit_state) & TASK_REPORT;
	if ((state & TASK_IDLE) == TASK_IDLE)
		return TASK_IS_IDLE;
	if (!report)
		return TASK_IS_RUNNABLE;
	/* the highest bit that is set */
	for (int bit = 6; bit > 0; bit--)
		if (report >> bit)
			return bit + 1;
	return TASK_IS_SLEEPING;
}

/*
 * Whom the task on the CPU works for: itself; or, where it does the requests of an io_uring, the
 * main thread of the process that has that (from 5.12 on, 3bfe6106693b, it is a thread of the
 * process; before, one of the kernel that has borrowed the process's memory).
 */
static __always_inline struct task_struct *task_works_for(void)
{
	struct task_struct *task = (void *)bpf_get_current_task(), *owner = NULL;
	__u32 flags = BPF_CORE_READ(task, flags);
	struct mm_struct *mm;

	if (!(flags & (PF_KTHREAD | PF_IO_WORKER)))
		return task;
	if (!(flags & PF_KTHREAD))
		return BPF_CORE_READ(task, group_leader);
	mm = BPF_CORE_READ(task, mm);
	if (mm && bpf_core_field_exists(mm->owner))
		owner = BPF_CORE_READ(mm, owner);
	return owner ? owner : task;
}

/* The state, as /proc/PID/stat has it. */
static __always_inline enum task_state task_state(struct task_struct *task)
{
	return task_state_of(task_state_bits(task, false), BPF_CORE_READ(task, exit_state));
}

/* The file that @task has open as @fd; NULL: it has no such descriptor. */
static __always_inline struct file *task_file(struct task_struct *task, __u32 fd)
{
	struct fdtable *fdt = BPF_CORE_READ(task, files, fdt);
	struct file **fds, *file = NULL;

	if (fd >= BPF_CORE_READ(fdt, max_fds))
		return NULL;
	fds = BPF_CORE_READ(fdt, fd);
	bpf_probe_read_kernel(&file, sizeof(file), &fds[fd]);
	return file;
}

/* How often the task was taken off a CPU. If that has not grown, and the task is on none, its
 * registers and stacks have not changed. */
static __always_inline __u64 task_switches(struct task_struct *task)
{
	return BPF_CORE_READ(task, nvcsw) + BPF_CORE_READ(task, nivcsw);
}

/* An address space may be where another one was, a process may have the pid of another one. */
static __always_inline __u64 task_generation(__u64 mm, __u64 execs, __u64 born)
{
	return (mm * 0x9e3779b97f4a7c15ull ^ execs) * 0xc2b2ae3d27d4eb4full ^ born;
}

/* Which program the task is. */
static __always_inline void task_image(struct task_image *im, struct task_struct *task)
{
	struct mm_struct *mm = BPF_CORE_READ(task, mm);

	im->generation = im->layout = 0;
	if (!mm)
		return;
	im->generation = task_generation((__u64)mm, BPF_CORE_READ(task, self_exec_id),
					 BPF_CORE_READ(task, group_leader, start_boottime));
	im->layout = task_layout(BPF_CORE_READ(mm, start_code), BPF_CORE_READ(mm, end_code),
				 BPF_CORE_READ(mm, start_stack));
}

/* The same of a task that the verifier knows as one. @mm: its address space, as a number, for the
 * verifier lets nobody reckon with the typed pointer. */
static __always_inline void task_image_typed(struct task_image *im, struct task_struct *task,
					     __u64 mm)
{
	im->generation =
		task_generation(mm, task->self_exec_id, task->group_leader->start_boottime);
	im->layout = task_layout(task->mm->start_code, task->mm->end_code, task->mm->start_stack);
}

/* The same of the current task. */
static __always_inline void task_image_current(struct task_image *im, __u64 mm)
{
	if (!have_task_btf()) { /* 5.10 */
		task_image(im, (void *)bpf_get_current_task());
		return;
	}
	task_image_typed(im, bpf_get_current_task_btf(), mm);
}

/* The helper exists from 5.15 on (dd6e10fbd9fb). */
enum bpf_func_id___pt_regs {
	BPF_FUNC_task_pt_regs___here = 175,
};

/* THREAD_SIZE on x86-64 (without KASAN), for a kernel without the helper. */
#define TASK_OLD_THREAD_SIZE 16384

/* Where the kernel saves them, for a program that may not call the helper: NULL if not known. */
static __always_inline struct pt_regs *task_regs_place(struct task_struct *task)
{
#if defined(__TARGET_ARCH_x86)
	return BPF_CORE_READ(task, stack) + TASK_OLD_THREAD_SIZE -
	       bpf_core_type_size(struct pt_regs);
#else
	return NULL;
#endif
}

/*
 * The registers that the task had in user space when it entered the kernel. They are true as long
 * as the task is not on a CPU. They must be read with BPF_CORE_READ().
 */
static __always_inline struct pt_regs *task_regs(struct task_struct *task)
{
	if (bpf_core_enum_value_exists(enum bpf_func_id___pt_regs, BPF_FUNC_task_pt_regs___here))
		return (void *)bpf_task_pt_regs(task);
	return task_regs_place(task);
}

/* Those of its registers that tell where the task is, and what they say of its system call. */
struct task_user {
	__u64 ip, sp, fp; /* ip and sp are 0 for a task that never was in user space */
	bool is_32;	  /* its addresses have 32 bits */
	bool compat;	  /* its system call's number is one of the 32-bit table */
	int syscall;	  /* TASK_NO_SYSCALL: it entered by an interrupt or a fault */
	__u64 args[2];	  /* of the system call */
};

static __always_inline void task_user(struct task_user *u, struct task_struct *task)
{
	struct pt_regs *regs = task_regs(task);

#if defined(__TARGET_ARCH_x86)
	u->ip = BPF_CORE_READ(regs, ip);
	u->sp = BPF_CORE_READ(regs, sp);
	u->fp = BPF_CORE_READ(regs, bp);
	u->is_32 = (__u16)BPF_CORE_READ(regs, cs) == 0x23;	   /* __USER32_CS */
	u->compat = BPF_CORE_READ(task, thread_info.status) & 0x2; /* TS_COMPAT */
	u->syscall = BPF_CORE_READ(regs, orig_ax);
	if (u->syscall >= 0)
		u->syscall &= ~SYSCALL_X32_BIT;
#elif defined(__TARGET_ARCH_arm64)
	u->ip = BPF_CORE_READ(regs, pc);
	u->sp = BPF_CORE_READ(regs, sp);
	u->fp = BPF_CORE_READ(regs, regs[29]);
	u->is_32 = BPF_CORE_READ(regs, pstate) & 0x10; /* PSR_MODE32_BIT */
	u->compat = u->is_32;
	u->syscall = BPF_CORE_READ(regs, syscallno);
#endif
	if (u->syscall < 0)
		u->syscall = TASK_NO_SYSCALL;
	u->args[0] = syscall_arg(regs, 0, u->compat, false);
	u->args[1] = syscall_arg(regs, 1, u->compat, false);
}

/*
 * Might reading the memory of @task make us wait? It would where a writer of its memory map has or
 * wants the lock: a task that hangs while it has the lock would hang us, too. A look without taking
 * the lock can't rule that out, but the lock is held for microseconds unless something is wrong.
 */
static __always_inline bool task_memory_is_locked(struct task_struct *task)
{
	struct mm_struct *mm = BPF_CORE_READ(task, mm);

	if (!bpf_core_field_exists(mm->mmap_lock.count))
		return false; /* PREEMPT_RT */
	/* kernel/locking/rwsem.c: RWSEM_WRITER_LOCKED, _FLAG_WAITERS, _FLAG_HANDOFF */
	return BPF_CORE_READ(mm, mmap_lock.count.counter) & 7;
}

#endif
