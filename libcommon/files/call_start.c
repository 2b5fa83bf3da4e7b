/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <bpf/bpf.h>

#include "files/call_start.h"
#include "lib/files/call_start.shared.h"

/* Nobody but the thread itself writes to its place. */
static bool has_gone(const struct call_start *s)
{
	return s->owner && syscall(SYS_tgkill, (pid_t)(s->owner >> 32), (pid_t)s->owner, 0) &&
	       errno == ESRCH;
}

static bool may_count(const struct call_start *s, uint64_t min_ns, uint64_t now)
{
	return now >= s->start && now - s->start >= min_ns;
}

static uint64_t sweep_slots(int fd, __u32 kinds, uint64_t min_ns, uint64_t now)
{
	const struct call_start free_one = { 0 };
	__u32 nr = kinds * CALL_START_SLOTS, next, count = nr;
	struct call_start *all = calloc(nr, sizeof(*all));
	__u32 *keys = calloc(nr, sizeof(*keys));
	uint64_t found = 0;

	if (!all || !keys ||
	    (bpf_map_lookup_batch(fd, NULL, &next, keys, all, &count, NULL) && errno != ENOENT))
		count = 0; /* ENOENT: that was all of it */
	for (__u32 i = 0; i < count; i++) {
		if (!has_gone(&all[i]))
			continue;
		found += may_count(&all[i], min_ns, now);
		bpf_map_update_elem(fd, &keys[i], &free_one, BPF_ANY);
	}
	free(keys);
	free(all);
	return found;
}

static uint64_t sweep_crowded(int fd, uint64_t min_ns, uint64_t now)
{
	struct call_start_key key, next;
	uint64_t found = 0;
	bool more = !bpf_map_get_next_key(fd, NULL, &next);

	while (more) {
		struct call_start s;

		key = next;
		more = !bpf_map_get_next_key(fd, &key, &next); /* before key is gone */
		if (bpf_map_lookup_elem(fd, &key, &s) || !has_gone(&s))
			continue;
		found += may_count(&s, min_ns, now);
		bpf_map_delete_elem(fd, &key);
	}
	return found;
}

uint64_t call_start_sweep(const struct programs *p, const char *name, __u32 kinds, uint64_t min_ns,
			  uint64_t now)
{
	int fd = programs_map(p, name), crowded;
	char other[48];

	snprintf(other, sizeof(other), "%s_crowded", name);
	crowded = programs_map(p, other);
	return (fd < 0 ? 0 : sweep_slots(fd, kinds, min_ns, now)) +
	       (crowded < 0 ? 0 : sweep_crowded(crowded, min_ns, now));
}
