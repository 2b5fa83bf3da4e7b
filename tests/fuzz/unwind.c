/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * libFuzzer: a user stack, and the tables that say how to unwind it. The first byte says what the
 * tables are: an ELF file, an .eh_frame or a .debug_frame; the last kilobyte is registers and
 * stack.
 */
#include <fcntl.h>
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/stacks/stacks.shared.h"
#include "symbols/unwind.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STACK_BYTES 1024
#define VADDR	    0x2000
#define MAX_FRAMES  64

static bool find(void *arg, uint64_t pc, const struct cfi **table, uint64_t *vaddr)
{
	const struct cfi *c = arg;

	*table = c;
	*vaddr = pc;
	return pc < 1 << 20;
}

static void unwind_from(struct cfi *c, const uint64_t *words, uint64_t pc)
{
	struct unwind_from from = {
		.stack = (const unsigned char *)(words + STACK_REGS),
		.base = STACK_BASE(words[STACK_REG_SP]),
		.size = STACK_BYTES - STACK_REGS * sizeof(*words),
	};
	uint64_t frames[MAX_FRAMES];
	enum unwind_end end;
	size_t nr;

	unwind_registers(&from, words);
	from.pc = pc;
	nr = unwind(&from, find, c, frames, MAX_FRAMES, &end);
	if (!nr || nr > MAX_FRAMES || frames[0] != pc || (end == UNWIND_DEEP && nr < MAX_FRAMES))
		abort();
}

static void unwind_table(struct cfi *c, const struct cfi_table *t, const uint64_t *words)
{
	for (size_t i = 0; i < t->nr && i < 8; i++) {
		const struct cfi_function *f = &t->functions[i];

		if (!f->len || (i && f->start < f[-1].start))
			abort();
		unwind_from(c, words, f->start);
		unwind_from(c, words, f->start + f->len - 1);
	}
}

static int load(struct cfi *c, uint8_t kind, const uint8_t *data, size_t size)
{
	int fd, err;

	if (kind % 3)
		return cfi_load_table(c, data, size, VADDR, kind % 3 == 2);
	fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	err = cfi_load(c, fd);
	close(fd);
	return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t words[STACK_BYTES / sizeof(uint64_t)], vaddr;
	struct cfi c;
	size_t i;

	if (size < 1 + STACK_BYTES)
		return 0;
	memcpy(words, data + size - STACK_BYTES, STACK_BYTES);
	if (load(&c, data[0], data + 1, size - STACK_BYTES - 1))
		return 0;
	for (i = 0; i < 2; i++)
		unwind_table(&c, &c.tables[i], words);
	elf_segments_vaddr(c.segments, c.nr_segments, words[0], &vaddr);
	cfi_free(&c);
	return 0;
}
