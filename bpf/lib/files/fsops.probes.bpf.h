/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fsops.probes.bpf.h: the operations of one kind of file system, timed: by the file system's own functions, or
 * where none can be probed by the system calls on its files. The user side is libcommon/files/fsops.h.
 *
 * What took fs_config.min_ns or more, by a task that passes the filter, goes to the tool's
 * fsops_done(). What was faster costs two stores and a compare.
 */
#ifndef BORESCOPE_BPF_FILES_FSOPS_PROBES_BPF_H
#define BORESCOPE_BPF_FILES_FSOPS_PROBES_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#include "lib/files/fsops.shared.h"
#define CALL_START_KINDS FS_OPS
#include "lib/core/compat.bpf.h"
#include "lib/core/events.bpf.h"
#include "lib/core/filter.bpf.h"
#include "lib/core/path.bpf.h"
#include "lib/files/call_start.bpf.h"
#include "lib/core/syscalls.bpf.h"

const volatile struct fs_config fs_config SEC(".rodata.fsops");

volatile struct fs_control fs_control SEC(".data.fsops") = {};

#define EIOCBQUEUED 529
#define ATTR_SIZE   8
#define MAX_ERRNO   4095

/* Programs at a completion interrupt the others, and have scratch memory of their own. */
enum { FS_IN_TASK, FS_IN_INTERRUPT, FS_CONTEXTS };

struct fs_done {
	__u32 op, flags;	      /* enum fs_op, FS_ASYNC and so on */
	struct dentry *dentry, *root; /* root: of the mount, NULL where it is not known */
	struct super_block *sb;
	__s64 offset, ret;
	__u64 start, end; /* CLOCK_MONOTONIC, ns */
};

/* The tool's. @head: whose it was, NULL: the current task's. @context, a constant: which scratch
 * memory to take. */
static __always_inline void fsops_done(const struct fs_done *d, const struct event_head *head,
				       __u32 context);

static __always_inline void fsops_show(const struct fs_done *d, const struct event_head *head,
				       __u32 context)
{
	struct super_block *sb = d->sb;

	if (BPF_CORE_READ(sb, s_magic) != fs_config.magic)
		return;
	preempt_off();
	if (head || filter_current())
		fsops_done(d, head, context);
	preempt_on();
}

static __always_inline void of_file(struct fs_done *d, struct file *file)
{
	d->dentry = BPF_CORE_READ(file, f_path.dentry);
	d->root = BPF_CORE_READ(file, f_path.mnt, mnt_root);
	d->sb = BPF_CORE_READ(file, f_inode, i_sb);
}

static __always_inline void of_dentry(struct fs_done *d, struct dentry *dentry)
{
	d->dentry = dentry;
	d->sb = BPF_CORE_READ(dentry, d_sb);
}

/* Where a read or write began: the position has moved by what was done. */
static __always_inline __s64 began_at(__s64 pos, __s64 ret)
{
	return ret > 0 ? pos - ret : pos;
}

/* --- asynchronous direct I/O: from its submission to its completion, by the kiocb's address  */

struct async_io {
	struct event_head head;
	__u64 start, offset;
	struct file *file;
	__u32 op;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH); /* some completions never come by our probes */
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct async_io);
} async_ios SEC(".maps");

static __always_inline void async_begin(__u32 op, struct kiocb *iocb)
{
	__u64 key = (__u64)iocb;
	struct async_io io = { .op = op };

	if (!filter_current())
		return;
	event_head(&io.head);
	io.start = io.head.ts;
	io.offset = BPF_CORE_READ(iocb, ki_pos);
	io.file = BPF_CORE_READ(iocb, ki_filp);
	if (bpf_map_update_elem(&async_ios, &key, &io, BPF_ANY))
		event_count_lost();
}

/* What is known of it is over, one way or the other. */
static __always_inline int async_over(struct kiocb *iocb, __u32 flags, long ret, __u32 context)
{
	__u64 key = (__u64)iocb, now = bpf_ktime_get_ns();
	struct fs_done d = { .flags = flags, .end = now, .ret = ret };
	struct async_io *io = bpf_map_lookup_elem(&async_ios, &key), copy;

	if (!io)
		return 0;
	copy = *io;
	bpf_map_delete_elem(&async_ios, &key);
	if (now - copy.start < fs_config.min_ns)
		return 0;
	d.op = copy.op;
	d.start = copy.start;
	d.offset = copy.offset;
	of_file(&d, copy.file);
	fsops_show(&d, &copy.head, context);
	return 0;
}

#define COMPLETION(name, function)                                                                 \
	SEC("fentry/" function)                                                                    \
	int BPF_PROG(fentry_##name, struct kiocb *iocb, long ret)                                  \
	{                                                                                          \
		return async_over(iocb, FS_ASYNC, kiocb_result(iocb, ret), FS_IN_INTERRUPT);       \
	}                                                                                          \
	SEC("kprobe/" function)                                                                    \
	int BPF_KPROBE(kprobe_##name, struct kiocb *iocb, long ret)                                \
	{                                                                                          \
		return async_over(iocb, FS_ASYNC, kiocb_result(iocb, ret), FS_IN_INTERRUPT);       \
	}

COMPLETION(aio_done, "aio_complete_rw")
COMPLETION(uring_done, "io_complete_rw")

/* --- functions of the file system: their begin and end ---
 *
 * What an operation is about is one of its arguments: a kiocb, a file, a dentry, or a fault. @typed
 * (a constant): the verifier knows the argument's type, and lets it be read as it is. */

enum about { ABOUT_IOCB, ABOUT_FILE, ABOUT_DENTRY, ABOUT_FAULT };

static __always_inline int begin(__u32 op, enum about about, void *arg, bool typed)
{
	struct kiocb *iocb = arg;
	struct vm_fault *fault = arg;

	if (about == ABOUT_FAULT) {
		/* when it is over, the mapping may be gone */
		call_start_begin(op, (__u64)BPF_CORE_READ(fault, vma, vm_file),
				 BPF_CORE_READ(fault, pgoff) * fs_config.page_size);
		return 0;
	}
	if (about == ABOUT_IOCB && (typed ? iocb->ki_complete : BPF_CORE_READ(iocb, ki_complete)))
		async_begin(op, iocb);
	call_start_begin(op, typed ? 0 : (__u64)arg, 0);
	return 0;
}

/* A read or write has returned. True: it goes on by itself, and shows when it is complete; then its
 * kiocb may be gone already. */
static __always_inline bool io_goes_on(struct kiocb *iocb, __s64 ret, bool typed)
{
	__u64 key = (__u64)iocb;

	if (ret == -EIOCBQUEUED) {
		if (!fs_control.async_timed)
			async_over(iocb, FS_ASYNC | FS_END_GONE, 0, FS_IN_TASK);
		return true;
	}
	if (typed ? iocb->ki_complete : BPF_CORE_READ(iocb, ki_complete))
		bpf_map_delete_elem(&async_ios, &key);
	return false;
}

/* @arg: not known (it comes from the stamp) where it isn't typed. */
static __always_inline int end(__u32 op, enum about about, void *arg, __s64 ret, bool typed)
{
	struct fs_done d = { .op = op, .ret = ret };
	struct call_start stamp;

	if (!call_start_end(op, &stamp)) {
		if (stamp.owner)
			event_count_lost();
		return 0;
	}
	if (!typed || about == ABOUT_FAULT)
		arg = (void *)stamp.args[0];
	if (about == ABOUT_IOCB && io_goes_on(arg, ret, typed))
		return 0;
	d.start = stamp.start;
	d.end = bpf_ktime_get_ns();
	if (d.end - d.start < fs_config.min_ns)
		return 0;
	switch (about) {
	case ABOUT_IOCB:
		d.offset = began_at(BPF_CORE_READ((struct kiocb *)arg, ki_pos), ret);
		of_file(&d, BPF_CORE_READ((struct kiocb *)arg, ki_filp));
		break;
	case ABOUT_FAULT:
		d.offset = stamp.args[1];
		of_file(&d, arg);
		break;
	case ABOUT_FILE:
		of_file(&d, arg);
		break;
	case ABOUT_DENTRY:
		of_dentry(&d, arg);
		if (op == FS_TRUNCATE)
			d.offset = BPF_CORE_READ((struct dentry *)arg, d_inode, i_size);
		break;
	}
	fsops_show(&d, NULL, FS_IN_TASK);
	return 0;
}

/* What functions return: an int whose upper half may be anything, a ssize_t, or (mkdir, from 6.15)
 * a pointer, which may be an error's. Of a fault it is flags, and not of interest. */
#define AS_INT(ret)	((int)(ret))
#define AS_SIZE(ret)	((__s64)(ret))
#define AS_FAULT(ret)	0
#define AS_POINTER(ret) returned_dentry(ret)

static __always_inline __s64 returned_dentry(__u64 pointer)
{
	__u64 ret = 0;

	/* the verifier allows no arithmetic on a pointer: a copy is a number */
	bpf_probe_read_kernel(&ret, sizeof(ret), &pointer);
	if (ret >= (__u64)-MAX_ERRNO)
		return ret;
	return ret >> 32 ? 0 : (int)ret;
}

/* Arguments of directory operations stand one further from 5.12 on. Two loads, kept apart by asm
 * that differs: the verifier takes no computed place in its context. */
#define FIXED(here, further) (here)
#define IDMAPPED(here, further)                                                                    \
	({                                                                                         \
		__u64 __arg;                                                                       \
		if (fs_config.idmap) {                                                             \
			__arg = (further);                                                         \
			__asm__ volatile("/* further */" : "+r"(__arg));                           \
		} else {                                                                           \
			__arg = (here);                                                            \
			__asm__ volatile("/* here */" : "+r"(__arg));                              \
		}                                                                                  \
		__arg;                                                                             \
	})

/* @at(@arg): which argument it is about; @nr: how many there are. */
#define BEGINS(name, op, about, at, arg)                                                           \
	SEC("fentry/" #name) int fentry_##name(unsigned long long *ctx)                            \
	{                                                                                          \
		return begin(op, about, (void *)at(ctx[arg], ctx[(arg) + 1]), true);               \
	}                                                                                          \
	SEC("kprobe/" #name) int kprobe_##name(struct pt_regs *ctx)                                \
	{                                                                                          \
		return begin(op, about,                                                            \
			     (void *)at((arg) ? PT_REGS_PARM2(ctx) : PT_REGS_PARM1(ctx),           \
					(arg) ? PT_REGS_PARM3(ctx) : PT_REGS_PARM2(ctx)),          \
			     false);                                                               \
	}
#define ENDS(name, op, about, at, arg, nr, as)                                                     \
	SEC("fexit/" #name) int fexit_##name(unsigned long long *ctx)                              \
	{                                                                                          \
		return end(op, about, (void *)at(ctx[arg], ctx[(arg) + 1]),                        \
			   as(at(ctx[nr], ctx[(nr) + 1])), true);                                  \
	}                                                                                          \
	SEC("kretprobe/" #name) int kretprobe_##name(struct pt_regs *ctx)                          \
	{                                                                                          \
		return end(op, about, NULL, as(PT_REGS_RC(ctx)), false);                           \
	}
#define OPERATION(name, op, about, at, arg, nr, as)                                                \
	BEGINS(name, op, about, at, arg) ENDS(name, op, about, at, arg, nr, as)

OPERATION(read, FS_READ, ABOUT_IOCB, FIXED, 0, 2, AS_SIZE)
OPERATION(write, FS_WRITE, ABOUT_IOCB, FIXED, 0, 2, AS_SIZE)
OPERATION(open, FS_OPEN, ABOUT_FILE, FIXED, 1, 2, AS_INT)
OPERATION(sync, FS_SYNC, ABOUT_FILE, FIXED, 0, 4, AS_INT)
OPERATION(rename, FS_RENAME, ABOUT_DENTRY, IDMAPPED, 1, 5, AS_INT)
OPERATION(unlink, FS_UNLINK, ABOUT_DENTRY, FIXED, 1, 2, AS_INT)
OPERATION(mkdir, FS_MKDIR, ABOUT_DENTRY, IDMAPPED, 1, 3, AS_POINTER)
OPERATION(readdir, FS_READDIR, ABOUT_FILE, FIXED, 0, 2, AS_INT)
OPERATION(open4, FS_OPEN, ABOUT_FILE, FIXED, 1, 2, AS_INT)
OPERATION(lookup_open, FS_OPEN, ABOUT_DENTRY, FIXED, 1, 5, AS_INT)
OPERATION(fault, FS_FAULT, ABOUT_FAULT, FIXED, 0, 1, AS_FAULT)
OPERATION(mkwrite, FS_MKWRITE, ABOUT_FAULT, FIXED, 0, 1, AS_FAULT)
ENDS(setattr, FS_TRUNCATE, ABOUT_DENTRY, IDMAPPED, 0, 2, AS_INT)

/* Of all attributes only the size. */
static __always_inline int setattr(struct dentry *dentry, struct iattr *attr, bool typed)
{
	if (BPF_CORE_READ(attr, ia_valid) & ATTR_SIZE)
		begin(FS_TRUNCATE, ABOUT_DENTRY, dentry, typed);
	return 0;
}

SEC("fentry/setattr")
int fentry_setattr(unsigned long long *ctx)
{
	return setattr((void *)IDMAPPED(ctx[0], ctx[1]), (void *)IDMAPPED(ctx[1], ctx[2]), true);
}

SEC("kprobe/setattr")
int kprobe_setattr(struct pt_regs *ctx)
{
	return setattr((void *)IDMAPPED(PT_REGS_PARM1(ctx), PT_REGS_PARM2(ctx)),
		       (void *)IDMAPPED(PT_REGS_PARM2(ctx), PT_REGS_PARM3(ctx)), false);
}

/* --- where no function can be probed: system calls on files of the file system ------------ */

static __always_inline __u32 timed_call(long nr, bool *compat)
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

static __always_inline int call_begins(long nr)
{
	bool compat;

	if (timed_call(nr, &compat))
		call_start_begin(FS_NONE, 0, 0); /* a task is in one call at a time */
	return 0;
}

static __always_inline int call_ends(struct pt_regs *regs, long ret, bool typed)
{
	struct fs_done d = { .ret = ret };
	struct file *file = NULL;
	struct call_start stamp;
	bool compat;
	__u32 call;
	__s64 at = -1;

	call = timed_call(syscall_nr(regs, typed), &compat);
	if (!call || !call_start_end(FS_NONE, &stamp))
		return 0;
	d.end = bpf_ktime_get_ns();
	d.start = stamp.start;
	if (d.end - d.start < fs_config.min_ns)
		return 0;
	d.op = call & FS_CALL_OP;
	file = current_file(d.op == FS_OPEN ? ret : syscall_arg(regs, 0, compat, typed));
	if (!file)
		return 0;
	of_file(&d, file);
	if (call & FS_CALL_AT)
		at = syscall_position(regs, compat, typed);
	if (d.op == FS_READ || d.op == FS_WRITE)
		d.offset = at >= 0 ? at : began_at(BPF_CORE_READ(file, f_pos), ret);
	else if (d.op == FS_TRUNCATE)
		d.offset = BPF_CORE_READ(file, f_inode, i_size);
	if (d.op != FS_READ && d.op != FS_WRITE && ret > 0)
		d.ret = 0; /* a file descriptor, or the bytes of a directory's entries */
	fsops_show(&d, NULL, FS_IN_TASK);
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(sys_enter, struct pt_regs *regs, long nr)
{
	return call_begins(nr);
}

SEC("raw_tp/sys_enter") /* the same for a kernel without BTF of its own */
int BPF_PROG(raw_sys_enter, struct pt_regs *regs, long nr)
{
	return call_begins(nr);
}

SYSCALL_EXIT(call_ends)

#endif
