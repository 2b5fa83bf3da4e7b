/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * unwind: finds the functions on a user stack from the registers of a thread and a copy of the top
 * of its stack, by the tables that programs carry for this (cfi.h). A place for which there is no
 * table is unwound by the frame pointer, if that makes sense. For x86-64 and arm64.
 *
 * All that is read may have been made to mislead. So a stack has at most @max frames, unwinding it
 * takes at most UNWIND_STEPS, and memory is read in the copy only.
 */
#ifndef BORESCOPE_SYMBOLS_UNWIND_H
#define BORESCOPE_SYMBOLS_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbols/cfi.h"

/* Steps are instructions of tables and expressions: 30 frames of a real program take some 500. */
#define UNWIND_STEPS 65536

struct unwind_from {
	uint64_t regs[CFI_REGS], pc;
	const unsigned char *stack; /* what was copied, */
	uint64_t base;		    /* from this address on, */
	size_t size;		    /* in bytes */
};

/* Why a stack ends where it does. */
enum unwind_end {
	UNWIND_ROOT,	 /* it is whole: there it begins */
	UNWIND_UNCOPIED, /* what comes next was not copied */
	UNWIND_UNKNOWN,	 /* no table, no frame pointer; or what they say makes no sense */
	UNWIND_DEEP,	 /* @max frames */
};

/* Fills @from->regs and .pc, by DWARF's numbers, from registers as the kernel keeps them (struct
 * stack_event of bpf/lib/stacks/stacks.shared.h). */
void unwind_registers(struct unwind_from *from, const uint64_t *saved);

/* Returns whether @pc is in code. If so, @table is the one for it (NULL: there is none), and @vaddr
 * the virtual address of @pc in its file. */
typedef bool (*unwind_find)(void *arg, uint64_t pc, const struct cfi **table, uint64_t *vaddr);

/* Fills @frames as the kernel does: leaf first, each the address at which a function goes on.
 * Returns how many there are, at least 1, and in @end why there are no more. @from is used up. */
size_t unwind(struct unwind_from *from, unwind_find find, void *arg, uint64_t *frames, size_t max,
	      enum unwind_end *end);

#endif
