/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * processes: which code processes have mapped, remembered beyond their end.
 */
#ifndef BORESCOPE_SYMBOLS_PROCESSES_H
#define BORESCOPE_SYMBOLS_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbols/maps.h"
#include "symbols/perfmap.h"
#include "symbols/stats.h"
#include "symbols/symfiles.h"

#define MAX_PROCESSES	 8192
#define MAX_ALL_MAPPINGS (512u << 10)
#define MAX_MAPPINGS	 8192 /* of one process */

struct exec_mapping {
	uint64_t start, end, offset; /* bytes */
	uint64_t inode;
	uint32_t dev_major, dev_minor;
	struct sym_file *file; /* NULL: none, or out of reach */
	const char *name;      /* for one without a file: "[anon]", "[vdso]"...; a constant */
};

/* The last look at a process: looking takes time, and may not take too much of it. */
struct look {
	uint64_t begun, took; /* ns; begun is of CLOCK_MONOTONIC */
};

struct process {
	struct process *next; /* in its bucket */
	uint32_t pid;
	uint32_t image; /* a number that no other known process has; never 0 */
	struct process_id id;
	struct exec_mapping *maps; /* by address, none overlaps another */
	size_t nr_maps;
	uint32_t uid;		 /* the real one: who answers for what it has mapped */
	bool is_partial;	 /* not all of it could be read: look again */
	bool unread, jit_unread; /* it was said that it, or its perf map, could not be read */
	bool jit_is_cut;	 /* it was said that its perf map is too large */
	bool may_jit;		 /* it executes memory that may hold what a compiler made */
	bool jit_is_last;	 /* it has ended, and its perf map was read to the end */
	struct perf_map jit;
	struct look maps_look, jit_look; /* at its maps, at what its JIT compiler has written */
	uint64_t used;			 /* when it was asked for last, counted in uses */
};

struct processes;

struct processes *processes_new(struct sym_files *files, struct foreign *foreign);
void processes_free(struct processes *ps);

/* As symbols_remember(). A program that took the place of another one, by execve() or by getting
 * the pid of one that ended, is another process here: the old one stays as it was. */
int process_remember(struct processes *ps, uint32_t pid);

/* The newest process with that pid, or the one with that pid and number; NULL: not known. */
struct process *process_find(struct processes *ps, uint32_t pid);
struct process *process_find_image(struct processes *ps, uint32_t pid, uint32_t image);

/* The mapping of @p that @addr is in; NULL: none. */
const struct exec_mapping *process_mapping(const struct process *p, uint64_t addr);

/* Reads again what the process has mapped, and what its JIT compiler has written, unless that was
 * done in the last 100 ms, or takes too much of the time. Returns whether anything was read. */
bool process_look_again(struct processes *ps, struct process *p);

void processes_stats(const struct processes *ps, struct symbols_stats *stats);

#endif
