/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/msg.h"

#define EVIL "a\033]0;title\007\033[31m\nprofile: 0 samples lost\033[2J"
#define TAME "a\\033]0;title\\a\\033[31m\\nprofile: 0 samples lost\\033[2J"

static int file, kept;

static int setup(void **state)
{
	(void)state;
	kept = dup(STDERR_FILENO);
	file = memfd_create("stderr", 0);
	msg_init("profile");
	return kept < 0 || file < 0;
}

static void begin(void)
{
	assert_int_equal(ftruncate(file, 0), 0);
	assert_int_equal(lseek(file, 0, SEEK_SET), 0);
	assert_int_equal(dup2(file, STDERR_FILENO), STDERR_FILENO);
}

/* What has been said since begin(). */
static const char *said(void)
{
	static char text[4096];
	ssize_t n;

	assert_int_equal(dup2(kept, STDERR_FILENO), STDERR_FILENO);
	n = pread(file, text, sizeof(text) - 1, 0);
	assert_true(n >= 0);
	text[n] = '\0';
	return text;
}

static void test_every_way_to_say_it(void **state)
{
	(void)state;
	begin();
	error("'%s'", EVIL);
	warn("'%s'", EVIL);
	note("'%s'", EVIL);
	debug("'%s'", EVIL);
	msg_verbose = true;
	debug("%d: %s", 1, EVIL);
	msg_verbose = false;
	assert_string_equal(said(), "profile: '" TAME "'\nprofile: '" TAME "'\nprofile: '" TAME
				    "'\nprofile: 1: " TAME "\n");
}

static void test_lines_of_libbpf(void **state)
{
	(void)state;
	begin();
	msg_foreign("libbpf: one\n\t2: \033[2J\x9b\n");
	msg_foreign("");
	assert_string_equal(said(), "libbpf: one\n\t2: \\033[2J\\233\n");
}

static void test_long_one(void **state)
{
	char name[2000];
	size_t len;

	(void)state;
	memset(name, '\033', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	begin();
	note("%s", name);
	len = strlen(said());
	assert_in_range(len, 1000, 1024);
	assert_string_equal(said() + len - 5, "\\033\n");
	assert_null(strchr(said(), '\033'));
}

#define TEST(f) cmocka_unit_test(f)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_every_way_to_say_it),
		TEST(test_lines_of_libbpf),
		TEST(test_long_one),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
