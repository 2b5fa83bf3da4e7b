/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "symbols/plt.h"

#define MAX_SLOTS	(1u << 20)
#define MAX_RELOCATIONS (16u << 20) /* bytes of a section of them that are read */
#define MAX_STUBS	(16u << 20) /* bytes of a section of stubs */

static const char suffix[] = "@plt";

/* A word of the global offset table, and the symbol whose address it will hold. */
struct slot {
	uint64_t addr;
	uint32_t sym;
};

struct plt {
	struct symtab *table;
	struct elf_image *im;
	unsigned int machine; /* EM_X86_64, EM_AARCH64 */
	Elf_Data *syms, *names;
	struct slot *slots;
	size_t nr, room;
};

static bool is_slot(const struct plt *p, uint32_t type)
{
	if (p->machine == EM_X86_64)
		return type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT;
	return type == R_AARCH64_JUMP_SLOT || type == R_AARCH64_GLOB_DAT;
}

static bool add_slot(struct plt *p, uint64_t addr, uint32_t sym)
{
	struct slot *grown;

	if (p->nr == p->room) {
		size_t room = p->room ? 2 * p->room : 256;

		if (room > MAX_SLOTS)
			return false;
		grown = realloc(p->slots, room * sizeof(*grown));
		if (!grown)
			return false;
		p->slots = grown;
		p->room = room;
	}
	p->slots[p->nr++] = (struct slot){ addr, sym };
	return true;
}

static void read_slots(struct plt *p, Elf_Scn *scn, const GElf_Shdr *h)
{
	Elf_Data *data = h->sh_size <= MAX_RELOCATIONS ? elf_image_section(p->im, scn, h) : NULL;
	GElf_Rela rela;

	for (int i = 0; data && gelf_getrela(data, i, &rela); i++)
		if (is_slot(p, GELF_R_TYPE(rela.r_info)) && GELF_R_SYM(rela.r_info) &&
		    !add_slot(p, rela.r_offset, GELF_R_SYM(rela.r_info)))
			return;
}

static int by_addr(const void *a, const void *b)
{
	const struct slot *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

/* The stub of @size bytes at @addr, which jumps to where @slot says. */
static void add_stub(struct plt *p, uint64_t addr, uint64_t size, uint64_t slot)
{
	const struct slot key = { .addr = slot };
	const struct slot *s = bsearch(&key, p->slots, p->nr, sizeof(key), by_addr);
	char text[SYMTAB_MAX_NAME];
	const char *name;
	GElf_Sym sym;
	size_t len;

	if (!s || !gelf_getsym(p->syms, s->sym, &sym) || sym.st_name >= p->names->d_size)
		return;
	name = (char *)p->names->d_buf + sym.st_name;
	len = strnlen(name, min_u64(p->names->d_size - sym.st_name, sizeof(text) - sizeof(suffix)));
	if (!len)
		return;
	memcpy(text, name, len);
	memcpy(text + len, suffix, sizeof(suffix) - 1);
	symtab_add(p->table, addr, size, RANK_FALLBACK, 0, text, len + sizeof(suffix) - 1);
}

/* jmp *N(%rip): ff 25 and 4 bytes, from the end of the instruction. In front of it and behind it
 * may be others: endbr64, a bnd, a push; stubs of one section are equally long. */
static void read_x86(struct plt *p, const GElf_Shdr *h, const unsigned char *code, size_t size)
{
	size_t len = h->sh_entsize >= 8 && h->sh_entsize <= 64 ? h->sh_entsize : 16;

	for (size_t i = 0; i + 6 <= size; i++) {
		int32_t distance;

		if (code[i] != 0xff || code[i + 1] != 0x25)
			continue;
		memcpy(&distance, code + i + 2, sizeof(distance));
		add_stub(p, h->sh_addr + i - i % len, len, h->sh_addr + i + 6 + (int64_t)distance);
		i += 5;
	}
}

/* adrp x16, PAGE; ldr x17, [x16, N]; add x16, x16, N; br x17: with bti c in front of it where
 * branches are checked. */
static void read_arm64(struct plt *p, const GElf_Shdr *h, const unsigned char *code, size_t size)
{
	uint32_t at[3] = { 0 }; /* the word before, this one, the next one */

	for (size_t i = 0; i + 8 <= size; i += 4) {
		bool bti = at[1] == 0xd503245f;
		int64_t pages;

		memcpy(&at[1], code + i, 2 * sizeof(at[0]));
		if ((at[1] & 0x9f00001f) == 0x90000010 && (at[2] & 0xffc003ff) == 0xf9400211) {
			pages = (int32_t)(at[1] << 8) >> 13 << 2 | (at[1] >> 29 & 3);
			add_stub(p, h->sh_addr + i - (bti ? 4 : 0), bti ? 20 : 16,
				 ((h->sh_addr + i) & ~0xfffull) + (uint64_t)pages * 4096 +
					 (at[2] >> 10 & 0xfff) * 8);
		}
	}
}

static void read_stubs(struct plt *p, Elf_Scn *scn, const GElf_Shdr *h)
{
	Elf_Data *data = h->sh_size <= MAX_STUBS ? elf_image_section(p->im, scn, h) : NULL;

	if (data && p->machine == EM_X86_64)
		read_x86(p, h, data->d_buf, data->d_size);
	else if (data)
		read_arm64(p, h, data->d_buf, data->d_size);
}

/* Calls @read for each section of @type whose name begins with @prefix, and that is linked to
 * section @link (0: to any). */
static void each_section(struct plt *p, uint32_t type, const char *prefix, size_t link,
			 void (*read)(struct plt *p, Elf_Scn *scn, const GElf_Shdr *h))
{
	Elf_Scn *scn = NULL;
	GElf_Shdr h;

	while ((scn = elf_nextscn(p->im->elf, scn))) {
		if (gelf_getshdr(scn, &h) && h.sh_type == type && (!link || h.sh_link == link) &&
		    !strncmp(elf_image_section_name(p->im, &h), prefix, strlen(prefix)))
			read(p, scn, &h);
	}
}

void plt_read(struct symtab *t, struct elf_image *im, Elf_Scn *dynsym)
{
	struct plt p = { .table = t, .im = im };
	Elf_Scn *names;
	GElf_Ehdr ehdr;
	GElf_Shdr h;

	if (!dynsym || !gelf_getehdr(im->elf, &ehdr) || !gelf_getshdr(dynsym, &h))
		return;
	p.machine = ehdr.e_machine;
	names = elf_getscn(im->elf, h.sh_link);
	p.syms = elf_image_section(im, dynsym, &h);
	if ((p.machine != EM_X86_64 && p.machine != EM_AARCH64) || !p.syms || !names ||
	    !gelf_getshdr(names, &h) || h.sh_type != SHT_STRTAB)
		return;
	p.names = elf_image_section(im, names, &h);
	if (!p.names)
		return;
	each_section(&p, SHT_RELA, ".rela", elf_ndxscn(dynsym), read_slots);
	if (p.nr) {
		qsort(p.slots, p.nr, sizeof(*p.slots), by_addr);
		each_section(&p, SHT_PROGBITS, ".plt", 0, read_stubs);
	}
	free(p.slots);
}
