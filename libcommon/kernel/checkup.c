/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/perf_event.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cgroup.h"
#include "base/line.h"
#include "base/number.h"
#include "base/util.h"
#include "kernel/btf.h"
#include "kernel/checkup.h"
#include "kernel/support.h"

#define OWN_STATUS "/proc/self/status"
#define LOCKDOWN   "/sys/kernel/security/lockdown"
#define PMU(name)  "/sys/bus/event_source/devices/" name "/type"
#define PARANOID   "/proc/sys/kernel/perf_event_paranoid"
#define KPTR	   "/proc/sys/kernel/kptr_restrict"

/* Inodes of the initial namespaces: PROC_*_INIT_INO of the kernel, since 3.8; of cgroups, 4.6. */
#define INITIAL_CGROUPNS 0xEFFFFFFBU
#define INITIAL_PIDNS	 0xEFFFFFFCU
#define INITIAL_USERNS	 0xEFFFFFFDU

struct checking {
	void (*show)(void *ctx, const struct check *c);
	void *ctx;
	bool has_btf;
};

static void __attribute__((format(printf, 5, 6)))
tell(const struct checking *k, const char *name, enum check_answer answer, const char *advice,
     const char *fmt, ...)
{
	struct check c = { .name = name, .answer = answer };
	va_list args;

	c.advice = answer == CHECK_YES ? NULL : advice;
	va_start(args, fmt);
	vsnprintf(c.how, sizeof(c.how), fmt, args);
	va_end(args);
	k->show(k->ctx, &c);
}

/* @err: -errno; else, also if it is a file descriptor, it was granted. */
static const char *outcome(int err)
{
	return err < 0 ? strerror(-err) : "granted";
}

static bool is_initial(const char *path, ino_t inode)
{
	struct stat st;

	return !stat(path, &st) && st.st_ino == inode;
}

/* --- what the kernel has ------------------------------------------------------------------ */

static bool is_before(const struct utsname *u, int major, int minor)
{
	int has_major = 0, has_minor = 0;

	return sscanf(u->release, "%d.%d", &has_major, &has_minor) == 2 &&
	       (has_major < major || (has_major == major && has_minor < minor));
}

static void check_kernel(struct checking *k)
{
	struct utsname u;

	uname(&u);
	tell(k, "kernel", is_before(&u, 5, 10) ? CHECK_PARTLY : CHECK_YES,
	     "The tools are made for Linux 5.10 and newer: some may not find what they need.",
	     "uname(2): Linux %s on %s", u.release, u.machine);
}

static void check_btf(struct checking *k)
{
	struct stat st;
	int err = stat(BTF_KERNEL, &st) || access(BTF_KERNEL, R_OK) ? errno : 0;

	k->has_btf = !err;
	if (err)
		tell(k, "BTF", CHECK_NO,
		     access("/sys/kernel", F_OK)
			     ? "Mount sysfs on /sys."
			     : "It takes a kernel with CONFIG_DEBUG_INFO_BTF, or its BTF by --btf.",
		     BTF_KERNEL ": %s", strerror(err));
	else
		tell(k, "BTF", CHECK_YES, NULL, BTF_KERNEL ": %lld KB",
		     (long long)st.st_size >> 10);
}

/* The BTF of modules: its files, and the one that is opened as a tool would. */
static void check_module_btf(struct checking *k)
{
	DIR *dir = opendir("/sys/kernel/btf");
	char any[BTF_MODULE_LEN] = "";
	struct dirent *e;
	int nr = 0, fd;

	while (dir && (e = readdir(dir))) {
		if (e->d_name[0] == '.' || !strcmp(e->d_name, "vmlinux"))
			continue;
		snprintf(any, sizeof(any), "%.*s", (int)sizeof(any) - 1, e->d_name);
		nr++;
	}
	if (dir)
		closedir(dir);
	if (!nr) {
		tell(k, "BTF of modules", CHECK_PARTLY,
		     access("/sys/kernel/btf", F_OK)
			     ? "It takes a kernel with CONFIG_DEBUG_INFO_BTF."
			     : "None is needed if no modules are loaded; else it takes Linux 5.11 "
			       "with "
			       "CONFIG_DEBUG_INFO_BTF_MODULES.",
		     "/sys/kernel/btf: none beside vmlinux");
		return;
	}
	fd = btf_open_module(any);
	tell(k, "BTF of modules", fd < 0 ? CHECK_NO : CHECK_YES,
	     "Run it with CAP_SYS_ADMIN: functions of modules are found by their BTF.",
	     "/sys/kernel/btf: %d modules; opened that of %s: %s", nr, any, outcome(fd));
	if (fd >= 0)
		close(fd);
}

static void check_tracefs(struct checking *k)
{
	static const char *const places[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };
	struct statfs fs;
	char id[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (statfs(places[i], &fs) || fs.f_type != TRACEFS_MAGIC)
			continue;
		snprintf(id, sizeof(id), "%s/events/sched/sched_switch/id", places[i]);
		tell(k, "tracefs", access(id, R_OK) ? CHECK_NO : CHECK_YES,
		     "bscope's tracepoints need it: run it as root, or with CAP_DAC_READ_SEARCH.",
		     "%s: %s", places[i], access(id, R_OK) ? strerror(errno) : "can be read");
		return;
	}
	tell(k, "tracefs", CHECK_NO,
	     "bscope's tracepoints need it: mount -t tracefs none /sys/kernel/tracing",
	     "%s is no tracefs", places[0]);
}

/* Loads a program, and lets it go. 0 or -errno */
static int try_load(enum bpf_prog_type type, const struct bpf_insn *insns, size_t nr,
		    struct bpf_prog_load_opts *opts)
{
	int fd = bpf_prog_load(type, "try", "GPL", insns, nr, opts);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/* What lockdown would take from us is the kernel's memory; a program that reads it tells that where
 * securityfs is not mounted, too. */
static const struct bpf_insn read_kernel[] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_10 },
	{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_1, .imm = -8 },
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = 8 },
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3 },
	{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_probe_read_kernel },
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
	{ .code = BPF_JMP | BPF_EXIT },
};

static void check_lockdown(struct checking *k)
{
	const char *advice = "Boot with lockdown=integrity or none: in confidentiality mode no "
			     "program may read memory of the kernel.";
	enum check_answer answer = CHECK_YES;
	struct statfs fs;
	char text[80];
	int err;

	if (line_first(LOCKDOWN, text, sizeof(text))[0]) {
		answer = strstr(text, "[confidentiality]") ? CHECK_NO : CHECK_YES;
	} else if (!statfs("/sys/kernel/security", &fs) && fs.f_type == SECURITYFS_MAGIC) {
		snprintf(text, sizeof(text), "not there: this kernel has none");
	} else {
		err = try_load(BPF_PROG_TYPE_RAW_TRACEPOINT, read_kernel, ARRAY_SIZE(read_kernel),
			       NULL);
		answer = err ? CHECK_NO : CHECK_YES;
		snprintf(text, sizeof(text),
			 "not mounted; loaded a program that reads kernel memory: %s",
			 outcome(err));
		if (err == -EPERM) {
			answer = CHECK_PARTLY;
			advice = "It is not known: mount -t securityfs none /sys/kernel/security, "
				 "or run it as root.";
		}
	}
	tell(k, "no lockdown", answer, advice, LOCKDOWN ": %s", text);
}

/* --- by trying ---------------------------------------------------------------------------- */

static const struct bpf_insn nothing[] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
	{ .code = BPF_JMP | BPF_EXIT },
};

static void check_ring_buffer(struct checking *k)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "try", 0, 0, (__u32)getpagesize(), NULL);

	tell(k, "ring buffer", fd < 0 ? CHECK_NO : CHECK_YES,
	     "Run it as root, or with CAP_BPF; before Linux 5.11 raise RLIMIT_MEMLOCK, too (ulimit "
	     "-l unlimited).",
	     "made one with bpf(2): %s", outcome(fd));
	if (fd >= 0)
		close(fd);
}

/* Programs that are loaded, and not attached. */
static const struct trial {
	const char *name, *where; /* the function or, by the typedef of its name, tracepoint */
	enum btf_what what;
	enum bpf_attach_type type;
	__u32 flags;
	const char *advice;
} trials[] = {
	{ "tp_btf", "btf_trace_sched_switch", BTF_TYPEDEF, BPF_TRACE_RAW_TP, 0,
	  "Nearly all tools need it: run it as root, or with CAP_BPF and CAP_PERFMON." },
	{ "fentry", "vfs_read", BTF_FUNCTION, BPF_TRACE_FEXIT, 0,
	  "Kprobes stand in for it where they are granted: it takes Linux 5.5 (arm64: 6.0) with "
	  "CONFIG_FUNCTION_TRACER, "
	  "and no lockdown of it." },
	{ "task iterator", "bpf_iter_task", BTF_FUNCTION, BPF_TRACE_ITER, 0,
	  "xstack, offcputime and others look at all threads by it: it takes Linux 5.8." },
	{ "TCP iterator", "bpf_iter_tcp", BTF_FUNCTION, BPF_TRACE_ITER, 0,
	  "tcptop counts by it: it takes Linux 5.9." },
	{ "sleepable programs", "bpf_iter_task", BTF_FUNCTION, BPF_TRACE_ITER, BPF_F_SLEEPABLE,
	  "User stacks of other processes need it: it takes Linux 5.18." },
};

static void check_trial(struct checking *k, const struct trial *t, int btf_id)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = t->type,
		    .attach_btf_id = btf_id, .prog_flags = t->flags);
	const char *where = t->where + (t->what == BTF_TYPEDEF ? strlen("btf_trace_") : 0);
	int err = -ENOENT;

	if (btf_id)
		err = try_load(BPF_PROG_TYPE_TRACING, nothing, ARRAY_SIZE(nothing), &opts);
	tell(k, t->name, err ? CHECK_NO : CHECK_YES, t->advice, "%s %s: %s",
	     btf_id ? "loaded a program for" : "BTF has no", where,
	     btf_id ? outcome(err) : "not tried");
}

static void check_trials(struct checking *k)
{
	struct btf_query queries[ARRAY_SIZE(trials)];

	for (size_t i = 0; i < ARRAY_SIZE(trials); i++)
		queries[i] = (struct btf_query){ .name = trials[i].where, .what = trials[i].what };
	if (k->has_btf)
		btf_scan(NULL, queries, ARRAY_SIZE(queries));
	for (size_t i = 0; i < ARRAY_SIZE(trials); i++)
		check_trial(k, &trials[i], queries[i].id);
}

/* 0 or -errno */
static int try_event(struct perf_event_attr attr, pid_t pid, int cpu)
{
	int fd;

	attr.size = sizeof(attr);
	attr.disabled = 1;
	fd = (int)syscall(SYS_perf_event_open, &attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static void check_kprobes(struct checking *k)
{
	const bool there = !access(PMU("kprobe"), F_OK);
	int err = support_try_kprobe();

	tell(k, "kprobes", err ? CHECK_NO : CHECK_YES,
	     there ? "Run it as root, or with CAP_PERFMON, on a kernel that lockdown leaves them."
		   : "It takes a kernel with CONFIG_KPROBE_EVENTS; without it fentry has to be "
		     "there.",
	     "%s: %s", there ? "opened one, at kernel_halt, disabled" : PMU("kprobe"),
	     outcome(err));
}

/* The kernel looks at the privileges first, then for the file, of which there is none: so no page
 * of any program is touched. */
static void check_uprobes(struct checking *k)
{
	struct perf_event_attr attr = { .uprobe_path = (uintptr_t) "/proc/self/no-such-file" };
	uint64_t type = 0;
	int err = number_read(PMU("uprobe"), 1, &type);

	attr.type = type;
	if (!err)
		err = try_event(attr, 0, -1);
	if (err == -ENOENT && type)
		err = 0;
	tell(k, "uprobes", err ? CHECK_NO : CHECK_YES,
	     type ? "Run it as root, or with CAP_PERFMON."
		  : "bscope needs it for programs: it takes a kernel with CONFIG_UPROBE_EVENTS.",
	     "%s: %s", type ? "opened one, in no file" : PMU("uprobe"), outcome(err));
}

static void check_perf(struct checking *k)
{
	const struct perf_event_attr clock = { .type = PERF_TYPE_SOFTWARE,
					       .config = PERF_COUNT_SW_CPU_CLOCK };
	const struct perf_event_attr cycles = { .type = PERF_TYPE_HARDWARE,
						.config = PERF_COUNT_HW_CPU_CYCLES };
	int err = try_event(clock, -1, 0), err_cycles = try_event(cycles, -1, 0);
	char paranoid[16];

	line_first(PARANOID, paranoid, sizeof(paranoid));
	tell(k, "perf events", err ? CHECK_NO : CHECK_YES,
	     "profile samples by it: run it as root, or with CAP_PERFMON, where seccomp grants "
	     "perf_event_open(2).",
	     "opened the clock of CPU 0: %s; perf_event_paranoid is %s", outcome(err),
	     paranoid[0] ? paranoid : "not there");
	tell(k, "cycles", err_cycles ? CHECK_NO : CHECK_YES,
	     "profile takes the CPU clock instead, which cannot see code that has interrupts off: "
	     "a virtual machine has to be given a PMU.",
	     "opened a counter of CPU 0: %s", outcome(err_cycles));
}

/* --- limits and privileges ---------------------------------------------------------------- */

/* Up to 5.10 the memory of maps is charged to it; since 5.11 to the memory cgroup. */
static void check_memlock(struct checking *k)
{
	struct rlimit limit = { 0 };
	struct utsname u;
	char text[40];
	bool counts;

	uname(&u);
	counts = is_before(&u, 5, 11);
	getrlimit(RLIMIT_MEMLOCK, &limit);
	if (limit.rlim_cur == RLIM_INFINITY)
		snprintf(text, sizeof(text), "unlimited");
	else
		snprintf(text, sizeof(text), "%llu KB", (unsigned long long)limit.rlim_cur >> 10);
	tell(k, "memlock", counts && limit.rlim_cur != RLIM_INFINITY ? CHECK_PARTLY : CHECK_YES,
	     "Raise it: ulimit -l unlimited (for root the tools do that).",
	     "RLIMIT_MEMLOCK is %s%s", text,
	     counts ? "" : ", and does not count: this kernel charges maps to the memory cgroup");
}

static void check_addresses(struct checking *k)
{
	char line[200], kptr[16];
	bool shown;

	line_first(KPTR, kptr, sizeof(kptr));
	line_first("/proc/kallsyms", line, sizeof(line));
	shown = strtoull(line, NULL, 16);
	tell(k, "kernel addresses", shown ? CHECK_YES : CHECK_NO,
	     "Functions of the kernel have no names in stacks: run it with CAP_SYSLOG, and "
	     "kernel.kptr_restrict 0 or 1.",
	     "/proc/kallsyms %s; kptr_restrict is %s",
	     shown     ? "has them"
	     : line[0] ? "has zeros"
		       : "cannot be read",
	     kptr[0] ? kptr : "not there");
}

/* What tools use, beside what CAP_SYS_ADMIN stands for. */
static const struct {
	int number;
	const char *name;
	bool by_admin; /* CAP_SYS_ADMIN is as good */
} capabilities[] = {
	{ CAP_BPF, "CAP_BPF", true },
	{ CAP_PERFMON, "CAP_PERFMON", true },
	{ CAP_SYS_ADMIN, "CAP_SYS_ADMIN", false },
	{ CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH", false },
	{ CAP_SYS_PTRACE, "CAP_SYS_PTRACE", false },
	{ CAP_SYSLOG, "CAP_SYSLOG", true },
	{ CAP_SYS_NICE, "CAP_SYS_NICE", false },
};

static void check_capabilities(struct checking *k)
{
	bool admin, needed = true;
	char missing[160] = "";
	uint64_t has = 0;

	number_field(OWN_STATUS, "CapEff", 16, &has);
	admin = has >> CAP_SYS_ADMIN & 1;
	for (size_t i = 0; i < ARRAY_SIZE(capabilities); i++) {
		if (has >> capabilities[i].number & 1 || (admin && capabilities[i].by_admin))
			continue;
		snprintf(missing + strlen(missing), sizeof(missing) - strlen(missing), " %s",
			 capabilities[i].name);
		needed = needed && i > 1;
	}
	tell(k, "capabilities",
	     !needed	  ? CHECK_NO
	     : missing[0] ? CHECK_PARTLY
			  : CHECK_YES,
	     "Run it as root, with sudo; a container has to be given them (--cap-add, or "
	     "--privileged).",
	     "CapEff in " OWN_STATUS ": %s%s", missing[0] ? "without" : "all that is used",
	     missing);
}

static void check_namespaces(struct checking *k)
{
	static const struct {
		const char *name, *path;
		ino_t initial;
		enum check_answer otherwise;
		const char *advice;
	} namespaces[] = {
		{ "user namespace", "/proc/self/ns/user", INITIAL_USERNS, CHECK_NO,
		  "Run it outside of this container, as root: a rootless one can load nothing." },
		{ "pid namespace", "/proc/self/ns/pid", INITIAL_PIDNS, CHECK_PARTLY,
		  "Start the container with --pid=host: /proc has only its own processes, and "
		  "others "
		  "stay without names of functions and files." },
		{ "cgroup namespace", "/proc/self/ns/cgroup", INITIAL_CGROUPNS, CHECK_PARTLY,
		  "Start the container with --cgroupns=host: paths given to --cgroup are looked "
		  "for "
		  "below its own cgroup only." },
	};

	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++) {
		bool initial = is_initial(namespaces[i].path, namespaces[i].initial);

		tell(k, namespaces[i].name, initial ? CHECK_YES : namespaces[i].otherwise,
		     namespaces[i].advice, "%s: %s", namespaces[i].path,
		     initial ? "the initial one" : "not the initial one");
	}
}

static void check_container(struct checking *k)
{
	char mount[PATH_MAX];
	uint64_t seccomp = 0;
	int err = cgroup_mount(mount);

	number_field(OWN_STATUS, "Seccomp", 10, &seccomp);
	tell(k, "no seccomp", seccomp ? CHECK_PARTLY : CHECK_YES,
	     "Its filter has to grant bpf(2) and perf_event_open(2): --security-opt "
	     "seccomp=unconfined.",
	     "Seccomp in " OWN_STATUS ": %s", seccomp ? "there is a filter" : "none");
	tell(k, "cgroup v2", err ? CHECK_NO : CHECK_YES,
	     "--cgroup needs it: mount -t cgroup2 none /sys/fs/cgroup",
	     "/proc/self/mountinfo: %s%s", err ? "it is not mounted" : "mounted on ",
	     err ? "" : mount);
}

void checkup(void (*show)(void *ctx, const struct check *c), void *ctx)
{
	struct checking k = { .show = show, .ctx = ctx };

	libbpf_set_print(NULL);
	check_kernel(&k);
	check_btf(&k);
	check_module_btf(&k);
	check_tracefs(&k);
	check_lockdown(&k);
	check_ring_buffer(&k);
	check_trials(&k);
	check_kprobes(&k);
	check_uprobes(&k);
	check_perf(&k);
	check_memlock(&k);
	check_addresses(&k);
	check_capabilities(&k);
	check_namespaces(&k);
	check_container(&k);
}
