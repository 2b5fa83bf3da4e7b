/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <gelf.h>
#include <string.h>

#include "elfsyms.h"

static void read_section(struct elf_syms *e, Elf *elf, Elf_Scn *scn, GElf_Shdr *shdr)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	GElf_Sym sym;
	int i;

	for (i = 0; data && gelf_getsym(data, i, &sym); i++) {
		unsigned int type = GELF_ST_TYPE(sym.st_info), bind = GELF_ST_BIND(sym.st_info);
		const char *name;

		if (sym.st_shndx == SHN_UNDEF || (type != STT_FUNC && type != STT_GNU_IFUNC))
			continue;
		name = elf_strptr(elf, shdr->sh_link, sym.st_name);
		if (!name || !*name)
			continue;
		symtab_add(&e->table, sym.st_value, sym.st_size,
			   bind == STB_LOCAL  ? RANK_LOCAL
			   : bind == STB_WEAK ? RANK_WEAK
					      : 0,
			   0, name, strlen(name));
	}
}

int elf_syms_load(struct elf_syms *e, int fd)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;
	GElf_Phdr phdr;
	size_t nr, i;
	Elf *elf;

	*e = (struct elf_syms){ 0 };
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf)
		return -ENOEXEC;
	for (i = 0; !elf_getphdrnum(elf, &nr) && i < nr && e->nr_segments < ELF_MAX_SEGMENTS; i++) {
		if (!gelf_getphdr(elf, i, &phdr) || phdr.p_type != PT_LOAD ||
		    !(phdr.p_flags & PF_X))
			continue;
		e->segments[e->nr_segments].offset = phdr.p_offset;
		e->segments[e->nr_segments].size = phdr.p_filesz;
		e->segments[e->nr_segments++].vaddr = phdr.p_vaddr;
	}
	while ((scn = elf_nextscn(elf, scn))) {
		if (gelf_getshdr(scn, &shdr) &&
		    (shdr.sh_type == SHT_SYMTAB || shdr.sh_type == SHT_DYNSYM))
			read_section(e, elf, scn, &shdr);
	}
	elf_end(elf);
	symtab_finish(&e->table, NULL, NULL);
	return 0;
}

bool elf_syms_vaddr(const struct elf_syms *e, uint64_t offset, uint64_t *vaddr)
{
	unsigned int i;

	for (i = 0; i < e->nr_segments; i++) {
		if (offset >= e->segments[i].offset &&
		    offset - e->segments[i].offset < e->segments[i].size) {
			*vaddr = offset - e->segments[i].offset + e->segments[i].vaddr;
			return true;
		}
	}
	return false;
}

void elf_syms_free(struct elf_syms *e)
{
	symtab_free(&e->table);
}
