/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * openwhere PLACE DIR: one open of an existing file (empty: of "") whose name depends on PLACE.
 * Prints pid, fd, errno, the name as given and its path: from the root of the process's mount
 * namespace, the base directory, "/" and the name as given.
 */
#include "workload.h"
#include <linux/limits.h>
#include <sched.h>
#include <sys/mount.h>

static char base[PATH_MAX];	    /* what the name is relative to */
static const char *name = "target"; /* what is opened */
static int base_fd = AT_FDCWD;

static void make_dir(const char *path)
{
	if (mkdir(path, 0755) && errno != EEXIST)
		die(path);
}

static void enter(const char *dir, const char *below)
{
	snprintf(base, sizeof(base), "%s/%s", dir, below);
	make_dir(base);
	if (chdir(base))
		die(base);
	if (mknod("target", S_IFREG | 0644, 0))
		die("mknod");
}

static void private_mounts(void)
{
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		die("unshare");
}

static void place_cwd(const char *dir)
{
	enter(dir, "cwd");
}

static void place_dirfd(const char *dir)
{
	enter(dir, "dirfd");
	base_fd = open(".", O_PATH | O_DIRECTORY);
	if (base_fd < 0 || chdir("/"))
		die("dirfd");
}

static void place_dotdot(const char *dir)
{
	enter(dir, "dotdot");
	name = "../dotdot/./target";
}

static void place_symlink(const char *dir)
{
	enter(dir, "symlink");
	if (symlink("target", "link"))
		die("symlink");
	name = "link";
}

static void place_empty(const char *dir)
{
	enter(dir, "empty");
	name = "";
}

static void place_root(const char *dir)
{
	enter(dir, "root");
	name = format("%s/target", base + 1, 0);
	base[0] = 0;
	if (chdir("/"))
		die("/");
}

static void place_chroot(const char *dir)
{
	enter(dir, "jail");
	if (chroot("."))
		die("chroot");
	name = "/target";
}

static void place_chroot_cwd(const char *dir)
{
	place_chroot(dir);
	name = "target";
}

static void place_mount(const char *dir)
{
	private_mounts();
	snprintf(base, sizeof(base), "%s/mount", dir);
	make_dir(base);
	if (mount("none", base, "tmpfs", 0, NULL))
		die("mount");
	enter(dir, "mount/below");
}

static void place_bind(const char *dir)
{
	char *from = format("%s/from", dir, 0), *to = format("%s/to", dir, 0);

	private_mounts();
	make_dir(from);
	make_dir(to);
	if (mount(from, to, NULL, MS_BIND, NULL))
		die("mount");
	enter(dir, "to/below");
}

/* Two mounts, one below the other, and a working directory below both. */
static void place_mounts(const char *dir)
{
	place_mount(dir);
	if (mount("none", ".", "tmpfs", 0, NULL))
		die("mount");
	if (chdir(base))
		die("chdir");
	enter(dir, "mount/below/again");
}

/* pivot_root: the root of the mount namespace is the new root, as in a container. */
static void place_pivot(const char *dir)
{
	char *root = format("%s/pivot", dir, 0);

	private_mounts();
	make_dir(root);
	if (mount("none", root, "tmpfs", 0, NULL) || chdir(root) || mkdir("old", 0755) ||
	    syscall(SYS_pivot_root, ".", "old") || chdir("/") || umount2("old", MNT_DETACH))
		die("pivot_root");
	enter("", "inside");
}

static void place_deep(const char *dir)
{
	enter(dir, "deep");
	for (int i = 0; i < 20; i++) {
		char step[101];

		memset(step, 'a' + i, 100);
		step[100] = 0;
		make_dir(step);
		if (chdir(step))
			die(step);
		strcat(base, "/");
		strcat(base, step);
	}
	if (mknod("target", S_IFREG | 0644, 0))
		die("mknod");
}

static const struct place {
	const char *name;
	void (*prepare)(const char *dir);
} places[] = {
	{ "cwd", place_cwd },
	{ "dirfd", place_dirfd },
	{ "dotdot", place_dotdot },
	{ "symlink", place_symlink },
	{ "root", place_root },
	{ "chroot", place_chroot },
	{ "chroot-cwd", place_chroot_cwd },
	{ "mount", place_mount },
	{ "mounts", place_mounts },
	{ "bind", place_bind },
	{ "pivot", place_pivot },
	{ "deep", place_deep },
	{ "empty", place_empty },
};

int main(int argc, char **argv)
{
	const struct place *place = NULL;
	int fd;

	if (argc != 3)
		usage("PLACE DIR");
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (!strcmp(argv[1], places[i].name))
			place = &places[i];
	if (!place)
		usage("PLACE DIR");
	place->prepare(argv[2]);
	wait_for_go();
	errno = 0;
	fd = syscall(SYS_openat, base_fd, name, O_RDONLY, 0);
	printf("pid=%d\tfd=%d\terrno=%d\tname=%s\tpath=%s/%s\n", getpid(), fd, errno, name, base,
	       name + (*name == '/'));
	return 0;
}
