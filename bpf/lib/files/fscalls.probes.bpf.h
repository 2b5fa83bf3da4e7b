/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fscalls.probes.bpf.h: system calls on files, timed. That is for where no function can be probed:
 * every call of the machine pays for it. It defines
 *
 *	sys_enter, raw_sys_enter
 *		which go with the exit of all system calls: for that the tool has
 *		SYSCALL_EXIT(fsops_at_exit(regs, ret, typed)), see syscalls.bpf.h
 *
 * The user side, libcommon/files/fscalls.h, says which calls. Slow ones go to the tool's
 * fsops_done(): see fsops.bpf.h.
 */
#ifndef BORESCOPE_BPF_FILES_FSCALLS_PROBES_BPF_H
#define BORESCOPE_BPF_FILES_FSCALLS_PROBES_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#include "lib/core/syscalls.bpf.h"
#include "lib/core/task.bpf.h"
#include "lib/files/fsops.bpf.h"

/* What the user side said of system call @nr (struct fs_call); 0: it is not timed. */
static __always_inline __u32 fsops_timed_call(long nr, bool *compat)
{
	struct fs_call call;

	nr = syscall_without_x32(nr);
	if ((__u64)nr >= FS_CALLS)
		return 0;
	call.native = fs_config.calls[nr].native;
	call.compat = fs_config.calls[nr].compat;
	if (!call.native && !call.compat) /* most calls leave here */
		return 0;
	*compat = syscall_is_compat();
	return *compat ? call.compat : call.native;
}

static __always_inline int fsops_at_enter(long nr)
{
	bool compat;

	if (fsops_timed_call(nr, &compat))
		fsops_note(FS_NONE, 0, 0); /* a task is in one call at a time */
	return 0;
}

/* One side of a call that moves bytes from one file to another. @at: where in the caller's memory
 * the position is, which has moved on by now; 0: it is the file's own. */
static __always_inline void fsops_side_ends(struct fs_done *d, __u32 op, __u32 fd, __u64 at,
					    bool narrow)
{
	struct file *file = task_file((void *)bpf_get_current_task(), fd);
	__s64 pos = FS_OFFSET_UNKNOWN;

	if (!file || !fsops_is_wanted(file))
		return;
	d->op = op;
	d->flags = FS_MOVE;
	if (at)
		bpf_probe_read_user(&pos, sizeof(pos), (void *)at);
	else
		pos = BPF_CORE_READ(file, f_pos);
	d->offset = fsops_began_at(narrow ? (__u32)pos : pos, d->ret);
	fsops_of_file(d, file);
	fsops_show(d, NULL, FS_IN_TASK);
}

#define FSOPS_ARG(n) syscall_arg(regs, n, compat, typed)

/* Both sides of @call (FS_CALL_MOVES and FS_CALL_AT), which had @regs. */
static __always_inline void fsops_move_ends(struct fs_done *d, __u32 call, struct pt_regs *regs,
					    bool compat, bool typed)
{
	bool narrow = !(call & FS_CALL_AT);

	if (call & FS_CALL_SENDFILE) { /* out, in, position in */
		fsops_side_ends(d, FS_READ, FSOPS_ARG(1), FSOPS_ARG(2), narrow && FSOPS_ARG(2));
		fsops_side_ends(d, FS_WRITE, FSOPS_ARG(0), 0, false);
	} else { /* in, position, out, position */
		fsops_side_ends(d, FS_READ, FSOPS_ARG(0), FSOPS_ARG(1), false);
		fsops_side_ends(d, FS_WRITE, FSOPS_ARG(2), FSOPS_ARG(3), false);
	}
}

/* @call of @regs, which began at @stamp, has returned @ret. */
static __always_inline int fsops_call_ends(const struct call_start *stamp, __u32 call, bool compat,
					   struct pt_regs *regs, long ret, bool typed)
{
	struct fs_done d = { .ret = ret };
	struct file *file = NULL;
	__s64 at = -1;
	__u32 fd;

	d.end = bpf_ktime_get_ns();
	d.start = stamp->start;
	if (d.end - d.start < fs_config.min_ns)
		return 0;
	if (call & FS_CALL_MOVES) {
		fsops_move_ends(&d, call, regs, compat, typed);
		return 0;
	}
	d.op = call & FS_CALL_OP;
	fd = d.op == FS_OPEN ? ret : FSOPS_ARG(0);
	file = task_file((void *)bpf_get_current_task(), fd);
	if (!file || !fsops_is_wanted(file))
		return 0;
	fsops_of_file(&d, file);
	if (call & FS_CALL_AT)
		at = syscall_position(regs, compat, typed);
	if (d.op == FS_READ || d.op == FS_WRITE)
		d.offset = at >= 0 ? fsops_given_at(d.op, file, at)
				   : fsops_began_at(BPF_CORE_READ(file, f_pos), ret);
	else if (d.op == FS_TRUNCATE)
		d.offset = BPF_CORE_READ(file, f_inode, i_size);
	if (d.op != FS_READ && d.op != FS_WRITE && ret > 0)
		d.ret = 0; /* a file descriptor, or the bytes of a directory's entries */
	fsops_show(&d, NULL, FS_IN_TASK);
	return 0;
}

/* For SYSCALL_EXIT(). */
static __always_inline int fsops_at_exit(struct pt_regs *regs, long ret, bool typed)
{
	struct call_start stamp;
	bool compat;
	__u32 call = fsops_timed_call(syscall_nr(regs, typed), &compat);

	if (!call || !call_start_end(fs_starts, FS_NONE, &stamp))
		return 0;
	return fsops_call_ends(&stamp, call, compat, regs, ret, typed);
}

SEC("tp_btf/sys_enter")
int BPF_PROG(sys_enter, struct pt_regs *regs, long nr)
{
	return fsops_at_enter(nr);
}

SEC("raw_tp/sys_enter") /* the same for a kernel without BTF of its own */
int BPF_PROG(raw_sys_enter, struct pt_regs *regs, long nr)
{
	return fsops_at_enter(nr);
}

#endif
