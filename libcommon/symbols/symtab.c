/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/search.h"
#include "symbols/sealed.h"
#include "symbols/symtab.h"

/* How many symbols that end too early are passed on the way to one that doesn't: files nest symbols
 * two or three deep, hostile ones by the million. */
#define MAX_NESTED 64

static int grow(void **p, size_t *max, size_t need, size_t item, size_t limit)
{
	size_t want = *max ? *max : 1024;
	void *more;

	if (need <= *max)
		return 0;
	if (need > limit)
		return -E2BIG;
	while (want < need)
		want *= 2;
	if (want > limit)
		want = limit;
	more = realloc(*p, want * item);
	if (!more)
		return -ENOMEM;
	*p = more;
	*max = want;
	return 0;
}

/* The same name often comes twice in a row, from two sections: it is stored once. */
static bool same_as_last(const struct symtab *t, const char *name, size_t len)
{
	const char *last;

	if (!t->nr || t->newest_wins) /* there, names are to be in the order of their symbols */
		return false;
	last = t->names + t->syms[t->nr - 1].name;
	return !strncmp(last, name, len) && !last[len];
}

int symtab_add(struct symtab *t, uint64_t addr, uint64_t size, unsigned int rank, unsigned int tag,
	       const char *name, size_t len)
{
	struct symbol *sym;
	int err;

	if (len > SYMTAB_MAX_NAME)
		len = SYMTAB_MAX_NAME;
	err = grow((void **)&t->syms, &t->max, t->nr + 1, sizeof(*t->syms), SYMTAB_MAX_SYMBOLS);
	if (!err)
		err = grow((void **)&t->names, &t->names_max, t->names_len + len + 1, 1,
			   SYMTAB_MAX_NAMES);
	if (err)
		return err;
	if (size > UINT64_MAX - addr)
		size = UINT64_MAX - addr;
	sym = &t->syms[t->nr];
	*sym = (struct symbol){
		.addr = addr,
		.size = size > UINT32_MAX ? UINT32_MAX : size,
		.name = t->names_len,
		.outer = UINT32_MAX,
		.rank = rank,
		.tag = tag,
	};
	if (same_as_last(t, name, len)) {
		sym->name = t->syms[t->nr - 1].name;
	} else {
		memcpy(t->names + t->names_len, name, len);
		t->names[t->names_len + len] = '\0';
		t->names_len += len + 1;
	}
	t->nr++;
	return 0;
}

static int compare(const void *va, const void *vb)
{
	const struct symbol *a = va, *b = vb;

	if (a->addr != b->addr)
		return a->addr < b->addr ? -1 : 1;
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	return a->name < b->name ? -1 : a->name > b->name;
}

/* Of two with the same address, "write" (weak in the C library) is what its callers know, rather
 * than "__write" (global) or "__GI___write". */
static bool is_better(const struct symtab *t, const struct symbol *sym, const struct symbol *than)
{
	const char *a = symtab_name(t, sym), *b = symtab_name(t, than);
	size_t len = strlen(a), than_len = strlen(b);

	if ((sym->rank | RANK_WEAK) != (than->rank | RANK_WEAK))
		return sym->rank < than->rank;
	if (len != than_len)
		return len < than_len;
	return sym->rank != than->rank ? sym->rank < than->rank : strcmp(a, b) < 0;
}

static uint64_t end_of(const struct symbol *sym)
{
	return sym->addr + sym->size;
}

/* One symbol per address, with the size that any of them has. */
static void drop_aliases(struct symtab *t)
{
	size_t from, to = 0;

	for (from = 0; from < t->nr; from++) {
		struct symbol *sym = &t->syms[from], *kept = to ? &t->syms[to - 1] : NULL;
		uint32_t size;

		if (!kept || kept->addr != sym->addr) {
			t->syms[to++] = *sym;
			continue;
		}
		if (t->newest_wins) {
			if (sym->name > kept->name)
				*kept = *sym;
			continue;
		}
		size = kept->size ? kept->size : sym->size;
		if (is_better(t, sym, kept))
			*kept = *sym;
		kept->size = size;
	}
	t->nr = to;
}

/* Drops labels inside of functions, and gives a size to what has none. */
static void set_sizes(struct symtab *t, uint64_t (*limit)(void *, uint64_t), void *arg)
{
	uint64_t covered = 0; /* how far the sizes that files give reach, up to here */
	size_t from, to = 0;

	for (from = 0; from < t->nr; from++) {
		struct symbol sym = t->syms[from];
		uint64_t end;

		if (!sym.size && (sym.rank & RANK_LABEL) && sym.addr < covered)
			continue;
		if (!sym.size) {
			end = from + 1 < t->nr ? t->syms[from + 1].addr : UINT64_MAX;
			if (sym.addr < covered && end > covered)
				end = covered;
			if (limit && limit(arg, sym.addr) < end)
				end = limit(arg, sym.addr);
			end = end > sym.addr ? end - sym.addr : 0;
			sym.size = end > UINT32_MAX ? UINT32_MAX : end;
		} else if (end_of(&sym) > covered) {
			covered = end_of(&sym);
		}
		t->syms[to++] = sym;
	}
	t->nr = to;
}

/* Sets .outer of each, the nearest one before it that reaches further: along such a chain the ends
 * grow. */
static void set_outer(struct symtab *t)
{
	size_t i;

	for (i = 0; i < t->nr; i++) {
		uint32_t outer = i ? i - 1 : UINT32_MAX;

		while (outer != UINT32_MAX && end_of(&t->syms[outer]) <= end_of(&t->syms[i]))
			outer = t->syms[outer].outer;
		t->syms[i].outer = outer;
	}
}

void symtab_finish(struct symtab *t, uint64_t (*limit)(void *arg, uint64_t addr), void *arg)
{
	void *less;

	if (!t->nr)
		return;
	qsort(t->syms, t->nr, sizeof(*t->syms), compare);
	drop_aliases(t);
	if (!t->newest_wins)
		set_sizes(t, limit, arg);
	set_outer(t);
	less = realloc(t->syms, t->nr * sizeof(*t->syms));
	if (less) {
		t->syms = less;
		t->max = t->nr;
	}
	less = realloc(t->names, t->names_len);
	if (less) {
		t->names = less;
		t->names_max = t->names_len;
	}
}

/* Of the MAX_NESTED symbols up to @last, the one added last that @addr lies in. */
static const struct symbol *find_newest(const struct symtab *t, const struct symbol *last,
					uint64_t addr)
{
	size_t nr = last - t->syms + 1;
	const struct symbol *found = NULL;

	for (size_t i = 0; i < nr && i < MAX_NESTED; i++) {
		const struct symbol *sym = last - i;

		/* names are in the order in which they were added */
		if (addr < end_of(sym) && (!found || sym->name > found->name))
			found = sym;
	}
	return found;
}

const struct symbol *symtab_find(const struct symtab *t, uint64_t addr)
{
	const struct symbol *sym = search_last(t->syms, t->nr, addr, addr);
	const struct symbol *newest = sym && t->newest_wins ? find_newest(t, sym, addr) : NULL;

	if (newest)
		return newest;
	for (int steps = 0; sym && steps < MAX_NESTED; steps++) {
		if (addr < end_of(sym))
			return sym;
		sym = sym->outer == UINT32_MAX ? NULL : &t->syms[sym->outer];
	}
	return NULL;
}

/* Whether a table holds what is relied on here: others have made it. */
static bool is_sound(const struct symtab *t)
{
	if (t->names[t->names_len - 1])
		return false;
	for (size_t i = 0; i < t->nr; i++) {
		const struct symbol *sym = &t->syms[i];

		if (sym->name >= t->names_len || (sym->outer != UINT32_MAX && sym->outer >= i) ||
		    end_of(sym) < sym->addr || (i && sym->addr < t->syms[i - 1].addr))
			return false;
	}
	return true;
}

int symtab_adopt(struct symtab *t, int fd, uint64_t nr, uint64_t names_len)
{
	size_t syms = nr * sizeof(*t->syms);

	if (!nr || nr > SYMTAB_MAX_SYMBOLS || !names_len || names_len > SYMTAB_MAX_NAMES)
		return -EINVAL;
	t->map = sealed_map(fd, sealed_next(syms) + names_len);
	if (!t->map)
		return -EINVAL;
	t->syms = t->map;
	t->names = (char *)t->map + sealed_next(syms);
	t->nr = t->max = nr;
	t->names_len = t->names_max = names_len;
	if (is_sound(t))
		return 0;
	symtab_free(t);
	return -EINVAL;
}

size_t symtab_bytes(const struct symtab *t)
{
	return t->max * sizeof(*t->syms) + t->names_max;
}

void symtab_free(struct symtab *t)
{
	if (t->map) {
		munmap(t->map, sealed_next(sealed_next(t->nr * sizeof(*t->syms)) + t->names_len));
	} else {
		free(t->syms);
		free(t->names);
	}
	*t = (struct symtab){ 0 };
}
