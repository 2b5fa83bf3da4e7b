/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stddef.h>
#include <string.h>
#include <asm/unistd.h>

#include "base/syscalls.h"
#include "base/util.h"

/* Newer than the headers may be; on every machine the same. */
#ifndef __NR_mseal
#define NEWER                                                                                      \
	[451] = "cachestat", [452] = "fchmodat2", [453] = "map_shadow_stack",                      \
	[454] = "futex_wake", [455] = "futex_wait", [456] = "futex_requeue", [457] = "statmount",  \
	[458] = "listmount", [459] = "lsm_get_self_attr", [460] = "lsm_set_self_attr",             \
	[461] = "lsm_list_modules", [462] = "mseal",
#else
#define NEWER
#endif

/* clang-format off */
#pragma GCC diagnostic ignored "-Woverride-init" /* what the headers have of these */
static const char *const native[] = {
	NEWER
#include "syscalls-native.h"
};
static const char *const compat_table[] = {
#ifdef __x86_64__
	NEWER
#endif
#include "syscalls-compat.h"
};
/* Of x32 only those that are no calls of the 64-bit table. */
static const char *const x32[] = {
#include "syscalls-x32.h"
};
/* clang-format on */

static const char *name_in(const char *const *table, int n, int nr)
{
	return nr >= 0 && nr < n ? table[nr] : NULL;
}

static int number_in(const char *const *table, int n, const char *name)
{
	for (int nr = 0; nr < n; nr++)
		if (table[nr] && !strcmp(table[nr], name))
			return nr;
	return -1;
}

const char *syscall_name(int nr, bool compat)
{
	return compat ? name_in(compat_table, ARRAY_SIZE(compat_table), nr)
		      : name_in(native, ARRAY_SIZE(native), nr);
}

int syscall_number(const char *name, bool compat)
{
	return compat ? number_in(compat_table, ARRAY_SIZE(compat_table), name)
		      : number_in(native, ARRAY_SIZE(native), name);
}

const char *syscall_name_x32(int nr)
{
	return name_in(x32, ARRAY_SIZE(x32), nr) ?: syscall_name(nr, false);
}

int syscall_number_x32(const char *name)
{
	int nr = number_in(x32, ARRAY_SIZE(x32), name);

	return nr < 0 ? syscall_number(name, false) : nr;
}
