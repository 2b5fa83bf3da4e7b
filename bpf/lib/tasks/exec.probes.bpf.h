/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * exec.probes.bpf.h: the execs of programs, wherever this kernel lets them be seen. It defines one
 * ladder of programs for those that succeed, each of which calls the includer's exec_started():
 *
 *	exec_done, raw_exec_done		the tracepoint, whoever called exec and however
 *
 * and one for those that fail, which call its exec_failed():
 *
 *	fexit_CALL				one program for each call, no map
 *	kprobe_CALL, kretprobe_CALL
 *
 * where CALL is execve, execveat, compat_execve, compat_execveat. The last rung for those that
 * fail, where no function can be probed, is the exit of all system calls: for that the tool has
 * SYSCALL_EXIT(exec_at_exit(regs, ret, typed)), see syscalls.bpf.h.
 */
#ifndef BORESCOPE_BPF_TASKS_EXEC_PROBES_BPF_H
#define BORESCOPE_BPF_TASKS_EXEC_PROBES_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "lib/core/call_probes.bpf.h"
#include "lib/core/compat.bpf.h"
#include "lib/core/inflight.bpf.h"
#include "lib/core/syscalls.bpf.h"

/* An exec, as its caller asked for it. Both pointers are to the caller's memory. */
struct exec_call {
	const char *filename, *argv;
	int dfd;     /* of execveat(), else AT_FDCWD */
	bool by_dfd; /* with AT_EMPTY_PATH: if the name is empty, dfd is the program */
	bool compat; /* argv has pointers of 32 bits */
};

/*
 * Has this exec, which failed, got so far that the old image is gone? Then nothing of what the
 * caller gave is in memory any more; the kernel sends the task a SIGSEGV (bprm_execve(),
 * search_binary_handler() before 5.10), from which it will not return.
 */
static __always_inline bool exec_has_killed(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, pending.signal.sig[0]) >> (SIGSEGV - 1) & 1;
}

/* The tool defines this. The new image is in place, with @task on the CPU; nothing of it has
 * run. */
static __always_inline void exec_started(struct task_struct *task, struct linux_binprm *bprm);

/* The tool defines this. @ret: a negative error number. */
static __always_inline void exec_failed(const struct exec_call *call, int ret);

SEC("tp_btf/sched_process_exec")
int BPF_PROG(exec_done, struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm)
{
	exec_started(task, bprm);
	return 0;
}

SEC("raw_tp/sched_process_exec") /* the same for a kernel without BTF of its own */
int BPF_PROG(raw_exec_done, struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm)
{
	exec_started(task, bprm);
	return 0;
}

/* What an exec was asked for. @regs: the caller's registers; @arg: the number of the argument
 * that is the file name. */
static __always_inline struct exec_call exec_asked(struct pt_regs *regs, int arg, bool compat,
						   bool typed)
{
	struct exec_call call = {
		.filename = (void *)syscall_arg(regs, arg, compat, typed),
		.argv = (void *)syscall_arg(regs, arg + 1, compat, typed),
		.dfd = AT_FDCWD,
		.compat = compat,
	};

	if (arg) {
		call.dfd = syscall_arg(regs, 0, compat, typed);
		call.by_dfd = syscall_arg(regs, 4, compat, typed) & AT_EMPTY_PATH;
	}
	return call;
}

/* An exec returns @ret, and its caller's registers are still there. */
static __always_inline int exec_ended(struct pt_regs *regs, long ret, int arg, bool compat,
				      bool typed)
{
	struct exec_call call;

	if ((int)ret >= 0 || syscall_may_restart((int)ret))
		return 0;
	call = exec_asked(regs, arg, compat, typed);
	exec_failed(&call, ret);
	return 0;
}

/* --- the call's own function -------------------------------------------------------------- */

/* Without fexit, what the call was asked for is kept from its begin. (On 5.10 that is always
 * so: its BTF has pt_regs by name only, so that no fexit program can read the registers.) */
INFLIGHT(exec_calls, struct exec_call, INFLIGHT_MAX);

static __always_inline int exec_begins(struct pt_regs *regs, int arg, bool compat)
{
	struct exec_call call = exec_asked(regs, arg, compat, false);

	inflight_begin(&exec_calls, &call);
	return 0;
}

static __always_inline int exec_ends(int ret)
{
	struct exec_call *kept = inflight_get(&exec_calls), call;

	if (!kept)
		return 0;
	call = *kept; /* a copy: so the verifier follows both values of .compat only once */
	if (ret < 0 && !syscall_may_restart(ret))
		exec_failed(&call, ret);
	inflight_end(&exec_calls);
	return 0;
}

#define EXEC_PROBES(name, function, arg, compat)                                                   \
	CALL_END_PROBES(name, function, exec_ended(regs, ret, arg, compat, true),                  \
			exec_begins(regs, arg, compat), exec_ends(ret), struct pt_regs *regs)

EXEC_PROBES(execve, SYSCALL_FUNCTION("execve"), 0, false)
EXEC_PROBES(execveat, SYSCALL_FUNCTION("execveat"), 1, false)
EXEC_PROBES(compat_execve, COMPAT_SYSCALL_FUNCTION("execve"), 0, true)
EXEC_PROBES(compat_execveat, COMPAT_SYSCALL_FUNCTION("execveat"), 1, true)

/* --- no function can be probed: the system calls' own exit -------------------------------- */

enum { EXEC_BY_EXECVE, EXEC_BY_EXECVEAT };
static const struct syscall_row exec_syscalls[] = {
	[EXEC_BY_EXECVE] = SYSCALL(EXECVE),
	[EXEC_BY_EXECVEAT] = SYSCALL(EXECVEAT),
};

/* For SYSCALL_EXIT(). */
static __always_inline int exec_at_exit(struct pt_regs *regs, long ret, bool typed)
{
	bool compat;
	int call;

	if (ret >= 0)
		return 0;
	call = syscall_find(exec_syscalls, syscall_nr(regs, typed), &compat);
	if (call < 0)
		return 0;
	return exec_ended(regs, ret, call == EXEC_BY_EXECVEAT, compat, typed);
}

#endif
