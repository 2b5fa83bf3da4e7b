/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Two CPUs find a new maximum, or a new minimum, of the same key at the same time: for each key,
 * they wait for each other before they count. hist_race.c runs it.
 */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

#include "lib/hist/hist.bpf.h"
#include "hist_race.h"

static volatile __u32 arrived[KEYS];

/* For two microseconds at most: the other one may have been held up. */
__noinline int meet(__u32 key)
{
	key %= KEYS;
	__sync_fetch_and_add(&arrived[key], 1);
	for (int i = 0; i < 1000; i++)
		if (arrived[key] % 2 == 0)
			break;
	return 0;
}

__noinline int count(__u32 key, __u64 value)
{
	hist_record(key, 0, value);
	return 0;
}

/* ctx[0]: 0 and 1 for the two that race; anything else makes the keys that they need. */
SEC("raw_tp")
int race(__u64 *ctx)
{
	__u64 who = ctx[0];

	for (__u32 key = 0; key < KEYS; key++) {
		if (who > 1) {
			count(key, MIDDLE);
			continue;
		}
		meet(key);
		count(key, RACE_VALUE(key, who));
	}
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
