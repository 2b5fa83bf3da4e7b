/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * foreign_wire: what foreign.c asks its worker, and what foreign_serve.c answers. Both are the same
 * program, so structs go as they are; but the worker has read hostile files, and what it answers is
 * checked.
 */
#ifndef BORESCOPE_SYMBOLS_FOREIGN_WIRE_H
#define BORESCOPE_SYMBOLS_FOREIGN_WIRE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/worker.h"
#include "symbols/buildid.h"
#include "symbols/elfimage.h"

enum foreign_job {
	FOREIGN_MAPS,	  /* the executable mappings of pid */
	FOREIGN_OPEN,	  /* the files of some of them */
	FOREIGN_SYMBOLS,  /* the functions of a file */
	FOREIGN_CFI,	  /* how its functions find their callers */
	FOREIGN_PERF_MAP, /* what a JIT compiler has written for pid since */
};

struct foreign_request {
	uint32_t job, pid;
	uint32_t nr;	/* OPEN: struct foreign_place that follow */
	uint32_t path;	/* SYMBOLS, CFI: bytes of path that follow, with a NUL */
	size_t max;	/* bytes of a table */
	struct stat st; /* what the file is known by */
	uint64_t start, end;
	/* PERF_MAP: whose it is, and what was read */
	uint64_t start_time;
	dev_t dev;
	ino_t ino;
	off_t read;
	uint64_t mark;
};

/* A mapping whose file is wanted; its path follows, with a NUL. */
struct foreign_place {
	uint64_t start, end, inode;
	uint32_t is_vdso, is_deleted;
	uint32_t path;
};

/* MAPS: any number of these with their paths, then one of kind END. */
enum foreign_mapping_kind { FOREIGN_MAPPING, FOREIGN_END };
struct foreign_mapping {
	uint32_t kind;
	int32_t err;  /* END */
	uint32_t tid; /* END: the thread whose mappings they are */
	uint32_t path;
	uint64_t start, end, offset, inode;
	uint32_t dev_major, dev_minor, is_deleted, changes;
};

/* OPEN: one for each place, with a descriptor for each without err. */
struct foreign_opened {
	int32_t err;
	struct stat st;
};

/* The others. The tables are in a memfd (sealed.h), if they are not empty. */
struct foreign_symbols {
	int32_t err;
	struct build_id build_id;
	struct elf_segment segments[ELF_MAX_SEGMENTS];
	uint32_t nr_segments;
	uint64_t nr, names_len; /* struct symbol, then bytes of names */
	/* PERF_MAP */
	uint32_t is_new, is_cut; /* not to be added to what was read before; not all of it */
	dev_t dev;
	ino_t ino;
	off_t read;
	uint64_t mark;
};

struct foreign_cfi {
	int32_t err;
	uint32_t nr_segments;
	struct elf_segment segments[ELF_MAX_SEGMENTS];
	struct {
		uint64_t size, nr, vaddr; /* bytes; struct cfi_function that follow them */
		uint32_t is_debug;
	} tables[2];
};

void foreign_serve(int sock, struct worker_shared *shared);

#endif
