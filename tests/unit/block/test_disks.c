/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "block/disks.h"

/* The first line of a disk's file in sysfs; "" when there is none. */
static void sysfs(const char *disk, const char *name, char *buf, size_t size)
{
	char path[600];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/block/%s/%s", disk, name);
	buf[0] = '\0';
	f = fopen(path, "r");
	if (!f)
		return;
	if (!fgets(buf, size, f))
		buf[0] = '\0';
	fclose(f);
}

static void test_disks_of_this_machine(void **state)
{
	DIR *d = opendir("/sys/class/block");
	char text[64], whole[DISK_NAME_LEN], name[300], path[700];
	unsigned int maj, min;
	struct dirent *e;
	int nr = 0;

	(void)state;
	while (d && (e = readdir(d))) {
		uint32_t dev = UINT32_MAX;
		char *bang;
		int err;

		sysfs(e->d_name, "dev", text, sizeof(text));
		if (sscanf(text, "%u:%u", &maj, &min) != 2)
			continue;
		nr++;
		snprintf(name, sizeof(name), "%s", e->d_name);
		while ((bang = strchr(name, '!')))
			*bang = '/';
		snprintf(path, sizeof(path), "/dev/%s", name);
		assert_string_equal(disk_name(maj << 20 | min), name);
		assert_string_equal(disk_name(maj << 20 | min), name);

		sysfs(e->d_name, "partition", text, sizeof(text));
		memset(whole, 'x', sizeof(whole));
		err = disk_find(name, &dev, whole);
		assert_int_equal(err, text[0] ? -EISDIR : 0);
		if (err) {
			/* the disk has a directory of the partition's name */
			snprintf(path, sizeof(path), "/sys/class/block/%s/%s", whole, e->d_name);
			assert_int_equal(access(path, F_OK), 0);
			assert_int_equal(dev, UINT32_MAX);
			continue;
		}
		assert_int_equal(dev, maj << 20 | min);
		dev = UINT32_MAX;
		assert_int_equal(disk_find(path, &dev, whole), 0);
		assert_int_equal(dev, maj << 20 | min);
	}
	if (d)
		closedir(d);
	if (!nr)
		skip();
}

static void test_disk_that_is_not(void **state)
{
	static const char *const names[] = {
		"",   "nosuchdisk", "/dev/nosuchdisk", "/dev/", "/dev/null",   "/dev",	      ".",
		"..", "../block",   "../../devices",   "/",	"/etc/passwd", "/dev/../etc",
	};
	char whole[DISK_NAME_LEN];
	char longest[5000];
	uint32_t dev = 77;
	size_t i;
	int k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (disk_find(names[i], &dev, whole) != -ENOENT || dev != 77)
			fail_msg("'%s' was found", names[i]);
	}
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	for (i = 0; i < sizeof(longest) - 1; i++)
		assert_int_equal(disk_find(longest + i, &dev, whole), -ENOENT);

	assert_string_equal(disk_name(4095u << 20 | 1048575), "4095:1048575");
	assert_string_equal(disk_name(4095u << 20 | 1048575), "4095:1048575");
	/* more of them than the cache can hold, some in the same place */
	for (k = 0; k < 100000; k++) {
		char want[32];
		unsigned int min = k % 997;

		snprintf(want, sizeof(want), "4094:%u", min);
		assert_string_equal(disk_name(4094u << 20 | min), want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_disks_of_this_machine),
		cmocka_unit_test(test_disk_that_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
