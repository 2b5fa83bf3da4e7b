/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * compat.h: system calls of the 32-bit table, made by a 64-bit program: on x86-64 `int $0x80` makes
 * them, whatever the program. On arm64 only a 32-bit program can.
 */
#ifndef COMPAT_H
#define COMPAT_H

#include <sys/mman.h>

#include "workload.h"

/* Memory below 4 GiB, for what a 32-bit call's pointers point to. Never freed. */
static inline void *low_memory(size_t size)
{
	void *low = MAP_FAILED;

#ifdef MAP_32BIT
	low = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1,
		   0);
#else
	errno = ENOSYS;
#endif
	if (low == MAP_FAILED)
		die("memory below 4 GiB");
	return low;
}

/* As syscall(2): what the call returns, or -1 and errno. */
static inline long compat_call(long nr, long a, long b, long c, long d)
{
#ifdef __x86_64__
	asm volatile("int $0x80"
		     : "+a"(nr)
		     : "b"(a), "c"(b), "d"(c), "S"(d)
		     : "memory", "r8", "r9", "r10", "r11");
#else
	nr = -ENOSYS;
#endif
	errno = nr < 0 ? -nr : 0;
	return nr < 0 ? -1 : nr;
}

#endif
