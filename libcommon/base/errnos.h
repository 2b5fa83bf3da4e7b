/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * errnos: the names of error numbers.
 */
#ifndef BORESCOPE_BASE_ERRNOS_H
#define BORESCOPE_BASE_ERRNOS_H

/* "ENOENT" for 2, also the kernel's own ones ("ERESTARTSYS" for 512). NULL when there is none. */
const char *errno_name(int err);

/* 2 for "ENOENT", by any of its names (EAGAIN is EWOULDBLOCK). 0 when there is no such error. */
int errno_number(const char *name);

#endif
