/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * elfsyms: the functions of one ELF file.
 */
#ifndef BORESCOPE_ELFSYMS_H
#define BORESCOPE_ELFSYMS_H

#include <stdbool.h>
#include <stdint.h>

#include "symtab.h"

#define ELF_MAX_SEGMENTS 16 /* with code, in one file; there is one as a rule */

struct elf_syms {
	struct symtab table; /* by virtual address in the file */
	struct {
		uint64_t offset, size, vaddr;
	} segments[ELF_MAX_SEGMENTS];
	unsigned int nr_segments;
	unsigned char build_id[20];
	bool has_build_id;
};

/* Returns 0 or -errno, with nothing to free then. */
int elf_syms_load(struct elf_syms *e, int fd);
/* A place in the file to a virtual address. False: no code is there. */
bool elf_syms_vaddr(const struct elf_syms *e, uint64_t offset, uint64_t *vaddr);
void elf_syms_free(struct elf_syms *e);

#endif
