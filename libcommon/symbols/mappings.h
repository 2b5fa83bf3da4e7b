/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * mappings: the code that a process has mapped, and the files that it is in.
 */
#ifndef BORESCOPE_SYMBOLS_MAPPINGS_H
#define BORESCOPE_SYMBOLS_MAPPINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbols/foreign.h"
#include "symbols/symfiles.h"

#define MAX_MAPPINGS 8192 /* of one process */

struct exec_mapping {
	uint64_t start, end, offset; /* bytes */
	uint64_t inode;
	uint32_t dev_major, dev_minor;
	struct sym_file *file; /* NULL: none, or out of reach */
	const char *name;      /* for one without a file: "[anon]", "[vdso]"...; a constant */
	bool is_memfd;	       /* what is in it, and where, changes as code is made */
};

struct mappings {
	struct exec_mapping *maps; /* by address, none overlaps another */
	size_t nr;
	bool is_partial; /* not all of it could be read: look again */
	bool may_jit;	 /* there is memory that may hold what a compiler made */
};

/* Whose mappings are read. */
struct mappings_of {
	uint32_t pid, uid; /* uid: who answers for what it has mapped */
	bool again;	   /* it was read before */
	bool anew;	   /* a file may have the inode of another one, of which nothing is left */
};

/* Reads them; files that they had at the last look, @old, are not opened again unless .anew.
 * Returns as foreign_maps(), with nothing to free on failure. */
int mappings_read(struct mappings *now, struct sym_files *files, struct foreign *foreign,
		  const struct mappings_of *of, const struct mappings *old);
void mappings_free(struct mappings *m, struct sym_files *files);

/* Whether there is other code now at a place where there was some at the last look. */
bool mappings_replaced(const struct mappings *old, const struct mappings *now);

/* Adds what was mapped before, and is not overlapped by what is now. */
void mappings_keep(struct mappings *now, const struct mappings *old);

#endif
