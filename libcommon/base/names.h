/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * names: numbers to the names that people use, and back.
 */
#ifndef BORESCOPE_BASE_NAMES_H
#define BORESCOPE_BASE_NAMES_H

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
/* The same for a filter: an open has all that @text names when (flags & mask) == value; O_RDONLY is
 * 0, and an access mode is all of its two bits. Returns 0 or -EINVAL. */
int open_flags_filter(const char *text, uint32_t *mask, uint32_t *value);
int open_flags_parse(const char *text, uint32_t *flags);

#endif
