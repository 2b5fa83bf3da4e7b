/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * symtab: a table of symbols by address, from whatever source: symtab_add() fills it,
 * symtab_finish() sorts it, symtab_find() looks an address up.
 */
#ifndef BORESCOPE_SYMBOLS_SYMTAB_H
#define BORESCOPE_SYMBOLS_SYMTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct symbol {
	uint64_t addr;
	uint32_t size; /* bytes; 0: not known. After symtab_finish() how far it reaches */
	uint32_t name; /* offset into names */
	/* The nearest one before that reaches further: where to look when this one ends too early;
	 * UINT32_MAX: none */
	uint32_t outer;
	uint16_t rank; /* of several at one address the one of lowest rank stays */
	uint16_t tag;  /* for the caller's own use */
};

struct symtab {
	struct symbol *syms;
	char *names;
	size_t nr, max, names_len, names_max;
	void *map; /* both are in here: symtab_adopt(); nothing can be added */
	/* Of several symbols at an address the one added last is right, not the one of best rank:
	 * code that was made while the program runs. Set before the first symtab_finish(). */
	bool newest_wins;
};

/* Bits of a rank. A function goes before a label; global and weak names, which others can call it
 * by, go before local ones. */
enum {
	RANK_WEAK = 1,
	RANK_LOCAL = 2,
	RANK_LABEL = 4,	   /* not known to be a function: dropped when it lies in one with a size */
	RANK_FALLBACK = 8, /* taken only where there is nothing else */
};

/* What one table may hold. */
#define SYMTAB_MAX_SYMBOLS (4u << 20)
#define SYMTAB_MAX_NAMES   (192u << 20)
#define SYMTAB_MAX_NAME	   4095 /* a longer name is cut */

/*
 * Adds one. @name needs no NUL at @len. Returns 0, -E2BIG when the table is full, or -ENOMEM; the
 * table stays good in each case. A name equal to that of the symbol added before is stored once.
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

/* Returns the innermost symbol that @addr lies in (with newest_wins, the newest); NULL: none. */
const struct symbol *symtab_find(const struct symtab *t, uint64_t addr);

static inline const char *symtab_name(const struct symtab *t, const struct symbol *sym)
{
	return t->names + sym->name;
}

/* Takes a finished table from @fd (sealed.h: @nr symbols, then @names_len bytes of names), if it is
 * one. @t was empty. Returns 0 or -EINVAL. */
int symtab_adopt(struct symtab *t, int fd, uint64_t nr, uint64_t names_len);

size_t symtab_bytes(const struct symtab *t);
void symtab_free(struct symtab *t); /* frees what it holds, and leaves an empty table */

#endif
