/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * syscall_counts.bpf.h: system calls counted, and their times added up, by number or by process.
 *
 * Numbers have their places in arrays; only what no table has, and processes, take a hash map.
 * Nothing is locked: a program does not run twice at the same time on a CPU, and the counters are
 * each CPU's own.
 *
 * The tool's configure hook calls syscall_counts_configure() (kernel/syscall_counts.h), its report
 * hook syscall_counts_read().
 */
#ifndef BORESCOPE_BPF_CORE_SYSCALL_COUNTS_BPF_H
#define BORESCOPE_BPF_CORE_SYSCALL_COUNTS_BPF_H

#include <bpf/bpf_core_read.h>

#include "lib/core/compat.bpf.h"
#include "lib/core/syscall_counts.shared.h"

const volatile struct syscall_counts_config syscall_counts_config SEC(".rodata.syscall_counts");

/* While user space reads the counters of one epoch, those of the other are written. */
volatile __u32 syscall_counts_epoch SEC(".data.syscall_counts") = 0;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct syscall_counts_table);
} syscall_counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 256); /* by process syscall_counts_configure() sets it */
	__type(key, struct syscall_counts_key);
	__type(value, struct syscall_counts_keyed);
} syscall_counts_keyed SEC(".maps");

/* Calls that found no row. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} syscall_counts_lost SEC(".maps");

static __always_inline struct syscall_counts_keyed *syscall_counts_row_of_key(__u32 id, __u32 abi)
{
	struct syscall_counts_key key = { .id = id, .abi = abi, .epoch = syscall_counts_epoch };
	struct syscall_counts_keyed *row, none = {};

	row = bpf_map_lookup_elem(&syscall_counts_keyed, &key);
	if (row)
		return row;
	bpf_map_update_elem(&syscall_counts_keyed, &key, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&syscall_counts_keyed, &key);
}

/* With the name that the process has now: the last one is what will be shown. */
static __always_inline struct syscall_count *syscall_counts_row_of_process(__u32 pid)
{
	struct syscall_counts_keyed *row = syscall_counts_row_of_key(pid, 0);
	struct task_struct *task;

	if (!row)
		return NULL;
	row->jiffies = bpf_jiffies64();
	if (have_task_btf()) {
		task = bpf_get_current_task_btf()->group_leader;
		__builtin_memcpy(row->comm, task->comm, sizeof(row->comm));
	} else {
		task = (void *)bpf_get_current_task();
		BPF_CORE_READ_STR_INTO(&row->comm, task, group_leader, comm);
	}
	return &row->calls;
}

static __always_inline struct syscall_count *syscall_counts_row_of_call(struct syscall_id id)
{
	__u32 nr = id.nr, epoch = syscall_counts_epoch, end = SYSCALL_COUNTS_NUMBERS;
	struct syscall_counts_table *table;
	struct syscall_counts_keyed *row;
	__u64 at;

	if (id.abi == SYSCALL_ABI_X32)
		end = SYSCALL_COUNTS_NUMBERS_X32;
	if (nr >= end) {
		row = syscall_counts_row_of_key(nr, id.abi);
		return row ? &row->calls : NULL;
	}
	table = bpf_map_lookup_elem(&syscall_counts, &epoch);
	if (!table)
		return NULL;
	at = id.abi * SYSCALL_COUNTS_NUMBERS + nr;
	barrier_var(at);
	if (at >= SYSCALL_COUNTS_ROWS)
		return NULL;
	barrier_var(at); /* the check comes before the use */
	return &table->rows[at];
}

/* Counts a call of the task on the CPU, whose pid and tid are @caller (syscall_caller()). @ns: how
 * long it took; 0: that is not known. */
static __always_inline void syscall_counts_add(__u64 caller, struct syscall_id id, __u64 ns)
{
	struct syscall_count *row;
	__u32 zero = 0;
	__u64 *lost;

	if (syscall_counts_config.by_process)
		row = syscall_counts_row_of_process(caller >> 32);
	else
		row = syscall_counts_row_of_call(id);
	if (row) {
		row->count++;
		if (syscall_counts_config.timed)
			row->ns += ns;
		return;
	}
	lost = bpf_map_lookup_elem(&syscall_counts_lost, &zero);
	if (lost)
		++*lost;
}

#endif
