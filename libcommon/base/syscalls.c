/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stddef.h>
#include <string.h>
#include <asm/unistd.h>

#include "base/syscalls.h"
#include "base/util.h"

static const char *const native[] = {
#ifndef __NR_futex_wait /* newer than the headers; on every machine the same */
	[451] = "cachestat",  [452] = "fchmodat2",  [453] = "map_shadow_stack",
	[454] = "futex_wake", [455] = "futex_wait", [456] = "futex_requeue",
#endif
#include "syscalls-native.h"
};
static const char *const compat_table[] = {
#include "syscalls-compat.h"
};

const char *syscall_name(int nr, bool compat)
{
	const char *const *table = compat ? compat_table : native;
	int n = compat ? ARRAY_SIZE(compat_table) : ARRAY_SIZE(native);

	return nr >= 0 && nr < n ? table[nr] : NULL;
}

int syscall_number(const char *name, bool compat)
{
	const char *const *table = compat ? compat_table : native;
	int n = compat ? ARRAY_SIZE(compat_table) : ARRAY_SIZE(native);

	for (int nr = 0; nr < n; nr++)
		if (table[nr] && !strcmp(table[nr], name))
			return nr;
	return -1;
}
