/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * symfiles: the files that processes have mapped, and their symbols. Each file is there once, told
 * from others by what fstat says of it, however many processes share it.
 *
 * A file is found (as an O_PATH descriptor) when it is first seen, so that it can be read when its
 * process has ended, and read when the first address in it is asked for. Where that would keep too
 * many descriptors open, the file that has waited longest is read early. Beyond foreign_max_bytes()
 * the least recently used tables are dropped; they are read again if the file can still be reached.
 */
#ifndef BORESCOPE_SYMBOLS_SYMFILES_H
#define BORESCOPE_SYMBOLS_SYMFILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbols/cfi.h"
#include "symbols/foreign.h"
#include "symbols/frame_name.h"
#include "symbols/maps.h"
#include "symbols/stats.h"

#define SYM_MAX_OPEN	     512 /* or a quarter of RLIMIT_NOFILE, if that is less */
#define SYM_MAX_FILES	     4096
#define SYM_MAX_FILES_OF_ONE 1024 /* process */

struct sym_file;
struct sym_files;

struct sym_files *sym_files_new(struct foreign *foreign);
void sym_files_free(struct sym_files *files);

/* Whether there is no room for the files of one more process: give some back first. */
bool sym_files_full(const struct sym_files *files);

/*
 * The files behind mappings of process @pid, whose thread @tid has them in /proc, and of user @uid;
 * sym_file_put() gives each back. A file that can't be opened has a name, and no functions. NULL:
 * it is no regular file, or SYM_MAX_FILES are known. The vDSO counts as a file: there are several
 * that a kernel has.
 */
struct sym_wanted {
	struct foreign_mapped mapped;
	struct sym_file *file; /* the outcome */
};
void sym_files_get(struct sym_files *files, uint32_t tid, uint32_t uid, struct sym_wanted *wanted,
		   size_t nr);
struct sym_file *sym_file_again(struct sym_file *f); /* one more reference */
/* Whether it has a name only: another time it may be opened. */
bool sym_file_is_unopened(const struct sym_file *f);
void sym_file_put(struct sym_files *files, struct sym_file *f);

/* Names the place @offset (bytes) in the file. The function's name is not demangled. */
void sym_file_name(struct sym_files *files, struct sym_file *f, uint64_t offset,
		   struct frame_name *name);

/*
 * For unwinding: returns the file's call frame information (cfi.h), and in @vaddr the virtual
 * address of @offset. NULL: the file has no such tables, may not be read now, or has no code there.
 * Good until the next call for another file.
 */
const struct cfi *sym_file_cfi(struct sym_files *files, struct sym_file *f, uint64_t offset,
			       uint64_t *vaddr);

/* Adds to the counts of files, tables, open, symbols and bytes. */
void sym_files_stats(const struct sym_files *files, struct symbols_stats *stats);

#endif
