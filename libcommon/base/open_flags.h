/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * open_flags: the flags of open(2), in the kernel's values, as text and back.
 */
#ifndef BORESCOPE_BASE_OPEN_FLAGS_H
#define BORESCOPE_BASE_OPEN_FLAGS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Writes @flags as "O_RDWR|O_CREAT|O_CLOEXEC" into @buf, bits without a name as 0x... at the end,
 * and returns @buf. OPEN_FLAGS_LEN bytes hold any flags; a smaller buffer gets what fits.
 */
#define OPEN_FLAGS_LEN 256
const char *open_flags_str(uint32_t flags, char *buf, size_t size);

/*
 * Parses names in either case, with or without O_, and numbers, separated by | or commas. Returns
 * 0, or -EINVAL and leaves @flags as it was.
 */
int open_flags_parse(const char *text, uint32_t *flags);

/* The name of flag number @i, from 0 on, access modes among them; NULL: there are no more. */
const char *open_flags_name(size_t i);

/*
 * The same for a filter: an open has all that @text names when (flags & mask) == value. O_RDONLY is
 * 0, and an access mode is all of its two bits. Returns 0 or -EINVAL.
 */
int open_flags_filter(const char *text, uint32_t *mask, uint32_t *value);

#endif
