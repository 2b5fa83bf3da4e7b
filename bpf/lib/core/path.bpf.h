/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * path.bpf.h: paths of files, put together on the way from a dentry and its mount up to the root.
 * They are those that /proc/PID/fd shows to a reader outside of any chroot: from the root of the
 * mount namespace.
 *
 * The walk is bounded; a path that is longer is cut on the left, and then begins with "...".
 */
#ifndef BORESCOPE_BPF_CORE_PATH_BPF_H
#define BORESCOPE_BPF_CORE_PATH_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "lib/core/constants.bpf.h"
#include "lib/core/task.bpf.h"

#define PATH_STEPS_MAX 40   /* names and mounts on the way up */
#define PATH_NAME_MAX  256  /* NAME_MAX and a slash */
#define PATH_BYTES     4096 /* a power of two */

/*
 * The directory at which a name that the current task gives begins: for an @absolute one its root,
 * for another the directory @dfd or (AT_FDCWD) its working directory. False: there is no such file
 * descriptor.
 */
static __always_inline bool path_base(struct path *base, int dfd, bool absolute)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct file *file;

	if (absolute) {
		BPF_CORE_READ_INTO(base, task, fs, root);
		return true;
	}
	if (dfd == AT_FDCWD) {
		BPF_CORE_READ_INTO(base, task, fs, pwd);
		return true;
	}
	file = task_file(task, dfd);
	BPF_CORE_READ_INTO(base, file, f_path);
	return file;
}

/* A path while it is put together, from its end on. */
struct path_buf {
	__u32 at; /* where the text begins; kept here, so that the verifier need not follow it */
	/* the first PATH_BYTES are the text; the rest is room for the verifier's worst case */
	char text[PATH_BYTES + PATH_NAME_MAX];
};

/* Puts @len bytes of @name and a slash in front of the text. False: there is no room. */
static __always_inline bool path_prepend(struct path_buf *b, const unsigned char *name, __u64 len)
{
	__u64 at = b->at;

	if (len >= PATH_NAME_MAX || at > PATH_BYTES || at < len + 1 + sizeof("..."))
		return false;
	at = (at - len - 1) & (PATH_BYTES - 1);
	barrier_var(len); /* else the compiler drops the mask below, which the verifier needs */
	b->text[at] = '/';
	bpf_probe_read_kernel(&b->text[at + 1], len & (PATH_NAME_MAX - 1), name);
	b->at = at;
	return true;
}

/* The walk has ended before the top: puts "..." in front. */
static __always_inline void path_cut(struct path_buf *b)
{
	__u32 at = b->at;

	if (at < 3 || at > PATH_BYTES)
		return;
	at -= 3;
	b->text[at] = b->text[at + 1] = b->text[at + 2] = '.';
	b->at = at;
}

/*
 * Writes the path of @dentry to the end of @b->text: from @b->at up to PATH_BYTES, without a NUL;
 * it is empty for the root itself. With @across (a constant) the walk goes on through @mnt to the
 * mounts above; without, it stops at @root, or (NULL) at the root of the file system. Returns the
 * mount namespace at whose root the walk has ended; NULL: at another end, or cut.
 */
static __always_inline struct mnt_namespace *__path_walk(struct path_buf *b, struct dentry *dentry,
							 struct dentry *root, struct mount *mnt,
							 bool across)
{
	struct mnt_namespace *ns = NULL;

	b->at = PATH_BYTES;
	for (int i = 0; i < PATH_STEPS_MAX; i++) {
		struct dentry *parent;

		if (across)
			root = BPF_CORE_READ(mnt, mnt.mnt_root);
		if (dentry == root) {
			struct mount *up = across ? BPF_CORE_READ(mnt, mnt_parent) : mnt;

			if (up == mnt) {
				if (across)
					ns = BPF_CORE_READ(mnt, mnt_ns);
				return ns;
			}
			dentry = BPF_CORE_READ(mnt, mnt_mountpoint);
			mnt = up;
			continue;
		}
		parent = BPF_CORE_READ(dentry, d_parent);
		if (parent == dentry) /* not below a mount: detached, or a pipe and the like */
			return NULL;
		if (!path_prepend(b, BPF_CORE_READ(dentry, d_name.name),
				  BPF_CORE_READ(dentry, d_name.len)))
			break;
		dentry = parent;
	}
	path_cut(b);
	return NULL;
}

/* The whole path. Returns the mount namespace that it is from the root of, as __path_walk(). */
static __always_inline struct mnt_namespace *path_walk(struct path_buf *b, struct path *path)
{
	struct vfsmount *mnt = BPF_CORE_READ(path, mnt);

	return __path_walk(b, BPF_CORE_READ(path, dentry), NULL,
			   (void *)mnt - bpf_core_field_offset(struct mount, mnt), true);
}

/* The path from @root, or (NULL) from the root of the file system. */
static __always_inline void path_walk_below(struct path_buf *b, struct dentry *dentry,
					    struct dentry *root)
{
	__path_walk(b, dentry, root, NULL, false);
}

/* Where what path_walk_below() has written begins without its first slash. */
static __always_inline __u64 path_relative(const struct path_buf *b)
{
	__u64 at = b->at;

	return at < PATH_BYTES && b->text[at & (PATH_BYTES - 1)] == '/' ? at + 1 : at;
}

/* Copies the text from @at on to @to, which has PATH_BYTES of room. Returns its length. */
static __always_inline __u64 path_copy(char *to, const struct path_buf *b, __u64 at)
{
	__u64 len = PATH_BYTES - at;

	barrier_var(len);
	if (!len || len > PATH_BYTES)
		return 0;
	bpf_probe_read_kernel(to, len, &b->text[at & (PATH_BYTES - 1)]);
	return len;
}

/* Where a path is put together, one per CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct path_buf);
} path_scratch SEC(".maps");

#define PATH_DELETED " (deleted)" /* behind a path, as in /proc/PID/cwd */

/* Has it no name any more? (d_unlinked() of include/linux/dcache.h) */
static __always_inline bool path_is_deleted(struct dentry *dentry)
{
	return !BPF_CORE_READ(dentry, d_hash.pprev) && BPF_CORE_READ(dentry, d_parent) != dentry;
}

/*
 * Copies the path of @path, without a NUL, to @to, which has PATH_BYTES of room, and PATH_DELETED
 * behind it where there is no such name any more. Returns its length, or -1: it can't be told, for
 * it is not below the root of the mount namespace of the task on the CPU (a pipe, a mount that is
 * attached nowhere).
 */
static __always_inline int path_read(char *to, struct path *path)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct mnt_namespace *ns;
	struct path_buf *walk;
	__u32 zero = 0, len;

	walk = bpf_map_lookup_elem(&path_scratch, &zero);
	if (!walk)
		return -1;
	ns = path_walk(walk, path);
	len = (PATH_BYTES - walk->at) & (2 * PATH_BYTES - 1);
	if (len > PATH_BYTES)
		return -1;
	if (ns != BPF_CORE_READ(task, nsproxy, mnt_ns) &&
	    (!len || walk->text[walk->at & (PATH_BYTES - 1)] != '.')) /* not cut */
		return -1;
	bpf_probe_read_kernel(to, len, &walk->text[walk->at & (PATH_BYTES - 1)]);
	if (!path_is_deleted(path->dentry) || len > PATH_BYTES - sizeof(PATH_DELETED))
		return len;
	__builtin_memcpy(&to[len], PATH_DELETED, sizeof(PATH_DELETED) - 1);
	return len + sizeof(PATH_DELETED) - 1;
}

#endif
