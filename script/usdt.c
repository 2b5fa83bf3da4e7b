/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "script/elffuncs.h"
#include "script/usdt.h"

#define STAPSDT_TYPE 3
#define NOTES_MAX    65536 /* of one file */

/* --- notes --- */

/* The address that the linker gave .stapsdt.base: where a prelinker has moved the file, it is not
 * where the notes say. */
static bool base_address(struct elf_image *im, uint64_t *address)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr h;

	while ((scn = elf_nextscn(im->elf, scn))) {
		if (!gelf_getshdr(scn, &h) ||
		    strcmp(elf_image_section_name(im, &h), ".stapsdt.base"))
			continue;
		*address = h.sh_addr;
		return true;
	}
	return false;
}

/* A string of a note's descriptor; NULL: it does not end inside. */
static const char *take_string(const char **at, const char *end)
{
	const char *s = *at, *nul = memchr(s, '\0', end - s);

	if (!nul)
		return NULL;
	*at = nul + 1;
	return s;
}

static uint64_t address_at(const char *p, size_t size)
{
	uint64_t wide;
	uint32_t narrow;

	if (size == 8) {
		memcpy(&wide, p, sizeof(wide));
		return wide;
	}
	memcpy(&narrow, p, sizeof(narrow));
	return narrow;
}

static bool read_note(struct elf_image *im, const char *desc, const char *end, size_t word,
		      struct usdt_note *n)
{
	uint64_t base, actual, semaphore;

	if ((size_t)(end - desc) < 3 * word)
		return false;
	n->address = address_at(desc, word);
	base = address_at(desc + word, word);
	semaphore = address_at(desc + 2 * word, word);
	desc += 3 * word;
	n->provider = take_string(&desc, end);
	n->name = n->provider ? take_string(&desc, end) : NULL;
	n->args = n->name ? take_string(&desc, end) : NULL;
	if (!n->args)
		return false;
	if (base && base_address(im, &actual)) {
		n->address += actual - base;
		if (semaphore)
			semaphore += actual - base;
	}
	n->semaphore = 0;
	if (semaphore && !elffuncs_offset(im, semaphore, false, &n->semaphore))
		n->semaphore = 0;
	return elffuncs_offset(im, n->address, true, &n->offset);
}

static bool each_of_section(struct elf_image *im, const Elf_Data *data,
			    bool (*fn)(void *ctx, const struct usdt_note *n), void *ctx)
{
	const char *p = data->d_buf, *end = p + data->d_size;
	size_t word = gelf_getclass(im->elf) == ELFCLASS64 ? 8 : 4;

	for (unsigned int i = 0; i < NOTES_MAX && (size_t)(end - p) >= sizeof(Elf64_Nhdr); i++) {
		uint64_t name_size, desc_size;
		struct usdt_note n;
		Elf64_Nhdr h;

		memcpy(&h, p, sizeof(h));
		p += sizeof(h);
		name_size = ((uint64_t)h.n_namesz + 3) & ~3ull;
		desc_size = ((uint64_t)h.n_descsz + 3) & ~3ull;
		if (name_size + h.n_descsz > (size_t)(end - p))
			break;
		if (h.n_type == STAPSDT_TYPE && h.n_namesz == 8 && !memcmp(p, "stapsdt", 8) &&
		    read_note(im, p + name_size, p + name_size + h.n_descsz, word, &n) &&
		    !fn(ctx, &n))
			return false;
		if (name_size + desc_size > (size_t)(end - p))
			break;
		p += name_size + desc_size;
	}
	return true;
}

int usdt_each(struct elf_image *im, bool (*fn)(void *ctx, const struct usdt_note *n), void *ctx)
{
	Elf_Scn *scn = NULL;
	Elf_Data *data;
	GElf_Shdr h;

	while ((scn = elf_nextscn(im->elf, scn))) {
		if (!gelf_getshdr(scn, &h) || h.sh_type != SHT_NOTE ||
		    strcmp(elf_image_section_name(im, &h), ".note.stapsdt"))
			continue;
		data = elf_image_section(im, scn, &h);
		if (data && data->d_buf && !each_of_section(im, data, fn, ctx))
			break;
	}
	return 0;
}

unsigned int usdt_machine(struct elf_image *im)
{
	GElf_Ehdr h;

	return gelf_getehdr(im->elf, &h) ? h.e_machine : EM_NONE;
}

/* --- registers --- */

/* As struct pt_regs of x86-64 has them, with their names of 8, 4, 2, 1 bytes, and of bits 8 to 15.
 */
static const struct {
	const char *names[5];
	uint16_t offset;
} x86_registers[] = {
	{ { "r15", "r15d", "r15w", "r15b" }, 0 },   { { "r14", "r14d", "r14w", "r14b" }, 8 },
	{ { "r13", "r13d", "r13w", "r13b" }, 16 },  { { "r12", "r12d", "r12w", "r12b" }, 24 },
	{ { "rbp", "ebp", "bp", "bpl" }, 32 },	    { { "rbx", "ebx", "bx", "bl", "bh" }, 40 },
	{ { "r11", "r11d", "r11w", "r11b" }, 48 },  { { "r10", "r10d", "r10w", "r10b" }, 56 },
	{ { "r9", "r9d", "r9w", "r9b" }, 64 },	    { { "r8", "r8d", "r8w", "r8b" }, 72 },
	{ { "rax", "eax", "ax", "al", "ah" }, 80 }, { { "rcx", "ecx", "cx", "cl", "ch" }, 88 },
	{ { "rdx", "edx", "dx", "dl", "dh" }, 96 }, { { "rsi", "esi", "si", "sil" }, 104 },
	{ { "rdi", "edi", "di", "dil" }, 112 },	    { { "rip", "eip", "ip" }, 128 },
	{ { "rsp", "esp", "sp", "spl" }, 152 },
};
#define X86_RIP 128

static bool x86_register(const char *name, size_t len, uint16_t *offset, uint8_t *shift)
{
	*shift = 0;
	for (size_t i = 0; i < ARRAY_SIZE(x86_registers); i++) {
		for (size_t k = 0; k < 5; k++) {
			const char *known = x86_registers[i].names[k];

			if (!known || strlen(known) != len || memcmp(known, name, len))
				continue;
			*offset = x86_registers[i].offset;
			*shift = k == 4 ? 8 : 0;
			return true;
		}
	}
	return false;
}

/* x0 to x30, w0 to w30, sp. */
static bool arm64_register(const char *name, size_t len, uint16_t *offset)
{
	unsigned int n = 0;

	if (len == 2 && !memcmp(name, "sp", 2)) {
		*offset = 31 * 8;
		return true;
	}
	if (len < 2 || len > 3 || (name[0] != 'x' && name[0] != 'w'))
		return false;
	for (size_t i = 1; i < len; i++) {
		if (name[i] < '0' || name[i] > '9')
			return false;
		n = n * 10 + (name[i] - '0');
	}
	*offset = n * 8;
	return n <= 30;
}

/* --- operands --- */

/* One operand as text, without blanks at its ends, and what is needed to understand it. */
struct operand {
	struct elf_image *im;
	unsigned int machine;
	uint64_t address; /* of the probe */
	char text[256];
};

/* A number at *p, which moves behind it. */
static bool take_number(const char **p, int64_t *value)
{
	const char *digits = *p + (**p == '-' || **p == '+');
	char *end;
	uint64_t n;

	if (*digits < '0' || *digits > '9')
		return false;
	errno = 0;
	n = strtoull(digits, &end, 0);
	if (errno || end == digits)
		return false;
	*value = **p == '-' ? (int64_t)(0 - n) : (int64_t)n;
	*p = end;
	return true;
}

static size_t word_length(const char *p)
{
	return strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.$@");
}

static bool take_register(const struct operand *o, const char **p, uint16_t *reg, uint8_t *shift)
{
	size_t len;

	if (o->machine == EM_X86_64 && *(*p)++ != '%')
		return false;
	len = word_length(*p);
	*shift = 0;
	if (o->machine == EM_X86_64 ? !x86_register(*p, len, reg, shift)
				    : !arm64_register(*p, len, reg))
		return false;
	*p += len;
	return true;
}

/* What stands before the brackets: a number, or a variable and perhaps a number. *@named: it was a
 * variable's, so an address in the file. */
static bool take_displacement(const struct operand *o, const char **p, int64_t *value, bool *named)
{
	char name[sizeof(o->text)];
	uint64_t unused, address;
	int64_t more = 0;
	size_t len;

	*named = false;
	*value = 0;
	if (**p == '(')
		return true;
	if (take_number(p, value))
		return true;
	len = word_length(*p);
	if (!len || !o->im)
		return false;
	memcpy(name, *p, len);
	name[len] = '\0';
	*p += len;
	if ((**p == '+' || **p == '-') && !take_number(p, &more))
		return false;
	if (!elffuncs_symbol(o->im, name, &address, &unused))
		return false;
	*named = true;
	*value = (int64_t)(address + (uint64_t)more);
	return true;
}

/* "(%rax,%rdx,4)", up to its end. */
static bool take_x86_base(const struct operand *o, const char **p, struct usdt_arg *arg)
{
	int64_t scale = 1;
	uint8_t shift;

	if (*(*p)++ != '(')
		return false;
	if (**p == '%' && (!take_register(o, p, &arg->reg, &shift) || shift))
		return false;
	if (**p == ',') {
		++*p;
		if (!take_register(o, p, &arg->index, &shift) || shift)
			return false;
		if (**p == ',') {
			++*p;
			if (!take_number(p, &scale))
				return false;
		}
	}
	arg->scale = scale;
	return *(*p)++ == ')' && (scale == 1 || scale == 2 || scale == 4 || scale == 8);
}

static bool parse_x86(const struct operand *o, struct usdt_arg *arg)
{
	const char *p = o->text;
	bool named;

	if (*p == '$') {
		p++;
		arg->kind = USDT_CONSTANT;
		return take_number(&p, &arg->value) && !*p;
	}
	if (*p == '%') {
		arg->kind = USDT_REGISTER;
		return take_register(o, &p, &arg->reg, &arg->shift) && !*p;
	}
	arg->kind = USDT_MEMORY;
	if (!take_displacement(o, &p, &arg->value, &named))
		return false;
	if (!*p) { /* an address that the program has wherever it is loaded: there is no such PIE */
		arg->reg = USDT_NO_REGISTER;
		return true;
	}
	if (!take_x86_base(o, &p, arg) || *p)
		return false;
	/* The variable is as far from the probe in memory as it is in the file. */
	if (named && arg->reg == X86_RIP)
		arg->value -= (int64_t)o->address;
	return true;
}

/* "[x29, 16]", "[sp]", "[x1, x2, lsl 3]" */
static bool parse_arm64_memory(const struct operand *o, const char *p, struct usdt_arg *arg)
{
	int64_t scale = 0;
	uint8_t shift;

	if (!take_register(o, &p, &arg->reg, &shift))
		return false;
	if (*p == ']')
		return !p[1];
	if (*p++ != ',')
		return false;
	p += strspn(p, " #");
	if (take_number(&p, &arg->value))
		return *p == ']' && !p[1];
	if (!take_register(o, &p, &arg->index, &shift))
		return false;
	if (*p == ',') {
		p += 1 + strspn(p + 1, " ");
		if (strncmp(p, "lsl", 3))
			return false;
		p += 3 + strspn(p + 3, " #");
		if (!take_number(&p, &scale) || scale < 0 || scale > 3)
			return false;
	}
	arg->scale = 1 << scale;
	return *p == ']' && !p[1];
}

static bool parse_arm64(const struct operand *o, struct usdt_arg *arg)
{
	const char *p = o->text;

	if (*p == '[') {
		arg->kind = USDT_MEMORY;
		return parse_arm64_memory(o, p + 1, arg);
	}
	p += *p == '#';
	arg->kind = USDT_CONSTANT;
	if (take_number(&p, &arg->value))
		return !*p;
	arg->kind = USDT_REGISTER;
	return take_register(o, &p, &arg->reg, &arg->shift) && !*p;
}

/* "-4@": a minus for a signed one, and how many bytes; @end is the @. "4f@" is of floating point.
 */
static bool read_size(const char *text, const char *end, struct usdt_arg *arg)
{
	int64_t size;

	if (!take_number(&text, &size) || text != end)
		return false;
	arg->is_signed = size < 0;
	size = size < 0 ? -size : size;
	arg->size = size;
	return size == 1 || size == 2 || size == 4 || size == 8;
}

/* Up to the next blank that stands in no brackets. */
static size_t operand_length(const char *p)
{
	int depth = 0;
	size_t len;

	for (len = 0; p[len] && (depth > 0 || p[len] != ' '); len++)
		depth += (p[len] == '[' || p[len] == '(') - (p[len] == ']' || p[len] == ')');
	return len;
}

static bool parse_operand(const struct operand *o, struct usdt_arg *arg)
{
	switch (o->machine) {
	case EM_X86_64:
		return parse_x86(o, arg);
	case EM_AARCH64:
		return parse_arm64(o, arg);
	default:
		return false;
	}
}

/* Without a size, it is 8 bytes. */
static void parse_one(struct operand *o, const char *text, size_t len, struct usdt_arg *arg)
{
	const char *at = memchr(text, '@', len), *begin = at ? at + 1 : text;
	bool known = true;

	*arg = (struct usdt_arg){
		.reg = USDT_NO_REGISTER, .index = USDT_NO_REGISTER, .scale = 1, .size = 8
	};
	if (at)
		known = read_size(text, at, arg);
	len -= begin - text;
	if (known && len < sizeof(o->text)) {
		memcpy(o->text, begin, len);
		o->text[len] = '\0';
		known = parse_operand(o, arg);
	} else {
		known = false;
	}
	if (!known)
		arg->kind = USDT_UNKNOWN;
}

size_t usdt_parse(struct elf_image *im, unsigned int machine, uint64_t address, const char *text,
		  struct usdt_arg args[USDT_ARGS_MAX])
{
	struct operand o = { .im = im, .machine = machine, .address = address };
	size_t nr = 0;

	while (nr < USDT_ARGS_MAX) {
		size_t len;

		text += strspn(text, " ");
		if (!*text)
			break;
		len = operand_length(text);
		parse_one(&o, text, len, &args[nr++]);
		text += len;
	}
	return nr;
}
