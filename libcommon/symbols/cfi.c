/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/search.h"
#include "base/util.h"
#include "symbols/cfi.h"
#include "symbols/sealed.h"
#include "symbols/sigreturn.h"

/* DWARF 5, table 7.29, and GNU's. The first three have a number in their lower six bits. */
enum {
	DW_CFA_advance_loc = 0x40,
	DW_CFA_offset = 0x80,
	DW_CFA_restore = 0xc0,
	DW_CFA_nop = 0x00,
	DW_CFA_set_loc,
	DW_CFA_advance_loc1,
	DW_CFA_advance_loc2,
	DW_CFA_advance_loc4,
	DW_CFA_offset_extended,
	DW_CFA_restore_extended,
	DW_CFA_undefined,
	DW_CFA_same_value,
	DW_CFA_register,
	DW_CFA_remember_state,
	DW_CFA_restore_state,
	DW_CFA_def_cfa,
	DW_CFA_def_cfa_register,
	DW_CFA_def_cfa_offset,
	DW_CFA_def_cfa_expression,
	DW_CFA_expression,
	DW_CFA_offset_extended_sf,
	DW_CFA_def_cfa_sf,
	DW_CFA_def_cfa_offset_sf,
	DW_CFA_val_offset,
	DW_CFA_val_offset_sf,
	DW_CFA_val_expression,
	DW_CFA_GNU_window_save = 0x2d,
	DW_CFA_GNU_args_size,
	DW_CFA_GNU_negative_offset_extended,
};

#define MAX_FUNCTIONS (2u << 20)
#define MAX_STATES    8 /* that are remembered, one in the other; compilers take one */
#define STATE_STEPS   8 /* what one costs, beside an ordinary instruction */

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
#else
#define MACHINE EM_NONE
#endif

/* --- bytes -------------------------------------------------------------------------------- */

static const unsigned char *take_bytes(struct cfi_cursor *c, uint64_t size)
{
	const unsigned char *at = c->at;

	if (size > (size_t)(c->end - c->at)) {
		c->bad = true;
		c->at = c->end;
		return NULL;
	}
	c->at += size;
	return at;
}

uint64_t cfi_take(struct cfi_cursor *c, size_t size)
{
	const unsigned char *at = take_bytes(c, size);
	uint64_t value = 0;

	for (size_t i = 0; at && i < size; i++)
		value |= (uint64_t)at[BYTE_ORDER == LITTLE_ENDIAN ? i : size - 1 - i] << 8 * i;
	return value;
}

int64_t cfi_take_signed(struct cfi_cursor *c, size_t size)
{
	unsigned int unused = 64 - 8 * size;

	return (int64_t)(cfi_take(c, size) << unused) >> unused;
}

static uint64_t take_leb(struct cfi_cursor *c, bool is_signed)
{
	unsigned int shift = 0;
	uint64_t value = 0;
	unsigned char byte;

	do {
		byte = cfi_take(c, 1);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80 && shift < 70);
	if (byte & 0x80)
		c->bad = true;
	if (is_signed && byte & 0x40 && shift < 64)
		value |= ~0ull << shift;
	return value;
}

uint64_t cfi_take_uleb(struct cfi_cursor *c)
{
	return take_leb(c, false);
}

int64_t cfi_take_sleb(struct cfi_cursor *c)
{
	return take_leb(c, true);
}

/* Takes the next @size bytes, as a part of their own. */
static struct cfi_cursor take_part(struct cfi_cursor *c, uint64_t size)
{
	const unsigned char *at = take_bytes(c, size);

	return at ? (struct cfi_cursor){ at, at + size, false }
		  : (struct cfi_cursor){ .bad = true };
}

/* --- entries ------------------------------------------------------------------------------ */

/* DW_EH_PE_*: how addresses are written */
#define PE_FORMAT   0x0f
#define PE_RELATIVE 0x70
#define PE_PCREL    0x10
#define PE_INDIRECT 0x80
#define PE_OMIT	    0xff

/* What the entries of several functions have in common. */
struct cie {
	uint64_t code_align;
	int64_t data_align;
	uint64_t ra;
	uint8_t encoding; /* of addresses */
	bool has_size;	  /* of the augmentation, in FDEs too */
	bool is_signal;
	struct cfi_cursor code;
};

struct fde {
	uint64_t start, len;
	uint32_t cie; /* where it is */
	struct cfi_cursor code;
};

static uint64_t take_format(struct cfi_cursor *c, uint8_t encoding)
{
	switch (encoding & PE_FORMAT) {
	case 0x00: /* an address */
	case 0x04:
	case 0x0c:
		return cfi_take(c, 8);
	case 0x01:
		return cfi_take_uleb(c);
	case 0x02:
		return cfi_take(c, 2);
	case 0x03:
		return cfi_take(c, 4);
	case 0x09:
		return cfi_take_sleb(c);
	case 0x0a:
		return cfi_take_signed(c, 2);
	case 0x0b:
		return cfi_take_signed(c, 4);
	default:
		c->bad = true;
		return 0;
	}
}

static uint64_t take_address(const struct cfi_table *t, struct cfi_cursor *c, uint8_t encoding)
{
	uint64_t place = t->vaddr + (c->at - t->bytes), value = take_format(c, encoding);

	if (encoding & PE_INDIRECT ||
	    (encoding & PE_RELATIVE && (encoding & PE_RELATIVE) != PE_PCREL))
		c->bad = true;
	return encoding & PE_PCREL ? value + place : value;
}

/* Takes the entry that begins at @c: what follows its length. The part is empty for an entry of the
 * 64-bit format, which is for tables of more than 4 GiB, and for zeros between other entries. */
static struct cfi_cursor take_entry(struct cfi_cursor *c)
{
	uint64_t len = cfi_take(c, 4);

	if (len == 0xffffffff) {
		take_part(c, cfi_take(c, 8));
		len = 0;
	}
	return take_part(c, len);
}

static bool is_cie(const struct cfi_table *t, uint32_t id)
{
	return id == (t->is_debug ? 0xffffffff : 0);
}

/* Reads an augmentation ("zPLR"): what its letters stand for is in the part that follows. */
static void read_augmentation(struct cie *cie, struct cfi_cursor *c, const char *letters)
{
	struct cfi_cursor part = take_part(c, cfi_take_uleb(c));
	uint8_t encoding;

	cie->has_size = true;
	for (; *letters; letters++) {
		switch (*letters) {
		case 'L': /* the encoding of what C++ needs */
			cfi_take(&part, 1);
			break;
		case 'P': /* a function of C++'s */
			encoding = cfi_take(&part, 1);
			if (encoding != PE_OMIT)
				take_format(&part, encoding);
			break;
		case 'R':
			cie->encoding = cfi_take(&part, 1);
			break;
		case 'S':
			cie->is_signal = true;
			break;
		case 'B': /* arm64: how return addresses are signed, and that memory is tagged */
		case 'G':
			break;
		default:
			c->bad = true;
		}
	}
	c->bad |= part.bad;
}

static bool read_cie(const struct cfi_table *t, uint32_t at, struct cie *cie)
{
	struct cfi_cursor rest = { t->bytes + at, t->bytes + t->size, false },
			  c = take_entry(&rest);
	const unsigned char *end;
	char letters[8];
	uint8_t version;

	*cie = (struct cie){ 0 };
	if (c.bad || !is_cie(t, cfi_take(&c, 4)))
		return false;
	version = cfi_take(&c, 1);
	/* no further: a CIE may be as large as the table, and be read for each function */
	end = memchr(c.at, '\0', min_u64(c.end - c.at, sizeof(letters)));
	if (!end || (version != 1 && version != 3 && version != 4))
		return false;
	memcpy(letters, c.at, end - c.at + 1);
	c.at = end + 1;
	if (version == 4 && (cfi_take(&c, 1) != 8 || cfi_take(&c, 1))) /* address size, segments */
		return false;
	cie->code_align = cfi_take_uleb(&c);
	cie->data_align = cfi_take_sleb(&c);
	cie->ra = version == 1 ? cfi_take(&c, 1) : cfi_take_uleb(&c);
	if (letters[0] == 'z')
		read_augmentation(cie, &c, letters + 1);
	else
		cie->is_signal = !strcmp(letters, "S"); /* .debug_frame has it alone */
	if (letters[0] && letters[0] != 'z' && !cie->is_signal)
		return false;
	cie->code = c;
	return !c.bad && cie->ra < CFI_REGS;
}

/* The CIE that was read last: functions that lie together have the same one. */
struct last_cie {
	uint32_t at;
	bool is_good, is_set;
	struct cie cie;
};

static const struct cie *cie_at(const struct cfi_table *t, uint32_t at, struct last_cie *last)
{
	if (!last->is_set || last->at != at) {
		last->is_set = true;
		last->at = at;
		last->is_good = at < t->size && read_cie(t, at, &last->cie);
	}
	return last->is_good ? &last->cie : NULL;
}

/* The CIE of the entry @c at byte @at of the table. NULL: the entry is no function's. */
static const struct cie *read_fde(const struct cfi_table *t, uint32_t at, struct cfi_cursor c,
				  struct fde *fde, struct last_cie *last)
{
	uint32_t id = cfi_take(&c, 4);
	const struct cie *cie;

	if (c.bad || is_cie(t, id))
		return NULL;
	cie = cie_at(t, t->is_debug ? id : at + 4 - id, last);
	if (!cie)
		return NULL;
	fde->start = take_address(t, &c, cie->encoding);
	fde->len = take_format(&c, cie->encoding);
	if (cie->has_size)
		take_part(&c, cfi_take_uleb(&c));
	fde->code = c;
	return c.bad ? NULL : cie;
}

/* --- the index ---------------------------------------------------------------------------- */

static int add_function(struct cfi_table *t, const struct fde *fde, uint32_t at, size_t *room)
{
	struct cfi_function *more;

	if (!fde->len || fde->len > UINT32_MAX || t->nr == MAX_FUNCTIONS)
		return 0;
	if (t->nr == *room) {
		*room = *room ? *room * 2 : 64;
		more = realloc(t->functions, *room * sizeof(*more));
		if (!more)
			return -ENOMEM;
		t->functions = more;
	}
	t->functions[t->nr++] = (struct cfi_function){ fde->start, fde->len, at };
	return 0;
}

static int by_start(const void *va, const void *vb)
{
	const struct cfi_function *a = va, *b = vb;

	return a->start < b->start ? -1 : a->start > b->start;
}

static int make_index(struct cfi_table *t)
{
	struct cfi_cursor c = { t->bytes, t->bytes + t->size, false };
	struct last_cie last = { 0 };
	size_t room = 0;
	int err = 0;

	while (!err && c.at < c.end) {
		uint32_t at = c.at - t->bytes;
		struct cfi_cursor entry = take_entry(&c);
		struct fde fde;

		if (read_fde(t, at, entry, &fde, &last))
			err = add_function(t, &fde, at, &room);
	}
	if (t->nr)
		qsort(t->functions, t->nr, sizeof(*t->functions), by_start);
	return err;
}

static const struct cfi_function *function_at(const struct cfi_table *t, uint64_t vaddr)
{
	const struct cfi_function *f = search_last(t->functions, t->nr, start, vaddr);

	return f && vaddr - f->start < f->len ? f : NULL;
}

/* --- loading ------------------------------------------------------------------------------ */

static bool find_section(struct elf_image *im, const char *name, Elf_Scn **scn, GElf_Shdr *h)
{
	*scn = NULL;
	while ((*scn = elf_nextscn(im->elf, *scn))) {
		if (gelf_getshdr(*scn, h) && !strcmp(elf_image_section_name(im, h), name))
			return true;
	}
	return false;
}

static void free_table(struct cfi_table *t)
{
	free(t->bytes);
	free(t->functions);
	*t = (struct cfi_table){ 0 };
}

static int load_table(struct cfi_table *t, const void *bytes, size_t size, uint64_t vaddr,
		      bool is_debug)
{
	int err;

	if (size > CFI_MAX_BYTES)
		return -EFBIG;
	*t = (struct cfi_table){ .size = size, .vaddr = vaddr, .is_debug = is_debug };
	t->bytes = malloc(size ? size : 1);
	if (t->bytes)
		memcpy(t->bytes, bytes, size);
	err = t->bytes ? make_index(t) : -ENOMEM;
	if (err)
		free_table(t);
	return err;
}

int cfi_load_table(struct cfi *c, const void *table, size_t size, uint64_t vaddr, bool is_debug)
{
	*c = (struct cfi){ 0 };
	return load_table(&c->tables[0], table, size, vaddr, is_debug);
}

static int load_section(struct cfi_table *t, struct elf_image *im, const char *name, bool is_debug)
{
	const void *bytes = NULL;
	Elf_Scn *scn;
	GElf_Shdr h;

	if (!find_section(im, name, &scn, &h))
		return 0;
	if (h.sh_size > CFI_MAX_BYTES)
		return -EFBIG;
	if (h.sh_type != SHT_NOBITS && !(h.sh_flags & SHF_COMPRESSED))
		bytes = elf_image_bytes(im, h.sh_offset, h.sh_size);
	return bytes ? load_table(t, bytes, h.sh_size, h.sh_addr, is_debug) : 0;
}

/* Where a signal's handler returns to, if that is in this file, which has no .debug_frame. */
static int load_sigreturn(struct cfi *c, struct elf_image *im)
{
	unsigned char table[SIGRETURN_BYTES];
	size_t size = sigreturn_table(im, c->segments, c->nr_segments, table);

	return size ? load_table(&c->tables[1], table, size, 0, false) : 0;
}

static int load(struct cfi *c, struct elf_image *im)
{
	GElf_Ehdr ehdr;
	int err;

	*c = (struct cfi){ 0 };
	if (!cfi_supported() || gelf_getclass(im->elf) != ELFCLASS64 ||
	    !gelf_getehdr(im->elf, &ehdr) || ehdr.e_machine != MACHINE)
		return -ENOEXEC;
	c->nr_segments = elf_image_segments(im, c->segments);
	err = load_section(&c->tables[0], im, ".eh_frame", false);
	if (!err)
		err = load_section(&c->tables[1], im, ".debug_frame", true);
	if (!err && !c->tables[1].bytes)
		err = load_sigreturn(c, im);
	if (err)
		cfi_free(c);
	return err;
}

int cfi_load(struct cfi *c, int fd)
{
	struct elf_image im;
	int err = elf_image_open(&im, fd);

	if (err)
		return err;
	err = load(c, &im);
	elf_image_close(&im);
	return err;
}

/* Whether a table holds what is relied on here: others have made it. */
static bool is_sound(const struct cfi_table *t)
{
	for (size_t i = 0; i < t->nr; i++)
		if (t->functions[i].at >= t->size ||
		    (i && t->functions[i].start < t->functions[i - 1].start))
			return false;
	return true;
}

int cfi_adopt(struct cfi *c, int fd)
{
	size_t size = 0, nr_bytes;
	char *at;

	for (int i = 0; i < 2; i++) {
		struct cfi_table *t = &c->tables[i];

		if (t->size > CFI_MAX_BYTES || t->nr > MAX_FUNCTIONS)
			return -EINVAL;
		size += sealed_next(t->size) + sealed_next(t->nr * sizeof(*t->functions));
	}
	c->map_size = size;
	c->map = size ? sealed_map(fd, size) : NULL;
	if (size && !c->map)
		return -EINVAL;
	at = c->map;
	for (int i = 0; i < 2 && size; i++) {
		struct cfi_table *t = &c->tables[i];

		nr_bytes = sealed_next(t->size);
		t->bytes = (unsigned char *)at;
		t->functions = (struct cfi_function *)(at + nr_bytes);
		at += nr_bytes + sealed_next(t->nr * sizeof(*t->functions));
		if (is_sound(t))
			continue;
		cfi_free(c);
		return -EINVAL;
	}
	return 0;
}

void cfi_free(struct cfi *c)
{
	if (c->map) {
		munmap(c->map, c->map_size);
		*c = (struct cfi){ 0 };
		return;
	}
	free_table(&c->tables[0]);
	free_table(&c->tables[1]);
}

static size_t table_bytes(const struct cfi_table *t)
{
	return t->size + t->nr * sizeof(*t->functions);
}

size_t cfi_bytes(const struct cfi *c)
{
	return table_bytes(&c->tables[0]) + table_bytes(&c->tables[1]);
}

/* --- rules -------------------------------------------------------------------------------- */

/* The execution of a function's instructions up to one place in it. */
struct execution {
	const struct cfi_table *table;
	const struct cie *cie;
	struct cfi_cursor c;
	uint64_t at, target;
	struct cfi_row *row;
	struct cfi_row initial; /* what the CIE says */
	struct cfi_row states[MAX_STATES];
	unsigned int nr_states;
	unsigned int *steps; /* that are left */
};

static void set_rule(struct execution *x, uint64_t reg, enum cfi_how how, int64_t n)
{
	if (reg < CFI_REGS) /* the others are of no use here: vectors, flags */
		x->row->regs[reg] = (struct cfi_rule){ .how = how, .n = n };
}

static void set_register(struct execution *x, uint64_t reg, uint64_t other)
{
	if (other >= CFI_REGS)
		x->c.bad = true;
	else if (reg < CFI_REGS)
		x->row->regs[reg] = (struct cfi_rule){ .how = CFI_REGISTER, .reg = other };
}

static struct cfi_rule take_expression(struct execution *x, enum cfi_how how)
{
	struct cfi_cursor part = take_part(&x->c, cfi_take_uleb(&x->c));
	struct cfi_rule rule = { .how = how };

	if (!part.bad) {
		rule.expression = part.at;
		rule.len = part.end - part.at;
	}
	return rule;
}

static void set_expression(struct execution *x, uint64_t reg, enum cfi_how how)
{
	struct cfi_rule rule = take_expression(x, how);

	if (reg < CFI_REGS)
		x->row->regs[reg] = rule;
}

static void restore(struct execution *x, uint64_t reg)
{
	if (reg < CFI_REGS)
		x->row->regs[reg] = x->initial.regs[reg];
}

static void define_cfa(struct execution *x, uint64_t reg, int64_t n)
{
	if (reg >= CFI_REGS)
		x->c.bad = true;
	x->row->cfa = (struct cfi_rule){ .how = CFI_SUM, .reg = reg, .n = n };
}

static int64_t factored(const struct execution *x, uint64_t n)
{
	return n * (uint64_t)x->cie->data_align;
}

/* Changes the number of a CFA that is a register and a number; another one has none. */
static void set_cfa_offset(struct execution *x, int64_t n)
{
	if (x->row->cfa.how != CFI_SUM)
		x->c.bad = true;
	else
		x->row->cfa.n = n;
}

static void advance(struct execution *x, uint64_t by)
{
	x->at += by * x->cie->code_align;
}

static void spend(struct execution *x, unsigned int steps)
{
	*x->steps -= steps < *x->steps ? steps : *x->steps;
}

static void remember_state(struct execution *x)
{
	spend(x, STATE_STEPS);
	if (x->nr_states == MAX_STATES)
		x->c.bad = true;
	else
		x->states[x->nr_states++] = *x->row;
}

static void restore_state(struct execution *x)
{
	spend(x, STATE_STEPS);
	if (!x->nr_states)
		x->c.bad = true;
	else
		*x->row = x->states[--x->nr_states];
}

/* Executes those instructions that are about the CFA or the place; false for another one. */
static bool execute_cfa(struct execution *x, uint8_t op)
{
	uint64_t reg;

	switch (op) {
	case DW_CFA_set_loc:
		x->at = take_address(x->table, &x->c, x->cie->encoding);
		return true;
	case DW_CFA_advance_loc1:
		advance(x, cfi_take(&x->c, 1));
		return true;
	case DW_CFA_advance_loc2:
		advance(x, cfi_take(&x->c, 2));
		return true;
	case DW_CFA_advance_loc4:
		advance(x, cfi_take(&x->c, 4));
		return true;
	case DW_CFA_def_cfa:
		reg = cfi_take_uleb(&x->c);
		define_cfa(x, reg, cfi_take_uleb(&x->c));
		return true;
	case DW_CFA_def_cfa_sf:
		reg = cfi_take_uleb(&x->c);
		define_cfa(x, reg, factored(x, cfi_take_sleb(&x->c)));
		return true;
	case DW_CFA_def_cfa_register:
		set_cfa_offset(x, x->row->cfa.n); /* or it has none to keep */
		define_cfa(x, cfi_take_uleb(&x->c), x->row->cfa.n);
		return true;
	case DW_CFA_def_cfa_offset:
		set_cfa_offset(x, cfi_take_uleb(&x->c));
		return true;
	case DW_CFA_def_cfa_offset_sf:
		set_cfa_offset(x, factored(x, cfi_take_sleb(&x->c)));
		return true;
	case DW_CFA_def_cfa_expression:
		x->row->cfa = take_expression(x, CFI_EXPR);
		return true;
	case DW_CFA_remember_state:
		remember_state(x);
		return true;
	case DW_CFA_restore_state:
		restore_state(x);
		return true;
	case DW_CFA_GNU_args_size:
		cfi_take_uleb(&x->c);
		return true;
	case DW_CFA_nop:
	case DW_CFA_GNU_window_save: /* on arm64: what is signed, which is taken off anyway */
		return true;
	default:
		return false;
	}
}

/* Those that are about one register. */
static void execute_register(struct execution *x, uint8_t op)
{
	uint64_t reg = cfi_take_uleb(&x->c);

	switch (op) {
	case DW_CFA_offset_extended:
		set_rule(x, reg, CFI_SAVED, factored(x, cfi_take_uleb(&x->c)));
		break;
	case DW_CFA_offset_extended_sf:
		set_rule(x, reg, CFI_SAVED, factored(x, cfi_take_sleb(&x->c)));
		break;
	case DW_CFA_GNU_negative_offset_extended:
		set_rule(x, reg, CFI_SAVED, factored(x, -cfi_take_uleb(&x->c)));
		break;
	case DW_CFA_val_offset:
		set_rule(x, reg, CFI_SUM, factored(x, cfi_take_uleb(&x->c)));
		break;
	case DW_CFA_val_offset_sf:
		set_rule(x, reg, CFI_SUM, factored(x, cfi_take_sleb(&x->c)));
		break;
	case DW_CFA_restore_extended:
		restore(x, reg);
		break;
	case DW_CFA_undefined:
		set_rule(x, reg, CFI_UNDEFINED, 0);
		break;
	case DW_CFA_same_value:
		set_rule(x, reg, CFI_SAME, 0);
		break;
	case DW_CFA_register:
		set_register(x, reg, cfi_take_uleb(&x->c));
		break;
	case DW_CFA_expression:
		set_expression(x, reg, CFI_SAVED_EXPR);
		break;
	case DW_CFA_val_expression:
		set_expression(x, reg, CFI_EXPR);
		break;
	default:
		x->c.bad = true;
	}
}

static void execute_one(struct execution *x)
{
	uint8_t op = cfi_take(&x->c, 1), low = op & 0x3f;

	switch (op & 0xc0) {
	case DW_CFA_advance_loc:
		advance(x, low);
		break;
	case DW_CFA_offset:
		set_rule(x, low, CFI_SAVED, factored(x, cfi_take_uleb(&x->c)));
		break;
	case DW_CFA_restore:
		restore(x, low);
		break;
	default:
		if (!execute_cfa(x, op))
			execute_register(x, op);
	}
}

/* Stops before the instructions for places behind the one that is asked for. */
static bool execute(struct execution *x, struct cfi_cursor code)
{
	x->c = code;
	while (x->c.at < x->c.end && !x->c.bad && *x->steps) {
		spend(x, 1);
		execute_one(x);
		if (x->at > x->target)
			return true;
	}
	return !x->c.bad && *x->steps;
}

static bool find_rules(const struct cfi_table *t, const struct cfi_function *f, uint64_t vaddr,
		       struct cfi_row *row, unsigned int *steps)
{
	struct cfi_cursor at = { t->bytes + f->at, t->bytes + t->size, false };
	struct execution x = { .table = t, .row = row, .target = UINT64_MAX, .steps = steps };
	struct last_cie last = { 0 };
	struct fde fde;

	x.cie = read_fde(t, f->at, take_entry(&at), &fde, &last);
	if (!x.cie || !execute(&x, x.cie->code))
		return false;
	x.initial = *row;
	x.at = fde.start;
	x.target = vaddr;
	if (!execute(&x, fde.code))
		return false;
	row->ra = x.cie->ra;
	row->is_signal = x.cie->is_signal;
	return true;
}

bool cfi_find(const struct cfi *c, uint64_t vaddr, struct cfi_row *row, unsigned int *steps)
{
	const struct cfi_function *f;

	*row = (struct cfi_row){ 0 };
	for (int i = 0; i < 2; i++) {
		f = function_at(&c->tables[i], vaddr);
		if (f)
			return find_rules(&c->tables[i], f, vaddr, row, steps);
	}
	return false;
}

struct cfi_cursor cfi_expression(const struct cfi_rule *rule)
{
	return (struct cfi_cursor){ rule->expression, rule->expression + rule->len, false };
}
