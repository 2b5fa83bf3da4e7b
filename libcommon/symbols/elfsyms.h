/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * elfsyms: the functions of one ELF file, from it and from the debug file that belongs to it.
 *
 * .symtab has all of them. A stripped file has .dynsym (what it exports), and may have
 * .gnu_debugdata (the rest, as an ELF file within, packed with xz) or a separate debug file
 * somewhere. What these have is put together. A stripped Go program has a table of its own
 * (gopclntab.h), which is read where the others do not have all.
 */
#ifndef BORESCOPE_SYMBOLS_ELFSYMS_H
#define BORESCOPE_SYMBOLS_ELFSYMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbols/buildid.h"
#include "symbols/debugfile.h"
#include "symbols/elfimage.h"
#include "symbols/symtab.h"

struct elf_syms {
	struct symtab table; /* by virtual address in the file */
	struct elf_segment segments[ELF_MAX_SEGMENTS];
	unsigned int nr_segments;
	struct build_id build_id;
	bool is_cut; /* the tables were larger than can be read or kept */
};

/*
 * Reads the file open as @fd. With @where of NULL no separate debug file is looked for. Returns 0,
 * also when there is no symbol in it, or -errno (-ENOEXEC: not an ELF file) with nothing to free.
 */
int elf_syms_load(struct elf_syms *e, int fd, const struct debugfile_search *where);

/* Turns a place in the file into a virtual address. False: there is no code at @offset. */
bool elf_syms_vaddr(const struct elf_syms *e, uint64_t offset, uint64_t *vaddr);

void elf_syms_free(struct elf_syms *e);

#endif
