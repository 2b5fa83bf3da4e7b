/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * processes: which code processes have mapped, remembered beyond their end.
 */
#ifndef BORESCOPE_SYMBOLS_PROCESSES_H
#define BORESCOPE_SYMBOLS_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/task.shared.h"
#include "symbols/mappings.h"
#include "symbols/maps.h"
#include "symbols/perfmap.h"
#include "symbols/stats.h"
#include "symbols/symfiles.h"

#define MAX_PROCESSES	 8192
#define MAX_ALL_MAPPINGS (512u << 10)

/* The last look at a process: looking takes time, and may not take too much of it. */
struct look {
	uint64_t begun, took; /* ns; begun is of CLOCK_MONOTONIC */
};

/* There may be several of a program: when it has mapped other code where there was some before
 * (dlclose, dlopen), it is another one here from then on, and the old one stays as it was. */
struct process {
	struct process *next; /* in its bucket */
	uint32_t pid;
	uint32_t image;		/* a number that no other known process has; never 0 */
	struct task_image seen; /* what samples of it carry; all zero: none came */
	struct process_id id;
	struct mappings mapped;
	uint32_t uid;		 /* the real one: who answers for what it has mapped */
	bool unread, jit_unread; /* it was said that it, or its perf map, could not be read */
	bool jit_is_cut;	 /* it was said that its perf map is too large, */
	bool jit_is_old;	 /* or is another process's */
	bool jit_is_last;	 /* it has ended, and its perf map was read to the end */
	struct perf_map jit;
	struct look maps_look, jit_look; /* at its maps, at what its JIT compiler has written */
	uint64_t used;			 /* when it was asked for last, counted in uses */
	uint64_t first_look_end;	 /* ns */
	uint64_t remembered;		 /* ns: the sample for which it was last */
	bool is_sure;			 /* a sample came that is younger than the first look */
	/* Which samples it is good for, ns. Once there is a .until (else 0) it stays as it is. */
	uint64_t since, until;
	uint64_t replaced; /* with .until: the last time that code took the place of other code */
	bool is_behind;	   /* it has mapped something since the last look */
	uint64_t read;	   /* when the last look that counts began */
};

struct processes;

struct processes *processes_new(struct sym_files *files, struct foreign *foreign);
void processes_free(struct processes *ps);

/* As symbols_remember(). A program that took the place of another one, by execve() or by getting
 * the pid of one that ended, is another process here: the old one stays as it was. */
int process_remember(struct processes *ps, uint32_t pid);

/* As symbols_remember_image(). */
#define PROCESS_GONE UINT32_MAX
uint32_t process_remember_image(struct processes *ps, uint32_t pid, const struct task_image *im,
				uint64_t ts, bool again);

/* As symbols_mapped() and symbols_mapped_lost(). */
void processes_set_drain(struct processes *ps, void (*drain)(void *arg), void *arg);
void process_mapped(struct processes *ps, uint32_t pid, uint64_t ts, uint64_t start, uint64_t end);
void processes_mapped_lost(struct processes *ps);

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
