/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * syscalls: from the numbers of system calls to their names, and back. The tables are made at build
 * time from the kernel headers of the building machine, and know a few newer calls.
 */
#ifndef BORESCOPE_BASE_SYSCALLS_H
#define BORESCOPE_BASE_SYSCALLS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/core/syscalls.shared.h"

/*
 * Returns NULL for a number that is not known. @compat means the 32-bit table: on x86-64 that of
 * i386; on other architectures it is not known.
 */
const char *syscall_name(int nr, bool compat);
/* Returns -1 for a name that is not known. */
int syscall_number(const char *name, bool compat);

/* The same of any table; x32's numbers are without the bit that marks them. */
const char *syscall_name_in(enum syscall_abi abi, int nr);
int syscall_number_in(enum syscall_abi abi, const char *name);

/* "64", "32" or "x32". */
const char *syscall_abi_name(enum syscall_abi abi);

/* The names of all tables, sorted, each of them once, and NULL. */
const char *const *syscall_names(void);

#endif
