/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sigreturn: a table to unwind by for the code that a signal's handler returns to on arm64.
 *
 * There the kernel's vdso has none, on purpose (since 5.8): unwinders are to know that code by its
 * two instructions, and where the kernel keeps the registers of what was interrupted. By the frame
 * pointer alone the function that was interrupted would be missing. On other machines the C library
 * has a table for it.
 */
#ifndef BORESCOPE_SYMBOLS_SIGRETURN_H
#define BORESCOPE_SYMBOLS_SIGRETURN_H

#include <stddef.h>

#include "symbols/elfimage.h"

#define SIGRETURN_BYTES 256

/* Looks for that code in the code of a small file, and writes an .eh_frame for it to @table, which
 * has SIGRETURN_BYTES. Returns its size; 0: there is none, or this is another machine. */
size_t sigreturn_table(struct elf_image *im, const struct elf_segment *segments, unsigned int nr,
		       unsigned char *table);

#endif
