/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The kernel's functions for programs, as far as scripts use them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/bpf.h>

#include "script/interp_internal.h"

#define KERNEL_BEGIN 0xffff000000000000ull

/* --- maps --- */

void interp_map_init(struct interp_map *m, uint32_t key, uint32_t value, uint32_t max)
{
	*m = (struct interp_map){ .key_size = key, .value_size = value, .max = max };
}

void interp_map_clear(struct interp_map *m)
{
	struct interp_entry *next;

	for (struct interp_entry *e = m->entries; e; e = next) {
		next = e->next;
		free(e->key);
		free(e->value);
		free(e);
	}
	m->entries = NULL;
	m->nr = 0;
}

static struct interp_entry *add_entry(struct interp_map *m, const void *key)
{
	struct interp_entry *e = calloc(1, sizeof(*e));

	e->key = malloc(m->key_size);
	memcpy(e->key, key, m->key_size);
	e->value = calloc(1, m->value_size);
	e->next = m->entries;
	m->entries = e;
	m->nr++;
	return e;
}

static struct interp_entry *find_entry(struct interp_map *m, const void *key)
{
	struct interp_entry *e = m->entries;
	uint32_t number;

	while (e && memcmp(e->key, key, m->key_size))
		e = e->next;
	if (e || !m->is_array)
		return e;
	memcpy(&number, key, sizeof(number));
	return number < m->max ? add_entry(m, key) : NULL;
}

char *interp_map_lookup(struct interp_map *m, const void *key)
{
	struct interp_entry *e = find_entry(m, key);

	return e ? e->value : NULL;
}

static bool remove_entry(struct interp_map *m, struct interp_entry *gone)
{
	for (struct interp_entry **at = &m->entries; *at; at = &(*at)->next)
		if (*at == gone) {
			*at = gone->next;
			free(gone->key);
			free(gone->value);
			free(gone);
			m->nr--;
			return true;
		}
	return false;
}

static long map_update(struct interp_map *m, const void *key, const void *value, uint64_t flags)
{
	struct interp_entry *e = find_entry(m, key), *last = m->entries;

	if (flags > BPF_EXIST)
		return -EINVAL;
	if (e && flags == BPF_NOEXIST)
		return -EEXIST;
	if (!e && (flags == BPF_EXIST || m->is_array))
		return m->is_array ? -E2BIG : -ENOENT;
	if (!e && m->nr >= m->max) {
		if (!m->is_lru)
			return -E2BIG;
		while (last->next)
			last = last->next;
		remove_entry(m, last);
	}
	if (!e)
		e = add_entry(m, key);
	memcpy(e->value, value, m->value_size);
	return 0;
}

bool interp_map_has(const struct interp_map *m, uint64_t address, size_t size)
{
	for (const struct interp_entry *e = m->entries; e; e = e->next) {
		uint64_t value = (uintptr_t)e->value, key = (uintptr_t)e->key;

		if (address >= value && address + size <= value + m->value_size)
			return true;
		if (address >= key && address + size <= key + m->key_size)
			return true;
	}
	return false;
}

/* The map that an argument stands for, or NULL after a fault. */
static struct interp_map *map_of(struct interp *i, uint64_t address)
{
	for (size_t n = 0; n < i->compiled->nr_maps; n++)
		if (address == (uintptr_t)&i->maps[n])
			return &i->maps[n];
	for (size_t n = 0; n < i->compiled->nr_maps; n++)
		if (i->maps[n].inner && address == (uintptr_t)i->maps[n].inner)
			return i->maps[n].inner;
	if (address == (uintptr_t)i->seen)
		return i->seen;
	if (address == (uintptr_t)i->scratches)
		return i->scratches;
	interp_fail(i, "the argument is no map");
	return NULL;
}

bool interp_map_copy(struct interp *i, uint64_t map, struct interp_map *copy)
{
	const struct interp_map *m = map_of(i, map);

	if (!m)
		return false;
	interp_map_init(copy, m->key_size, m->value_size, m->max);
	for (const struct interp_entry *e = m->entries; e; e = e->next)
		memcpy(add_entry(copy, e->key)->value, e->value, m->value_size);
	return true;
}

static uint64_t map_helper(struct interp *i, int number, const uint64_t args[5])
{
	struct interp_map *m = map_of(i, args[0]);
	const void *key = (const void *)(uintptr_t)args[1];
	struct interp_entry *e;

	if (!m)
		return 0;
	if (!interp_may(i, args[1], m->key_size, false)) {
		interp_fail(i, "the key is outside of all memory");
		return 0;
	}
	if (number == BPF_FUNC_map_lookup_elem && m == i->scratches)
		return (uintptr_t)i->scratch;
	if (number == BPF_FUNC_map_lookup_elem && m->inner)
		return (uintptr_t)m->inner;
	if (number == BPF_FUNC_map_lookup_elem)
		return (uintptr_t)interp_map_lookup(m, key);
	if (number == BPF_FUNC_map_update_elem) {
		if (interp_may(i, args[2], m->value_size, false))
			return map_update(m, key, (const void *)(uintptr_t)args[2], args[3]);
		interp_fail(i, "the value is outside of all memory");
		return 0;
	}
	e = find_entry(m, key);
	return m->is_array ? -EINVAL : e && remove_entry(m, e) ? 0 : -ENOENT;
}

/* --- memory --- */

/* How many bytes from there on can be read; 0: none. */
static size_t reachable(struct interp *i, enum interp_space space, uint64_t address)
{
	for (const struct interp_outside *o = i->outside; o; o = o->next) {
		uint64_t begin = (uintptr_t)o->bytes;

		if (o->space == space && address >= begin && address < begin + o->size)
			return begin + o->size - address;
	}
	return 0;
}

static bool can_read(struct interp *i, enum interp_space space, uint64_t address, size_t size)
{
	if (reachable(i, space, address) >= size)
		return true;
	return space == INTERP_KERNEL && interp_may(i, address, size, false);
}

static long read_bytes(struct interp *i, enum interp_space space, const uint64_t args[5])
{
	if (!interp_may(i, args[0], args[1], true)) {
		interp_fail(i, "reads to outside of all memory");
		return -EFAULT;
	}
	if (!args[1])
		return 0;
	if (!can_read(i, space, args[2], args[1])) {
		memset((void *)(uintptr_t)args[0], 0, args[1]);
		return -EFAULT;
	}
	memmove((void *)(uintptr_t)args[0], (const void *)(uintptr_t)args[2], args[1]);
	return 0;
}

/* Up to a NUL, which is there in any case; returns the length with it. */
static long read_text(struct interp *i, enum interp_space space, const uint64_t args[5])
{
	char *to = (char *)(uintptr_t)args[0];
	size_t n = 0;

	if (!interp_may(i, args[0], args[1], true)) {
		interp_fail(i, "reads a text to outside of all memory");
		return -EFAULT;
	}
	if (!args[1])
		return -EINVAL;
	for (; n < args[1]; n++) {
		if (!can_read(i, space, args[2] + n, 1)) {
			memset(to, 0, args[1]);
			return -EFAULT;
		}
		to[n] = *(const char *)(uintptr_t)(args[2] + n);
		if (!to[n])
			return n + 1;
	}
	to[args[1] - 1] = '\0';
	return args[1];
}

/* --- records and stacks --- */

static long ring_output(struct interp *i, const uint64_t args[5])
{
	size_t room = (args[2] + 8 + 7) & ~7ull;
	char *copy;

	if (args[0] != (uintptr_t)&i->ring_filled || !interp_may(i, args[1], args[2], false)) {
		interp_fail(i, "sends to no ring, or what is outside of all memory");
		return -EFAULT;
	}
	if (i->ring_filled + room > i->world.ring_room)
		return -EAGAIN;
	copy = malloc(args[2] ? args[2] : 1);
	memcpy(copy, (const void *)(uintptr_t)args[1], args[2]);
	i->records = reallocarray(i->records, i->nr_records + 1, sizeof(*i->records));
	i->records[i->nr_records++] = (struct interp_record){ copy, args[2] };
	i->ring_filled += room;
	i->wakeups += args[3] == BPF_RB_FORCE_WAKEUP;
	return 0;
}

static long get_stack(struct interp *i, const uint64_t args[5])
{
	size_t skip = args[3] & BPF_F_SKIP_FIELD_MASK, bytes;

	if (!interp_may(i, args[1], args[2], true)) {
		interp_fail(i, "a stack to outside of all memory");
		return -EFAULT;
	}
	memset((void *)(uintptr_t)args[1], 0, args[2]);
	if (args[2] % 8)
		return -EINVAL;
	if (skip > i->world.nr_stack)
		return -EFAULT;
	bytes = 8 * (i->world.nr_stack - skip);
	if (bytes > args[2])
		bytes = args[2];
	memcpy((void *)(uintptr_t)args[1], i->world.stack + skip, bytes);
	return bytes;
}

/* As 6.1 does it: what is behind the name's end stays. */
static long get_comm(struct interp *i, const uint64_t args[5])
{
	size_t len = strnlen(i->world.comm, sizeof(i->world.comm) - 1);

	if (!interp_may(i, args[0], args[1], true) || !args[1]) {
		interp_fail(i, "comm to outside of all memory");
		return -EINVAL;
	}
	if (len >= args[1])
		len = args[1] - 1;
	memcpy((void *)(uintptr_t)args[0], i->world.comm, len);
	((char *)(uintptr_t)args[0])[len] = '\0';
	return 0;
}

static long get_ns_ids(struct interp *i, const uint64_t args[5])
{
	uint32_t ids[2] = { i->world.tid, i->world.pid }; /* struct bpf_pidns_info */

	if (!interp_may(i, args[2], args[3], true) || args[3] != sizeof(ids)) {
		interp_fail(i, "ids to outside of all memory");
		return -EINVAL;
	}
	memcpy((void *)(uintptr_t)args[2], ids, sizeof(ids));
	return 0;
}

static uint64_t world_helper(struct interp *i, int number, const uint64_t args[5])
{
	struct interp_world *w = &i->world;

	switch (number) {
	case BPF_FUNC_ktime_get_ns:
	case BPF_FUNC_ktime_get_boot_ns:
	case BPF_FUNC_ktime_get_coarse_ns:
	case BPF_FUNC_ktime_get_tai_ns:
		return w->ktime_ns += 1000;
	case BPF_FUNC_jiffies64:
		return w->ktime_ns / 4000000;
	case BPF_FUNC_get_prandom_u32:
		w->ktime_ns += 1;
		return (uint32_t)(w->ktime_ns * 2654435761u);
	case BPF_FUNC_get_smp_processor_id:
		return w->cpu;
	case BPF_FUNC_get_numa_node_id:
		return 0;
	case BPF_FUNC_get_current_pid_tgid:
		return (uint64_t)w->pid << 32 | w->tid;
	case BPF_FUNC_get_current_uid_gid:
		return (uint64_t)w->gid << 32 | w->uid;
	case BPF_FUNC_get_current_task:
		return w->task;
	case BPF_FUNC_get_current_cgroup_id:
		return w->cgroup;
	case BPF_FUNC_get_attach_cookie:
		return w->cookie;
	case BPF_FUNC_get_func_ip:
		return KERNEL_BEGIN;
	case BPF_FUNC_send_signal:
	case BPF_FUNC_send_signal_thread:
		w->signal = args[0];
		return 0;
	}
	interp_fail(i, "a function of the kernel that is not known here");
	return 0;
}

uint64_t interp_helper(struct interp *i, int number, const uint64_t args[5])
{
	switch (number) {
	case BPF_FUNC_map_lookup_elem:
	case BPF_FUNC_map_update_elem:
	case BPF_FUNC_map_delete_elem:
		return map_helper(i, number, args);
	case BPF_FUNC_probe_read_kernel:
		return read_bytes(i, INTERP_KERNEL, args);
	case BPF_FUNC_probe_read_user:
		return read_bytes(i, INTERP_USER, args);
	case BPF_FUNC_probe_read_kernel_str:
		return read_text(i, INTERP_KERNEL, args);
	case BPF_FUNC_probe_read_user_str:
		return read_text(i, INTERP_USER, args);
	case BPF_FUNC_ringbuf_output:
		return ring_output(i, args);
	case BPF_FUNC_ringbuf_query:
		return i->ring_filled;
	case BPF_FUNC_get_stack:
		return get_stack(i, args);
	case BPF_FUNC_get_current_comm:
		return get_comm(i, args);
	case BPF_FUNC_get_ns_current_pid_tgid:
		return get_ns_ids(i, args);
	}
	return world_helper(i, number, args);
}
