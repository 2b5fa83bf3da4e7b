/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* symbols: code that is not simply mapped from a program, and the perf maps that name it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "symbols_fixture.h"

#define NOBODY	 65534
#define PAUSE_US 120000 /* after that a process is looked at again, if that took little time */

/*
 * Prints the addresses of two of its functions and of memory for code, and waits to be killed.
 * anon: that is memory without a file; FILE: it is that file's, shared; move: its own code then
 * lies in memory without a file, at the same addresses.
 */
static const char program[] =
	"#define _GNU_SOURCE\n"
	"#include <fcntl.h>\n#include <stdio.h>\n#include <string.h>\n"
	"#include <sys/mman.h>\n#include <unistd.h>\n"
	"static __attribute__((noinline)) void parked(void) { for (;;) pause(); }\n"
	"__attribute__((noinline)) int other(int x) { return getpid() + x; }\n"
	"static void move(void)\n"
	"{\n"
	"	unsigned long a = 0, b = 0, at = (unsigned long)other;\n"
	"	char line[512];\n"
	"	void *to;\n"
	"	FILE *f = fopen(\"/proc/self/maps\", \"r\");\n"
	"	while (fgets(line, sizeof(line), f))\n"
	"		if (sscanf(line, \"%lx-%lx\", &a, &b) == 2 && at >= a && at < b)\n"
	"			break;\n"
	"	fclose(f);\n"
	"	to = mmap(0, b - a, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);\n"
	"	memcpy(to, (void *)a, b - a);\n"
	"	mprotect(to, b - a, PROT_READ | PROT_EXEC);\n"
	"	mremap(to, b - a, b - a, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)a);\n"
	"}\n"
	"int main(int argc, char **argv)\n"
	"{\n"
	"	int fd = argv[1][0] == '/' ? open(argv[1], O_RDWR | O_CREAT, 0700) : -1;\n"
	"	void *code;\n"
	"	if (fd >= 0 && ftruncate(fd, 4096))\n"
	"		return 1;\n"
	"	code = mmap(0, 4096, PROT_READ | (fd < 0 ? PROT_WRITE : 0) | PROT_EXEC,\n"
	"		    fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, fd, 0);\n"
	"	if (!strcmp(argv[1], \"move\"))\n"
	"		move();\n"
	"	printf(\"%lx %lx %lx\\n\", (long)parked, (long)other, (long)code);\n"
	"	fflush(stdout);\n"
	"	parked();\n"
	"	return other(argc);\n"
	"}\n";

static int group_setup(void **state)
{
	(void)state;
	fixture_begin();
	write_file("jit.c", program);
	shell("gcc -O1 -pie -fPIE -o pie jit.c && gcc -O1 -static -no-pie -o nopie jit.c &&"
	      "gcc -O1 -pie -fPIE -Wl,-z,noseparate-code -o oneload jit.c && chmod 755 .");
	return 0;
}

/* With no map of an earlier process. */
static void start(struct child *c, const char *name, const char *arg, uid_t uid)
{
	child_start_as(c, name, arg, uid);
	unlink(c->map);
}

/* Writes a line about the child's code into its map, over what is there. */
static void name_code(const struct child *c, const char *name, int flags)
{
	char line[128];
	int n = snprintf(line, sizeof(line), "%llx 100 %s\n", (unsigned long long)c->code, name);
	int fd = open(c->map, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, line, n), n);
	close(fd);
}

static void assert_named(const struct child *c, uint64_t addr, const char *function)
{
	struct frame_name n;

	symbols_user(s, c->pid, addr, &n);
	if (function ? !n.function || strcmp(n.function, function) : n.function != NULL)
		fail_msg("at %#llx: %s, not %s", (unsigned long long)addr, n.function, function);
}

/* The same within some seconds: how soon a process is looked at again depends on how long a look
 * takes. Naming what has no name has it looked at. */
static void assert_soon_named(const struct child *c, uint64_t addr, const char *function)
{
	struct frame_name n;

	for (int tries = 0; tries < 50; tries++) {
		symbols_user(s, c->pid, addr + 0x200, &n);
		symbols_user(s, c->pid, addr, &n);
		if (n.function && !strcmp(n.function, function))
			return;
		usleep(PAUSE_US);
	}
	assert_named(c, addr, function);
}

/* A map that came after the process was seen, and the process has ended: waited for, or not. */
static void test_ended(void **state)
{
	struct child c[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		start(&c[i], "pie", "anon", 0);
		assert_named(&c[i], c[i].code, NULL);
		name_code(&c[i], "late", 0);
		kill(c[i].pid, SIGKILL);
	}
	waitpid(c[0].pid, NULL, 0);
	assert_soon_named(&c[0], c[0].code, "late");
	assert_soon_named(&c[1], c[1].code, "late");
	name_code(&c[1], "of another", O_APPEND); /* what comes later is not its own */
	usleep(PAUSE_US);
	assert_named(&c[1], c[1].code, "late");
	child_end(&c[0]);
	child_end(&c[1]);
}

/* What root wrote about another user's process; nobody else may. */
static void test_of_root(void **state)
{
	struct child c;

	(void)state;
	if (geteuid())
		skip(); /* takes root */
	start(&c, "pie", "anon", NOBODY);
	name_code(&c, "by root", 0);
	assert_int_equal(chown(c.map, 1, 1), 0);
	assert_named(&c, c.code, NULL);
	assert_int_equal(chown(c.map, 0, 0), 0);
	assert_soon_named(&c, c.code, "by root");
	child_end(&c);
}

/* A map that was written anew in place, as long as before or longer. */
static void test_written_anew(void **state)
{
	struct child c;

	(void)state;
	start(&c, "pie", "anon", 0);
	name_code(&c, "first", 0);
	assert_named(&c, c.code, "first");
	name_code(&c, "other", 0);
	assert_soon_named(&c, c.code, "other");
	name_code(&c, "one that is longer", 0);
	assert_soon_named(&c, c.code, "one that is longer");
	child_end(&c);
}

/* Code that a compiler wrote into a file, through another mapping of it. */
static void test_in_a_file(void **state)
{
	struct child c;

	(void)state;
	start(&c, "pie", in_dir("code"), 0);
	name_code(&c, "in a file", 0);
	assert_named(&c, c.code, "in a file");
	child_end(&c);
}

/* A program's own code in memory without a file: its functions are where they were. */
static void test_moved(void **state)
{
	static const char *const programs[] = { "pie", "nopie", "oneload" };

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct child c;

		start(&c, programs[i], "move", 0);
		assert_named(&c, c.parked, "parked");
		assert_named(&c, c.other + 2, "other");
		assert_named(&c, c.code, NULL);
		child_end(&c);
	}
}

#if defined(__x86_64__)
/* Python's code between two functions of its interpreter: 8 bytes, then where it returns to. */
static void test_python(void **state)
{
	static const char *const names[] = { "py::f:/a.py", "other" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct child c;
		uint64_t stack[4] = { 0x1234 }, frames[8] = { 0 };
		struct unwind_from from = { .stack = (void *)stack,
					    .base = 0x7ff0000000,
					    .size = 32 };
		enum unwind_end why;

		start(&c, "pie", "anon", 0);
		name_code(&c, names[i], 0);
		stack[1] = c.other + 2;
		from.pc = c.code + 6;
		from.regs[CFI_SP] = from.base;
		from.regs[CFI_FP] = 0x55; /* any value of the interpreter's */
		assert_int_equal(symbols_remember(s, c.pid), 0);
		assert_true(symbols_unwind(s, c.pid, symbols_image(s, c.pid), &from, frames, 8,
					   &why) >= (i ? 1 : 2));
		assert_int_equal(frames[1], i ? 0 : c.other + 2);
		child_end(&c);
	}
}
#endif

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_ended),
		TEST(test_of_root),
		TEST(test_written_anew),
		TEST(test_in_a_file),
		TEST(test_moved),
#if defined(__x86_64__)
		TEST(test_python),
#endif
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
