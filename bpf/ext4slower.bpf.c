/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ext4slower.bpf.c: an event for each operation of a file system that was slow.
 *
 * Programs: fentry_NAME, fexit_NAME, kprobe_NAME, kretprobe_NAME for each operation; aio_done and
 * uring_done; sys_enter, raw_sys_enter (all in lib/files/fsops.probes.bpf.h): they call
 * fsops_done() below; sys_exit, raw_sys_exit (SYSCALL_EXIT() below).
 */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "ext4slower.shared.h"
#include "lib/core/events.bpf.h"
#include "lib/files/fsops.probes.bpf.h"
#include "lib/core/path.bpf.h"

/* --path: only files below it are shown */
const volatile __u32 prefix_len;
const volatile char prefix[FS_PREFIX_MAX];

struct fs_scratch {
	struct fs_event event;
	char path[PATH_BYTES];
};
EVENT_SCRATCH(struct fs_scratch, FS_CONTEXTS);

/* Does the path in @b begin with the prefix, from @at on? */
static __always_inline bool prefix_matches(const struct path_buf *b, __u64 at)
{
	if (at + prefix_len > PATH_BYTES || b->text[b->at & (PATH_BYTES - 1)] == '.')
		return false;
	for (__u32 i = 0; i < FS_PREFIX_MAX && i < prefix_len; i++)
		if (b->text[(at + i) & (PATH_BYTES - 1)] != prefix[i])
			return false;
	return true;
}

/* Writes the file's path. Returns its length, or 0 for a file that --path leaves out. */
static __always_inline __u64 put_path(struct fs_scratch *s, const struct fs_done *d, __u32 context)
{
	struct path_buf *walk = bpf_map_lookup_elem(&fsops_paths, &context);
	__u64 at, len;

	if (!walk)
		return 0;
	path_walk_below(walk, d->dentry, d->root);
	at = path_relative(walk);
	if (prefix_len && !prefix_matches(walk, at))
		return 0;
	len = path_copy(s->path, walk, at);
	if (len)
		return len;
	s->path[0] = '.';
	return 1;
}

static __always_inline void fsops_done(const struct fs_done *d, const struct event_head *head,
				       __u32 context)
{
	struct fs_scratch *s = event_begin(context);
	struct super_block *sb = d->sb;
	__u64 len, size;

	if (!s)
		return;
	len = put_path(s, d, context);
	if (!len)
		return;
	fsops_head(&s->event.head, d, head);
	s->event.latency_ns = d->end - d->start;
	s->event.offset = d->offset;
	s->event.bytes = d->ret > 0 ? d->ret : 0;
	s->event.err = d->ret < 0 ? d->ret : 0;
	s->event.dev = BPF_CORE_READ(sb, s_dev);
	s->event.op = d->op;
	s->event.path_len = len;
	size = sizeof(s->event) + len;
	barrier_var(size);
	if (size <= sizeof(*s))
		event_send(s, size);
}

SYSCALL_EXIT(fsops_at_exit(regs, ret, typed))

char LICENSE[] SEC("license") = "Dual BSD/GPL";
