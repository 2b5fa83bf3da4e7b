/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "symbols/sigreturn.h"

#if defined(__aarch64__)
#define MAX_CODE (1u << 20) /* a vdso has some KB, musl's libc 600 */

/* mov x8, #139; svc #0 */
static const unsigned char sigreturn[] = { 0x68, 0x11, 0x80, 0xd2, 0x01, 0, 0, 0xd4 };

/* What the stack pointer points to there: struct rt_sigframe (arch/arm64/kernel/signal.c). A
 * siginfo of 128 bytes, 176 of struct ucontext, then struct sigcontext with 8 before these. */
enum { AT_REGS = 128 + 176 + 8, AT_SP = AT_REGS + 31 * 8, AT_PC = AT_SP + 8 };

enum { SP = 31, PC = 32 }; /* DWARF's numbers */

static bool find_code(struct elf_image *im, const struct elf_segment *segments, unsigned int nr,
		      uint64_t *vaddr)
{
	for (unsigned int i = 0; i < nr; i++) {
		const struct elf_segment *s = &segments[i];
		const unsigned char *code = NULL;

		if (s->size <= MAX_CODE)
			code = elf_image_bytes(im, s->offset, s->size);
		for (uint64_t at = 0; code && at + sizeof(sigreturn) <= s->size; at += 4) {
			if (memcmp(code + at, sigreturn, sizeof(sigreturn)) != 0)
				continue;
			*vaddr = s->vaddr + at;
			return true;
		}
	}
	return false;
}

struct out {
	unsigned char *at;
};

static void put(struct out *o, const void *bytes, size_t size)
{
	memcpy(o->at, bytes, size);
	o->at += size;
}

/* DW_OP_breg31: the stack pointer plus @n, which takes two bytes. */
static void put_place(struct out *o, unsigned int n)
{
	const unsigned char op[] = { 0x70 + SP, (n & 0x7f) | 0x80, n >> 7 };

	put(o, op, sizeof(op));
}

/* DW_CFA_expression */
static void put_saved(struct out *o, unsigned char reg, unsigned int n)
{
	const unsigned char op[] = { 0x10, reg, 3 };

	put(o, op, sizeof(op));
	put_place(o, n);
}

static void put_word(struct out *o, uint32_t word)
{
	put(o, &word, sizeof(word));
}

static void end_entry(struct out *o, unsigned char *begin)
{
	uint32_t len = o->at - begin - sizeof(len);

	memcpy(begin, &len, sizeof(len));
}

static size_t make_table(uint64_t vaddr, unsigned char *table)
{
	/* version 1, a signal's frame, addresses as they are, PC is what is returned to */
	static const unsigned char cie[] = { 1, 'z', 'R', 'S', 0, 1, 0x78, PC, 1, 0 };
	static const unsigned char def_cfa_expression[] = { 0x0f, 4 }, deref = 0x06;
	uint64_t start = vaddr - 4, len = 4 + sizeof(sigreturn); /* callers are looked up before */
	struct out o = { table + 4 };
	unsigned char *fde;

	put_word(&o, 0);
	put(&o, cie, sizeof(cie));
	put(&o, def_cfa_expression, sizeof(def_cfa_expression));
	put_place(&o, AT_SP);
	put(&o, &deref, 1);
	for (unsigned int i = 0; i < SP; i++)
		put_saved(&o, i, AT_REGS + 8 * i);
	put_saved(&o, PC, AT_PC);
	end_entry(&o, table);
	fde = o.at;
	o.at += 4;
	put_word(&o, o.at - table); /* back to the CIE */
	put(&o, &start, sizeof(start));
	put(&o, &len, sizeof(len));
	put(&o, "", 1);
	end_entry(&o, fde);
	return o.at - table;
}

size_t sigreturn_table(struct elf_image *im, const struct elf_segment *segments, unsigned int nr,
		       unsigned char *table)
{
	uint64_t vaddr;

	return find_code(im, segments, nr, &vaddr) ? make_table(vaddr, table) : 0;
}
#else
size_t sigreturn_table(struct elf_image *im, const struct elf_segment *segments, unsigned int nr,
		       unsigned char *table)
{
	(void)im;
	(void)segments;
	(void)nr;
	(void)table;
	return 0;
}
#endif
