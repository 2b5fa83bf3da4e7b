/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tool.h"
#include "ext4slower.h"
#include "ext4slower.skel.h"

static bool csv, show_time;
static uint64_t min_ms = 10;
static const char *path_prefix = "";

/* --- file systems: which one, the program's name says (tools/links) --- */

/* The operations that a file system has a function for: how the programs' sections call them. */
static const char *const operations[] = { "read",   "write", "open",	"sync",	   "rename",
					  "unlink", "mkdir", "readdir", "setattr", "mkwrite" };
#define NR_OPERATIONS (sizeof(operations) / sizeof(operations[0]))

static const struct filesystem {
	const char *type; /* as in /proc/filesystems */
	uint64_t magic;	  /* super_block.s_magic */
	const char *functions[NR_OPERATIONS];
} filesystems[] = {
	{ "ext4",
	  0xef53,
	  { "ext4_file_read_iter", "ext4_file_write_iter", "ext4_file_open", "ext4_sync_file",
	    "ext4_rename2", "ext4_unlink", "ext4_mkdir", "ext4_readdir", "ext4_setattr",
	    "ext4_page_mkwrite" } },
	{ "xfs",
	  0x58465342,
	  { "xfs_file_read_iter", "xfs_file_write_iter", "xfs_file_open", "xfs_file_fsync",
	    "xfs_vn_rename", "xfs_vn_unlink", "xfs_vn_mkdir", "xfs_file_readdir", "xfs_vn_setattr",
	    "xfs_filemap_page_mkwrite" } },
	{ "btrfs",
	  0x9123683e,
	  { "btrfs_file_read_iter", "btrfs_file_write_iter", "btrfs_file_open", "btrfs_sync_file",
	    "btrfs_rename2", "btrfs_unlink", "btrfs_mkdir", "btrfs_real_readdir", "btrfs_setattr",
	    "btrfs_page_mkwrite" } },
	{ "f2fs",
	  0xf2f52010,
	  { "f2fs_file_read_iter", "f2fs_file_write_iter", "f2fs_file_open", "f2fs_sync_file",
	    "f2fs_rename2", "f2fs_unlink", "f2fs_mkdir", "f2fs_readdir", "f2fs_setattr",
	    "f2fs_vm_page_mkwrite" } },
	{ "nfs",
	  0x6969,
	  { "nfs_file_read", "nfs_file_write", "nfs_file_open", "nfs_file_fsync", "nfs_rename",
	    "nfs_unlink", "nfs_mkdir", "nfs_readdir", "nfs_setattr", "nfs_vm_page_mkwrite" } },
};
#define NR_FILESYSTEMS (sizeof(filesystems) / sizeof(filesystems[0]))

static const struct filesystem *fs = &filesystems[0];
static struct attach_target targets[NR_OPERATIONS + 2];

/* "/usr/sbin/PREFIXxfsslower" is for xfs; any other name for ext4. */
static void choose_filesystem(const char *program)
{
	char name[16];
	size_t i;

	for (i = 0; i < NR_FILESYSTEMS; i++) {
		int len = snprintf(name, sizeof(name), "%sslower", filesystems[i].type);

		if ((int)strlen(program) >= len && !strcmp(program + strlen(program) - len, name))
			fs = &filesystems[i];
	}
	for (i = 0; i < NR_OPERATIONS; i++)
		targets[i] = (struct attach_target){ operations[i], fs->functions[i] };
	/* NFS 4 has an open of its own, in a module of its own */
	if (!strcmp(fs->type, "nfs") && !access("/sys/module/nfsv4", F_OK))
		targets[2].function = "nfs4_file_open";
	targets[i] = (struct attach_target){ "fault", "filemap_fault" };
}

/* False: no file system of this kind can be mounted now (its module is not loaded). */
static bool is_registered(const char *type)
{
	FILE *f = fopen("/proc/filesystems", "re");
	char line[64], *word;
	bool found = !f;

	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		word = strrchr(line, '\t');
		found |= word && !strncmp(word + 1, type, strlen(type));
	}
	if (f)
		fclose(f);
	return found;
}

/* --- system calls, the last rung --- */

#if defined(__x86_64__)
#define COMPAT(i386, arm) i386
#else
#define COMPAT(i386, arm) arm
#endif

/* By number, natively (-1: does not exist here) and in the 32-bit table. */
static const struct {
	int native, compat;
	uint8_t op;
} calls[] = {
	{ __NR_read, 3, FS_READ },
	{ __NR_pread64, 180, FS_READ | FS_CALL_AT },
	{ __NR_readv, 145, FS_READ },
	{ __NR_preadv, COMPAT(333, 361), FS_READ | FS_CALL_AT },
	{ __NR_preadv2, COMPAT(378, 392), FS_READ | FS_CALL_AT },
	{ __NR_write, 4, FS_WRITE },
	{ __NR_pwrite64, 181, FS_WRITE | FS_CALL_AT },
	{ __NR_writev, 146, FS_WRITE },
	{ __NR_pwritev, COMPAT(334, 362), FS_WRITE | FS_CALL_AT },
	{ __NR_pwritev2, COMPAT(379, 393), FS_WRITE | FS_CALL_AT },
#ifdef __NR_open
	{ __NR_open, 5, FS_OPEN },
	{ __NR_creat, 8, FS_OPEN },
	{ __NR_getdents, 141, FS_READDIR },
#else
	{ -1, 5, FS_OPEN },
	{ -1, 8, FS_OPEN },
	{ -1, 141, FS_READDIR },
#endif
	{ __NR_openat, COMPAT(295, 322), FS_OPEN },
	{ 437, 437, FS_OPEN }, /* openat2 */
	{ __NR_getdents64, COMPAT(220, 217), FS_READDIR },
	{ __NR_fsync, 118, FS_SYNC },
	{ __NR_fdatasync, 148, FS_SYNC },
	{ __NR_sync_file_range, COMPAT(314, 341), FS_SYNC },
	{ __NR_ftruncate, 93, FS_TRUNCATE },
	{ -1, 194, FS_TRUNCATE }, /* ftruncate64 */
};

/* --- options, columns, probes --- */

static const char *parse_prefix(const char *arg, void *value)
{
	arg += strspn(arg, "/");
	if (!*arg || strlen(arg) > FS_PREFIX_MAX)
		return "the beginning of a path below the mount, of at most 256 bytes: var/log/";
	*(const char **)value = arg;
	return NULL;
}

static const struct opt options[] = {
	{ 'j', "csv", NULL, OPT_FLAG, &csv, "just the fields: comma-separated values" },
	{ 'd', "duration", .type = OPT_COMMON },
	{ 0, "path", "PREFIX", OPT_PARSE, &path_prefix,
	  "only files whose path below the mount begins so", .parse = parse_prefix },
	{ 0 },
};
static const struct opt positional[] = {
	{ 0, "min_ms", "MS", OPT_UINT, &min_ms,
	  "show what took at least so long (default 10; 0: all)", .max = 1000000000 },
	{ 0 },
};

static const struct {
	char letter;
	const char *name;
} op_names[FS_OPS] = {
	[FS_READ] = { 'R', "read" },	     [FS_WRITE] = { 'W', "write" },
	[FS_OPEN] = { 'O', "open" },	     [FS_SYNC] = { 'S', "sync" },
	[FS_RENAME] = { 'N', "rename" },     [FS_UNLINK] = { 'U', "unlink" },
	[FS_MKDIR] = { 'D', "mkdir" },	     [FS_READDIR] = { 'L', "readdir" },
	[FS_TRUNCATE] = { 'T', "truncate" }, [FS_FAULT] = { 'F', "fault" },
	[FS_MKWRITE] = { 'F', "fault" },
};

static void print_letter(struct out *o, const void *event)
{
	out_char(o, op_names[((const struct fs_event *)event)->op % FS_OPS].letter);
}

static void print_bytes(struct out *o, const void *event)
{
	const struct fs_event *e = event;

	out_u64(o, e->ret > 0 ? e->ret : 0);
}

static void print_kb(struct out *o, const void *event)
{
	out_u64(o, ((const struct fs_event *)event)->offset >> 10);
}

static void print_ms(struct out *o, const void *event)
{
	const struct fs_event *e = event;

	out_fixed(o, e->latency_ns / 10000, 2);
	if (e->head.flags & FS_END_GONE)
		out_char(o, '+');
}

static void print_end_us(struct out *o, const void *event)
{
	out_u64(o, ((const struct event_head *)event)->ts / 1000);
}

static void print_us(struct out *o, const void *event)
{
	out_u64(o, ((const struct fs_event *)event)->latency_ns / 1000);
}

static void print_path(struct out *o, const void *event)
{
	const struct fs_event *e = event;

	out_escaped(o, e->path, e->path_len);
}

static void json_operation(struct json *j, const void *event)
{
	const struct fs_event *e = event;
	char dev[24];

	json_str(j, "operation", op_names[e->op % FS_OPS].name);
	json_u64(j, "bytes", e->ret > 0 ? e->ret : 0);
	if (e->head.flags & FS_ASYNC)
		json_bool(j, "async", true);
	if (e->head.flags & FS_END_GONE)
		json_u64(j, "submission_ns", e->latency_ns);
	else
		json_u64(j, "latency_ns", e->latency_ns);
	snprintf(dev, sizeof(dev), "%u:%u", e->dev >> 20, e->dev & 0xfffff);
	json_str(j, "device", dev);
	json_strn(j, "path", e->path, e->path_len);
}

static const struct column columns[] = {
	COL_CLOCK,
	COL_TIME(&show_time),
	COL_HEAD(comm, "COMM", 14, FMT_STR, NULL),
	COL_HEAD(pid, "PID", 7, FMT_UINT, NULL),
	COL_CUSTOM("T", 1, NULL, print_letter, json_operation),
	COL_CUSTOM("BYTES", 7, NULL, print_bytes, NULL),
	COL_CUSTOM("OFF_KB", 8, NULL, print_kb, NULL),
	COL_CUSTOM("LAT(ms)", -7, NULL, print_ms, NULL),
	COL_CUSTOM("FILENAME", 0, NULL, print_path, NULL),
	COL(fs_event, offset, NULL, 0, FMT_INT, NULL, "offset"),
	COL(fs_event, ret, NULL, 0, FMT_ERRNO, NULL, "errno"),
	{ 0 },
};

/* What BCC prints with -j. */
static const struct column csv_columns[] = {
	COL_CUSTOM("ENDTIME_us", 0, NULL, print_end_us, NULL),
	COL_HEAD(comm, "TASK", 0, FMT_STR, NULL),
	COL_HEAD(pid, "PID", 0, FMT_UINT, NULL),
	COL_CUSTOM("TYPE", 0, NULL, print_letter, NULL),
	COL_CUSTOM("BYTES", 0, NULL, print_bytes, NULL),
	COL(fs_event, offset, "OFFSET_b", 0, FMT_INT, NULL, NULL),
	COL_CUSTOM("LATENCY_us", 0, NULL, print_us, NULL),
	COL_CUSTOM("FILE", 0, NULL, print_path, NULL),
	{ 0 },
};

static int64_t mkdir_args; /* with the user namespace or idmap that came with 5.12: 4 and more */
static const struct kernel_fact facts[] = { { "vfs_mkdir", BTF_FUNCTION, &mkdir_args }, { 0 } };

#define OPERATION(name_, section)                                                                  \
	{                                                                                          \
		.name = name_,                                                                     \
		.rungs = { "fentry_" section " fexit_" section,                                    \
			   "kprobe_" section " kretprobe_" section },                              \
		.optional = true                                                                   \
	}
static const struct probe probes[] = {
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
	{ .name = "system calls",
	  .rungs = { "sys_enter sys_exit", "raw_sys_enter raw_sys_exit" },
	  .instead = true },
	{ .name = "faults", /* not the file system's function: no reason to do without the calls */
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

/* --- hooks --- */

static struct tool tool;

static int setup(struct run *r)
{
	if (!is_registered(fs->type)) {
		error("there is no %s on this machine: the kernel has not loaded it (it does when "
		      "one is mounted)",
		      fs->type);
		return 1;
	}
	show_time = !table_show_clock;
	if (csv && !r->opt.json) {
		table_csv = true;
		tool.columns = csv_columns;
	}
	return -1;
}

static void configure(struct run *r, struct bpf_object *obj)
{
	struct ext4slower_bpf__rodata *ro = TOOL_RODATA(ext4slower, obj);

	ro->min_ns = min_ms * 1000000;
	ro->fs_magic = fs->magic;
	ro->page_size = sysconf(_SC_PAGESIZE);
	ro->idmap = mkdir_args >= 4;
	ro->prefix_len = strlen(path_prefix);
	memcpy((void *)ro->prefix, path_prefix, ro->prefix_len);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (calls[i].native >= 0)
			ro->fs_calls[calls[i].native].native = calls[i].op;
		ro->fs_calls[calls[i].compat].compat = calls[i].op;
	}
}

static void started(struct run *r)
{
	struct fs_control control = { .async_timed =
					      object_rung(&r->object, "completions of aio") &&
					      object_rung(&r->object, "completions of io_uring") &&
					      !object_avoids("completions") };
	char missing[160] = "";
	int len = 0;

	if (object_rung(&r->object, "system calls")) {
		note("tracing system calls: what they take is measured, of those that read, write, "
		     "open, sync, list or truncate files of %s",
		     fs->type);
		return;
	}
	if (!control.async_timed)
		note("tracing asynchronous direct I/O to its submission only (marked +)");
	object_section_write(r->object.bpf, ".data.control", &control);
	for (const struct probe *p = probes; !p->instead; p++)
		if (!object_rung(&r->object, p->name))
			len += snprintf(missing + len, sizeof(missing) - len, "%s%s",
					len ? ", " : "", p->name);
	if (len)
		note("tracing without %s: this kernel has no such function of %s", missing,
		     fs->type);
}

/* The commands still lack the name, which is by what the program goes. */
static const char *examples[] = { "",
				  "what takes 10 ms and more",
				  " 0 -p 1234",
				  "all that process 1234 does there",
				  " 100 --path var/lib/db/",
				  "what takes 100 ms below that directory",
				  " -j 1 > slow.csv",
				  "for a spreadsheet: 1 ms and more",
				  NULL };
#define NR_EXAMPLES (sizeof(examples) / sizeof(examples[0]) / 2)

static void name_examples(const char *name)
{
	static char commands[NR_EXAMPLES][48];

	for (size_t i = 0; i < NR_EXAMPLES; i++) {
		snprintf(commands[i], sizeof(commands[i]), "%s%s", name, examples[2 * i]);
		examples[2 * i] = commands[i];
	}
}

static struct tool tool = {
	.name = "ext4slower",
	.summary = "shows operations of a file system that were slow",
	.options = options,
	.positional = positional,
	.columns = columns,
	.event_size = sizeof(struct fs_event),
	.probes = probes,
	.facts = facts,
	.targets = targets,
	.image = TOOL_IMAGE(ext4slower),
	.examples = examples,
	.setup = setup,
	.configure = configure,
	.started = started,
};

int main(int argc, char **argv)
{
	static char name[16];

	choose_filesystem(argv[0]);
	snprintf(name, sizeof(name), "%sslower", fs->type);
	tool.name = name;
	name_examples(name);
	return tool_main(&tool, argc, argv);
}
