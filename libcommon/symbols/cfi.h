/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * cfi: the call frame information of one ELF file. It tells, for each place in a function, where
 * the function's caller goes on and what the caller's registers hold. It stands in .eh_frame, which
 * nearly every program has, or in .debug_frame. See DWARF 5, section 6.4, and the Linux Standard
 * Base, section 10.6.
 *
 * It is read here, and not by libdw: the tables are another user's, and libdw 0.188 takes half a
 * gigabyte for one function whose table of 14 bytes asks for it (a register of a high number, then
 * DW_CFA_remember_state), in a process that is root's. Here registers are those that the machine
 * has, states are kept eight deep, and each instruction is paid for out of a budget.
 */
#ifndef BORESCOPE_SYMBOLS_CFI_H
#define BORESCOPE_SYMBOLS_CFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbols/elfimage.h"

#define CFI_MAX_BYTES (32u << 20) /* of one table; LLVM's has 5 MB, with 98,000 functions */

/* Registers have their DWARF numbers. */
#if defined(__x86_64__)
#define CFI_REGS 17
#define CFI_FP	 6
#define CFI_SP	 7
#elif defined(__aarch64__)
#define CFI_REGS 33 /* the last is PC, which a signal's frame has beside x30 */
#define CFI_FP	 29
#define CFI_LINK 30
#define CFI_SP	 31
#else
#define CFI_REGS 1 /* a machine that is not known here: cfi_load() refuses */
#define CFI_FP	 0
#define CFI_SP	 0
#endif

/* How the caller's value of a register is found. */
enum cfi_how {
	CFI_SAME, /* it is not changed; also where the table has no rule for it */
	CFI_UNDEFINED,
	CFI_SAVED,	/* in memory, n bytes from the CFA */
	CFI_SUM,	/* the CFA plus n */
	CFI_REGISTER,	/* in register reg */
	CFI_SAVED_EXPR, /* in memory, at what the expression gives */
	CFI_EXPR,	/* what the expression gives */
};

struct cfi_rule {
	uint8_t how;
	uint8_t reg;
	uint32_t len; /* of the expression */
	union {
		int64_t n;
		const unsigned char *expression; /* in the table */
	};
};

/* The rules at one place of a function. */
struct cfi_row {
	struct cfi_rule cfa; /* CFI_SUM: register reg plus n; or CFI_EXPR */
	struct cfi_rule regs[CFI_REGS];
	uint8_t ra;	/* the register whose rule gives the place that is returned to */
	bool is_signal; /* the frame that the kernel makes to call a signal's handler */
};

struct cfi_function {
	uint64_t start;
	uint32_t len; /* bytes */
	uint32_t at;  /* where its FDE is in the table */
};

struct cfi_table {
	unsigned char *bytes;
	size_t size;
	uint64_t vaddr;
	bool is_debug;			/* .debug_frame */
	struct cfi_function *functions; /* by start */
	size_t nr;
};

struct cfi {
	struct cfi_table tables[2]; /* .eh_frame, .debug_frame or sigreturn.h's */
	struct elf_segment segments[ELF_MAX_SEGMENTS];
	unsigned int nr_segments;
	void *map; /* what the tables are in: cfi_adopt() */
	size_t map_size;
};

/* Whether this machine's tables and registers are known here. */
static inline bool cfi_supported(void)
{
	return CFI_REGS > 1;
}

/* Reads the tables of the file open as @fd. Returns 0, also when there are none, or -errno with
 * nothing to free. */
int cfi_load(struct cfi *c, int fd);
/* Takes a table alone, which is copied: .eh_frame, or with @is_debug .debug_frame, as it stands at
 * @vaddr. */
int cfi_load_table(struct cfi *c, const void *table, size_t size, uint64_t vaddr, bool is_debug);
/* Takes the tables, whose sizes are filled in, from @fd (sealed.h: bytes and functions of each), if
 * they are such. @fd -1: they are empty. Returns 0, or -EINVAL with nothing to free. */
int cfi_adopt(struct cfi *c, int fd);
void cfi_free(struct cfi *c);
size_t cfi_bytes(const struct cfi *c);

/* Fills @row with the rules at virtual address @vaddr of the file. Returns false when the function
 * there is not known, or its table makes no sense. What is executed for it is subtracted from
 * @steps; it fails when there are none left. */
bool cfi_find(const struct cfi *c, uint64_t vaddr, struct cfi_row *row, unsigned int *steps);

/* For reading a part of a table. What is beyond it reads as 0, and sets .bad. */
struct cfi_cursor {
	const unsigned char *at, *end;
	bool bad;
};
uint64_t cfi_take(struct cfi_cursor *c, size_t size); /* 1, 2, 4 or 8 bytes, unsigned */
int64_t cfi_take_signed(struct cfi_cursor *c, size_t size);
uint64_t cfi_take_uleb(struct cfi_cursor *c);
int64_t cfi_take_sleb(struct cfi_cursor *c);

/* The expression of a rule that has one. */
struct cfi_cursor cfi_expression(const struct cfi_rule *rule);

#endif
