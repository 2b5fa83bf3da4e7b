/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * names: numbers to the names that people use, and back.
 */
#ifndef BORESCOPE_NAMES_H
#define BORESCOPE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "ENOENT" for 2, also the kernel's own ones ("ERESTARTSYS" for 512). NULL when there is none. */
const char *errno_name(int err);

/* A user name or a number to a uid. Returns 0, or -ENOENT when there is no such user. */
int uid_parse(const char *user, uint32_t *uid);

/*
 * open(2) flags, in the kernel's values, as text: "O_RDWR|O_CREAT|O_CLOEXEC" (bits without a name
 * as 0x... at the end), into @buf (OPEN_FLAGS_LEN holds any; a smaller one gets what fits); returns
 * @buf. Parses the other way too: names in either case, with or without O_, and numbers, separated
 * by | or commas. Returns 0, or -EINVAL with nothing in @flags.
 */
#define OPEN_FLAGS_LEN 256
const char *open_flags_str(uint32_t flags, char *buf, size_t size);
/* For a filter: adds what @text names to the bits that an open may have, or, for O_RDONLY, O_WRONLY and
 * O_RDWR, to the access modes (bit 1 << mode), of which it needs any. Returns 0 or -EINVAL. */
int open_flags_filter(const char *text, uint32_t *any_flags, uint32_t *any_accmodes);
int open_flags_parse(const char *text, uint32_t *flags);

/*
 * Disks. A device number here is the kernel's own dev_t (major << 20 | minor), as it stands in
 * struct gendisk.
 * disk_name: "nvme0n1" for a device number from sysfs, or "259:0" when it is gone. Cached for a
 *	      second, bounded; the string lives until the next call.
 * disk_find: a name ("sda", "/dev/sda", or any path to its node) to a device number. Returns 0;
 *	      -ENOENT when there is no such disk; -EISDIR ("is part of a disk") when it is a
 *	      partition, with the name of its disk in @whole (DISK_NAME_LEN bytes).
 */
#define DISK_NAME_LEN 64
const char *disk_name(uint32_t dev);
int disk_find(const char *name, uint32_t *dev, char *whole);

#endif
