/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * perfmap: the functions that a JIT compiler (Java with an agent, Node.js, .NET, PyPy...) writes to
 * /tmp/perf-PID.map as it makes them: a line "START SIZE NAME" each, both numbers hexadecimal, with
 * or without 0x. Where two lines are about the same address, the later one holds.
 */
#ifndef BORESCOPE_SYMBOLS_PERFMAP_H
#define BORESCOPE_SYMBOLS_PERFMAP_H

#include <stdbool.h>
#include <sys/types.h>

#include "symbols/symtab.h"

#define PERF_MAP_MAX_SYMBOLS (1u << 20)
#define PERF_MAP_MAX_NAMES   (64u << 20)
#define PERF_MAP_MAX_READ    (48ll << 20) /* at a time; of more, the end, which is the newest */

struct perf_map {
	struct symtab table;
	dev_t dev;
	ino_t ino;
	off_t read;    /* so many bytes of the file have been read, whole lines only */
	uint64_t mark; /* what tells if these bytes are others now */
	bool is_new;   /* the last perf_map_read() kept nothing from before */
	bool is_cut;   /* only the newest part of the file is in the table */
};

/*
 * Reads what was added to the file open as @fd since it was read last, or all of it if it is
 * another file, has become shorter, or was written anew. Lines that make no sense are passed over.
 * If there is more than a map may hold, it keeps the end of the file, which is the newest. Returns
 * 0 or -errno; the map stays good in each case.
 */
int perf_map_read(struct perf_map *m, int fd);

/* Adds to @m what another process has read for it: @more, which is used up. Returns 0, or -E2BIG or
 * -ENOMEM with @m empty, to be read again from the file's end. */
int perf_map_merge(struct perf_map *m, struct perf_map *more);

/*
 * Opens /tmp/perf-PID.map of process @pid as it sees it: in its own mount namespace, with its pid
 * in its own pid namespace. It has to be a regular file that belongs to the process's user or to
 * root: nobody else may choose the names that root's tool prints, or make it open a device. Of the
 * last 256 processes it is also found when they have ended. @start_time, of struct process_id,
 * tells them apart. Returns a descriptor or -errno; -EPERM: the file is somebody else's; -ESTALE:
 * it was last written to before the process began, by another one that had the pid.
 */
int perf_map_open(uint32_t pid, uint64_t start_time);

/* The newest symbol that @addr lies in; NULL: none. */
const struct symbol *perf_map_find(const struct perf_map *m, uint64_t addr);

void perf_map_free(struct perf_map *m);

#endif
