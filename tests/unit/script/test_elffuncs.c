/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "elf_fixture.h"
#include "script/elffuncs.h"

/* A symbol with a version, one of data, one that is not there, one of the linker's choice. */
static const char source[] = "int data_symbol = 1;\n"
			     "int alpha(void) { return data_symbol; }\n"
			     "static __attribute__((noinline, used)) int beta(void) { return 2; }\n"
			     "int old_gamma(void) { return 3; }\n"
			     "int new_gamma(void) { return 4; }\n"
			     "__asm__(\".symver old_gamma, gamma@V1\");\n"
			     "__asm__(\".symver new_gamma, gamma@@V2\");\n"
			     "extern int elsewhere(void);\n"
			     "int delta(void) { return beta() + elsewhere(); }\n";

static int begin(void **state)
{
	(void)state;
	fixture_begin();
	write_file("a.c", source);
	write_file("versions", "V1 { };\nV2 { } V1;\n");
	write_file("main.c", "__asm__(\".text; .globl work; .type work, @function; \"\n"
			     "\"work: .ascii \\\"here it is\\\"; .size work, . - work\");\n"
			     "int main(void) { return 0; }\n");
	shell("cc -O1 -shared -fPIC -fno-inline -Wl,--version-script=versions a.c -o liba.so 2>&1");
	shell("strip -o stripped.so liba.so");
	/* its code is not at the place in the file that its address says */
	shell("cc -no-pie -O0 main.c -o main 2>&1");
	return 0;
}

static int end(void **state)
{
	(void)state;
	fixture_end();
	return 0;
}

struct wanted {
	const char *name;
	int nr;
	uint64_t address[8], offset[8];
};

static bool want(void *ctx, const struct elf_function *f)
{
	struct wanted *w = ctx;

	if (!strcmp(f->name, w->name) && w->nr < 8) {
		w->address[w->nr] = f->address;
		w->offset[w->nr++] = f->offset;
	}
	return true;
}

static struct wanted functions(const char *file, const char *name)
{
	struct wanted w = { .name = name };
	int fd = open(in_dir("%s", file), O_RDONLY | O_CLOEXEC);
	struct elf_image im;

	assert_true(fd >= 0);
	assert_int_equal(elf_image_open(&im, fd), 0);
	elffuncs_each(&im, want, &w);
	elf_image_close(&im);
	close(fd);
	return w;
}

static void test_functions(void **state)
{
	struct wanted w = functions("liba.so", "alpha");

	(void)state;
	assert_int_equal(w.nr, 2); /* of each table */
	assert_int_equal(w.address[0], nm("liba.so", "alpha"));
	assert_int_equal(w.address[1], w.address[0]);
	assert_int_equal(functions("liba.so", "beta").nr, 1);
	assert_int_equal(functions("stripped.so", "alpha").nr, 1);
	assert_int_equal(functions("stripped.so", "beta").nr, 0);
	assert_int_equal(functions("liba.so", "data_symbol").nr, 0);
	assert_int_equal(functions("liba.so", "elsewhere").nr, 0);
	assert_int_equal(functions("liba.so", "").nr, 0);
}

/* Both versions are functions of that name. */
static void test_versions(void **state)
{
	struct wanted w = functions("stripped.so", "gamma");

	(void)state;
	assert_int_equal(w.nr, 2);
	assert_true(w.address[0] != w.address[1]);
	w = functions("liba.so", "gamma"); /* "gamma@V1" in .symtab */
	assert_int_equal(w.nr, 4);
}

/* What the function consists of is at that place in the file. */
static void test_offset(void **state)
{
	struct wanted w = functions("main", "work");
	char here[11] = "";
	int fd = open(in_dir("main"), O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(w.nr, 1);
	assert_int_equal(w.address[0], nm("main", "work"));
	assert_true(w.offset[0] != w.address[0]);
	assert_int_equal(pread(fd, here, 10, w.offset[0]), 10);
	assert_string_equal(here, "here it is");
	close(fd);
}

static void test_symbols(void **state)
{
	struct elf_image im;
	uint64_t size, address, offset;
	int fd = open(in_dir("liba.so"), O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(elf_image_open(&im, fd), 0);
	assert_true(elffuncs_symbol(&im, "data_symbol", &address, &size));
	assert_int_equal(address, nm("liba.so", "data_symbol"));
	assert_true(elffuncs_offset(&im, address, false, &offset));
	assert_false(elffuncs_offset(&im, address, true, &offset)); /* it is no code */
	assert_false(elffuncs_offset(&im, 1ull << 40, false, &offset));
	assert_false(elffuncs_symbol(&im, "none", &address, &size));
	assert_false(elffuncs_symbol(&im, "elsewhere", &address, &size));
	elf_image_close(&im);
	close(fd);
}

static bool nothing(void *ctx, const struct elf_function *f)
{
	*(size_t *)ctx += strlen(f->name);
	return true;
}

/* Cut at any place, and with bytes changed: nothing is read that isn't there. */
static void test_damaged(void **state)
{
	static char bytes[32768];
	FILE *f = fopen(in_dir("stripped.so"), "r");
	size_t size = fread(bytes, 1, sizeof(bytes), f), sum = 0;
	struct elf_image im;
	uint32_t seed = 3;

	(void)state;
	fclose(f);
	for (int i = 0; i < 400; i++) {
		size_t len = i < 100 ? size * i / 100 : size, at;
		char was;
		int fd = open(in_dir("damaged"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

		seed = seed * 1664525 + 1013904223;
		at = (seed >> 8) % (i % 2 ? 1024 : size);
		was = bytes[at];
		bytes[at] = seed >> 24;
		assert_int_equal(write(fd, bytes, len), len);
		if (!elf_image_open(&im, fd)) {
			elffuncs_each(&im, nothing, &sum);
			elf_image_close(&im);
		}
		bytes[at] = was;
		close(fd);
	}
	assert_true(sum > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_functions), cmocka_unit_test(test_versions),
		cmocka_unit_test(test_offset),	  cmocka_unit_test(test_symbols),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests_name("elffuncs", tests, begin, end);
}
