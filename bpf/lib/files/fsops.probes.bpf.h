/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fsops.probes.bpf.h: the operations of one kind of file system, timed: by the file system's own
 * functions, or where none can be probed by the system calls on its files. It defines
 *
 *	fentry_NAME, fexit_NAME, kprobe_NAME, kretprobe_NAME
 *		for each operation (FS_OPERATION() below); the user side, libcommon/files/fsops.h,
 *		says which functions of a file system those are
 *	fentry_NAME, kprobe_NAME
 *		for completions of asynchronous I/O: aio_done, uring_done
 *	sys_enter, raw_sys_enter
 *		which go with the exit of all system calls: see fscalls.probes.bpf.h
 *
 * Slow ones go to the tool's fsops_done(): see fsops.bpf.h.
 */
#ifndef BORESCOPE_BPF_FILES_FSOPS_PROBES_BPF_H
#define BORESCOPE_BPF_FILES_FSOPS_PROBES_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#include "lib/core/call_probes.bpf.h"
#include "lib/files/fscalls.probes.bpf.h"
#include "lib/files/fsops.bpf.h"

FS_COMPLETION(aio_done, "aio_complete_rw")
FS_COMPLETION(uring_done, "io_complete_rw")

/* --- functions of the file system: their begin and end ------------------------------------ */

/* What an operation is about is one of its arguments: a kiocb, a file, a dentry, or a fault. @typed
 * (a constant, here and below): the verifier knows the argument's type, so that it may be read
 * directly. */
enum fs_about { FS_ABOUT_IOCB, FS_ABOUT_FILE, FS_ABOUT_DENTRY, FS_ABOUT_FAULT, FS_ABOUT_SPLICE };

/* Where a return may not be reported, only what passes the filter is noted: so what is left in the
 * end is what somebody has asked for. */
static __always_inline int fsops_begins(__u32 op, enum fs_about about, void *arg, bool typed)
{
	struct kiocb *iocb = arg;
	struct vm_fault *fault = arg;
	__u64 completes = 0;

	if (!typed && !filter_current())
		return 0;
	if (about == FS_ABOUT_FAULT) {
		/* noted now: at the end, the mapping may be gone */
		fsops_note(op, (__u64)BPF_CORE_READ(fault, vma, vm_file),
			   BPF_CORE_READ(fault, pgoff) * fs_config.page_size);
		return 0;
	}
	if (about == FS_ABOUT_IOCB &&
	    (typed ? iocb->ki_complete : BPF_CORE_READ(iocb, ki_complete))) {
		fsops_async_begins(op, iocb);
		completes = fs_control.async_timed ? FS_COMPLETES : 0;
	}
	fsops_note(op, typed ? 0 : (__u64)arg, completes);
	return 0;
}

/* A read or write has returned. True: it goes on asynchronously, and is shown when it is complete;
 * its kiocb may be gone already. */
static __always_inline bool fsops_async_goes_on(struct kiocb *iocb, __s64 ret, bool typed)
{
	__u64 key = (__u64)iocb;

	if (ret == -EIOCBQUEUED) {
		if (!fs_control.async_timed)
			fsops_async_ends((__u64)iocb, FS_ASYNC | FS_END_GONE, 0, FS_IN_TASK);
		return true;
	}
	if (typed ? iocb->ki_complete : BPF_CORE_READ(iocb, ki_complete))
		bpf_map_delete_elem(&fs_asyncs, &key);
	return false;
}

/* @arg is only known here if it is @typed; else it comes from what the begin has noted. */
static __always_inline int fsops_ends(__u32 op, enum fs_about about, void *arg, __s64 ret,
				      bool typed)
{
	struct fs_done d = { .op = op, .ret = ret };
	struct call_start stamp;

	if (!call_start_end(fs_starts, op, &stamp)) {
		/* most changes of attributes have no begin: see fsops_setattr() */
		if (stamp.owner && op != FS_TRUNCATE && filter_current())
			event_count_lost();
		return 0;
	}
	if (!typed || about == FS_ABOUT_FAULT || about == FS_ABOUT_SPLICE)
		arg = (void *)stamp.args[0];
	if (about == FS_ABOUT_IOCB && fsops_async_goes_on(arg, ret, typed))
		return 0;
	d.start = stamp.start;
	d.end = bpf_ktime_get_ns();
	if (d.end - d.start < fs_config.min_ns)
		return 0;
	switch (about) {
	case FS_ABOUT_IOCB:
		d.offset = fsops_began_at(BPF_CORE_READ((struct kiocb *)arg, ki_pos), ret);
		fsops_of_file(&d, BPF_CORE_READ((struct kiocb *)arg, ki_filp));
		break;
	case FS_ABOUT_FAULT:
	case FS_ABOUT_SPLICE:
		d.offset = stamp.args[1];
		fsops_of_file(&d, arg);
		break;
	case FS_ABOUT_FILE:
		fsops_of_file(&d, arg);
		break;
	case FS_ABOUT_DENTRY:
		fsops_of_dentry(&d, arg);
		if (op == FS_TRUNCATE)
			d.offset = BPF_CORE_READ((struct dentry *)arg, d_inode, i_size);
		break;
	}
	fsops_show(&d, NULL, FS_IN_TASK);
	return 0;
}

/* What functions return: an int, of which the register's upper half may be anything; a ssize_t; or
 * (mkdir, from 6.15) a pointer, which may be an error's. A fault's result is flags: not needed. */
#define FS_AS_INT(ret)	   ((int)(ret))
#define FS_AS_SIZE(ret)	   ((__s64)(ret))
#define FS_AS_FAULT(ret)   0
#define FS_AS_POINTER(ret) fsops_returned_dentry(ret)

static __always_inline __s64 fsops_returned_dentry(__u64 pointer)
{
	__u64 ret = 0;

	/* the verifier allows no arithmetic on a pointer: a copy is a number */
	bpf_probe_read_kernel(&ret, sizeof(ret), &pointer);
	if (ret >= (__u64)-MAX_ERRNO)
		return ret;
	return ret >> 32 ? 0 : (int)ret;
}

/* Arguments of directory operations stand one further from 5.12 on. These are two loads, kept
 * apart by asm that differs: the verifier allows no load from the context at a computed place. */
#define FS_FIXED(here, further) (here)
#define FS_IDMAPPED(here, further)                                                                 \
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

/* @arg: the number of the argument that the operation is about (0 or 1), @nr: how many
 * arguments the function has; @at: whether both are one more where there are idmaps; @as: what
 * it returns. */
#define FS_BEGINS(name, op, about, at, arg)                                                        \
	CALL_FENTRY(name, #name,                                                                   \
		    fsops_begins(op, about, (void *)at(ctx[arg], ctx[(arg) + 1]), true))           \
	CALL_KPROBE(name, #name,                                                                   \
		    fsops_begins(op, about,                                                        \
				 (void *)at((arg) ? PT_REGS_PARM2(ctx) : PT_REGS_PARM1(ctx),       \
					    (arg) ? PT_REGS_PARM3(ctx) : PT_REGS_PARM2(ctx)),      \
				 false))
#define FS_ENDS(name, op, about, at, arg, nr, as)                                                  \
	CALL_FEXIT(name, #name,                                                                    \
		   fsops_ends(op, about, (void *)at(ctx[arg], ctx[(arg) + 1]),                     \
			      as(at(ctx[nr], ctx[(nr) + 1])), true))                               \
	CALL_KRETPROBE(name, #name, fsops_ends(op, about, NULL, as(PT_REGS_RC(ctx)), false))
#define FS_OPERATION(name, op, about, at, arg, nr, as)                                             \
	FS_BEGINS(name, op, about, at, arg) FS_ENDS(name, op, about, at, arg, nr, as)

FS_OPERATION(read, FS_READ, FS_ABOUT_IOCB, FS_FIXED, 0, 2, FS_AS_SIZE)
FS_ENDS(splice, FS_READ, FS_ABOUT_SPLICE, FS_FIXED, 0, 5, FS_AS_SIZE)
FS_OPERATION(write, FS_WRITE, FS_ABOUT_IOCB, FS_FIXED, 0, 2, FS_AS_SIZE)
FS_OPERATION(open, FS_OPEN, FS_ABOUT_FILE, FS_FIXED, 1, 2, FS_AS_INT)
FS_OPERATION(sync, FS_SYNC, FS_ABOUT_FILE, FS_FIXED, 0, 4, FS_AS_INT)
FS_OPERATION(rename, FS_RENAME, FS_ABOUT_DENTRY, FS_IDMAPPED, 1, 5, FS_AS_INT)
FS_OPERATION(unlink, FS_UNLINK, FS_ABOUT_DENTRY, FS_FIXED, 1, 2, FS_AS_INT)
FS_OPERATION(mkdir, FS_MKDIR, FS_ABOUT_DENTRY, FS_IDMAPPED, 1, 3, FS_AS_POINTER)
FS_OPERATION(readdir, FS_READDIR, FS_ABOUT_FILE, FS_FIXED, 0, 2, FS_AS_INT)
FS_OPERATION(open4, FS_OPEN, FS_ABOUT_FILE, FS_FIXED, 1, 2, FS_AS_INT)
FS_OPERATION(lookup_open, FS_OPEN, FS_ABOUT_DENTRY, FS_FIXED, 1, 5, FS_AS_INT)
FS_OPERATION(fault, FS_FAULT, FS_ABOUT_FAULT, FS_FIXED, 0, 1, FS_AS_FAULT)
FS_OPERATION(mkwrite, FS_MKWRITE, FS_ABOUT_FAULT, FS_FIXED, 0, 1, FS_AS_FAULT)
FS_ENDS(setattr, FS_TRUNCATE, FS_ABOUT_DENTRY, FS_IDMAPPED, 0, 2, FS_AS_INT)

/* A read into a pipe: by sendfile(), splice(), copy_file_range(). Up to 6.4 it comes to the
 * function for reads, from 6.5 on it does not. */
static __always_inline int fsops_splice(struct file *file, const __s64 *pos, bool typed)
{
	__u64 at = 0;

	if (!typed && !filter_current())
		return 0;
	bpf_probe_read_kernel(&at, sizeof(at), pos);
	fsops_note(FS_READ, (__u64)file, at);
	return 0;
}

CALL_FENTRY(splice, "splice", fsops_splice((void *)ctx[0], (void *)ctx[1], true))
CALL_KPROBE(splice, "splice",
	    fsops_splice((void *)PT_REGS_PARM1(ctx), (void *)PT_REGS_PARM2(ctx), false))

/* Of all changes to attributes only that of the size is shown. */
static __always_inline int fsops_setattr(struct dentry *dentry, struct iattr *attr, bool typed)
{
	if (BPF_CORE_READ(attr, ia_valid) & ATTR_SIZE)
		fsops_begins(FS_TRUNCATE, FS_ABOUT_DENTRY, dentry, typed);
	return 0;
}

CALL_FENTRY(setattr, "setattr",
	    fsops_setattr((void *)FS_IDMAPPED(ctx[0], ctx[1]), (void *)FS_IDMAPPED(ctx[1], ctx[2]),
			  true))
CALL_KPROBE(setattr, "setattr",
	    fsops_setattr((void *)FS_IDMAPPED(PT_REGS_PARM1(ctx), PT_REGS_PARM2(ctx)),
			  (void *)FS_IDMAPPED(PT_REGS_PARM2(ctx), PT_REGS_PARM3(ctx)), false))

#endif
