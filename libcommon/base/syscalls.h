/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * syscalls: the numbers of system calls to their names, and back. The tables are made when this is
 * built, from the kernel's headers there, and a few newer calls.
 */
#ifndef BORESCOPE_BASE_SYSCALLS_H
#define BORESCOPE_BASE_SYSCALLS_H

#include <stdbool.h>

/* @compat: of the 32-bit table (on x86-64 that of i386; no other is known). NULL: not known. */
const char *syscall_name(int nr, bool compat);
/* -1: not known. */
int syscall_number(const char *name, bool compat);

#endif
