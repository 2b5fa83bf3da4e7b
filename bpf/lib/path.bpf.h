/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * path: from a dentry and its mount up to the root, as /proc/PID/fd shows it to a reader
 * outside of any chroot: the path from the root of the mount namespace.
 *
 * The walk is bounded; a path that is longer is cut on the left, and says so by beginning with "...".
 */
#ifndef BORESCOPE_PATH_BPF_H
#define BORESCOPE_PATH_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#define PATH_STEPS_MAX 40   /* names and mounts on the way up */
#define PATH_NAME_MAX  256  /* NAME_MAX and a slash */
#define PATH_BYTES     4096 /* a power of two */

struct path_buf {
	/* filled from the end of the first part; the rest is room for the verifier's worst case */
	char text[PATH_BYTES + PATH_NAME_MAX];
};

/*
 * Writes the path of @path into the end of @b->text. Returns where it begins: the text is from there up to
 * PATH_BYTES, without a NUL, and empty for the root itself.
 */
static __always_inline __u32 path_walk(struct path_buf *b, struct path *path)
{
	struct dentry *dentry = BPF_CORE_READ(path, dentry);
	struct vfsmount *vfsmnt = BPF_CORE_READ(path, mnt);
	struct mount *mnt = (void *)vfsmnt - bpf_core_field_offset(struct mount, mnt);
	__u32 at = PATH_BYTES;
	bool cut = true;

	for (int i = 0; i < PATH_STEPS_MAX; i++) {
		struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
		struct dentry *root = BPF_CORE_READ(mnt, mnt.mnt_root);
		const unsigned char *name;
		__u32 len;

		if (dentry == root) {
			struct mount *up = BPF_CORE_READ(mnt, mnt_parent);

			if (up == mnt) {
				cut = false;
				break;
			}
			dentry = BPF_CORE_READ(mnt, mnt_mountpoint);
			mnt = up;
			continue;
		}
		if (parent == dentry) { /* not below any mount: detached, or a pipe's like */
			cut = false;
			break;
		}
		len = BPF_CORE_READ(dentry, d_name.len);
		name = BPF_CORE_READ(dentry, d_name.name);
		if (len >= PATH_NAME_MAX || at < len + 1 + 4)
			break;
		at -= len + 1;
		len &= PATH_NAME_MAX - 1;
		b->text[at & (PATH_BYTES - 1)] = '/';
		bpf_probe_read_kernel(&b->text[(at & (PATH_BYTES - 1)) + 1], len, name);
		dentry = parent;
	}
	if (cut && at >= 3) {
		at -= 3;
		b->text[at & (PATH_BYTES - 1)] = '.';
		b->text[(at & (PATH_BYTES - 1)) + 1] = '.';
		b->text[(at & (PATH_BYTES - 1)) + 2] = '.';
	}
	return at;
}

#endif
