/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* symbols as the tools use them: on this kernel, this process and others. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <bpf/bpf.h>
#include <cmocka.h>

#include "base/util.h"
#include "symbols/buildid.h"
#include "symbols_fixture.h"

/* Prints the addresses of two of its functions and of its executable memory without a file, which
 * it gives a perf map when asked to; then waits to be killed. */
static const char program[] =
	"#define _GNU_SOURCE\n"
	"#include <stdio.h>\n#include <string.h>\n#include <sys/mman.h>\n#include <unistd.h>\n"
	"static __attribute__((noinline)) void parked(void) { for (;;) pause(); }\n"
	"__attribute__((noinline)) int other(int x) { return getpid() + x; }\n"
	"int main(int argc, char **argv)\n"
	"{\n"
	"	void *jit = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,\n"
	"			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);\n"
	"	char name[64];\n"
	"	if (argc > 1) {\n"
	"		FILE *f;\n"
	"		sprintf(name, \"/tmp/perf-%d.map\", getpid());\n"
	"		f = fopen(name, \"w\");\n"
	"		if (!f) return 1;\n"
	"		fprintf(f, \"%lx 100 jitted one\\n\", (long)jit);\n"
	"		fclose(f);\n"
	"	}\n"
	"	printf(\"%lx %lx %lx\\n\", (long)parked, (long)other, (long)jit);\n"
	"	fflush(stdout);\n"
	"	parked();\n"
	"	return other(argc);\n"
	"}\n";

/* One of its library's functions has the name that a C++ compiler gives, one that a Rust compiler
 * gives, one is not exported. */
static const char library[] =
	"#include <unistd.h>\n"
	"int bar(int) __asm__(\"_ZN2ns3Foo3barEi\");\n"
	"int rust(int) __asm__(\"_RNvCs1234_7mycrate4work\");\n"
	"__attribute__((noinline)) int bar(int x) { return getpid() + x; }\n"
	"__attribute__((noinline)) int rust(int x) { return getpid() - x; }\n"
	"static __attribute__((noinline)) void local(void) { for (;;) pause(); }\n"
	"void *where(int i)\n"
	"{ return i == 0 ? (void *)local : i == 1 ? (void *)bar : (void *)rust; }\n"
	"void run(void) { local(); }\n";
static const char user[] =
	"#include <stdio.h>\n"
	"void *where(int); void run(void);\n"
	"int main(void)\n"
	"{\n"
	"	printf(\"%lx %lx %lx\\n\", (long)where(0), (long)where(1), (long)where(2));\n"
	"	fflush(stdout);\n"
	"	run();\n"
	"	return 0;\n"
	"}\n";

static int group_setup(void **state)
{
	(void)state;
	fixture_begin();
	write_file("program.c", program);
	shell("gcc -O1 -pie -fPIE -Wl,--build-id=sha1 -o pie program.c &&"
	      "gcc -O1 -static -no-pie -o nopie program.c");
	write_file("library.c", library);
	write_file("user.c", user);
	shell("gcc -O1 -shared -fPIC -o libshared.so library.c &&"
	      "gcc -O1 -o user user.c -L. -lshared -Wl,-rpath,'$ORIGIN'");
	return 0;
}

static void assert_user(uint32_t pid, uint64_t addr, const char *function, uint64_t offset,
			const char *module)
{
	struct frame_name n;

	symbols_user(s, pid, addr, &n);
	if (function ? !n.function || strcmp(n.function, function) : n.function != NULL)
		fail_msg("at %#llx: %s, not %s", (unsigned long long)addr, n.function, function);
	if (module ? !n.module || strcmp(n.module, module) : n.module != NULL)
		fail_msg("at %#llx: in %s, not %s", (unsigned long long)addr, n.module, module);
	assert_int_equal(n.offset, offset);
}

static void assert_child(const struct child *c, const char *module)
{
	assert_user(c->pid, c->parked, "parked", 0, module);
	assert_user(c->pid, c->parked + 2, "parked", 2, module);
	assert_user(c->pid, c->other, "other", 0, module);
}

__attribute__((noinline)) static int one_of_ours(int x)
{
	return x ? getpid() : 0;
}

static void test_own(void **state)
{
	static const char *const names[] = { "malloc", "free",	    "printf", "getpid", "open",
					     "write",  "nanosleep", "qsort",  "strtol", "fork",
					     "memcpy", "strlen",    "abort",  "mmap" };
	struct frame_name n;
	size_t i;

	(void)state;
	assert_user(getpid(), (uint64_t)one_of_ours + 1, "one_of_ours", 1, "test_symbols");
	/* what the dynamic linker says of the same addresses; of several names for one, either */
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		void *addr = dlsym(dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD), names[i]), *same;
		Dl_info info;

		assert_non_null(addr);
		assert_int_not_equal(dladdr(addr, &info), 0);
		symbols_user(s, getpid(), (uint64_t)addr + 1, &n);
		assert_string_equal(n.module, "libc.so.6");
		assert_int_equal(n.module_offset, (char *)addr + 1 - (char *)info.dli_fbase);
		/* What memcpy and strlen are resolved to has local names only (in libc6-dbg). */
		if (!n.function && !info.dli_sname)
			continue;
		if (!n.function)
			fail_msg("no name for %s", names[i]);
		same = dlsym(dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD), n.function);
		if (same && strcmp(names[i], "memcpy") && strcmp(names[i], "strlen"))
			assert_ptr_equal(same, addr);
		assert_true(n.offset <= 0x10000);
	}
	assert_user(getpid(), 16, NULL, 0, NULL);
	assert_user(getpid(), UINT64_MAX, NULL, 0, NULL);
}

static void test_remembered(void **state)
{
	static const char *const names[] = { "pie", "nopie" };
	struct symbols_stats stats;
	struct child c;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		child_start_as(&c, names[i], NULL, 0);
		assert_int_equal(symbols_remember(s, c.pid), 0);
		assert_int_equal(symbols_remember(s, c.pid), 0);
		child_end(&c);
		assert_int_equal(symbols_remember(s, c.pid), -ESRCH);
		assert_child(&c, names[i]);
		assert_child(&c, names[i]);
	}
	/* a living one needs no remembering */
	child_start_as(&c, "pie", NULL, 0);
	assert_child(&c, "pie");
	assert_user(c.pid, c.code, NULL, 0, "[anon]");
	child_end(&c);
	/* one that was never seen has no names */
	child_start_as(&c, "pie", NULL, 0);
	child_end(&c);
	assert_user(c.pid, c.parked, NULL, 0, NULL);
	symbols_stats(s, &stats);
	assert_int_equal(stats.processes, 3);
	assert_int_equal(symbols_remember(s, 2) == 0, false); /* a kernel thread, or not there */
}

static void test_deleted(void **state)
{
	struct child c;

	(void)state;
	shell("cp pie gone && cp nopie gone.new");
	child_start_as(&c, "gone", NULL, 0);
	shell("mv gone.new gone"); /* another file has its name now */
	assert_child(&c, "gone");
	shell("rm gone");
	symbols_free(s);
	s = symbols_new();
	assert_child(&c, "gone");
	child_end(&c);

	/* the file and the process are gone when the first name is asked for */
	shell("cp nopie gone");
	child_start_as(&c, "gone", NULL, 0);
	assert_int_equal(symbols_remember(s, c.pid), 0);
	shell("rm gone");
	child_end(&c);
	assert_child(&c, "gone");
}

/* A library of several processes is one file here, is found when it is deleted (by map_files: the
 * link to the program does not lead to it), and its names are what was written in the source. */
static void test_shared_library(void **state)
{
	struct symbols_stats one, two;
	struct child c, d;

	(void)state;
	child_start_as(&c, "user", NULL, 0);
	assert_int_equal(symbols_remember(s, c.pid), 0);
	symbols_stats(s, &one);
	child_start_as(&d, "user", NULL, 0);
	assert_int_equal(symbols_remember(s, d.pid), 0);
	symbols_stats(s, &two);
	assert_int_equal(one.files, two.files);
	assert_user(c.pid, c.parked + 1, "local", 1, "libshared.so");
	assert_user(d.pid, d.other, "ns::Foo::bar(int)", 0, "libshared.so");
	assert_user(d.pid, d.code + 1, "mycrate::work", 1, "libshared.so");
	symbols_stats(s, &one);
	assert_int_equal(one.files, two.files);

	if (!geteuid()) { /* nobody else may follow map_files */
		shell("cp libshared.so saved.so && rm libshared.so && cp pie libshared.so");
		symbols_free(s);
		s = symbols_new();
		assert_user(c.pid, c.parked, "local", 0, "libshared.so");
		shell("mv saved.so libshared.so");
	}
	child_end(&c);
	child_end(&d);
}

/* A process that becomes another program: the new one's names, and those of the old one. */
static void test_exec(void **state)
{
	struct frame_name old;
	struct child c;
	uint32_t image;
	int go[2];
	char byte;

	(void)state;
	assert_int_equal(pipe2(go, O_CLOEXEC), 0);
	c.pid = fork();
	if (!c.pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (read(go[0], &byte, 1) != 1)
			;
		dup2(open("/dev/null", O_WRONLY), 1);
		execl(in_dir("nopie"), "nopie", NULL);
		_exit(1);
	}
	assert_int_equal(symbols_remember(s, c.pid), 0);
	assert_user(c.pid, (uint64_t)one_of_ours, "one_of_ours", 0, "test_symbols");
	image = symbols_image(s, c.pid);
	assert_int_not_equal(image, 0);
	assert_int_equal(write(go[1], "x", 1), 1);
	c.parked = nm("nopie", "parked");
	c.other = nm("nopie", "other");
	for (int tries = 0;; tries++) {
		struct frame_name n;

		assert_true(tries < 10000);
		assert_int_equal(symbols_remember(s, c.pid), 0);
		symbols_user(s, c.pid, c.parked, &n);
		if (n.function)
			break;
		usleep(1000);
	}
	assert_child(&c, "nopie");
	assert_int_not_equal(symbols_image(s, c.pid), image);
	symbols_user_image(s, c.pid, image, (uint64_t)one_of_ours, &old);
	assert_string_equal(old.function, "one_of_ours");
	symbols_user_image(s, c.pid, image, c.parked, &old);
	assert_null(old.function);
	child_end(&c);
	close(go[0]);
	close(go[1]);
}

static void test_vdso(void **state)
{
	uint64_t base = getauxval(AT_SYSINFO_EHDR), addr;
	struct frame_name n;
	Dl_info info;
	int found = 0;

	(void)state;
	if (!base)
		skip();
	for (addr = base; addr < base + 4096; addr += 16) {
		if (!dladdr((void *)addr, &info) || !info.dli_sname)
			continue;
		symbols_user(s, getpid(), addr, &n);
		assert_string_equal(n.module, "[vdso]");
		if (!n.function) /* dladdr has no use for sizes */
			continue;
		assert_int_equal(addr - n.offset, (uint64_t)info.dli_saddr);
		found++;
	}
	assert_true(found > 3);
}

/* How soon a process is looked at again depends on how long a look takes. */
static void wait_for_name(pid_t pid, uint64_t addr)
{
	struct frame_name n = { 0 };

	for (int tries = 0; tries < 50 && !n.function; tries++) {
		usleep(120000);
		symbols_user(s, pid, addr, &n);
	}
}

static void test_perf_map(void **state)
{
	struct child c;
	FILE *f;
	char path[64];

	(void)state;
	child_start_as(&c, "pie", "jit", 0);
	assert_user(c.pid, c.code + 5, "jitted one", 5, "[jit]");
	assert_user(c.pid, c.code + 0x100, NULL, 0, "[anon]");
	assert_child(&c, "pie");
	/* it has compiled something since */
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", c.pid);
	f = fopen(path, "a");
	fprintf(f, "0x%llx 0x10 later\n", (unsigned long long)c.code + 0x100);
	fclose(f);
	wait_for_name(c.pid, c.code + 0x100);
	assert_user(c.pid, c.code + 0x100, "later", 0, "[jit]");
	child_end(&c);
	assert_user(c.pid, c.code + 0x101, "later", 1, "[jit]");
}

/* Left by an earlier process that had the pid. Its own, written since, is used. */
static void test_perf_map_of_another(void **state)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_NOW }, { .tv_nsec = UTIME_NOW } };
	char path[64];
	struct child c;
	FILE *f;

	(void)state;
	child_start_as(&c, "pie", NULL, 0);
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", c.pid);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "%llx 100 of another\n", (unsigned long long)c.code);
	fclose(f);
	clock_gettime(CLOCK_REALTIME, &times[1]);
	times[1].tv_sec -= 2;
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	assert_user(c.pid, c.code, NULL, 0, "[anon]");
	assert_int_equal(truncate(path, 0), 0);
	f = fopen(path, "a");
	fprintf(f, "%llx 100 its own\n", (unsigned long long)c.code);
	fclose(f);
	usleep(120000);
	assert_user(c.pid, c.code + 1, "its own", 1, "[jit]");
	child_end(&c);
}

/* Files that are no perf map of the process: links, pipes, directories, somebody else's. */
static void test_perf_map_hostile(void **state)
{
	struct child c;
	char path[64], line[512];
	FILE *f;
	int i;

	(void)state;
	f = fopen(in_dir("map"), "w");
	child_start_as(&c, "pie", NULL, 0);
	fprintf(f, "%llx 100 stolen\n", (unsigned long long)c.code);
	fclose(f);
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", c.pid);
	for (i = 0; i < 5; i++) {
		unlink(path);
		rmdir(path);
		if (i == 0)
			assert_int_equal(symlink(in_dir("map"), path), 0);
		else if (i == 1)
			assert_int_equal(mkfifo(path, 0666), 0);
		else if (i == 2)
			assert_int_equal(mkdir(path, 0777), 0);
		else if (geteuid())
			continue; /* what follows takes root */
		else if (i == 3)
			assert_int_equal(mknod(path, S_IFCHR | 0666, 1 << 8 | 5),
					 0); /* /dev/zero */
		else {
			snprintf(line, sizeof(line), "cp %s %s && chown 65534 %s", in_dir("map"),
				 path, path);
			assert_int_equal(system(line), 0);
		}
		usleep(120000);
		assert_user(c.pid, c.code, NULL, 0, "[anon]");
	}
	unlink(path);
	rmdir(path);
	child_end(&c);
}

/* Runs the program as box/bin/boxed in a mount and pid namespace, and a root directory, of its own.
 * Returns the pid of its parent, which is in them too and ends with it. */
static pid_t start_container(void)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mkdir(in_dir("box"), 0755) || mount("box", in_dir("box"), "tmpfs", 0, NULL))
		_exit(2);
	shell("mkdir box/tmp box/bin && cp nopie box/bin/boxed");
	if (unshare(CLONE_NEWPID))
		_exit(2);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (chroot(in_dir("box")) || chdir("/"))
			_exit(2);
		execl("/bin/boxed", "boxed", "jit", NULL);
		_exit(2);
	}
	_exit(waitpid(pid, NULL, 0) == pid ? 0 : 2);
}

/* The pid of @outer's child, once that is called "boxed". */
static pid_t boxed_child(pid_t outer)
{
	char line[512];
	pid_t pid = 0;

	snprintf(line, sizeof(line),
		 "read -r pid </proc/%d/task/%d/children; read -r comm </proc/$pid/comm &&"
		 "[ \"$comm\" = boxed ] && echo $pid",
		 outer, outer);
	for (int tries = 0; !pid && tries < 1000; tries++) {
		FILE *f = popen(line, "r");

		if (!f || fscanf(f, "%d", &pid) != 1)
			pid = 0;
		if (f)
			pclose(f);
		usleep(5000);
	}
	assert_true(pid > 0);
	return pid;
}

/* The address in the perf map of @pid, /tmp/perf-1.map in its own /tmp, once that is written. */
static uint64_t boxed_jit(pid_t pid)
{
	unsigned long long jit = 0;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/root/tmp/perf-1.map", pid);
	for (int tries = 0; !jit && tries < 5000; tries++) {
		FILE *f = fopen(path, "r");

		if (f && fscanf(f, "%llx", &jit) != 1)
			jit = 0;
		if (f)
			fclose(f);
		usleep(1000);
	}
	assert_true(jit);
	return jit;
}

static void test_container(void **state)
{
	struct child c = { .parked = nm("nopie", "parked"), .other = nm("nopie", "other") };
	struct frame_name n;
	pid_t outer;

	(void)state;
	if (geteuid())
		skip();
	outer = start_container();
	c.pid = boxed_child(outer);
	for (int tries = 0; tries < 5000; tries++) {
		assert_int_equal(symbols_remember(s, c.pid), 0);
		symbols_user(s, c.pid, c.parked, &n);
		if (n.function)
			break;
		usleep(1000);
	}
	assert_child(&c, "boxed");
	c.code = boxed_jit(c.pid);
	usleep(120000);
	assert_user(c.pid, c.code + 1, "jitted one", 1, "[jit]");
	kill(c.pid, SIGKILL);
	waitpid(outer, NULL, 0);
	/* root directory, mount namespace and all are gone */
	assert_child(&c, "boxed");
	assert_user(c.pid, c.code + 1, "jitted one", 1, "[jit]");
}

/* Also a file that was not read in time: descriptors are few, and files many. */
static void test_few_descriptors(void **state)
{
	struct rlimit limit, few = { 64, 0 };
	struct symbols_stats stats;
	struct child c[40];
	char line[256];
	int i;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	few.rlim_max = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	symbols_free(s);
	s = symbols_new();
	for (i = 0; i < 40; i++) {
		snprintf(line, sizeof(line), "cp pie many%d", i);
		shell(line);
		snprintf(line, sizeof(line), "many%d", i);
		child_start_as(&c[i], line, NULL, 0);
		assert_int_equal(symbols_remember(s, c[i].pid), 0);
		child_end(&c[i]);
		symbols_stats(s, &stats);
		assert_true(stats.open <= 16);
	}
	assert_true(stats.files >= 40);
	for (i = 0; i < 40; i++) {
		snprintf(line, sizeof(line), "many%d", i);
		assert_child(&c[i], line);
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* The main thread has ended, others go on: the process has its memory still. */
static void *outlive(void *arg)
{
	(void)arg;
	while (getpid())
		pause();
	return NULL;
}

static void test_first_thread_ended(void **state)
{
	char path[64], text[256] = "";
	pid_t pid = fork();
	int tries, fd;

	(void)state;
	if (!pid) {
		pthread_t thread;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (pthread_create(&thread, NULL, outlive, NULL))
			_exit(1);
		syscall(SYS_exit, 0);
	}
	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, pid);
	for (tries = 0; tries < 5000 && !strstr(text, ") Z"); tries++) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		assert_true(read(fd, text, sizeof(text) - 1) > 0);
		close(fd);
		usleep(1000);
	}
	assert_int_equal(symbols_remember(s, pid), 0);
	assert_user(pid, (uint64_t)outlive, "outlive", 0, "test_symbols");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void test_kernel(void **state)
{
	unsigned long long addr = 0, lines = 0;
	struct frame_name n;
	char line[512], type, name[256];
	FILE *f = fopen("/proc/kallsyms", "r");

	(void)state;
	if (!f)
		skip();
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%llx %c %255s", &addr, &type, name) == 3 && addr && type == 'T' &&
		    !strcmp(name, "wake_up_process"))
			break;
		addr = 0;
		lines++;
	}
	fclose(f);
	if (!addr) {
		symbols_kernel(s, 0xffffffff81000000, &n);
		assert_null(n.function);
		skip();
	}
	symbols_kernel(s, addr + 4, &n);
	assert_string_equal(n.function, "wake_up_process");
	assert_int_equal(n.offset, 4);
	assert_string_equal(n.module, "[kernel]");
	symbols_kernel(s, 0x1000, &n);
	assert_null(n.function);
}

/* A BPF program of ours; -1: not for us. */
static int load_program(const char *name, uint64_t *addr)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct bpf_prog_info info = { .jited_ksyms = (uintptr_t)addr, .nr_jited_ksyms = 1 };
	__u32 len = sizeof(info);
	int fd = bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, name, "GPL", insns, 2, NULL);

	*addr = 0;
	if (fd >= 0 && (bpf_obj_get_info_by_fd(fd, &info, &len) || !*addr)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Whether @addr has the name of the program. */
static bool is_program(uint64_t addr, const char *name)
{
	struct frame_name n;

	symbols_kernel(s, addr, &n);
	return n.function && strstr(n.function, name) && !strcmp(n.module, "[bpf]") && !n.offset;
}

/* A program that came when kallsyms had been read: found; while names are on hold, afterwards. */
static void test_new_code(void **state)
{
	uint64_t one, two;
	struct frame_name n;
	int fd, fd2, tries;
	bool found = false;

	(void)state;
	symbols_kernel(s, 1, &n);
	fd = load_program("unit_one", &one);
	if (fd < 0)
		skip(); /* takes root */
	for (tries = 1; !is_program(one, "unit_one"); tries++) {
		assert_true(tries < 600);
		usleep(100000);
	}
	fd2 = load_program("unit_two", &two);
	assert_true(fd2 >= 0);
	/* how soon it reads again depends on how long reading took: so there are rounds */
	for (tries = 0; !found; tries++) {
		assert_true(tries < 60);
		symbols_hold(s, true);
		for (int i = 0; i < 10; i++) {
			assert_false(is_program(two, "unit_two"));
			assert_true(is_program(one, "unit_one"));
			usleep(100000);
		}
		symbols_hold(s, false);
		found = is_program(two, "unit_two");
	}
	close(fd);
	close(fd2);
}

static void test_frame_text(void **state)
{
	struct frame_name n = {
		.function = "f(int)", .offset = 5, .module = "a", .module_offset = 6
	};
	char buf[FRAME_TEXT_LEN], small[8];

	(void)state;
	assert_string_equal(frame_name_text(&n, buf, sizeof(buf)), "f(int)");
	n.function = NULL;
	assert_string_equal(frame_name_text(&n, buf, sizeof(buf)), "[a+0x6]");
	assert_string_equal(frame_name_text(&n, small, sizeof(small)), "[a+0x6]");
	n.module = "[vdso]";
	assert_string_equal(frame_name_text(&n, buf, sizeof(buf)), "[vdso+0x6]");
	assert_string_equal(frame_name_text(&n, small, sizeof(small)), "[vdso+0");
	n.module = NULL;
	assert_string_equal(frame_name_text(&n, buf, sizeof(buf)), "[unknown]");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_own),
		TEST(test_remembered),
		TEST(test_deleted),
		TEST(test_shared_library),
		TEST(test_exec),
		TEST(test_vdso),
		TEST(test_perf_map),
		TEST(test_perf_map_of_another),
		TEST(test_perf_map_hostile),
		TEST(test_container),
		TEST(test_few_descriptors),
		TEST(test_first_thread_ended),
		TEST(test_kernel),
		TEST(test_new_code),
		TEST(test_frame_text),
	};

	symbols_free(NULL);
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
