/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * syscalls: from the numbers of system calls to their names, and back. The tables are made at build
 * time from the kernel headers of the building machine, and know a few newer calls.
 */
#ifndef BORESCOPE_BASE_SYSCALLS_H
#define BORESCOPE_BASE_SYSCALLS_H

#include <stdbool.h>

/*
 * Returns NULL for a number that is not known. @compat means the 32-bit table: on x86-64 that of
 * i386; on other architectures it is not known.
 */
const char *syscall_name(int nr, bool compat);
/* Returns -1 for a name that is not known. */
int syscall_number(const char *name, bool compat);

/* The same of x32 on x86-64, whose numbers are here without the bit that marks them. */
const char *syscall_name_x32(int nr);
int syscall_number_x32(const char *name);

#endif
