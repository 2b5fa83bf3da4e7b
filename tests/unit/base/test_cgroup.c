/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <limits.h>
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

#include "base/cgroup.h"
#include "base/util.h"

/* Where cgroup v2 is mounted here, found in another way than the library does; NULL: nowhere. */
static const char *mount_point(void)
{
	static char dir[PATH_MAX];
	char line[2 * PATH_MAX], type[64];
	FILE *f = fopen("/proc/mounts", "r");
	const char *found = NULL;

	while (f && !found && fgets(line, sizeof(line), f))
		if (sscanf(line, "%*s %4095s %63s", dir, type) == 2 && !strcmp(type, "cgroup2"))
			found = dir;
	if (f)
		fclose(f);
	return found;
}

static void test_digits(void **state)
{
	uint64_t id = 77;

	(void)state;
	assert_int_equal(cgroup_id_parse("1", &id), 0);
	assert_int_equal(id, 1);
	assert_int_equal(cgroup_id_parse("18446744073709551615", &id), 0);
	assert_int_equal(id, UINT64_MAX);
	id = 77;
	assert_int_equal(cgroup_id_parse("0", &id), -ENOENT);
	assert_int_equal(cgroup_id_parse("18446744073709551616", &id), -ENOENT);
	assert_int_equal(cgroup_id_parse("", &id), -ENOENT);
	assert_int_equal(id, 77);
}

static void test_no_cgroup(void **state)
{
	static const char *const missing[] = { "/no/such/dir", "no-such-group", "-1", "12x", " 1" };
	static const char *const other[] = { "/proc", "/tmp", "/../..", "../.." };
	const char *mount = mount_point();
	int want = mount ? -ENOENT : -ENOTSUP;
	char *longest, path[PATH_MAX + 64];
	uint64_t id = 77;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(missing); i++)
		if (cgroup_id_parse(missing[i], &id) != want)
			fail_msg("'%s' was taken", missing[i]);
	/* directories, but of another file system, the last ones by leaving the mount */
	for (i = 0; i < ARRAY_SIZE(other); i++) {
		if (!mount && other[i][0] != '/')
			continue;
		if (other[i][1] == '.' && mount && !strchr(mount + 1, '/'))
			continue;
		if (cgroup_id_parse(other[i], &id) != -EINVAL)
			fail_msg("'%s' was taken", other[i]);
	}
	/* a file is not a cgroup */
	assert_int_equal(cgroup_id_parse("/etc/passwd", &id), want);
	if (mount) {
		snprintf(path, sizeof(path), "%s/cgroup.procs", mount);
		assert_int_equal(cgroup_id_parse(path, &id), -ENOENT);
	}
	longest = malloc(100001);
	memset(longest, 'a', 100000);
	longest[100000] = '\0';
	assert_int_equal(cgroup_id_parse(longest, &id), want);
	longest[0] = '/';
	assert_int_equal(cgroup_id_parse(longest, &id), want);
	free(longest);
	assert_int_equal(id, 77);
}

static uint64_t inode(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

/* On 64-bit kernels a cgroup's id is also its directory's inode number. */
static void test_root(void **state)
{
	const char *mount = mount_point();
	uint64_t id = 0;

	(void)state;
	if (!mount || sizeof(long) < 8)
		skip();
	assert_int_equal(cgroup_id_parse(mount, &id), 0);
	assert_int_equal(id, inode(mount));
	id = 0;
	assert_int_equal(cgroup_id_parse("/", &id), 0);
	assert_int_equal(id, inode(mount));
}

static void test_below(void **state)
{
	const char *mount = mount_point();
	char path[PATH_MAX + 64], name[64];
	uint64_t id = 0, want;

	(void)state;
	if (!mount || sizeof(long) < 8)
		skip();
	snprintf(name, sizeof(name), "/borescope test%d", getpid());
	snprintf(path, sizeof(path), "%s%s", mount, name);
	if (mkdir(path, 0755))
		skip(); /* no privilege */
	want = inode(path);
	assert_int_equal(cgroup_id_parse(path, &id), 0);
	assert_int_equal(id, want);
	id = 0;
	assert_int_equal(cgroup_id_parse(name, &id), 0);
	assert_int_equal(id, want);
	id = 0;
	assert_int_equal(cgroup_id_parse(name + 1, &id), 0);
	assert_int_equal(id, want);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(cgroup_id_parse(path, &id), -ENOENT);
	assert_int_equal(cgroup_id_parse(name, &id), -ENOENT);
}

static const char *join(size_t size, const char *names, size_t len)
{
	static char text[64];

	memset(text, 'x', sizeof(text));
	cgroup_path_join(text, size, names, len);
	return text;
}

static void test_path(void **state)
{
	(void)state;
	assert_string_equal(join(64, NULL, 0), "/");
	assert_string_equal(join(64, "a", 2), "/a");
	assert_string_equal(join(64, "inner\0middle\0outer", 19), "/outer/middle/inner");
	assert_string_equal(join(64, "\n \\\0b", 6), "/b/\n \\");
	assert_string_equal(join(8, "inner\0middle\0outer", 19), "/outer/");
	assert_string_equal(join(5, "inner\0middle\0outer", 19), "/out");
	assert_string_equal(join(2, NULL, 0), "/");
	assert_string_equal(join(1, "a", 2), "");
	assert_string_equal(join(64, "a\0", 3), "//a"); /* not from the kernel */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digits), cmocka_unit_test(test_no_cgroup),
		cmocka_unit_test(test_root),   cmocka_unit_test(test_below),
		cmocka_unit_test(test_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
