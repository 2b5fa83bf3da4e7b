/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * names: a user by name or number.
 */
#ifndef BORESCOPE_BASE_NAMES_H
#define BORESCOPE_BASE_NAMES_H

#include <stdint.h>

/* A user name or a number to a uid. Returns 0, or -ENOENT when there is no such user. */
int uid_parse(const char *user, uint32_t *uid);

#endif
