/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * disks: block devices by name and number, and what their queues do.
 */
#ifndef BORESCOPE_DISKS_H
#define BORESCOPE_DISKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A block request's operation (enum req_op, the low 8 bits) and flags (bits of enum io_flag,
 * bpf/lib/io_flags.h) in BCC's words: "Sync-Write", "ReadAhead-Read". Into @buf; returns @buf.
 */
const char *io_flags_str(uint64_t flags, char *buf, size_t size);

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

unsigned int disk_count(void);

/*
 * A disk with a request queue on which the kernel does not seem to write down when a request is
 * issued (or, with
 * @at_submission, when it was submitted), among all or of @only_dev if that is not 0. NULL: there
 * is none. From sysfs, so not certain either way: blk-iocost and others keep statistics that sysfs
 * does not show. The string lives until the next call.
 */
const char *disk_unstamped(uint32_t only_dev, bool at_submission);

#endif
