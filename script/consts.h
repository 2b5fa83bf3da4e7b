/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * consts: constants of headers, which scripts need and BTF does not have.
 */
#ifndef BORESCOPE_SCRIPT_CONSTS_H
#define BORESCOPE_SCRIPT_CONSTS_H

#include <stdbool.h>
#include <stdint.h>

/* A constant of the kernel's or of the C library's headers that BTF does not have (AF_INET, EINTR,
 * O_CREAT, S_IFMT, MAP_SHARED, SIGKILL, PF_KTHREAD, __NR_openat ...), by the values of this
 * architecture. */
bool constant_find(const char *name, int64_t *value);
/* Each of them but the numbers of system calls, for did-you-mean. */
const char *const *constant_names(void);

#endif
