/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdbool.h>
#include <string.h>

#include "symbols/buildid.h"

#define MAX_NOTES     (1u << 16) /* bytes, in one segment or section */
#define MAX_ALL_NOTES (1u << 20) /* headers may name the same bytes over and over */

/* A note is three words and two byte strings: name and description, both padded to 4 bytes. */
static bool find_build_id(const unsigned char *note, size_t size, struct build_id *id)
{
	GElf_Nhdr n;

	while (size >= sizeof(n)) {
		size_t name, left;

		memcpy(&n, note, sizeof(n));
		name = ((size_t)n.n_namesz + 3) & ~(size_t)3;
		if (name > size - sizeof(n))
			return false;
		left = size - sizeof(n) - name;
		if (n.n_descsz > left)
			return false;
		note += sizeof(n) + name;
		if (n.n_type == NT_GNU_BUILD_ID && n.n_namesz == sizeof(ELF_NOTE_GNU) &&
		    !memcmp(note - name, ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU)) && n.n_descsz &&
		    n.n_descsz <= sizeof(id->bytes)) {
			memset(id->bytes, 0, sizeof(id->bytes));
			memcpy(id->bytes, note, n.n_descsz);
			id->len = n.n_descsz;
			return true;
		}
		/* the padding of the last one may be missing */
		size = ((size_t)n.n_descsz + 3) & ~(size_t)3;
		if (size > left)
			return false;
		note += size;
		size = left - size;
	}
	return false;
}

static bool id_at(struct elf_image *im, uint64_t offset, uint64_t size, size_t *left,
		  struct build_id *id)
{
	const void *note;

	if (size > MAX_NOTES || size > *left)
		return false;
	*left -= size;
	note = elf_image_bytes(im, offset, size);
	return note && find_build_id(note, size, id);
}

void build_id_read(struct elf_image *im, struct build_id *id)
{
	size_t left = MAX_ALL_NOTES, nr, i;
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;
	GElf_Phdr h;

	id->len = 0;
	for (i = 0; !elf_getphdrnum(im->elf, &nr) && i < nr; i++) {
		if (gelf_getphdr(im->elf, i, &h) && h.p_type == PT_NOTE &&
		    id_at(im, h.p_offset, h.p_filesz, &left, id))
			return;
	}
	/* In debug files of some linkers the segment is not where it says, but the section is. */
	while ((scn = elf_nextscn(im->elf, scn))) {
		if (gelf_getshdr(scn, &sh) && sh.sh_type == SHT_NOTE &&
		    id_at(im, sh.sh_offset, sh.sh_size, &left, id))
			return;
	}
}
