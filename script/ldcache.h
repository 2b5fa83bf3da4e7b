/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ldcache: where libraries are, by /etc/ld.so.cache, which ldconfig writes.
 */
#ifndef BORESCOPE_SCRIPT_LDCACHE_H
#define BORESCOPE_SCRIPT_LDCACHE_H

#include "script/source.h"

/* Is @name ("libc", "libc.so.6") what a script may call the library in the file @file? libc is the
 * name of libc.so.6 and of libc-2.31.so, not of libcrypt.so.1. */
bool ldcache_is_library(const char *file, const char *name);

/* The path of the first library of this machine's architecture that may be called @name. In the
 * arena; NULL: the cache (any bytes) has none. */
const char *ldcache_library(struct arena *arena, const void *cache, size_t size, const char *name);

#endif
