/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "script/link.h"
#include "script/insns.h"

/* What clang made of bpf/script.bpf.c, as it is. */
static const unsigned char image[] __attribute__((aligned(8))) = {
#include "script-runtime.inc"
};

#define R_BPF_64_64 1  /* the address of a variable, in a load of 64 bits */
#define R_BPF_64_32 10 /* a call */

/* The parts of the image that matter here. It is our own, and was read by the tests. */
struct runtime {
	const Elf64_Shdr *sections;
	const Elf64_Sym *symbols;
	size_t nr_symbols;
	const char *names;
	uint16_t text; /* number of the section with the code */
	const struct bpf_insn *insns;
	size_t nr_insns;
	const Elf64_Rel *relocations;
	size_t nr_relocations;
};

static const void *at(const Elf64_Shdr *section)
{
	return image + section->sh_offset;
}

static const struct runtime *runtime_open(void)
{
	static struct runtime r;
	const Elf64_Ehdr *header = (const void *)image;
	const char *names;

	if (r.sections)
		return &r;
	r.sections = (const void *)(image + header->e_shoff);
	names = at(&r.sections[header->e_shstrndx]);
	for (size_t i = 0; i < header->e_shnum; i++) {
		const Elf64_Shdr *s = &r.sections[i];
		const char *name = names + s->sh_name;

		if (!strcmp(name, ".text")) {
			r.text = i;
			r.insns = at(s);
			r.nr_insns = s->sh_size / sizeof(*r.insns);
		} else if (!strcmp(name, ".rel.text")) {
			r.relocations = at(s);
			r.nr_relocations = s->sh_size / sizeof(*r.relocations);
		} else if (s->sh_type == SHT_SYMTAB) {
			r.symbols = at(s);
			r.nr_symbols = s->sh_size / sizeof(*r.symbols);
			r.names = at(&r.sections[s->sh_link]);
		}
	}
	return &r;
}

static const Elf64_Sym *find_function(const struct runtime *r, const char *name)
{
	for (size_t i = 0; i < r->nr_symbols; i++)
		if (r->symbols[i].st_shndx == r->text &&
		    ELF64_ST_TYPE(r->symbols[i].st_info) == STT_FUNC &&
		    !strcmp(r->names + r->symbols[i].st_name, name))
			return &r->symbols[i];
	return NULL;
}

struct linker {
	struct code *code;
	struct emitted *e;
	const struct emit_config *config;
	const struct runtime *runtime;
	size_t functions_capacity;
};

static const struct span nowhere;

/* Which ring this CPU has: a chain of comparisons, each with a map of its own behind it. */
static void put_ring(struct linker *l)
{
	struct emitted *e = l->e;

	emit_insn(e, INSN_CALL(BPF_FUNC_get_smp_processor_id), nowhere);
	emit_insn(e, INSN(BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_0, 0, 0, l->config->rings - 1),
		  nowhere);
	for (unsigned i = 1; i < l->config->rings; i++) {
		emit_insn(e, INSN(BPF_JMP | BPF_JNE | BPF_K, BPF_REG_0, 0, 3, i), nowhere);
		emit_place(e, BPF_REG_0, LINK_RING, i, 0, nowhere);
		emit_insn(e, INSN_EXIT(), nowhere);
	}
	emit_place(e, BPF_REG_0, LINK_RING, 0, 0, nowhere);
	emit_insn(e, INSN_EXIT(), nowhere);
}

/* What a variable of the runtime stands for that is not in it. */
static bool find_variable(const char *name, enum link_what *what)
{
	static const struct {
		const char *name;
		enum link_what what;
	} variables[] = {
		{ "rt_globals", LINK_GLOBALS },
		{ "rt_seen", LINK_SEEN },
	};

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		if (!strcmp(variables[i].name, name)) {
			*what = variables[i].what;
			return true;
		}
	return false;
}

/* As it is in the image; its calls are for later. */
static void put_function(struct linker *l, const Elf64_Sym *symbol)
{
	const struct bpf_insn *insns = &l->runtime->insns[symbol->st_value / sizeof(*insns)];

	for (size_t i = 0; i < symbol->st_size / sizeof(*insns); i++)
		emit_insn(l->e, insns[i], nowhere);
}

static void add_function(struct linker *l, const char *name, uint32_t start)
{
	struct code *c = l->code;

	if (c->nr_functions == l->functions_capacity)
		c->functions = arena_grow(l->e->arena, c->functions, &l->functions_capacity,
					  c->nr_functions + 1, sizeof(*c->functions));
	c->functions[c->nr_functions++] = (struct link_function){ name, start };
}

/* Where the function stands: it is put there the first time that it is called. */
static bool need(struct linker *l, const char *name, uint32_t *start)
{
	struct code *c = l->code;
	const Elf64_Sym *symbol = find_function(l->runtime, name);

	for (size_t i = 0; i < c->nr_functions; i++)
		if (!strcmp(c->functions[i].name, name)) {
			*start = c->functions[i].start;
			return true;
		}
	if (!symbol && strcmp(name, "rt_ring"))
		return false;
	*start = l->e->nr;
	add_function(l, name, *start);
	if (symbol)
		put_function(l, symbol);
	else
		put_ring(l);
	return true;
}

/* What the image wants at one instruction, which now stands at @insn. NULL: done; else the name of
 * what there is not. */
static const char *relocate(struct linker *l, const Elf64_Rel *rel, uint32_t insn)
{
	const struct runtime *r = l->runtime;
	const Elf64_Sym *symbol = &r->symbols[ELF64_R_SYM(rel->r_info)];
	const char *name = r->names + symbol->st_name;
	struct emitted *e = l->e;
	enum link_what what;
	uint32_t start;

	if (ELF64_R_TYPE(rel->r_info) == R_BPF_64_32) {
		if (!need(l, name, &start))
			return name;
		e->insns[insn].imm = (int32_t)start - (int32_t)insn - 1;
		return NULL;
	}
	if (!find_variable(name, &what))
		return name;
	if (e->nr_places == e->places_capacity)
		e->places = arena_grow(e->arena, e->places, &e->places_capacity, e->nr_places + 1,
				       sizeof(*e->places));
	e->places[e->nr_places++] = (struct link_place){ insn, what, 0 };
	e->insns[insn + 1].imm = e->insns[insn].imm; /* the offset into the variable */
	e->insns[insn].imm = 0;
	return NULL;
}

/* What the @n'th of the functions wants, which may add others. */
static const char *relocate_function(struct linker *l, size_t n)
{
	const struct link_function *f = &l->code->functions[n];
	const Elf64_Sym *symbol = find_function(l->runtime, f->name);
	uint32_t start = f->start;

	for (size_t i = 0; symbol && i < l->runtime->nr_relocations; i++) {
		const Elf64_Rel *rel = &l->runtime->relocations[i];
		uint64_t offset = rel->r_offset - symbol->st_value;
		const char *missing;

		if (rel->r_offset < symbol->st_value || offset >= symbol->st_size)
			continue;
		missing = relocate(l, rel, start + offset / sizeof(struct bpf_insn));
		if (missing)
			return missing;
	}
	return NULL;
}

struct code *code_make(struct source *src, const struct ir_function *f,
		       const struct emit_config *config)
{
	struct emitted e;
	struct linker l = { .e = &e, .config = config, .runtime = runtime_open() };
	const char *missing = NULL;
	uint32_t start;

	if (!emit_function(src, f, config, &e))
		return NULL;
	l.code = arena_alloc(f->arena, sizeof(*l.code));
	l.code->own = e.nr;
	l.code->has_callbacks = e.nr_callbacks;
	for (size_t i = 0; i < e.nr_callbacks; i++)
		add_function(&l, "each", e.callbacks[i]);
	for (size_t i = 0; !missing && i < e.nr_calls; i++) {
		if (!need(&l, e.calls[i].name, &start))
			missing = e.calls[i].name;
		e.insns[e.calls[i].insn].imm = (int32_t)start - (int32_t)e.calls[i].insn - 1;
	}
	for (size_t i = 0; !missing && i < l.code->nr_functions; i++)
		missing = relocate_function(&l, i);
	if (missing) {
		source_error(src, f->at, "there is no function %s: a defect of bscope", missing);
		return NULL;
	}
	l.code->insns = e.insns;
	l.code->nr = e.nr;
	l.code->at = e.at;
	l.code->places = e.places;
	l.code->nr_places = e.nr_places;
	l.code->scratch = e.scratch;
	return l.code;
}
