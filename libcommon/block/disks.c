/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "block/disks.h"

/* A kobject's name can't have a '/': sysfs writes '!' in its place. */
static void replace(char *s, char from, char to)
{
	while ((s = strchr(s, from)))
		*s++ = to;
}

const char *disk_name(uint32_t dev)
{
	static struct {
		char name[DISK_NAME_LEN]; /* empty: nothing here */
		uint32_t dev;
		time_t second;
	} cache[64];
	unsigned int slot = (dev ^ dev >> 20) % ARRAY_SIZE(cache);
	char path[64], target[PATH_MAX];
	struct timespec now;
	const char *base;
	ssize_t len;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	if (cache[slot].name[0] && cache[slot].dev == dev && cache[slot].second == now.tv_sec)
		return cache[slot].name;

	cache[slot].dev = dev;
	cache[slot].second = now.tv_sec;
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", dev >> 20, dev & 0xfffff);
	len = readlink(path, target, sizeof(target) - 1);
	if (len > 0) {
		target[len] = '\0';
		base = strrchr(target, '/');
		snprintf(cache[slot].name, DISK_NAME_LEN, "%.*s", DISK_NAME_LEN - 1,
			 base ? base + 1 : target);
		replace(cache[slot].name, '!', '/');
	} else {
		snprintf(cache[slot].name, DISK_NAME_LEN, "%u:%u", dev >> 20, dev & 0xfffff);
	}
	return cache[slot].name;
}

int disk_find(const char *name, uint32_t *dev, char *whole)
{
	char dir[64 + DISK_NAME_LEN], path[128 + DISK_NAME_LEN], parent[PATH_MAX];
	unsigned int maj, min;
	struct stat st;
	FILE *f;
	int n;

	if (name[0] == '/' && !stat(name, &st) && S_ISBLK(st.st_mode)) {
		snprintf(dir, sizeof(dir), "/sys/dev/block/%u:%u", major(st.st_rdev),
			 minor(st.st_rdev));
	} else {
		if (!strncmp(name, "/dev/", 5))
			name += 5;
		if (!name[0] || strlen(name) >= DISK_NAME_LEN)
			return -ENOENT;
		n = snprintf(dir, sizeof(dir), "/sys/class/block/");
		strcpy(dir + n, name);
		replace(dir + n, '/', '!');
	}

	snprintf(path, sizeof(path), "%s/dev", dir);
	f = fopen(path, "re");
	if (!f)
		return -ENOENT;
	n = fscanf(f, "%u:%u", &maj, &min);
	fclose(f);
	if (n != 2)
		return -ENOENT;

	snprintf(path, sizeof(path), "%s/partition", dir);
	if (!access(path, F_OK)) {
		snprintf(path, sizeof(path), "%s/..", dir);
		whole[0] = '\0';
		if (realpath(path, parent)) {
			snprintf(whole, DISK_NAME_LEN, "%.*s", DISK_NAME_LEN - 1,
				 strrchr(parent, '/') + 1);
			replace(whole, '!', '/');
		}
		return -EISDIR;
	}
	*dev = maj << 20 | min;
	return 0;
}

unsigned int disk_count(void)
{
	DIR *d = opendir("/sys/block");
	unsigned int nr = 0;

	while (d && readdir(d))
		nr++;
	if (d)
		closedir(d);
	return nr > 2 ? nr - 2 : 0; /* . and .. */
}

const char *disk_parse(const char *arg, void *dev)
{
	static char right[128];
	char whole[DISK_NAME_LEN];

	switch (disk_find(arg, dev, whole)) {
	case 0:
		return NULL;
	case -EISDIR:
		snprintf(right, sizeof(right), "a whole disk: this one is a part of %s", whole);
		return right;
	default:
		return "a disk, by its name in /sys/block";
	}
}
