/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * plt: names for the stubs by which a program calls functions of other files ("strlen@plt"), as
 * perf(1) and objdump(1) give them. Such code is in no symbol table, and a program that calls small
 * functions spends a good part of its time in it.
 *
 * A stub is known by its jump: it goes to where a word of the global offset table says, and a
 * relocation of that word names the function. So the layouts of different linkers (.plt, .plt.sec
 * with IBT, .plt.got where nothing is bound lazily) need not be known. x86-64 and arm64; other
 * machines' stubs have no names.
 */
#ifndef BORESCOPE_SYMBOLS_PLT_H
#define BORESCOPE_SYMBOLS_PLT_H

#include "symbols/elfimage.h"
#include "symbols/symtab.h"

/* Adds the stubs of @im to @t, as names that any other goes before; those of which @dynsym is the
 * table of symbols (NULL: there is none). What does not fit or makes no sense is passed over. */
void plt_read(struct symtab *t, struct elf_image *im, Elf_Scn *dynsym);

#endif
