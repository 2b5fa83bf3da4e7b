/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <string.h>

#include "script/elffuncs.h"

#define SYMBOLS_MAX (4u << 20) /* of one table */
#define NAME_LEN    4096       /* longer ones are nobody's to type */

bool elffuncs_offset(struct elf_image *im, uint64_t address, bool code, uint64_t *offset)
{
	GElf_Phdr h;
	size_t nr;

	if (elf_getphdrnum(im->elf, &nr))
		return false;
	for (size_t i = 0; i < nr; i++) {
		if (!gelf_getphdr(im->elf, i, &h) || h.p_type != PT_LOAD ||
		    (code && !(h.p_flags & PF_X)))
			continue;
		if (address < h.p_vaddr || address - h.p_vaddr >= h.p_filesz)
			continue;
		*offset = address - h.p_vaddr + h.p_offset;
		return *offset >= h.p_offset;
	}
	return false;
}

/* A table of symbols and the names that belong to it. */
struct table {
	Elf_Data *symbols, *names;
	size_t nr;
};

static bool open_table(struct elf_image *im, Elf_Scn *scn, struct table *t)
{
	GElf_Shdr h, names;
	Elf_Scn *strings;

	if (!gelf_getshdr(scn, &h) || (h.sh_type != SHT_SYMTAB && h.sh_type != SHT_DYNSYM) ||
	    !h.sh_entsize)
		return false;
	strings = elf_getscn(im->elf, h.sh_link);
	if (!strings || !gelf_getshdr(strings, &names) || names.sh_type != SHT_STRTAB)
		return false;
	t->symbols = elf_image_section(im, scn, &h);
	t->names = elf_image_section(im, strings, &names);
	if (!t->symbols || !t->names || !t->names->d_size)
		return false;
	t->nr = h.sh_size / h.sh_entsize;
	if (t->nr > SYMBOLS_MAX)
		t->nr = SYMBOLS_MAX;
	return true;
}

/* The name of a symbol up to its version, in @buf. NULL: it has none, or not within the table. */
static const char *name_of(const struct table *t, const GElf_Sym *sym, char *buf)
{
	const char *name = (const char *)t->names->d_buf + sym->st_name, *at;
	size_t room, len;

	if (sym->st_name >= t->names->d_size)
		return NULL;
	room = t->names->d_size - sym->st_name;
	len = strnlen(name, room);
	if (!len || len == room || len >= NAME_LEN)
		return NULL;
	at = memchr(name, '@', len);
	if (!at || at == name)
		return name;
	memcpy(buf, name, at - name);
	buf[at - name] = '\0';
	return buf;
}

/* @any: also what is no function. */
static bool each_of_table(struct elf_image *im, const struct table *t, bool any,
			  bool (*fn)(void *ctx, const struct elf_function *f), void *ctx)
{
	char buf[NAME_LEN];
	GElf_Sym sym;

	for (size_t i = 1; i < t->nr; i++) {
		struct elf_function f;
		int type;

		if (!gelf_getsym(t->symbols, i, &sym))
			break;
		type = GELF_ST_TYPE(sym.st_info);
		if (sym.st_shndx == SHN_UNDEF || !sym.st_value ||
		    (!any && type != STT_FUNC && type != STT_GNU_IFUNC))
			continue;
		f = (struct elf_function){ .name = name_of(t, &sym, buf),
					   .address = sym.st_value,
					   .size = sym.st_size,
					   .indirect = type == STT_GNU_IFUNC };
		if (!f.name || (!elffuncs_offset(im, f.address, !any, &f.offset) && !any))
			continue;
		if (!fn(ctx, &f))
			return false;
	}
	return true;
}

static void each_symbol(struct elf_image *im, bool any,
			bool (*fn)(void *ctx, const struct elf_function *f), void *ctx)
{
	Elf_Scn *scn = NULL;
	struct table t;

	while ((scn = elf_nextscn(im->elf, scn)))
		if (open_table(im, scn, &t) && !each_of_table(im, &t, any, fn, ctx))
			return;
}

void elffuncs_each(struct elf_image *im, bool (*fn)(void *ctx, const struct elf_function *f),
		   void *ctx)
{
	each_symbol(im, false, fn, ctx);
}

struct wanted_symbol {
	const char *name;
	uint64_t address, size;
	bool found;
};

static bool is_wanted(void *ctx, const struct elf_function *f)
{
	struct wanted_symbol *w = ctx;

	if (strcmp(f->name, w->name))
		return true;
	w->address = f->address;
	w->size = f->size;
	w->found = true;
	return false;
}

bool elffuncs_symbol(struct elf_image *im, const char *name, uint64_t *address, uint64_t *size)
{
	struct wanted_symbol w = { .name = name };

	each_symbol(im, true, is_wanted, &w);
	*address = w.address;
	*size = w.size;
	return w.found;
}
