/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * usdt: probes that programs have in their own code, by the notes (.note.stapsdt) in their files:
 * where each is, and where its arguments are then.
 */
#ifndef BORESCOPE_SCRIPT_USDT_H
#define BORESCOPE_SCRIPT_USDT_H

#include "script/source.h"
#include "symbols/elfimage.h"

enum usdt_kind {
	USDT_CONSTANT, /* .value */
	USDT_REGISTER, /* .reg of struct pt_regs, shifted right by .shift bits */
	USDT_MEMORY,   /* at .reg + .index * .scale + .value */
	USDT_UNKNOWN,  /* a floating point register, or what nobody has seen yet */
};

#define USDT_NO_REGISTER 0xffff

struct usdt_arg {
	enum usdt_kind kind;
	uint8_t size; /* bytes: 1, 2, 4, 8 */
	bool is_signed;
	int64_t value;
	/* Offsets in the kernel's struct pt_regs, of registers of 8 bytes; USDT_NO_REGISTER: none.
	 */
	uint16_t reg, index;
	uint8_t shift; /* bits: 8 for %ah */
	uint8_t scale; /* 1, 2, 4, 8 */
};

#define USDT_ARGS_MAX 12

struct usdt_note {
	const char *provider, *name, *args; /* in the file's image */
	uint64_t address;		    /* virtual, as in the file */
	uint64_t offset;		    /* in the file */
	uint64_t semaphore;		    /* in the file; 0: there is none */
};

/* Calls @fn for each probe of the file, until it returns false; what it gets is good during the
 * call. Notes that make no sense are left out. Returns 0. */
int usdt_each(struct elf_image *im, bool (*fn)(void *ctx, const struct usdt_note *n), void *ctx);

/*
 * Reads what a note says of its arguments, "-4@%edi 8@-16(%rbp)", for the machine of the file
 * (EM_X86_64, EM_AARCH64; of others all are USDT_UNKNOWN). @address is the probe's, and @im the
 * file that names of variables are looked up in; NULL: they are unknown. Returns how many.
 */
size_t usdt_parse(struct elf_image *im, unsigned int machine, uint64_t address, const char *text,
		  struct usdt_arg args[USDT_ARGS_MAX]);

unsigned int usdt_machine(struct elf_image *im);

#endif
