/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/called.h"
#include "base/clock.h"
#include "base/msg.h"
#include "base/util.h"
#include "files/call_start.h"
#include "files/fscalls.h"
#include "files/fsops.h"
#include "kernel/pidns.h"
#include "run/run.h"

/* --- functions ---------------------------------------------------------------------------- */

/* The operations, in the order in which each file system names its function for them. */
#define OPERATION(name_, section)                                                                  \
	{                                                                                          \
		.name = name_,                                                                     \
		.rungs = { "fentry_" section " fexit_" section,                                    \
			   "kprobe_" section " kretprobe_" section },                              \
		.optional = true                                                                   \
	}
const struct probe fsops_probes[] = {
	OPERATION("reads", "read"),
	OPERATION("writes", "write"),
	OPERATION("opens", "open"),
	OPERATION("syncs", "sync"),
	OPERATION("renames", "rename"),
	OPERATION("unlinks", "unlink"),
	OPERATION("mkdirs", "mkdir"),
	OPERATION("readdirs", "readdir"),
	OPERATION("truncations", "setattr"),
	OPERATION("faults that write", "mkwrite"),
	OPERATION("opens by NFS 4", "open4"),
	OPERATION("opens with a lookup", "lookup_open"),
	OPERATION("reads into a pipe", "splice"),
	{ .name = "system calls",
	  .rungs = { "sys_enter sys_exit", "raw_sys_enter raw_sys_exit" },
	  .instead = true },
	{ .name = "faults", /* no function of the file system: the calls are still needed */
	  .rungs = { "fentry_fault fexit_fault", "kprobe_fault kretprobe_fault" },
	  .unless = "sys_enter raw_sys_enter",
	  .optional = true },
	{ .name = "completions of aio",
	  .rungs = { "fentry_aio_done", "kprobe_aio_done" },
	  .optional = true },
	{ .name = "completions of io_uring",
	  .rungs = { "fentry_uring_done", "kprobe_uring_done" },
	  .optional = true },
	{ 0 },
};
enum { OP_SPLICE = 12, NR_OPERATIONS };

struct attach_target fsops_targets[] = {
	{ "read" },    { "write" },
	{ "open" },    { "sync" },
	{ "rename" },  { "unlink" },
	{ "mkdir" },   { "readdir" },
	{ "setattr" }, { "mkwrite" },
	{ "open4" },   { "lookup_open" },
	{ "splice" },  { "fault", "filemap_fault" },
	{ 0 },
};

static const struct filesystem {
	const char *type; /* as in /proc/filesystems */
	uint64_t magic;	  /* super_block.s_magic */
	const char *functions[NR_OPERATIONS];
} filesystems[] = {
	{ "ext4",
	  0xef53,
	  { "ext4_file_read_iter", "ext4_file_write_iter", "ext4_file_open", "ext4_sync_file",
	    "ext4_rename2", "ext4_unlink", "ext4_mkdir", "ext4_readdir", "ext4_setattr",
	    "ext4_page_mkwrite", [OP_SPLICE] = "ext4_file_splice_read" } },
	{ "xfs",
	  0x58465342,
	  { "xfs_file_read_iter", "xfs_file_write_iter", "xfs_file_open", "xfs_file_fsync",
	    "xfs_vn_rename", "xfs_vn_unlink", "xfs_vn_mkdir", "xfs_file_readdir", "xfs_vn_setattr",
	    "xfs_filemap_page_mkwrite", [OP_SPLICE] = "xfs_file_splice_read" } },
	{ "btrfs",
	  0x9123683e,
	  { "btrfs_file_read_iter", "btrfs_file_write_iter", "btrfs_file_open", "btrfs_sync_file",
	    "btrfs_rename2", "btrfs_unlink", "btrfs_mkdir", "btrfs_real_readdir", "btrfs_setattr",
	    "btrfs_page_mkwrite", [OP_SPLICE] = "filemap_splice_read" } },
	{ "f2fs",
	  0xf2f52010,
	  { "f2fs_file_read_iter", "f2fs_file_write_iter", "f2fs_file_open", "f2fs_sync_file",
	    "f2fs_rename2", "f2fs_unlink", "f2fs_mkdir", "f2fs_readdir", "f2fs_setattr",
	    "f2fs_vm_page_mkwrite", [OP_SPLICE] = "f2fs_file_splice_read" } },
	{ "nfs",
	  0x6969,
	  { "nfs_file_read", "nfs_file_write", "nfs_file_open", "nfs_file_fsync", "nfs_rename",
	    "nfs_unlink", "nfs_mkdir", "nfs_readdir", "nfs_setattr", "nfs_vm_page_mkwrite",
	    "nfs4_file_open", "nfs_atomic_open", "nfs_file_splice_read" } },
};
#define NR_FILESYSTEMS ARRAY_SIZE(filesystems)

static const struct filesystem *fs = &filesystems[0];

const char *fsops_choose(const char *program, const char *suffix)
{
	char name[32];

	for (size_t i = 0; i < NR_FILESYSTEMS; i++) {
		snprintf(name, sizeof(name), "%s%s", filesystems[i].type, suffix);
		if (called_as(program, name))
			fs = &filesystems[i];
	}
	for (size_t i = 0; i < NR_OPERATIONS; i++)
		fsops_targets[i].function = fs->functions[i];
	return fs->type;
}

bool fsops_is_known(void)
{
	FILE *f = fopen("/proc/filesystems", "re");
	char line[64], *word;
	bool found = !f;

	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		word = strrchr(line, '\t');
		found |= word && !strcmp(word + 1, fs->type);
	}
	if (f)
		fclose(f);
	if (!found)
		error("there is no %s on this machine: the kernel has not loaded it (it does when "
		      "one is mounted)",
		      fs->type);
	return found;
}

/* --- the tool's hooks --------------------------------------------------------------------- */

static uint64_t slow_ns;
static bool misses_returns;

static int64_t mkdir_args;  /* 4 or more: with the user namespace or idmap that came with 5.12 */
static int64_t splice_args; /* 0: reads into a pipe come to the functions for reads (up to 6.4) */
const struct kernel_fact fsops_facts[] = { { "vfs_mkdir", BTF_FUNCTION, &mkdir_args },
					   { "filemap_splice_read", BTF_FUNCTION, &splice_args },
					   { 0 } };

void fsops_configure(struct object *o, uint64_t min_ns)
{
	struct fs_config *config = object_section(o, ".rodata.fsops", "lib/files/fsops.bpf.h");

	config->magic = fs->magic;
	config->min_ns = slow_ns = min_ns;
	config->page_size = sysconf(_SC_PAGESIZE);
	config->idmap = mkdir_args >= 4;
	config->types = FS_TYPE_BIT(S_IFREG) | FS_TYPE_BIT(S_IFDIR);
	fscalls_fill(config->calls, false);
}

void fsops_started(struct run *r)
{
	struct object *o = &r->object;
	struct fs_control control = { .async_timed = object_rung(o, "completions of aio") &&
						     object_rung(o, "completions of io_uring") &&
						     !probe_avoids("completions") };
	char missing[200] = "";
	int len = 0;

	misses_returns = object_misses_returns(o) && pidns_is_initial();
	if (object_rung(o, "system calls")) {
		note("tracing system calls: what they take is measured, of those that read, write, "
		     "open, sync, list or truncate files of %s, but not through an overlayfs",
		     fs->type);
		return;
	}
	if (!control.async_timed)
		note("tracing asynchronous direct I/O to its submission only (marked +)");
	programs_write(&o->programs, ".data.fsops", &control);
	for (int i = 0; i < NR_OPERATIONS; i++)
		if (fs->functions[i] && (i != OP_SPLICE || splice_args) &&
		    !object_rung(o, fsops_probes[i].name))
			len += snprintf(missing + len, sizeof(missing) - len, "%s%s",
					len ? ", " : "", fsops_probes[i].name);
	if (len)
		note("tracing without %s: this kernel has no such function of %s", missing,
		     fs->type);
}

/* --- ends that were not reported ----------------------------------------------------------- */

void fsops_count_losses(struct run *r)
{
	if (misses_returns)
		run_unseen(r, call_start_sweep(&r->object.programs, "fs_starts", FS_OPS, slow_ns,
					       clock_mono_ns()));
}

/* --- names -------------------------------------------------------------------------------- */

static const struct {
	char letter;
	const char *name;
} ops[FS_OPS] = {
	[FS_NONE] = { '?', "?" },	   [FS_READ] = { 'R', "read" },
	[FS_WRITE] = { 'W', "write" },	   [FS_OPEN] = { 'O', "open" },
	[FS_SYNC] = { 'S', "sync" },	   [FS_RENAME] = { 'N', "rename" },
	[FS_UNLINK] = { 'U', "unlink" },   [FS_MKDIR] = { 'D', "mkdir" },
	[FS_READDIR] = { 'L', "readdir" }, [FS_TRUNCATE] = { 'T', "truncate" },
	[FS_FAULT] = { 'F', "fault" },	   [FS_MKWRITE] = { 'F', "fault" },
};

const char *fsops_name(unsigned int op)
{
	return ops[op < FS_OPS ? op : FS_NONE].name;
}

char fsops_letter(unsigned int op)
{
	return ops[op < FS_OPS ? op : FS_NONE].letter;
}
