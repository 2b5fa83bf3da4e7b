/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "output/replace.h"

#define OTHER 54321

static char place[] = "/tmp/replace-XXXXXX";

static int setup(void **state)
{
	(void)state;
	umask(022);
	return !mkdtemp(place) || chdir(place);
}

/* Removes the directory, in which nothing is left but what the tests have named. */
static int teardown(void **state)
{
	static const char *const names[] = { "f", "hard", "link", "far", "fifo", "d/f" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		unlink(names[i]);
	return (rmdir("d") && errno != ENOENT) || chdir("/") || rmdir(place);
}

static void put(const char *path, const char *content)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	close(fd);
}

static void assert_content(const char *path, const char *want)
{
	char got[64];
	int fd = open(path, O_RDONLY | O_NONBLOCK);
	ssize_t n = read(fd, got, sizeof(got) - 1);

	assert_true(n >= 0);
	got[n] = '\0';
	assert_string_equal(got, want);
	close(fd);
}

static int replace(const char *path, const char *content, bool whole)
{
	const char *why;
	struct replace f;
	int err = replace_check(&f, path, &why);

	if (err)
		return err;
	err = replace_begin(&f);
	assert_int_equal(err, 0);
	assert_int_equal(write(f.fd, content, strlen(content)), strlen(content));
	return replace_end(&f, whole);
}

static void test_file(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(replace("f", "new", true), 0);
	assert_content("f", "new");
	assert_int_equal(stat("f", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	/* one of our own keeps its mode; half a file does not replace it */
	assert_int_equal(chmod("f", 0600), 0);
	assert_int_equal(replace("./f", "half", false), 0);
	assert_content("f", "new");
	assert_int_equal(link("f", "hard"), 0);
	assert_int_equal(replace("f", "newer", true), 0);
	assert_content("f", "newer");
	assert_content("hard", "new");
	assert_int_equal(stat("f", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(replace("no/f", "", true), -ENOENT);
	assert_int_equal(replace(".", "", true), -EISDIR);
	assert_int_equal(replace("", "", true), -ENOENT);
}

static void test_link_of_our_own(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(mkdir("d", 0755), 0);
	assert_int_equal(symlink("d/f", "link"), 0);
	assert_int_equal(symlink("./link", "far"), 0);
	assert_int_equal(replace("far", "one", true), 0);
	assert_content("d/f", "one");
	assert_int_equal(replace("far", "another", true), 0);
	assert_content("d/f", "another");
	assert_int_equal(lstat("link", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	unlink("far");
	assert_int_equal(symlink("far", "far"), 0);
	assert_int_equal(replace("far", "", true), -ELOOP);
}

static void test_what_is_no_file(void **state)
{
	char path[64], got[8] = "";
	int pipes[2], fd;
	struct stat st;

	(void)state;
	assert_int_equal(replace("/dev/null", "x", true), 0);
	assert_int_equal(lstat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	assert_int_equal(mkfifo("fifo", 0600), 0);
	fd = open("fifo", O_RDONLY | O_NONBLOCK);
	assert_int_equal(replace("fifo", "x", true), 0);
	assert_int_equal(read(fd, got, sizeof(got)), 1);
	close(fd);
	/* as a shell's >(...), and as /dev/stdout where it is a file */
	assert_int_equal(pipe(pipes), 0);
	snprintf(path, sizeof(path), "/dev/fd/%d", pipes[1]);
	assert_int_equal(replace(path, "yz", true), 0);
	assert_int_equal(read(pipes[0], got, sizeof(got)), 2);
	put("f", "what was there");
	fd = open("f", O_WRONLY);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_int_equal(replace(path, "yz", true), 0);
	assert_content("f", "yz");
}

static void test_of_another_user(void **state)
{
	struct stat st;

	(void)state;
	if (geteuid())
		skip();
	put("f", "precious");
	unlink("link");
	unlink("fifo");
	assert_int_equal(symlink("f", "link"), 0);
	assert_int_equal(lchown("link", OTHER, OTHER), 0);
	assert_int_equal(replace("link", "x", true), -EPERM);
	assert_content("f", "precious");
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(chown("fifo", OTHER, OTHER), 0);
	assert_int_equal(replace("fifo", "x", true), -EPERM);
	/* its file is replaced by one of ours, with a mode of ours */
	assert_int_equal(chmod("f", 0666), 0);
	assert_int_equal(chown("f", OTHER, OTHER), 0);
	assert_int_equal(replace("f", "new", true), 0);
	assert_int_equal(stat("f", &st), 0);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_content("f", "new");
}

/* As a user who may write the file and not its directory, and one who may not take a name. */
static void test_directory(void **state)
{
	struct stat before, st;

	(void)state;
	if (geteuid())
		skip();
	unlink("f");
	put("f", "old");
	assert_int_equal(chown("f", OTHER, OTHER), 0);
	assert_int_equal(stat("f", &before), 0);
	assert_int_equal(chmod(".", 0755), 0);
	assert_int_equal(seteuid(OTHER), 0);
	assert_int_equal(replace("f", "in place", true), 0);
	assert_int_equal(replace("none", "", true), -EACCES);
	assert_int_equal(seteuid(0), 0);
	assert_content("f", "in place");
	assert_int_equal(stat("f", &st), 0);
	assert_int_equal(st.st_ino, before.st_ino);
	/* in a directory as /tmp is */
	assert_int_equal(chmod(".", 01777), 0);
	assert_int_equal(chown("f", OTHER + 1, 0), 0);
	assert_int_equal(chmod("f", 0666), 0);
	assert_int_equal(seteuid(OTHER), 0);
	assert_int_equal(replace("f", "x", true), -EPERM);
	assert_int_equal(seteuid(0), 0);
	assert_content("f", "in place");
}

#define TEST(f) cmocka_unit_test(f)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_file),
		TEST(test_link_of_our_own),
		TEST(test_what_is_no_file),
		TEST(test_of_another_user),
		TEST(test_directory),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
