/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * disks: block devices by name and number. A device number here is the kernel's own dev_t (major <<
 * 20 | minor), as it stands in struct gendisk.
 */
#ifndef BORESCOPE_BLOCK_DISKS_H
#define BORESCOPE_BLOCK_DISKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DISK_NAME_LEN 64

/* "nvme0n1" for a device number, from sysfs, or "259:0" when the disk is gone. Names are cached for
 * a second, a bounded number of them. The string lives until the next call. */
const char *disk_name(uint32_t dev);

/*
 * The device number of a disk by its name ("sda", "/dev/sda", or any path to its node). Returns 0;
 * -ENOENT when there is no such disk; -EISDIR when it is a partition, with the name of its disk in
 * @whole (DISK_NAME_LEN bytes).
 */
int disk_find(const char *name, uint32_t *dev, char *whole);

/*
 * Whether a disk has a queue of requests, which can be timed. False: what is read and written goes
 * at once to the disks that it is made of (dm, md), whose names are put into @below ("sda, sdb");
 * to the paths to it (native NVMe multipath), which go into @paths; or nowhere (zram, brd). Both
 * have @size bytes.
 */
bool disk_has_requests(uint32_t dev, char *below, char *paths, size_t size);

unsigned int disk_count(void);

/* For the table of options (struct opt, .parse): disk_find() of @arg into the uint32_t @dev. */
const char *disk_parse(const char *arg, void *dev);
/* Likewise (.offer): the disks that there are. */
struct offers;
void disk_offer(struct offers *o);

#endif
