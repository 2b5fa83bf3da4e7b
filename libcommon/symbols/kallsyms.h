/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * kallsyms: the kernel's functions, from the text of /proc/kallsyms and /proc/modules.
 */
#ifndef BORESCOPE_SYMBOLS_KALLSYMS_H
#define BORESCOPE_SYMBOLS_KALLSYMS_H

#include <stdbool.h>
#include <stdio.h>

#include "symbols/frame_name.h"
#include "symbols/symtab.h"

struct kernel_module {
	uint64_t base, size;
	char name[64]; /* MODULE_NAME_LEN in the kernel is 56 */
};

struct kallsyms {
	struct symtab table;
	struct kernel_module *modules; /* by base */
	size_t nr_modules;
	/* "bpf" and others that kallsyms has in brackets: a symbol's tag less one says which */
	char (*tags)[64];
	size_t nr_tags;
	uint64_t text, text_end; /* of the kernel proper */
	bool hidden;		 /* there are names, but all addresses are 0 */
	uint32_t newest_prog; /* the highest id of a BPF program; 0: there is none, or not known */
};

/*
 * Reads both texts (@modules may be NULL). Only functions are kept; lines that make no sense are
 * passed over. Returns 0, also where addresses are hidden, or -ENOMEM.
 */
int kallsyms_read(struct kallsyms *k, FILE *symbols, FILE *modules);

/* The same for the running kernel. Returns -errno also where /proc/kallsyms can't be opened. */
int kallsyms_load(struct kallsyms *k);

/*
 * Whether there is code now that @k, from kallsyms_load(), does not know: other modules, or a newer
 * BPF program. Takes some 10 us, where reading kallsyms takes 50 ms. Returns 1 or 0, or -EPERM when
 * the modules are the same and programs can't be seen (that needs CAP_SYS_ADMIN).
 */
int kallsyms_changed(const struct kallsyms *k);
/* The part of kallsyms_changed() that is about modules. */
bool kallsyms_other_modules(const struct kallsyms *k, FILE *modules);

/* Names @addr as symbols_kernel() does, from what was read, without printing anything. */
void kallsyms_find(const struct kallsyms *k, uint64_t addr, struct frame_name *name);

/* Returns one sentence that says why there are no names, and what would help; NULL: there are
 * names. @err is what kallsyms_load() returned. */
const char *kallsyms_why_not(const struct kallsyms *k, int err);

void kallsyms_free(struct kallsyms *k);

#endif
