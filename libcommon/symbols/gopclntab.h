/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * gopclntab: the functions of a Go program, from the table that its own tracebacks use. It stays
 * when the symbols are stripped (go build -ldflags=-s, strip), since the program needs it.
 *
 * What is known of it, by the magic number that it begins with (debug/gosym/pclntab.go,
 * runtime/symtab.go and cmd/link/internal/ld/pcln.go of Go's source):
 *
 *   fffffffb  Go 1.2 to 1.15   number of functions, list
 *   fffffffa  Go 1.16, 1.17    ..., number of files, where the names are, ..., where the list is
 *   fffffff0  Go 1.18, 1.19    the same with the address of the code in it
 *   fffffff1  Go 1.20 on       the same; from 1.26 on that address is 0
 *
 * The list has for each function its address and where more about it is, and closes with the
 * address at which the last one ends: pointers before Go 1.18, from then on 32 bits from the
 * beginning of the code. More about it begins with the address once more; then comes where the name
 * is. Names are as tracebacks give them: from Go 1.18 on what a generic function was made for is
 * "[...]" in many of them.
 *
 * From Go 1.26 on the code's address is in runtime.moduledata only. That points to the table, and
 * is known by the addresses of the first function and of the end of the last one, which have to be
 * those of the list: Go programs check that themselves when they start (moduledataverify1()). It is
 * in .go.module. The beginning of .text will not do: with cgo there is other code in front of Go's.
 *
 * The section is .gopclntab. In a position independent program it was .data.rel.ro.gopclntab up to
 * Go 1.25, and is a part of .data.rel.ro when another linker than Go's made the file, as with cgo.
 */
#ifndef BORESCOPE_SYMBOLS_GOPCLNTAB_H
#define BORESCOPE_SYMBOLS_GOPCLNTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbols/elfimage.h"
#include "symbols/symtab.h"

struct gopclntab {
	const void *data; /* in this machine's byte order */
	size_t size;
	uint64_t text; /* where the code begins; 0: where the table says */
	void *copy;
};

/* Finds the table of file @im. True: it is to be freed, before @im is closed. */
bool gopclntab_find(struct gopclntab *g, struct elf_image *im);

/*
 * Adds its functions. @limit as for symtab_finish(): where the code that an address is in ends, or
 * that address: what is not code is not added. Returns 0, -ENOEXEC when it is no such table or does
 * not say where the code is, or -E2BIG or -ENOMEM when some did not fit. What makes no sense is
 * passed over.
 */
int gopclntab_add(struct symtab *t, const struct gopclntab *g,
		  uint64_t (*limit)(void *arg, uint64_t addr), void *arg);

void gopclntab_free(struct gopclntab *g);

#endif
