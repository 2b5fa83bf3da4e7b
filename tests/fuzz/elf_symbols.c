/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* libFuzzer: any bytes as an ELF file. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "symbols/demangle.h"
#include "symbols/elfsyms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* a root directory where no debug file is */
	static struct debugfile_search where = { .path = "/a/b" };
	struct elf_syms e;
	char buf[256];
	uint64_t addr, vaddr;
	size_t i;
	int fd;

	if (!where.nr_roots) {
		where.roots[0] = open("/proc/self/ns", O_PATH | O_CLOEXEC);
		where.nr_roots = 1;
	}
	fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	if (!elf_syms_load(&e, fd, &where)) {
		for (i = 0; i < e.table.nr; i++) {
			const struct symbol *sym = &e.table.syms[i];

			/* what was kept can be found, and names are strings */
			if (sym->size && !symtab_find(&e.table, sym->addr))
				abort();
			if (i < 16)
				demangle(symtab_name(&e.table, sym), buf, sizeof(buf));
			if (i && sym->addr <= sym[-1].addr)
				abort();
		}
		for (addr = 0; addr < 1 << 16; addr += 997)
			elf_syms_vaddr(&e, addr, &vaddr);
		if (e.build_id.len > sizeof(e.build_id.bytes))
			abort();
		elf_syms_free(&e);
	}
	close(fd);
	return 0;
}
