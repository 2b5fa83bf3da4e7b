/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <bpf/bpf.h>

#include "kernel/pidns.h"
#include "script/sweep.h"

#define LOOKED_AT_MAX 65536 /* keys of one map at one time */

/* The first part of a key: see script/latency.c. A CPU has no process. */
static bool is_gone(uint64_t who)
{
	pid_t pid = who >> 32, tid = (uint32_t)who;

	if (!pid)
		return false;
	if (tid)
		return syscall(SYS_tgkill, pid, tid, 0) && errno == ESRCH;
	return kill(pid, 0) && errno == ESRCH;
}

static void sweep_map(int fd)
{
	uint64_t key[3], next[3];
	bool first = true, gone = false;

	for (uint32_t i = 0; i < LOOKED_AT_MAX; i++) {
		int err = bpf_map_get_next_key(fd, first ? NULL : key, next);

		/* only now: with its key gone, the walk would begin anew */
		if (gone)
			bpf_map_delete_elem(fd, key);
		if (err)
			return;
		memcpy(key, next, sizeof(key));
		first = false;
		gone = is_gone(key[0]);
	}
}

void sweep_latencies(const struct loaded *l)
{
	const struct compiled *c = l->compiled;

	for (size_t i = 0; i < c->nr_maps; i++)
		if (c->maps[i]->latency && pidns_is_initial())
			sweep_map(l->maps[i]);
}
