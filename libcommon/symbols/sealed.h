/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sealed: tables that one process makes and another one reads, in a memfd that nobody can change
 * any more.
 */
#ifndef BORESCOPE_SYMBOLS_SEALED_H
#define BORESCOPE_SYMBOLS_SEALED_H

#include <stddef.h>
#include <stdint.h>

#define SEALED_ALIGN 8 /* each part begins at a multiple of it */

struct sealed_part {
	const void *data;
	size_t size;
};

/* Where the part behind one of @size bytes begins. */
static inline size_t sealed_next(size_t size)
{
	return (size + SEALED_ALIGN - 1) & ~(size_t)(SEALED_ALIGN - 1);
}

/* Returns a descriptor or -errno. */
int sealed_make(const struct sealed_part *parts, unsigned int nr);

/* What @fd holds, read-only; munmap() gives it back. NULL: it isn't sealed, or hasn't @size bytes
 * (rounded up as sealed_next() does). */
void *sealed_map(int fd, size_t size);

#endif
