/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * foreign: everything that touches what other users' processes have mapped, done by a worker
 * (base/worker.h), so that no file and no process can hang us, spin for ever, crash us or take all
 * memory. What comes back are tables that were checked, in memory that nobody can change.
 *
 * What each job takes is charged to a user (accounts.h), and refused when that user has used up
 * what there is. What could not be read is remembered here, to be said once at the end.
 *
 * Of files we hold O_PATH descriptors only: they outlive processes, names and workers, and closing
 * one never waits.
 */
#ifndef BORESCOPE_SYMBOLS_FOREIGN_H
#define BORESCOPE_SYMBOLS_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "symbols/cfi.h"
#include "symbols/elfsyms.h"
#include "symbols/maps.h"
#include "symbols/perfmap.h"
#include "symbols/stats.h"

#define FOREIGN_MAX_BYTES (256u << 20) /* and an eighth of the machine's or the cgroup's memory */

struct foreign;

/* Forks the worker. NULL: no memory. */
struct foreign *foreign_new(void);
void foreign_free(struct foreign *fo);

/* How much the tables of all files may take together; the worker may take as much. */
size_t foreign_max_bytes(const struct foreign *fo);

/*
 * Failures that all of the following have in common: -EDQUOT: @uid, or the file system, has used up
 * what it may take; another time it may work. -ETIMEDOUT: it did not answer; -ETIME: it took too
 * long; -ENOMEM, -EFBIG: it is too large; -EPIPE: it crashed the worker; trying again is no use.
 */
bool foreign_is_hopeless(int err);

/* The executable mappings of process @pid, which belongs to @uid: calls @each, as maps_each(), for
 * those that came, even if it fails afterwards. @again: it was looked at before. *tid is the thread
 * in whose directory of /proc they are. Returns 0, -ESRCH, or -errno. */
int foreign_maps(struct foreign *fo, uint32_t pid, uint32_t uid, bool again,
		 int (*each)(void *arg, const struct mapping_line *line), void *arg, uint32_t *tid);

/* A mapping whose file is wanted. */
struct foreign_mapped {
	struct mapping_line line; /* the path is the caller's */
	bool is_vdso;		  /* its copy is the file then */
	int err;		  /* the outcome: -errno, */
	int fd;			  /* or a descriptor (O_PATH) that is the caller's now */
	struct stat st;
};
void foreign_open(struct foreign *fo, uint32_t tid, uint32_t uid, struct foreign_mapped *mapped,
		  size_t nr);

/* A file whose tables are wanted. */
struct foreign_file {
	int fd; /* from foreign_open(), or -1: it is looked for where it was mapped, and by path */
	struct stat st;
	const char *path;
	uint32_t pid;
	uint64_t start, end; /* of the mapping */
};
/* With -EFBIG there may be a part of the symbols. Without another failure, @e or @c is to be
 * freed. */
int foreign_symbols(struct foreign *fo, const struct foreign_file *f, struct elf_syms *e);
int foreign_cfi(struct foreign *fo, const struct foreign_file *f, struct cfi *c);

/* What was added to the perf map of process @pid, as perf_map_read(). @start_time tells it from
 * others with that pid; if it has ended since it was asked for before, its map is still found. */
int foreign_perf_map(struct foreign *fo, uint32_t pid, uint64_t start_time, uint32_t uid,
		     struct perf_map *m);

/* What was not read, and whose it was: @name is a path, or NULL for the process @pid. */
void foreign_unread(struct foreign *fo, const char *name, uint32_t pid, uint32_t uid, int err);

/* One note each about files and processes that were not read; and how many there are. */
void foreign_remarks(const struct foreign *fo);
void foreign_stats(const struct foreign *fo, struct symbols_stats *stats);

#endif
