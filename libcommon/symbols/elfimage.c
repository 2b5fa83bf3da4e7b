/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "symbols/elfimage.h"

#define PAGE 4096u /* of the copy; the machine's own doesn't matter */

static bool have_page(const struct elf_image *im, size_t page)
{
	return im->have[page / 8] & 1 << page % 8;
}

/* Reads pages [@from, @to). Where the file has become shorter, zeros remain. */
static void read_pages(struct elf_image *im, size_t from, size_t to)
{
	size_t at = from * PAGE, end = to * PAGE, page;

	if (end > im->size)
		end = im->size;
	while (at < end) {
		ssize_t n = pread(im->fd, im->data + at, end - at, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		at += n;
	}
	for (page = from; page < to; page++)
		im->have[page / 8] |= 1 << page % 8;
}

/* Makes sure that these bytes are there. False: they lie outside of the file, or go beyond the
 * budget. */
static bool fetch(struct elf_image *im, uint64_t offset, uint64_t size)
{
	size_t page, from, end;

	if (offset > im->size || size > im->size - offset)
		return false;
	if (!im->have || !size)
		return true;
	end = (offset + size - 1) / PAGE + 1;
	for (page = offset / PAGE; page < end;) {
		if (have_page(im, page)) {
			page++;
			continue;
		}
		for (from = page; page < end && !have_page(im, page); page++)
			;
		if ((page - from) * PAGE > im->budget) {
			im->is_over = true;
			return false;
		}
		im->budget -= (page - from) * PAGE;
		read_pages(im, from, page);
	}
	return true;
}

/*
 * Reads a table of headers, or takes it out of the copy's ELF header. Counts that don't fit in 16
 * bits (SHN_XINDEX, PN_XNUM) are for object files of a compiler and for core files.
 */
#define CHECK_TABLE(im, h, what, item, special)                                                    \
	do {                                                                                       \
		if (!(h)->e_##what##num || (h)->e_##what##num >= (special) ||                      \
		    (h)->e_##what##entsize != sizeof(item) ||                                      \
		    !fetch(im, (h)->e_##what##off, (uint64_t)(h)->e_##what##num * sizeof(item))) { \
			(h)->e_##what##off = 0;                                                    \
			(h)->e_##what##num = 0;                                                    \
		}                                                                                  \
	} while (0)

static int check_headers(struct elf_image *im)
{
	const unsigned char *ident = (const unsigned char *)im->data;
	union {
		Elf32_Ehdr *h32;
		Elf64_Ehdr *h64;
	} h = { (void *)im->data };

	if (im->size < sizeof(Elf64_Ehdr) || !fetch(im, 0, sizeof(Elf64_Ehdr)) ||
	    memcmp(ident, ELFMAG, SELFMAG) || ident[EI_VERSION] != EV_CURRENT ||
	    ident[EI_DATA] != (BYTE_ORDER == LITTLE_ENDIAN ? ELFDATA2LSB : ELFDATA2MSB))
		return -ENOEXEC;
	if (ident[EI_CLASS] == ELFCLASS64) {
		CHECK_TABLE(im, h.h64, ph, Elf64_Phdr, PN_XNUM);
		CHECK_TABLE(im, h.h64, sh, Elf64_Shdr, SHN_LORESERVE);
		if (h.h64->e_shstrndx >= h.h64->e_shnum)
			h.h64->e_shstrndx = SHN_UNDEF;
	} else if (ident[EI_CLASS] == ELFCLASS32) {
		CHECK_TABLE(im, h.h32, ph, Elf32_Phdr, PN_XNUM);
		CHECK_TABLE(im, h.h32, sh, Elf32_Shdr, SHN_LORESERVE);
		if (h.h32->e_shstrndx >= h.h32->e_shnum)
			h.h32->e_shstrndx = SHN_UNDEF;
	} else {
		return -ENOEXEC;
	}
	return 0;
}

Elf_Data *elf_image_section(struct elf_image *im, Elf_Scn *scn, const GElf_Shdr *shdr)
{
	if (shdr->sh_type == SHT_NOBITS || shdr->sh_flags & SHF_COMPRESSED || !shdr->sh_size ||
	    !fetch(im, shdr->sh_offset, shdr->sh_size))
		return NULL;
	return elf_getdata(scn, NULL);
}

static Elf_Data *section_names(struct elf_image *im)
{
	Elf_Scn *scn;
	GElf_Shdr h;
	size_t i;

	if (elf_getshdrstrndx(im->elf, &i) || !i)
		return NULL;
	scn = elf_getscn(im->elf, i);
	return scn && gelf_getshdr(scn, &h) ? elf_image_section(im, scn, &h) : NULL;
}

static int begin(struct elf_image *im)
{
	int err;

	err = check_headers(im);
	if (!err) {
		elf_version(EV_CURRENT);
		im->elf = elf_memory(im->data, im->size);
		if (!im->elf || elf_kind(im->elf) != ELF_K_ELF)
			err = -ENOEXEC;
	}
	if (err)
		elf_image_close(im);
	else
		im->section_names = section_names(im);
	return err;
}

int elf_image_open(struct elf_image *im, int fd)
{
	struct stat st;

	*im = (struct elf_image){ .fd = fd, .budget = ELF_IMAGE_MAX_READ };
	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size <= 0)
		return -ENOEXEC;
	if ((uint64_t)st.st_size > ELF_IMAGE_MAX_FILE)
		return -EFBIG;
	im->size = st.st_size;
	im->have = calloc(im->size / PAGE / 8 + 1, 1);
	if (!im->have)
		return -ENOMEM;
	im->data = mmap(NULL, im->size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (im->data == MAP_FAILED) {
		im->data = NULL;
		elf_image_close(im);
		return -ENOMEM;
	}
	return begin(im);
}

int elf_image_memory(struct elf_image *im, void *data, size_t size)
{
	*im = (struct elf_image){ .fd = -1, .data = data, .size = size };
	return begin(im);
}

const char *elf_image_section_name(struct elf_image *im, const GElf_Shdr *shdr)
{
	const Elf_Data *names = im->section_names;
	const char *name;
	size_t room;

	if (!names || shdr->sh_name >= names->d_size)
		return "";
	name = (char *)names->d_buf + shdr->sh_name;
	room = names->d_size - shdr->sh_name;
	return memchr(name, '\0', room < 64 ? room : 64) ? name : "";
}

const void *elf_image_bytes(struct elf_image *im, uint64_t offset, uint64_t size)
{
	return size && fetch(im, offset, size) ? im->data + offset : NULL;
}

unsigned int elf_image_segments(struct elf_image *im, struct elf_segment *segments)
{
	unsigned int used = 0;
	GElf_Phdr h;
	size_t nr, i;

	if (elf_getphdrnum(im->elf, &nr))
		return 0;
	for (i = 0; i < nr && used < ELF_MAX_SEGMENTS; i++) {
		if (!gelf_getphdr(im->elf, i, &h) || h.p_type != PT_LOAD || !(h.p_flags & PF_X))
			continue;
		/* A debug file keeps the headers, but has nothing at their place. */
		segments[used++] =
			(struct elf_segment){ h.p_offset, h.p_filesz ? h.p_filesz : h.p_memsz,
					      h.p_vaddr };
	}
	return used;
}

bool elf_segments_vaddr(const struct elf_segment *segments, unsigned int nr, uint64_t offset,
			uint64_t *vaddr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		const struct elf_segment *seg = &segments[i];

		if (offset >= seg->offset && offset - seg->offset < seg->size) {
			*vaddr = offset - seg->offset + seg->vaddr;
			return true;
		}
	}
	return false;
}

void elf_image_close(struct elf_image *im)
{
	if (im->elf)
		elf_end(im->elf);
	if (im->data)
		munmap(im->data, im->size);
	free(im->have);
	*im = (struct elf_image){ .fd = -1 };
}
