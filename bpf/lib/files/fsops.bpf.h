/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fsops.bpf.h: operations on files that took long, whatever they are seen by: functions of a file
 * system (fsops.probes.bpf.h), those of the VFS (rw.probes.bpf.h), or system calls
 * (fscalls.probes.bpf.h).
 *
 * What took fs_config.min_ns or more, by a task that passes the filter, goes to the tool's
 * fsops_done(). What was faster costs two stores and a compare.
 */
#ifndef BORESCOPE_BPF_FILES_FSOPS_BPF_H
#define BORESCOPE_BPF_FILES_FSOPS_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "lib/core/call_probes.bpf.h"
#include "lib/core/compat.bpf.h"
#include "lib/core/constants.bpf.h"
#include "lib/core/events.bpf.h"
#include "lib/core/filter.bpf.h"
#include "lib/core/path.bpf.h"
#include "lib/files/call_start.bpf.h"
#include "lib/files/fsops.shared.h"

const volatile struct fs_config fs_config SEC(".rodata.fsops");

volatile struct fs_control fs_control SEC(".data.fsops") = {};

CALL_STARTS(fs_starts, FS_OPS); /* by enum fs_op; FS_NONE: a system call */

/* Programs at a completion interrupt the others: they need scratch memory of their own. */
enum fsops_context { FS_IN_TASK, FS_IN_INTERRUPT, FS_CONTEXTS };

/* An operation that is over. */
struct fs_done {
	__u32 op, flags;	      /* enum fs_op, FS_ASYNC and so on */
	struct file *file;	      /* NULL: it was about a directory entry */
	struct dentry *dentry, *root; /* root: of the mount, NULL where it is not known */
	struct super_block *sb;
	__s64 offset, ret;
	__u64 start, end; /* CLOCK_MONOTONIC, ns */
};

/*
 * The tool defines this, to show an operation. @head: the task that asked for it, as it was noted
 * at the begin; NULL: that is the task on the CPU. @context (enum fsops_context, a constant) tells
 * which scratch memory to use.
 */
static __always_inline void fsops_done(const struct fs_done *d, const struct event_head *head,
				       __u32 context);

/* Fills @to, for fsops_done(): the head of the event about @d. */
static __always_inline void fsops_head(struct event_head *to, const struct fs_done *d,
				       const struct event_head *head)
{
	if (head)
		*to = *head;
	else
		event_head(to);
	to->ts = d->end;
	to->flags = d->flags;
}

/* Where fsops_done() puts paths together. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, FS_CONTEXTS);
	__type(key, __u32);
	__type(value, struct path_buf);
} fsops_paths SEC(".maps");

/* Shows an operation, if it is on the right file system, by a task that passes the filter. With
 * @head the task has passed already. */
static __always_inline void fsops_show(const struct fs_done *d, const struct event_head *head,
				       __u32 context)
{
	struct super_block *sb = d->sb;

	if (fs_config.magic && BPF_CORE_READ(sb, s_magic) != fs_config.magic)
		return;
	preempt_off();
	if (head || filter_current())
		fsops_done(d, head, context);
	preempt_on();
}

/* The operation is about an open file. One that is mounted by itself (mount --bind of a file) has
 * no name below its mount: its path is from the file system's root. */
static __always_inline void fsops_of_file(struct fs_done *d, struct file *file)
{
	d->file = file;
	d->dentry = BPF_CORE_READ(file, f_path.dentry);
	d->root = BPF_CORE_READ(file, f_path.mnt, mnt_root);
	d->sb = BPF_CORE_READ(file, f_inode, i_sb);
	if (d->dentry == d->root && (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFDIR)
		d->root = NULL;
}

/* It is about a directory entry; then the mount is not known. */
static __always_inline void fsops_of_dentry(struct fs_done *d, struct dentry *dentry)
{
	d->dentry = dentry;
	d->sb = BPF_CORE_READ(dentry, d_sb);
}

/* At which offset a read or write began: since then @pos has moved by what was done, @ret; or,
 * where others move it, too (who shares the open file), by nobody knows how much. */
static __always_inline __s64 fsops_began_at(__s64 pos, __s64 ret)
{
	if (ret > 0)
		pos -= ret;
	return pos < 0 ? FS_OFFSET_UNKNOWN : pos;
}

/* The same, where the caller gave @at: what is appended goes elsewhere, and nobody says where. */
static __always_inline __s64 fsops_given_at(__u32 op, struct file *file, __s64 at)
{
	if (op == FS_WRITE && (BPF_CORE_READ(file, f_flags) & O_APPEND))
		return FS_OFFSET_UNKNOWN;
	return at;
}

/* Is the open file of a type that is looked at? What the kernel has for eventfd(2) and the like has
 * no type or, from 6.16 on (cfd86ef7e8e7), that of a regular file. */
static __always_inline bool fsops_is_wanted(struct file *file)
{
	__u32 type = BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT;

	if (!(fs_config.types & FS_TYPE_BIT(type)))
		return false;
	return fs_config.types == FS_TYPES_ALL || type != S_IFREG ||
	       BPF_CORE_READ(file, f_inode, i_sb, s_magic) != ANON_INODE_FS_MAGIC;
}

/* --- asynchronous I/O: from its submission to its completion, by a key: the kiocb's address --- */

struct fs_async {
	struct event_head head;
	__u64 start, offset;
	struct file *file;
	__u32 op;
	__u32 twins; /* others of the same key: which of them ends can't be told */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH); /* our probes never see the completion of some */
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct fs_async);
} fs_asyncs SEC(".maps");

/* It is submitted, by the task on the CPU. @file: NULL where it is not known before the end. */
static __always_inline void fsops_async_note(__u32 op, __u64 key, struct file *file, __s64 offset)
{
	struct fs_async io = { .op = op, .file = file, .offset = offset };

	if (!filter_current())
		return;
	event_head(&io.head);
	io.start = io.head.ts;
	if (bpf_map_update_elem(&fs_asyncs, &key, &io, BPF_ANY))
		event_count_lost();
}

static __always_inline void fsops_async_begins(__u32 op, struct kiocb *iocb)
{
	fsops_async_note(op, (__u64)iocb, BPF_CORE_READ(iocb, ki_filp),
			 BPF_CORE_READ(iocb, ki_pos));
}

/* It is complete, or (with FS_END_GONE) all that can be seen of it is over. */
static __always_inline int fsops_async_ends(__u64 key, __u32 flags, long ret, __u32 context)
{
	__u64 now = bpf_ktime_get_ns();
	struct fs_done d = { .flags = flags, .end = now, .ret = ret };
	struct fs_async *io = bpf_map_lookup_elem(&fs_asyncs, &key), copy;

	if (!io)
		return 0;
	copy = *io;
	bpf_map_delete_elem(&fs_asyncs, &key);
	if (now - copy.start < fs_config.min_ns || !fsops_is_wanted(copy.file))
		return 0;
	d.op = copy.op;
	d.start = copy.start;
	d.offset = fsops_given_at(copy.op, copy.file, copy.offset);
	fsops_of_file(&d, copy.file);
	fsops_show(&d, &copy.head, context);
	return 0;
}

static __always_inline int fsops_async_completes(struct kiocb *iocb, long ret)
{
	return fsops_async_ends((__u64)iocb, FS_ASYNC, kiocb_result(iocb, ret), FS_IN_INTERRUPT);
}

#define FS_COMPLETION(name, function)                                                              \
	CALL_FENTRY(name, function, fsops_async_completes(iocb, ret), struct kiocb *iocb,          \
		    long ret)                                                                      \
	CALL_KPROBE(name, function, fsops_async_completes(iocb, ret), struct kiocb *iocb, long ret)

/* --- where an operation began ------------------------------------------------------------- */

/*
 * Notes the begin. If the thread's operation before this one has never ended, as far as we were
 * told (a kretprobe had no place left for it, or a run of our program was left out), it is lost:
 * unless it can't have been slow, or what remains of it will be seen at its completion (@arg1 of
 * such a one is FS_COMPLETES). @arg0 and @arg1 are for the end.
 */
#define FS_COMPLETES ((__u64)-1)
static __always_inline void fsops_note(__u32 op, __u64 arg0, __u64 arg1)
{
	struct call_start_left left;

	call_start_begin(fs_starts, op, arg0, arg1, &left);
	if (!left.start)
		return;
	if (bpf_ktime_get_ns() - left.start < fs_config.min_ns ||
	    ((op == FS_READ || op == FS_WRITE) && left.arg1 == FS_COMPLETES))
		return;
	if (filter_current())
		event_count_unseen();
}

#endif
