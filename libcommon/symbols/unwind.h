/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * unwind: a user stack from the registers of a thread and a copy of the top of its stack, by the
 * tables that programs carry for it (cfi.h). Where there is none for a place, by the frame pointer,
 * if that makes sense. x86-64 and arm64.
 *
 * All that is read may be made to mislead: a stack has at most @max frames, all of it takes at most
 * UNWIND_STEPS, and memory is read in the copy only.
 */
#ifndef BORESCOPE_SYMBOLS_UNWIND_H
#define BORESCOPE_SYMBOLS_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbols/cfi.h"

/* Instructions of tables and expressions: 30 frames of a real program take some 500. */
#define UNWIND_STEPS 65536

struct unwind_from {
	uint64_t regs[CFI_REGS], pc;
	const unsigned char *stack; /* what was copied, from address @base on */
	uint64_t base;
	size_t size;
};

/* Why a stack ends where it does. */
enum unwind_end {
	UNWIND_ROOT,	 /* there it begins */
	UNWIND_UNCOPIED, /* what comes next was not copied */
	UNWIND_UNKNOWN,	 /* no table, no frame pointer; or what they say makes no sense */
	UNWIND_DEEP,	 /* @max frames */
};

/* Registers as the kernel keeps them (struct stack_event of bpf/lib/stacks/stacks.shared.h) to DWARF's. */
void unwind_registers(struct unwind_from *from, const uint64_t *saved);

/* Whether @pc is in code; if so, its table (NULL: none) and the virtual address of @pc in the file.
 */
typedef bool (*unwind_find)(void *arg, uint64_t pc, const struct cfi **table, uint64_t *vaddr);

/* Fills @frames, leaf first, as the kernel does: where each function goes on. Returns how many, at
 * least 1. @from is used up. */
size_t unwind(struct unwind_from *from, unwind_find find, void *arg, uint64_t *frames, size_t max,
	      enum unwind_end *end);

#endif
