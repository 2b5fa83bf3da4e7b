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

#include "../bpf/lib/io_flags.h"
#include "disks.h"
#include "object.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

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

const char *io_flags_str(uint64_t flags, char *buf, size_t size)
{
	static const char *const ops[] = {
		[0] = "Read",	     [1] = "Write",	  [2] = "Flush",      [3] = "Discard",
		[5] = "SecureErase", [9] = "WriteZeroes", [10] = "ZoneOpen",  [11] = "ZoneClose",
		[12] = "ZoneFinish", [13] = "ZoneAppend", [15] = "ZoneReset", [17] = "ZoneResetAll",
	};
	static const struct {
		int bit;
		const char *name;
	} names[] = {
		{ IO_NOWAIT, "NoWait" },	{ IO_BACKGROUND, "Background" },
		{ IO_RAHEAD, "ReadAhead" },	{ IO_PREFLUSH, "PreFlush" },
		{ IO_FUA, "ForcedUnitAccess" }, { IO_IDLE, "Idle" },
		{ IO_NOMERGE, "NoMerge" },	{ IO_PRIO, "Priority" },
		{ IO_META, "Metadata" },	{ IO_SYNC, "Sync" },
	};
	unsigned int op = flags & 0xff;
	size_t len = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (flags >> names[i].bit & 1 && len < size)
			len += snprintf(buf + len, size - len, "%s-", names[i].name);
	if (len < size && op < ARRAY_SIZE(ops) && ops[op])
		snprintf(buf + len, size - len, "%s", ops[op]);
	else if (len < size)
		snprintf(buf + len, size - len, "Operation%u", op);
	return buf;
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

/* The first line of a disk's attribute; "" when it has none. */
static void disk_attribute(const char *disk, const char *name, char *text, size_t size)
{
	char path[512];
	FILE *f;

	text[0] = '\0';
	snprintf(path, sizeof(path), "/sys/block/%s/%s", disk, name);
	f = fopen(path, "re");
	if (!f)
		return;
	if (!fgets(text, size, f))
		text[0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	fclose(f);
}

/* What sysfs tells of the conditions in blk_mq_start_request() and blk_mq_need_time_stamp(). */
static bool is_stamped(const char *disk, bool at_submission)
{
	char text[256];

	disk_attribute(disk, "queue/scheduler", text, sizeof(text));
	if (at_submission && !strstr(text, "[none]") && text[0])
		return true;
	if (!at_submission && strstr(text, "[kyber]"))
		return true;
	disk_attribute(disk, at_submission ? "queue/iostats" : "queue/wbt_lat_usec", text,
		       sizeof(text));
	/* write-back throttling keeps statistics also while it is off (0); without it, EINVAL */
	return at_submission ? strtol(text, NULL, 10) > 0 : text[0];
}

const char *disk_unstamped(uint32_t only_dev, bool at_submission)
{
	static char name[DISK_NAME_LEN];
	const char *found = NULL;
	bool avoid = object_avoids("stamps");
	struct dirent *e;
	DIR *d = opendir("/sys/block");

	while (d && !found && (e = readdir(d))) {
		char path[512], text[32];

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/sys/block/%s/mq", e->d_name);
		if (access(path, F_OK)) /* not a queue of requests: dm, md, zram */
			continue;
		disk_attribute(e->d_name, "size", text, sizeof(text));
		snprintf(name, sizeof(name), "%.63s", e->d_name);
		replace(name, '!', '/');
		if (strtoull(text, NULL, 10) && (!only_dev || !strcmp(name, disk_name(only_dev))) &&
		    (avoid || !is_stamped(e->d_name, at_submission)))
			found = name;
	}
	if (d)
		closedir(d);
	return found;
}
