/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * symtab: a table of symbols by address, from wherever they come. Fill it, finish it, ask it.
 */
#ifndef BORESCOPE_SYMBOLS_SYMTAB_H
#define BORESCOPE_SYMBOLS_SYMTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct symbol {
	uint64_t addr;
	uint32_t size; /* 0: not known; after symtab_finish() how far it reaches */
	uint32_t name; /* offset into names */
	/* The nearest one before that reaches further: where to look when this one ends too early;
	 * UINT32_MAX: none */
	uint32_t outer;
	uint16_t rank; /* the lowest of those at one address stays */
	uint16_t tag;  /* the caller's */
};

struct symtab {
	struct symbol *syms;
	char *names;
	size_t nr, max, names_len, names_max;
	/* Of several symbols at an address the one added last is right, not the one of best rank:
	 * code that was made while the program runs. Set before the first symtab_finish(). */
	bool newest_wins;
};

/* Ranks: a function before a label; global and weak, which others can call it by, before local. */
enum {
	RANK_WEAK = 1,
	RANK_LOCAL = 2,
	RANK_LABEL = 4, /* nobody said that it is a function: dropped inside of one with a size */
	RANK_FALLBACK = 8, /* only where there is nothing else */
};

/* What one table may hold. */
#define SYMTAB_MAX_SYMBOLS (4u << 20)
#define SYMTAB_MAX_NAMES   (192u << 20)
#define SYMTAB_MAX_NAME	   4095 /* a longer name is cut */

/*
 * Adds one. @name needs no NUL at @len. Returns 0; -E2BIG: the table is full; -ENOMEM. The table
 * stays good in each case. A name equal to the one added before is kept once.
 */
int symtab_add(struct symtab *t, uint64_t addr, uint64_t size, unsigned int rank, unsigned int tag,
	       const char *name, size_t len);

/*
 * Sorts, keeps one symbol per address (the lowest rank, where weak is as good as global, then the
 * shorter name, then the first by name), and lets one without a size reach to the next symbol, but
 * not beyond what @limit(@arg, addr) says (NULL: no limit), nor beyond one with a size that it lies
 * in. With newest_wins (all have sizes then) it may be called again when more were added.
 */
void symtab_finish(struct symtab *t, uint64_t (*limit)(void *arg, uint64_t addr), void *arg);

/* The innermost symbol that @addr lies in (with newest_wins, the newest); NULL: none. */
const struct symbol *symtab_find(const struct symtab *t, uint64_t addr);

static inline const char *symtab_name(const struct symtab *t, const struct symbol *sym)
{
	return t->names + sym->name;
}

size_t symtab_bytes(const struct symtab *t);
void symtab_free(struct symtab *t); /* what it holds; it is empty then */

#endif
