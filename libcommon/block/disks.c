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
#include "run/offers.h"

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

/* --- disks without requests of their own -------------------------------------------------- */

/* Appends ", NAME". */
static void add_name(char *names, size_t size, const char *name)
{
	size_t len = strlen(names);

	snprintf(names + len, size - len, "%s%s", len ? ", " : "", name);
	replace(names + len, '!', '/');
}

/* Those that it is made of, whole disks; of a partition its disk. */
static void add_slaves(const char *dir, char *names, size_t size)
{
	char path[PATH_MAX], slave[PATH_MAX];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "%s/slaves", dir);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		snprintf(path, sizeof(path), "%.500s/slaves/%s", dir, e->d_name);
		if (e->d_name[0] == '.' || !realpath(path, slave))
			continue;
		snprintf(path, sizeof(path), "%.4000s/partition", slave);
		if (!access(path, F_OK))
			*strrchr(slave, '/') = '\0';
		add_name(names, size, strrchr(slave, '/') + 1);
	}
	if (d)
		closedir(d);
}

/* "nvme0c1n2" is a path to "nvme0n2". */
static bool nvme_path(const char *name, int *subsystem, int *space)
{
	int controller, len = 0;

	return sscanf(name, "nvme%dc%dn%d%n", subsystem, &controller, space, &len) == 3 &&
	       !name[len];
}

static void add_nvme_paths(const char *name, char *names, size_t size)
{
	int subsystem, space, of, end = 0;
	struct dirent *e;
	DIR *d;

	if (sscanf(name, "nvme%dn%d%n", &subsystem, &space, &end) != 2 || name[end])
		return;
	d = opendir("/sys/block");
	while (d && (e = readdir(d)))
		if (nvme_path(e->d_name, &of, &end) && of == subsystem && end == space)
			add_name(names, size, e->d_name);
	if (d)
		closedir(d);
}

bool disk_has_requests(uint32_t dev, char *below, char *paths, size_t size)
{
	char dir[64 + DISK_NAME_LEN], path[128 + DISK_NAME_LEN];
	int n = snprintf(dir, sizeof(dir), "/sys/block/");

	below[0] = paths[0] = '\0';
	strcpy(dir + n, disk_name(dev));
	replace(dir + n, '/', '!');
	snprintf(path, sizeof(path), "%s/mq", dir);
	if (access(dir, F_OK) || !access(path, F_OK))
		return true;
	add_slaves(dir, below, size);
	add_nvme_paths(dir + n, paths, size);
	return false;
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
	static char right[160];
	char whole[DISK_NAME_LEN];
	int subsystem, space;

	switch (disk_find(arg, dev, whole)) {
	case 0:
		return NULL;
	case -EISDIR:
		snprintf(right, sizeof(right), "a whole disk: this one is a part of %s", whole);
		return right;
	default:
		if (!nvme_path(arg, &subsystem, &space))
			return "a disk, by its name in /sys/block";
		snprintf(right, sizeof(right),
			 "a disk with a device number: this is a path to nvme%dn%d, and without -d "
			 "all paths are seen",
			 subsystem, space);
		return right;
	}
}

void disk_offer(struct offers *o)
{
	offers_entries(o, "/sys/block");
}
