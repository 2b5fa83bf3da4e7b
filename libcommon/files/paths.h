/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * paths: names of files as the kernel side sends them (bpf/lib/core/path.bpf.h), put together.
 */
#ifndef BORESCOPE_FILES_PATHS_H
#define BORESCOPE_FILES_PATHS_H

#include <stddef.h>

/*
 * Writes @name (@len bytes) to @to, behind the directory @base that it is relative to (@base_len
 * bytes; none for the root directory), with a slash between. A @base of NULL: @name as it is. A
 * @len of 0: "?", a name that could not be read. @to has room for both and a byte more. Returns how
 * many bytes were written; there is no NUL but the one that @name may end with.
 */
size_t path_join(char *to, const char *base, size_t base_len, const char *name, size_t len);

#endif
