/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "symbols/gopclntab.h"

#define MAX_SECTION	(128u << 20) /* bytes of one that are read; large programs have 40 MiB */
#define MAX_RELOCATIONS (64u << 20)  /* the same of relocations */

struct table {
	const unsigned char *data;
	size_t size;
	unsigned int word;    /* bytes of a pointer */
	unsigned int field;   /* bytes of each field of the list */
	unsigned int name_at; /* where in what is known of a function its name is */
	bool is_relative;     /* addresses are relative to text */
	uint64_t text;
	uint64_t nr;
	size_t names, list, infos; /* where they begin; infos: what the list's places are from */
};

/* @bytes (4 or 8) at @at, which the caller knows to be within the data. */
static uint64_t number(const unsigned char *data, size_t at, unsigned int bytes)
{
	uint64_t v64;
	uint32_t v32;

	if (bytes == sizeof(v32)) {
		memcpy(&v32, data + at, sizeof(v32));
		return v32;
	}
	memcpy(&v64, data + at, sizeof(v64));
	return v64;
}

/* Where the header's parts are, for the functions' sake. False: it is not of a version known. */
static bool set_layout(struct table *g)
{
	unsigned int names = 0, list = 0; /* the words of the header that say where they are */
	uint64_t at;

	switch (number(g->data, 0, 4)) {
	case 0xfffffffb: /* Go 1.2 */
		g->list = 8 + g->word;
		return true;
	case 0xfffffffa: /* Go 1.16 */
		names = 2;
		list = 6;
		break;
	case 0xfffffff0: /* Go 1.18 */
	case 0xfffffff1: /* Go 1.20 */
		names = 3;
		list = 7;
		g->field = g->name_at = 4;
		g->is_relative = true;
		g->text = number(g->data, 8 + 2 * g->word, g->word);
		break;
	default:
		return false;
	}
	at = number(g->data, 8 + names * g->word, g->word);
	g->list = g->infos = number(g->data, 8 + list * g->word, g->word);
	g->names = at;
	return at <= g->size && g->infos <= g->size;
}

/* Magic, two zeros, the smallest instruction's bytes, a pointer's bytes, and the words. */
static bool parse(struct table *g, const unsigned char *data, size_t size)
{
	*g = (struct table){ .data = data, .size = size };
	if (size < 8 || data[4] || data[5] || (data[6] != 1 && data[6] != 2 && data[6] != 4) ||
	    (data[7] != 4 && data[7] != 8))
		return false;
	g->word = g->field = g->name_at = data[7];
	if (size < 8 + 8 * g->word || !set_layout(g))
		return false;
	g->nr = number(data, 8, g->word);
	return g->nr && g->nr <= SYMTAB_MAX_SYMBOLS && g->list + g->field <= size &&
	       g->nr <= (size - g->list - g->field) / (2 * g->field);
}

/* The address of function @i; of @i == nr: where the last one ends. */
static uint64_t address(const struct table *g, uint64_t i)
{
	uint64_t addr = number(g->data, g->list + 2 * i * g->field, g->field);

	return g->is_relative ? g->text + addr : addr;
}

/* The name of function @i, of *len bytes. NULL: there is none. */
static const char *name_of(const struct table *g, uint64_t i, size_t *len)
{
	uint64_t info = number(g->data, g->list + (2 * i + 1) * g->field, g->field), name;

	if (info > g->size - g->infos || g->size - g->infos - info < g->name_at + 4)
		return NULL;
	name = number(g->data, g->infos + info + g->name_at, 4);
	if (name >= g->size - g->names)
		return NULL;
	name += g->names;
	*len = strnlen((char *)g->data + name, min_u64(g->size - name, SYMTAB_MAX_NAME));
	return *len ? (char *)g->data + name : NULL;
}

static int add_all(struct symtab *t, const struct table *g,
		   uint64_t (*limit)(void *arg, uint64_t addr), void *arg)
{
	for (uint64_t i = 0; i < g->nr; i++) {
		uint64_t addr = address(g, i), end = min_u64(address(g, i + 1), limit(arg, addr));
		const char *name;
		size_t len;
		int err;

		name = end > addr ? name_of(g, i, &len) : NULL;
		err = name ? symtab_add(t, addr, end - addr, RANK_LOCAL, 0, name, len) : 0;
		if (err)
			return err;
	}
	return 0;
}

int gopclntab_add(struct symtab *t, const struct gopclntab *from,
		  uint64_t (*limit)(void *arg, uint64_t addr), void *arg)
{
	struct table g;

	if (!parse(&g, from->data, from->size))
		return -ENOEXEC;
	if (from->text)
		g.text = from->text;
	if (g.is_relative && !g.text)
		return -ENOEXEC;
	return add_all(t, &g, limit, arg);
}

/* A section as it is in memory before the file is moved to where it runs. */
struct section {
	Elf_Scn *scn; /* NULL: there is none */
	unsigned char *data;
	void *copy; /* the data, when they are not the file's */
	size_t size;
	uint64_t addr;
};

struct file {
	struct elf_image *im;
	GElf_Ehdr ehdr;
	struct section table, module, relro;
	bool is_go;
};

static void find_sections(struct file *f)
{
	static const char relro[] = ".data.rel.ro";
	Elf_Scn *scn = NULL;
	GElf_Shdr h;

	while ((scn = elf_nextscn(f->im->elf, scn))) {
		const char *name;

		if (!gelf_getshdr(scn, &h) || !(h.sh_flags & SHF_ALLOC))
			continue;
		name = elf_image_section_name(f->im, &h);
		if (!strcmp(name, relro))
			f->relro.scn = scn;
		else if (!strncmp(name, relro, strlen(relro)))
			name += strlen(relro);
		if (!strcmp(name, ".gopclntab"))
			f->table.scn = scn;
		else if (!strcmp(name, ".go.module"))
			f->module.scn = scn;
		else if (!strcmp(name, ".note.go.buildid") || !strcmp(name, ".go.buildinfo"))
			f->is_go = true;
	}
}

/* The type of relocation that is no more than "moved along with the file". */
static uint32_t relative(const struct file *f)
{
	switch (f->ehdr.e_machine) {
	case EM_X86_64:
		return R_X86_64_RELATIVE;
	case EM_AARCH64:
		return R_AARCH64_RELATIVE;
	case EM_RISCV:
		return R_RISCV_RELATIVE;
	case EM_S390:
		return R_390_RELATIVE;
	case EM_PPC64:
		return R_PPC64_RELATIVE;
	default: /* others have what they relocate in its place */
		return UINT32_MAX;
	}
}

/* Of what relocations say, the place in the file may have nothing: so lld leaves it, and gold. */
static void relocate(const struct file *f, struct section *s)
{
	size_t word = f->ehdr.e_ident[EI_CLASS] == ELFCLASS64 ? 8 : 4;
	uint32_t type = relative(f), v32;
	Elf_Scn *scn = NULL;
	GElf_Rela rela;
	GElf_Shdr h;

	while ((scn = elf_nextscn(f->im->elf, scn))) {
		Elf_Data *data = NULL;

		if (gelf_getshdr(scn, &h) && h.sh_type == SHT_RELA && h.sh_flags & SHF_ALLOC &&
		    h.sh_size <= MAX_RELOCATIONS)
			data = elf_image_section(f->im, scn, &h);
		for (int i = 0; data && gelf_getrela(data, i, &rela); i++) {
			uint64_t at = rela.r_offset - s->addr;

			if (GELF_R_TYPE(rela.r_info) != type || at >= s->size ||
			    s->size - at < word)
				continue;
			v32 = rela.r_addend;
			memcpy(s->data + at, word == 8 ? (void *)&rela.r_addend : &v32, word);
		}
	}
}

/* The file's own copy stays as it is: what libelf has checked may be in these bytes too. */
static bool load(const struct file *f, struct section *s)
{
	Elf_Data *data;
	GElf_Shdr h;

	if (s->data)
		return true;
	if (!s->scn || !gelf_getshdr(s->scn, &h) || h.sh_size > MAX_SECTION)
		return false;
	data = elf_image_section(f->im, s->scn, &h);
	if (!data)
		return false;
	s->addr = h.sh_addr;
	s->size = data->d_size;
	s->data = data->d_buf;
	if (f->ehdr.e_type != ET_DYN)
		return true;
	s->copy = malloc(s->size);
	s->data = s->copy;
	if (!s->copy)
		return false;
	memcpy(s->copy, data->d_buf, s->size);
	relocate(f, s);
	return true;
}

/* A table that begins somewhere in section @s. */
static bool find_table(const struct section *s, struct table *g)
{
	for (size_t at = 0; at < s->size; at += 4)
		if (parse(g, s->data + at, s->size - at))
			return true;
	return false;
}

/* Words of runtime.moduledata, Go 1.18 to 1.27: where the table is, the lowest and highest address
 * of the functions, and where the code begins. */
enum { MODULE_TABLE = 0, MODULE_MIN = 20, MODULE_MAX = 21, MODULE_TEXT = 22 };

static bool find_text(struct table *g, uint64_t table_addr, const struct section *s)
{
	const size_t word = g->word, need = (MODULE_TEXT + 1) * word;

	for (size_t at = 0; at + need <= s->size; at += word) {
		const unsigned char *m = s->data + at;

		if (number(m, MODULE_TABLE * word, word) != table_addr)
			continue;
		g->text = number(m, MODULE_TEXT * word, word);
		if (g->text && number(m, MODULE_MIN * word, word) == address(g, 0) &&
		    number(m, MODULE_MAX * word, word) == address(g, g->nr))
			return true;
	}
	g->text = 0;
	return false;
}

/* Where the table is, and where the code begins if that is not in the table. */
static bool find(struct file *f, struct table *g)
{
	struct section *s = f->table.scn ? &f->table : &f->relro;
	uint64_t addr;

	if ((!f->table.scn && !f->is_go) || !load(f, s))
		return false;
	if (f->table.scn ? !parse(g, s->data, s->size) : !find_table(s, g))
		return false;
	addr = s->addr + (g->data - s->data);
	return !g->is_relative || g->text ||
	       (load(f, &f->module) && find_text(g, addr, &f->module)) ||
	       (load(f, &f->relro) && find_text(g, addr, &f->relro));
}

bool gopclntab_find(struct gopclntab *found, struct elf_image *im)
{
	struct file f = { .im = im };
	struct table g;

	*found = (struct gopclntab){ 0 };
	if (!gelf_getehdr(im->elf, &f.ehdr))
		return false;
	find_sections(&f);
	if (find(&f, &g)) {
		struct section *s = f.table.scn ? &f.table : &f.relro;

		*found = (struct gopclntab){ g.data, g.size, g.text, s->copy };
		s->copy = NULL;
	}
	free(f.table.copy);
	free(f.module.copy);
	free(f.relro.copy);
	return found->data;
}

void gopclntab_free(struct gopclntab *g)
{
	free(g->copy);
	*g = (struct gopclntab){ 0 };
}
