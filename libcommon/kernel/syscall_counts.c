/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/limits.h"
#include "base/util.h"
#include "kernel/syscall_counts.h"

#define PROCESSES_MAX 8192
#define ROWS_MAX      (SYSCALL_COUNTS_ROWS + 2 * PROCESSES_MAX)

/* There may be as many processes as there are threads: and some more, later. */
static uint32_t processes_max(void)
{
	uint64_t threads = limits_threads_now();

	return min_u64(threads + threads / 4 + 1024, PROCESSES_MAX);
}

void syscall_counts_configure(struct object *o, bool by_process, bool timed)
{
	struct syscall_counts_config *config =
		object_section(o, ".rodata.syscall_counts", "lib/core/syscall_counts.bpf.h");

	config->by_process = by_process;
	config->timed = timed;
	if (by_process)
		object_resize_map(o, "syscall_counts_keyed", 2 * processes_max());
}

struct rows {
	struct syscall_counts_row *all;
	size_t nr;
};

static void add_row(struct rows *rows, const struct syscall_counts_row *row)
{
	if (rows->nr < ROWS_MAX && row->calls.count)
		rows->all[rows->nr++] = *row;
}

static void add_calls(struct syscall_count *to, const struct syscall_count *calls)
{
	to->count += calls->count;
	to->ns += calls->ns;
}

/* Reads the tables of all CPUs, and empties them. @parts: room for one of each CPU. */
static void read_tables(struct rows *rows, int fd, uint32_t epoch,
			struct syscall_counts_table *parts, int cpus)
{
	if (bpf_map_lookup_elem(fd, &epoch, parts))
		return;
	for (int at = 0; at < SYSCALL_COUNTS_ROWS; at++) {
		int abi = min_u64(at / SYSCALL_COUNTS_NUMBERS, SYSCALL_ABI_X32);
		struct syscall_counts_row row = {
			.id = { .nr = at - abi * SYSCALL_COUNTS_NUMBERS, .abi = abi },
		};

		for (int cpu = 0; cpu < cpus; cpu++)
			add_calls(&row.calls, &parts[cpu].rows[at]);
		add_row(rows, &row);
	}
	memset(parts, 0, cpus * sizeof(*parts));
	bpf_map_update_elem(fd, &epoch, parts, BPF_ANY);
}

/* A process's name is the last one that any CPU has seen. */
static struct syscall_counts_row row_of(const struct syscall_counts_key *key,
					const struct syscall_counts_keyed *parts, int cpus)
{
	struct syscall_counts_row row = {
		.head.pid = key->id,
		.id = { .nr = (int)key->id, .abi = key->abi },
	};
	uint64_t last = 0;

	for (int cpu = 0; cpu < cpus; cpu++) {
		add_calls(&row.calls, &parts[cpu].calls);
		if (parts[cpu].jiffies < last)
			continue;
		last = parts[cpu].jiffies;
		memcpy(row.head.comm, parts[cpu].comm, sizeof(row.head.comm));
	}
	return row;
}

/* Reads what has a key, and takes it out. @keys: room for ROWS_MAX of them. */
static void read_keyed(struct rows *rows, int fd, uint32_t epoch, struct syscall_counts_key *keys,
		       struct syscall_counts_keyed *parts, int cpus)
{
	size_t nr = programs_keys(fd, keys, sizeof(*keys), ROWS_MAX);

	for (size_t i = 0; i < nr; i++) {
		struct syscall_counts_row row;

		if (keys[i].epoch != epoch || bpf_map_lookup_elem(fd, &keys[i], parts))
			continue;
		row = row_of(&keys[i], parts, cpus);
		add_row(rows, &row);
		bpf_map_delete_elem(fd, &keys[i]);
	}
}

struct syscall_counts_row *syscall_counts_read(const struct programs *p, size_t *nr)
{
	static uint32_t epoch;
	int tables = programs_map(p, "syscall_counts"),
	    keyed = programs_map(p, "syscall_counts_keyed");
	uint32_t old = programs_flip(p, ".data.syscall_counts", &epoch, tables);
	int cpus = libbpf_num_possible_cpus();
	struct rows rows = { .all = calloc(ROWS_MAX, sizeof(*rows.all)) };
	struct syscall_counts_table *table = calloc(cpus, sizeof(*table));
	struct syscall_counts_keyed *parts = calloc(cpus, sizeof(*parts));
	struct syscall_counts_key *keys = calloc(ROWS_MAX, sizeof(*keys));

	if (rows.all && table && parts && keys) {
		read_tables(&rows, tables, old, table, cpus);
		read_keyed(&rows, keyed, old, keys, parts, cpus);
	} else {
		free(rows.all);
		rows.all = NULL;
	}
	free(table);
	free(parts);
	free(keys);
	*nr = rows.nr;
	return rows.all;
}

uint64_t syscall_counts_lost(const struct programs *p)
{
	return programs_percpu_sum(p, "syscall_counts_lost", 0);
}
