/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * paths: puts names of files together that the kernel side sends in parts
 * (bpf/lib/core/path.bpf.h).
 */
#ifndef BORESCOPE_FILES_PATHS_H
#define BORESCOPE_FILES_PATHS_H

#include <stddef.h>

/*
 * Writes @name (@len bytes) to @to, with the directory @base (@base_len bytes; none for the root
 * directory) that it is relative to in front of it, and a slash between them. With a @base of NULL
 * it writes @name as it is. A @len of 0 is a name that could not be read: "?". @to needs room for
 * both and one byte more. Returns how many bytes were written; no NUL is added to one that @name
 * may end with.
 */
size_t paths_join(char *to, const char *base, size_t base_len, const char *name, size_t len);

#endif
