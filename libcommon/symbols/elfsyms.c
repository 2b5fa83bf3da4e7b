/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/search.h"
#include "base/util.h"
#include "symbols/buildid.h"
#include "symbols/cfi.h"
#include "symbols/elfimage.h"
#include "symbols/elfsyms.h"
#include "symbols/gopclntab.h"
#include "symbols/plt.h"

/* .gnu_debugdata unpacked: real ones have up to some MiB. xz -9 takes 65 MiB to unpack. */
#define MAX_UNPACKED (64u << 20)
#define MAX_XZ_MEM   (72u << 20)

#define MAX_CODE_SECTIONS 64

/* The sections of an image that matter here. */
struct sections {
	Elf_Scn *symtab, *dynsym, *debugdata, *debuglink;
	struct {
		uint64_t start, end;
	} code[MAX_CODE_SECTIONS];
	unsigned int nr_code;
	unsigned char *is_code; /* by index: whether it holds code */
	size_t nr;
};

static void find_sections(struct elf_image *im, struct sections *s)
{
	Elf_Scn *scn;
	GElf_Shdr h;
	size_t i;

	*s = (struct sections){ 0 };
	if (elf_getshdrnum(im->elf, &s->nr) || !s->nr)
		return;
	s->is_code = calloc(s->nr, 1);
	if (!s->is_code)
		return;
	for (i = 1; i < s->nr; i++) {
		const char *name;

		scn = elf_getscn(im->elf, i);
		if (!scn || !gelf_getshdr(scn, &h))
			continue;
		name = elf_image_section_name(im, &h);
		if (h.sh_type == SHT_SYMTAB)
			s->symtab = scn;
		else if (h.sh_type == SHT_DYNSYM)
			s->dynsym = scn;
		else if (!strcmp(name, ".gnu_debugdata"))
			s->debugdata = scn;
		else if (!strcmp(name, ".gnu_debuglink"))
			s->debuglink = scn;
		if (!(h.sh_flags & SHF_EXECINSTR) || h.sh_size > UINT64_MAX - h.sh_addr)
			continue;
		s->is_code[i] = 1;
		if (s->nr_code == MAX_CODE_SECTIONS)
			continue;
		s->code[s->nr_code].start = h.sh_addr;
		s->code[s->nr_code++].end = h.sh_addr + h.sh_size;
	}
}

/* For symtab_finish(): the end of the section of code that @addr is in. */
static uint64_t end_of_code(void *arg, uint64_t addr)
{
	const struct sections *s = arg;
	unsigned int i;

	for (i = 0; i < s->nr_code; i++) {
		if (addr >= s->code[i].start && addr < s->code[i].end)
			return s->code[i].end;
	}
	return addr;
}

/* Which functions of a file have names. */
enum named {
	NAMED_EXPORTS, /* those that others may call: it is stripped */
	NAMED_GLOBALS, /* ld -x, strip -x */
	NAMED_ALL,
};

/*
 * Where not all functions have names, one that has a name, but no size, as assemblers give none,
 * would reach over all of them up to the next that has. Where it ends is told by the tables to
 * unwind by.
 */
struct bounds {
	const struct sections *sections;
	enum named named;
	struct cfi cfi;
};

/* The end of the function that @addr is in. False: the table does not know it; then where the next
 * one begins. */
static bool end_of_function(const struct cfi_table *t, uint64_t addr, uint64_t *end)
{
	const struct cfi_function *f = search_last(t->functions, t->nr, start, addr);
	const struct cfi_function *next = f ? f + 1 : t->functions;

	*end = next && next < t->functions + t->nr ? next->start : UINT64_MAX;
	if (!f || addr - f->start >= f->len)
		return false;
	*end = min_u64(*end, f->start + f->len);
	return true;
}

/* For symtab_finish(): @addr where no end is known, unless all that may come there has a name. */
static uint64_t end_of_any(void *arg, uint64_t addr)
{
	const struct bounds *b = arg;
	uint64_t eh, debug, end;
	bool known = end_of_function(&b->cfi.tables[0], addr, &eh);

	known |= end_of_function(&b->cfi.tables[1], addr, &debug);
	end = min_u64(min_u64(eh, debug), end_of_code((void *)b->sections, addr));
	return known || b->named == NAMED_GLOBALS ? end : addr;
}

static bool lacks_size(const struct symtab *t)
{
	for (size_t i = 0; i < t->nr; i++)
		if (!t->syms[i].size)
			return true;
	return false;
}

static void finish(struct elf_syms *e, const struct sections *s, int fd, enum named named)
{
	struct bounds b = { .sections = s, .named = named };

	if (named == NAMED_ALL || !lacks_size(&e->table)) {
		symtab_finish(&e->table, end_of_code, (void *)s);
		return;
	}
	if (cfi_load(&b.cfi, fd))
		b.cfi = (struct cfi){ 0 };
	symtab_finish(&e->table, end_of_any, &b);
	cfi_free(&b.cfi);
}

static unsigned int rank_of(const GElf_Sym *sym)
{
	unsigned int rank = GELF_ST_TYPE(sym->st_info) == STT_NOTYPE ? RANK_LABEL : 0;

	switch (GELF_ST_BIND(sym->st_info)) {
	case STB_LOCAL:
		return rank | RANK_LOCAL;
	case STB_WEAK:
		return rank | RANK_WEAK;
	default:
		return rank;
	}
}

static bool is_function(const struct sections *s, const GElf_Sym *sym)
{
	unsigned int type = GELF_ST_TYPE(sym->st_info);

	return (type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE) &&
	       sym->st_shndx != SHN_UNDEF && sym->st_shndx < s->nr && s->is_code[sym->st_shndx];
}

/* "$x", "$d.12": where ARM and RISC-V code and data begin. */
static bool is_mapping_symbol(const char *name, size_t len)
{
	return len >= 2 && name[0] == '$' && strchr("adtx", name[1]) &&
	       (len == 2 || name[2] == '.');
}

/* Adds the functions of @scn, moved by @bias. Returns whether there are local ones. */
static bool read_symbols(struct elf_syms *e, struct elf_image *im, const struct sections *s,
			 Elf_Scn *scn, uint64_t bias)
{
	Elf_Data *syms, *names;
	GElf_Ehdr ehdr;
	GElf_Shdr h;
	GElf_Sym sym;
	bool local = false;
	int i;

	if (!scn || !s->is_code || !gelf_getehdr(im->elf, &ehdr) || !gelf_getshdr(scn, &h))
		return false;
	syms = elf_image_section(im, scn, &h);
	scn = elf_getscn(im->elf, h.sh_link);
	if (!syms || !scn || !gelf_getshdr(scn, &h) || h.sh_type != SHT_STRTAB)
		return false;
	names = elf_image_section(im, scn, &h);
	if (!names)
		return false;
	for (i = 0; gelf_getsym(syms, i, &sym); i++) {
		const char *name = (char *)names->d_buf + sym.st_name;
		size_t len;

		if (!is_function(s, &sym) || sym.st_name >= names->d_size)
			continue;
		len = names->d_size - sym.st_name;
		len = strnlen(name, len < SYMTAB_MAX_NAME ? len : SYMTAB_MAX_NAME);
		if (memchr(name, '@', len)) /* "memcpy@@GLIBC_2.14" */
			len = (char *)memchr(name, '@', len) - name;
		if (!len || is_mapping_symbol(name, len))
			continue;
		local |= GELF_ST_BIND(sym.st_info) == STB_LOCAL;
		if (ehdr.e_machine == EM_ARM)
			sym.st_value &= ~1ull; /* says that the function is in Thumb code */
		if (symtab_add(&e->table, sym.st_value + bias, sym.st_size, rank_of(&sym), 0, name,
			       len)) {
			e->is_cut = true;
			break;
		}
	}
	return local;
}

/* Unpacks an xz file into memory from mmap(). NULL: it can't be unpacked, or is too large. */
static void *unpack(const Elf_Data *packed, size_t *size)
{
	lzma_stream xz = LZMA_STREAM_INIT;
	lzma_ret ret = LZMA_MEM_ERROR;
	void *out;

	out = mmap(NULL, MAX_UNPACKED, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (out == MAP_FAILED)
		return NULL;
	if (lzma_stream_decoder(&xz, MAX_XZ_MEM, 0) == LZMA_OK) {
		xz.next_in = packed->d_buf;
		xz.avail_in = packed->d_size;
		xz.next_out = out;
		xz.avail_out = MAX_UNPACKED;
		ret = lzma_code(&xz, LZMA_FINISH);
		*size = xz.total_out;
		lzma_end(&xz);
	}
	if (ret == LZMA_STREAM_END && *size)
		return mremap(out, MAX_UNPACKED, *size, 0);
	munmap(out, MAX_UNPACKED);
	return NULL;
}

/* These return whether there was a table of all functions. */
static bool read_debugdata(struct elf_syms *e, struct elf_image *im, Elf_Scn *scn)
{
	struct elf_image inner;
	struct sections s;
	Elf_Data *packed;
	GElf_Shdr h;
	size_t size;
	void *data;
	bool found;

	if (!gelf_getshdr(scn, &h))
		return false;
	packed = elf_image_section(im, scn, &h);
	data = packed ? unpack(packed, &size) : NULL;
	if (!data || elf_image_memory(&inner, data, size))
		return false;
	find_sections(&inner, &s);
	found = s.symtab;
	read_symbols(e, &inner, &s, s.symtab, 0);
	e->is_cut |= inner.is_over;
	free(s.is_code);
	elf_image_close(&inner);
	return found;
}

/* Reads the debug file open as @fd, if it is the right one. Where the stripped file was moved to
 * another address afterwards (prelink), the symbols move along. */
static bool read_debug_file(struct elf_syms *e, int fd, bool by_id)
{
	struct elf_syms other = { 0 };
	struct elf_image im;
	struct build_id id;
	struct sections s;
	bool right = true;

	if (elf_image_open(&im, fd))
		return false;
	if (by_id) {
		build_id_read(&im, &id);
		right = id.len == e->build_id.len && !memcmp(id.bytes, e->build_id.bytes, id.len);
	}
	if (right) {
		other.nr_segments = elf_image_segments(&im, other.segments);
		find_sections(&im, &s);
		right = s.symtab;
		read_symbols(e, &im, &s, s.symtab,
			     e->nr_segments && other.nr_segments
				     ? e->segments[0].vaddr - other.segments[0].vaddr
				     : 0);
		free(s.is_code);
	}
	e->is_cut |= im.is_over;
	elf_image_close(&im);
	return right;
}

static bool read_debuglink(struct elf_syms *e, struct elf_image *im, Elf_Scn *scn,
			   const struct debugfile_search *where)
{
	Elf_Data *data;
	uint32_t crc;
	GElf_Shdr h;
	bool found;
	size_t len;
	int fd;

	if (!gelf_getshdr(scn, &h) || !(data = elf_image_section(im, scn, &h)))
		return false;
	/* the name, padded to 4 bytes, then the CRC */
	len = strnlen(data->d_buf, data->d_size);
	if ((len & ~3ul) + 4 + sizeof(crc) > data->d_size)
		return false;
	memcpy(&crc, (char *)data->d_buf + (len & ~3ul) + 4, sizeof(crc));
	fd = debugfile_open_link(where, data->d_buf, crc, im->fd);
	if (fd < 0)
		return false;
	found = read_debug_file(e, fd, false);
	close(fd);
	return found;
}

static bool read_separate(struct elf_syms *e, struct elf_image *im, const struct sections *s,
			  const struct debugfile_search *where)
{
	bool found = false;
	int fd;

	if (e->build_id.len) {
		fd = debugfile_open_build_id(where, e->build_id.bytes, e->build_id.len);
		if (fd >= 0) {
			found = read_debug_file(e, fd, true);
			close(fd);
		}
	}
	return found || (s->debuglink && read_debuglink(e, im, s->debuglink, where));
}

static void read_go(struct elf_syms *e, struct elf_image *im, struct sections *s)
{
	struct gopclntab g;

	if (!gopclntab_find(&g, im))
		return;
	e->is_cut |= gopclntab_add(&e->table, &g, end_of_code, s) != 0;
	gopclntab_free(&g);
}

static void load(struct elf_syms *e, struct elf_image *im, const struct debugfile_search *where)
{
	struct sections s;
	enum named named = NAMED_EXPORTS;

	e->nr_segments = elf_image_segments(im, e->segments);
	build_id_read(im, &e->build_id);
	find_sections(im, &s);
	if (s.symtab)
		named = read_symbols(e, im, &s, s.symtab, 0) ? NAMED_ALL : NAMED_GLOBALS;
	read_symbols(e, im, &s, s.dynsym, 0);
	plt_read(&e->table, im, s.dynsym);
	if (s.debugdata && read_debugdata(e, im, s.debugdata))
		named = NAMED_ALL;
	if (!s.symtab && where && read_separate(e, im, &s, where))
		named = NAMED_ALL;
	if (named != NAMED_ALL)
		read_go(e, im, &s);
	e->is_cut |= im->is_over;
	finish(e, &s, im->fd, named);
	free(s.is_code);
}

int elf_syms_load(struct elf_syms *e, int fd, const struct debugfile_search *where)
{
	struct elf_image im;
	int err;

	*e = (struct elf_syms){ 0 };
	err = elf_image_open(&im, fd);
	if (err)
		return err;
	load(e, &im, where);
	elf_image_close(&im);
	return 0;
}

bool elf_syms_vaddr(const struct elf_syms *e, uint64_t offset, uint64_t *vaddr)
{
	return elf_segments_vaddr(e->segments, e->nr_segments, offset, vaddr);
}

void elf_syms_free(struct elf_syms *e)
{
	symtab_free(&e->table);
	*e = (struct elf_syms){ 0 };
}
