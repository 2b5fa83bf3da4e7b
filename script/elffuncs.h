/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * elffuncs: the functions of an executable or a library, and where in the file they are. The file
 * may be another user's, and hold anything.
 */
#ifndef BORESCOPE_SCRIPT_ELFFUNCS_H
#define BORESCOPE_SCRIPT_ELFFUNCS_H

#include "symbols/elfimage.h"

struct elf_function {
	const char *name; /* without the version that may follow it behind an @ */
	uint64_t address; /* virtual, as in the file */
	uint64_t offset;  /* in the file */
	uint64_t size;	  /* bytes; 0: not known */
	/* What is at the address chooses the function when a program starts: it is not called when
	 * the function is (strlen in glibc). */
	bool indirect;
};

/* Calls @fn for each function of .symtab and .dynsym, so for most twice, until it returns false.
 * What @fn gets is good during the call. */
void elffuncs_each(struct elf_image *im, bool (*fn)(void *ctx, const struct elf_function *f),
		   void *ctx);

/* Where in the file a virtual address is; with @code, only if there is code. False: nowhere. */
bool elffuncs_offset(struct elf_image *im, uint64_t address, bool code, uint64_t *offset);

/* Any symbol, data too, in .symtab or .dynsym: its address, and its size, 0 if it is not known.
 * False: there is none. */
bool elffuncs_symbol(struct elf_image *im, const char *name, uint64_t *address, uint64_t *size);

#endif
