/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * syscall_start.bpf.h: when the system call began that ends now, for programs at sys_enter and at
 * sys_exit of all calls, where the 100 ns of a map would be felt.
 *
 * A task is in one call at a time, so it has one place: in a table, by its thread id. The few that
 * find theirs taken, by a thread whose id ends in the same bits, go to a hash map; so do execs,
 * which may give the task another id. Nothing is locked: of two such threads that begin within the
 * same nanoseconds one may find its place gone at the end, as if its begin had not been seen.
 *
 * The tool's configure hook calls syscall_start_configure() (kernel/syscall_start.h).
 */
#ifndef BORESCOPE_BPF_CORE_SYSCALL_START_BPF_H
#define BORESCOPE_BPF_CORE_SYSCALL_START_BPF_H

#include "lib/core/syscall_start.shared.h"
#include "lib/core/syscalls.bpf.h"

const volatile struct syscall_start_config syscall_start_config SEC(".rodata.syscall_start");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* syscall_start_configure() sets both */
	__type(key, __u32);
	__type(value, struct syscall_start);
} syscall_starts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, struct syscall_start);
} syscall_starts_crowded SEC(".maps");

/* In what follows @owner is the current task's pid and tid (syscall_caller()). */
static __always_inline struct syscall_start *syscall_start_place(__u64 owner)
{
	__u32 at = (__u32)owner & syscall_start_config.mask;

	return bpf_map_lookup_elem(&syscall_starts, &at);
}

/* The task begins this call. If there is no room at all, its end will find nothing. */
static __always_inline void syscall_start_note(__u64 owner, struct syscall_id id)
{
	struct syscall_start *s = syscall_start_place(owner);

	if (s && (!s->owner || s->owner == owner) && !SYSCALL_IS_EXEC(id)) {
		s->id = id;
		s->ns = bpf_ktime_get_ns();
		s->owner = owner;
	} else {
		struct syscall_start own = { owner, bpf_ktime_get_ns(), id };
		__u64 task = bpf_get_current_task();

		bpf_map_update_elem(&syscall_starts_crowded, &task, &own, BPF_ANY);
	}
}

/*
 * Its call ends, which looks like @id now: true if the begin is known, which then is in *@begun,
 * with the call that began: sigreturn has no number (-1) any more, and execveat is execve. Nearly
 * all find it here...
 */
static __always_inline bool syscall_start_take(__u64 owner, struct syscall_id id,
					       struct syscall_start *begun)
{
	struct syscall_start *s = syscall_start_place(owner);

	if (!s || s->owner != owner)
		return false;
	begun->ns = s->ns;
	begun->id = s->id;
	s->owner = 0;
	if (id.nr != -1) /* or it is another thread's, who wrote to the place at the same time */
		begun->id = id;
	return true;
}

/* ...and where that is false, the others here, for a map's price. */
static __always_inline bool syscall_start_take_crowded(struct syscall_start *begun)
{
	__u64 task = bpf_get_current_task();
	struct syscall_start *s = bpf_map_lookup_elem(&syscall_starts_crowded, &task);

	if (!s)
		return false;
	begun->ns = s->ns;
	begun->id = s->id;
	bpf_map_delete_elem(&syscall_starts_crowded, &task);
	return true;
}

#endif
