/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <asm/unistd.h>

#include "base/syscalls.h"
#include "base/util.h"

/* Newer than the headers may be; on every machine the same. */
#ifndef __NR_file_setattr
#define NEWER                                                                                      \
	[451] = "cachestat", [452] = "fchmodat2", [453] = "map_shadow_stack",                      \
	[454] = "futex_wake", [455] = "futex_wait", [456] = "futex_requeue", [457] = "statmount",  \
	[458] = "listmount", [459] = "lsm_get_self_attr", [460] = "lsm_set_self_attr",             \
	[461] = "lsm_list_modules", [462] = "mseal", [463] = "setxattrat", [464] = "getxattrat",   \
	[465] = "listxattrat", [466] = "removexattrat", [467] = "open_tree_attr",                  \
	[468] = "file_getattr", [469] = "file_setattr",
#else
#define NEWER
#endif

/* clang-format off */
#pragma GCC diagnostic ignored "-Woverride-init" /* what the headers have of these */
static const char *const native[] = {
	NEWER
#ifdef __x86_64__
	[335] = "uretprobe", [336] = "uprobe", /* 6.11, 6.18: what these probes are called by */
#endif
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

const char *syscall_name_in(enum syscall_abi abi, int nr)
{
	const char *own = NULL;

	if (abi == SYSCALL_ABI_32)
		return name_in(compat_table, ARRAY_SIZE(compat_table), nr);
	if (abi == SYSCALL_ABI_X32)
		own = name_in(x32, ARRAY_SIZE(x32), nr);
	return own ?: name_in(native, ARRAY_SIZE(native), nr);
}

int syscall_number_in(enum syscall_abi abi, const char *name)
{
	int own = -1;

	if (abi == SYSCALL_ABI_32)
		return number_in(compat_table, ARRAY_SIZE(compat_table), name);
	if (abi == SYSCALL_ABI_X32)
		own = number_in(x32, ARRAY_SIZE(x32), name);
	return own >= 0 ? own : number_in(native, ARRAY_SIZE(native), name);
}

const char *syscall_name(int nr, bool compat)
{
	return syscall_name_in(compat ? SYSCALL_ABI_32 : SYSCALL_ABI_64, nr);
}

int syscall_number(const char *name, bool compat)
{
	return syscall_number_in(compat ? SYSCALL_ABI_32 : SYSCALL_ABI_64, name);
}

const char *syscall_abi_name(enum syscall_abi abi)
{
	static const char *const names[SYSCALL_ABIS] = { "64", "32", "x32" };

	return names[abi];
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t add_names(const char **to, const char *const *table, size_t n)
{
	size_t nr = 0;

	for (size_t i = 0; i < n; i++)
		if (table[i])
			to[nr++] = table[i];
	return nr;
}

const char *const *syscall_names(void)
{
	static const char *all[ARRAY_SIZE(native) + ARRAY_SIZE(compat_table) + ARRAY_SIZE(x32) + 1];
	size_t nr, once = 0;

	nr = add_names(all, native, ARRAY_SIZE(native));
	nr += add_names(all + nr, compat_table, ARRAY_SIZE(compat_table));
	nr += add_names(all + nr, x32, ARRAY_SIZE(x32));
	qsort(all, nr, sizeof(all[0]), compare_names);
	for (size_t i = 0; i < nr; i++)
		if (!once || strcmp(all[i], all[once - 1]))
			all[once++] = all[i];
	all[once] = NULL;
	return all;
}
