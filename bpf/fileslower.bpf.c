/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fileslower.bpf.c: an event for each read or write that was slow.
 *
 * Programs: fentry_NAME, fexit_NAME, kprobe_NAME, kretprobe_NAME for vfs_read, vfs_write,
 * vfs_readv, vfs_writev, sendfile, splice_call, copy_file_range; fentry_NAME and kprobe_NAME for
 * aio_read, aio_write, aio_rw_done; uring_submit_req, uring_submit_sqe, uring_complete, and raw_
 * before each (all in lib/files/rw.probes.bpf.h); sys_enter, raw_sys_enter
 * (lib/files/fscalls.probes.bpf.h): they call fsops_done() below; sys_exit, raw_sys_exit
 * (SYSCALL_EXIT() below).
 */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "fileslower.shared.h"
#include "lib/core/events.bpf.h"
#include "lib/files/rw.probes.bpf.h"
#include "lib/tasks/fd.bpf.h"

struct rw_scratch {
	struct rw_event event;
	char path[PATH_BYTES];
};
EVENT_SCRATCH(struct rw_scratch, FS_CONTEXTS);

/* Describes the file. Returns the length of its path or name, -1 where there is no memory. */
static __always_inline __s64 put_file(struct rw_scratch *s, struct file *file, __u32 context)
{
	struct path_buf *walk = bpf_map_lookup_elem(&fsops_paths, &context);

	if (!walk)
		return -1;
	__builtin_memset(&s->event.file, 0, sizeof(s->event.file));
	fd_info(&s->event.file, walk, file);
	return path_copy(s->path, walk, walk->at);
}

/* Does the file have positions? */
static __always_inline bool has_offsets(struct file *file)
{
	__u32 type = BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT;

	return type == S_IFREG || type == S_IFBLK;
}

static __always_inline void fsops_done(const struct fs_done *d, const struct event_head *head,
				       __u32 context)
{
	struct rw_scratch *s = event_begin(context);
	struct super_block *sb = d->sb;
	__s64 len;
	__u64 size;

	if (!s)
		return;
	fsops_head(&s->event.head, d, head);
	s->event.latency_ns = d->end - d->start;
	s->event.offset = has_offsets(d->file) ? d->offset : FS_OFFSET_UNKNOWN;
	s->event.bytes = d->ret > 0 ? d->ret : 0;
	s->event.err = d->ret >= 0 ? 0 : syscall_may_restart(d->ret) ? -EINTR : d->ret;
	s->event.dev = BPF_CORE_READ(sb, s_dev);
	s->event.op = d->op;
	bpf_probe_read_kernel_str(s->event.filesystem, sizeof(s->event.filesystem),
				  BPF_CORE_READ(sb, s_type, name));
	len = put_file(s, d->file, context);
	if (len < 0)
		return;
	s->event.path_len = len;
	size = sizeof(s->event) + len;
	barrier_var(size);
	if (size <= sizeof(*s))
		event_send(s, size);
}

SYSCALL_EXIT(fsops_at_exit(regs, ret, typed))

char LICENSE[] SEC("license") = "Dual BSD/GPL";
