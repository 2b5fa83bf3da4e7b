/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * buildid: the note in an ELF file that tells one build of it from all others.
 */
#ifndef BORESCOPE_SYMBOLS_BUILDID_H
#define BORESCOPE_SYMBOLS_BUILDID_H

#include "symbols/elfimage.h"

struct build_id {
	unsigned char bytes[20]; /* a shorter id is filled up with zeros, as the kernel does */
	unsigned int len;	 /* 0: there is no id, or a longer one, as for the kernel */
};

/* Reads the id of the file in @im; .len is 0 when there is none. */
void build_id_read(struct elf_image *im, struct build_id *id);

#endif
