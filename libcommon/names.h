/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * names: numbers to the names that people use, and back.
 */
#ifndef BORESCOPE_NAMES_H
#define BORESCOPE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "ENOENT" for 2. NULL when the C library does not know @err. */
const char *errno_name(int err);

/* A user name or a number to a uid. Returns 0, or -ENOENT when there is no such user. */
int uid_parse(const char *user, uint32_t *uid);

/*
 * open(2) flags as text, "O_RDWR|O_CREAT|O_CLOEXEC" (bits without a name as 0x... at the end), into
 * @buf; returns @buf. Parses the other way too: names with or without O_, separated by | or commas,
 * or a number. Returns 0, or -EINVAL with nothing in @flags.
 */
const char *open_flags_str(uint32_t flags, char *buf, size_t size);
int open_flags_parse(const char *text, uint32_t *flags);

/*
 * Disks. A device number here is the kernel's own dev_t (major << 20 | minor), as it stands in
 * struct gendisk.
 * disk_name: "nvme0n1" for a device number from sysfs, or "259:0" when it is gone. Cached, bounded;
 *	      the string lives until the next call.
 * disk_find: a name ("sda" or "/dev/sda") to a device number. Returns 0; -ENOENT when there is no
 *	      such disk; -EISDIR ("is part of a disk") when it is a partition, with the name of its
 *	      disk in @whole (at least 64 bytes).
 */
const char *disk_name(uint32_t dev);
int disk_find(const char *name, uint32_t *dev, char *whole);

#endif
