/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * elfimage: a private copy of those parts of an ELF file that are asked for, for libelf to read.
 *
 * The file may be another user's, who may change it at any moment. So it is neither mapped (a
 * truncated file would be a SIGBUS) nor given to libelf as a descriptor (what was checked could be
 * something else when it is read again, and sparse files of any size cost nothing to make). Each
 * page is read once, into memory as large as the file of which only these pages exist; libelf sees
 * that memory, with the headers checked.
 */
#ifndef BORESCOPE_SYMBOLS_ELFIMAGE_H
#define BORESCOPE_SYMBOLS_ELFIMAGE_H

#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_image {
	Elf *elf;
	Elf_Data *section_names;
	char *data;
	size_t size;
	unsigned char *have; /* a bit per page of data; NULL: all is there */
	size_t budget;	     /* bytes that may still be read */
	bool is_over;	     /* something was not read for want of them */
	int fd;
};

#define ELF_IMAGE_MAX_FILE (16ull << 30) /* larger files aren't looked at */
#define ELF_IMAGE_MAX_READ (256u << 20)	 /* nor is more than this of one file */

/*
 * elf_image_open() opens the file open as @fd, which stays the caller's and has to stay open until
 * elf_image_close(). elf_image_memory() takes @data of @size bytes, which came from mmap() and is
 * taken over, also on failure. Both return 0; -ENOEXEC when it is not an ELF file of this machine's
 * byte order; -EFBIG; -ENOMEM; or another -errno. On failure there is nothing to close.
 */
int elf_image_open(struct elf_image *im, int fd);
int elf_image_memory(struct elf_image *im, void *data, size_t size);

/* Returns what section @scn with header @shdr holds, valid until the image is closed. NULL: it is
 * empty, lies outside of the file, is compressed, or goes beyond the budget. */
Elf_Data *elf_image_section(struct elf_image *im, Elf_Scn *scn, const GElf_Shdr *shdr);

/* A section's name, ".text"; "" where it is not known, or is longer than 63 bytes. */
const char *elf_image_section_name(struct elf_image *im, const GElf_Shdr *shdr);

/* The same for @size bytes at @offset of the file. */
const void *elf_image_bytes(struct elf_image *im, uint64_t offset, uint64_t size);

/* A part of a file that holds code, and where in memory it goes. */
#define ELF_MAX_SEGMENTS 16 /* of one file; there is one as a rule */

struct elf_segment {
	uint64_t offset, size, vaddr;
};

/* Fills @segments, of which there are ELF_MAX_SEGMENTS; returns how many are used. */
unsigned int elf_image_segments(struct elf_image *im, struct elf_segment *segments);

/* Turns a place in the file into a virtual address. False: there is no code at @offset. */
bool elf_segments_vaddr(const struct elf_segment *segments, unsigned int nr, uint64_t offset,
			uint64_t *vaddr);

void elf_image_close(struct elf_image *im);

#endif
