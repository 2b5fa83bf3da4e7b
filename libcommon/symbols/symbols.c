/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/msg.h"
#include "base/util.h"
#include "symbols/demangle.h"
#include "symbols/kallsyms.h"
#include "symbols/processes.h"
#include "symbols/symbols.h"
#include "symbols/symfiles.h"

/* The time between two looks whether kallsyms has changed, for an address whose name is not sure
 * and for one whose name is; and between two readings of it, where a change can't be seen. */
#define LOOK_UNSURE_NS	(1 * NSEC_PER_SEC)
#define LOOK_SURE_NS	(10 * NSEC_PER_SEC)
#define READ_BLINDLY_NS (10 * NSEC_PER_SEC)
#define READ_SHARE	20 /* reading takes at most one part in so many of the time */

struct symbols {
	struct kallsyms kallsyms;
	uint64_t kallsyms_read, kallsyms_took; /* ns; 0: not yet */
	uint64_t kallsyms_looked;	       /* whether it has changed */
	bool held, kallsyms_due;
	struct foreign *foreign;
	struct sym_files *files;
	struct processes *processes;
	char demangled[FRAME_TEXT_LEN * 2];
};

struct symbols *symbols_new(void)
{
	struct symbols *s = calloc(1, sizeof(*s));

	if (s) {
		s->foreign = foreign_new();
		if (s->foreign)
			s->files = sym_files_new(s->foreign);
		if (s->files)
			s->processes = processes_new(s->files, s->foreign);
	}
	if (!s || !s->files || !s->processes) {
		error("out of memory");
		symbols_free(s);
		return NULL;
	}
	return s;
}

void symbols_free(struct symbols *s)
{
	if (!s)
		return;
	processes_free(s->processes);
	sym_files_free(s->files);
	foreign_free(s->foreign);
	kallsyms_free(&s->kallsyms);
	free(s);
}

static void read_kallsyms(struct symbols *s)
{
	uint64_t begun = clock_mono_ns();
	struct kallsyms k;
	const char *why;
	int err;

	err = kallsyms_load(&k);
	why = kallsyms_why_not(&k, err);
	if (why && !s->kallsyms_read)
		note("%s", why);
	s->kallsyms_read = s->kallsyms_looked = clock_mono_ns();
	s->kallsyms_took = s->kallsyms_read - begun;
	s->kallsyms_due = false;
	if (err)
		return;
	kallsyms_free(&s->kallsyms);
	s->kallsyms = k;
}

static void demangle_name(struct symbols *s, struct frame_name *name)
{
	if (name->function)
		name->function = demangle(name->function, s->demangled, sizeof(s->demangled));
}

/* The name of a BPF program is not: it may be that of the program before it in memory, as nothing
 * tells where that one ends. */
static bool is_sure(const struct frame_name *name)
{
	return name->function && strcmp(name->module, "[bpf]") != 0;
}

/* Whether kallsyms has to be read again for the sake of an address that has this name as yet. */
static bool is_outdated(struct symbols *s, uint64_t addr, const struct frame_name *name)
{
	const struct kallsyms *k = &s->kallsyms;
	uint64_t t;
	int changed;

	if (k->hidden || !k->table.nr || (addr >= k->text && addr < k->text_end))
		return false;
	t = clock_mono_ns();
	if (t - s->kallsyms_looked < (is_sure(name) ? LOOK_SURE_NS : LOOK_UNSURE_NS) ||
	    t - s->kallsyms_read < s->kallsyms_took * READ_SHARE)
		return false;
	s->kallsyms_looked = t;
	changed = kallsyms_changed(k);
	return changed < 0 ? t - s->kallsyms_read >= READ_BLINDLY_NS : changed;
}

void symbols_kernel(struct symbols *s, uint64_t addr, struct frame_name *name)
{
	if (!s->kallsyms_read)
		read_kallsyms(s);
	kallsyms_find(&s->kallsyms, addr, name);
	if (is_outdated(s, addr, name)) {
		s->kallsyms_due = s->held;
		if (!s->held) {
			read_kallsyms(s);
			kallsyms_find(&s->kallsyms, addr, name);
		}
	}
	demangle_name(s, name); /* the kernel has Rust in it */
}

void symbols_hold(struct symbols *s, bool hold)
{
	s->held = hold;
	if (!hold && s->kallsyms_due)
		read_kallsyms(s);
}

int symbols_remember(struct symbols *s, uint32_t pid)
{
	return process_remember(s->processes, pid);
}

_Static_assert(SYMBOLS_GONE == PROCESS_GONE, "one number");

uint32_t symbols_remember_image(struct symbols *s, uint32_t pid, const struct task_image *im,
				uint64_t ts, bool again)
{
	return process_remember_image(s->processes, pid, im, ts, again);
}

void symbols_mapped(struct symbols *s, uint32_t pid, uint64_t ts, uint64_t start, uint64_t end)
{
	process_mapped(s->processes, pid, ts, start, end);
}

void symbols_mapped_lost(struct symbols *s)
{
	processes_mapped_lost(s->processes);
}

void symbols_set_drain(struct symbols *s, void (*drain)(void *arg), void *arg)
{
	processes_set_drain(s->processes, drain, arg);
}

/* Returns whether the function was found. */
static bool name_address(struct symbols *s, const struct process *p, uint64_t addr,
			 struct frame_name *name)
{
	const struct exec_mapping *m = process_mapping(p, addr);
	const struct symbol *sym;

	*name = (struct frame_name){ .module = m ? m->name : NULL, .module_offset = addr };
	if (m && m->file)
		sym_file_name(s->files, m->file, addr - m->start + m->offset, name);
	if (name->function)
		return true;
	sym = perf_map_find(&p->jit, addr);
	if (!sym)
		return false;
	*name = (struct frame_name){
		.function = symtab_name(&p->jit.table, sym),
		.offset = addr - sym->addr,
		.module = "[jit]",
		.module_offset = addr,
	};
	return true;
}

/* An address without a name may be in what was mapped, or compiled, since the last look. */
static bool may_be_new(const struct process *p, uint64_t addr)
{
	const struct exec_mapping *m = process_mapping(p, addr);

	return !m || !m->file || p->mapped.may_jit;
}

/* @p may be NULL. */
static void name_user(struct symbols *s, struct process *p, uint64_t addr, struct frame_name *name)
{
	*name = (struct frame_name){ .module_offset = addr };
	if (!p)
		return;
	if (!name_address(s, p, addr, name) && may_be_new(p, addr) &&
	    process_look_again(s->processes, p))
		name_address(s, p, addr, name);
	demangle_name(s, name);
}

void symbols_user(struct symbols *s, uint32_t pid, uint64_t addr, struct frame_name *name)
{
	struct process *p = process_find(s->processes, pid);

	if (!p && !process_remember(s->processes, pid))
		p = process_find(s->processes, pid);
	name_user(s, p, addr, name);
}

uint32_t symbols_image(struct symbols *s, uint32_t pid)
{
	const struct process *p = process_find(s->processes, pid);

	return p ? p->image : 0;
}

void symbols_user_image(struct symbols *s, uint32_t pid, uint32_t image, uint64_t addr,
			struct frame_name *name)
{
	if (image)
		name_user(s, process_find_image(s->processes, pid, image), addr, name);
	else
		symbols_user(s, pid, addr, name);
}

struct unwinding {
	struct symbols *symbols;
	struct process *process;
	const struct unwind_from *from;
};

#if defined(__x86_64__)
/*
 * Python 3.12 and later (-X perf) calls each function of a program through code of its own in
 * memory, that keeps no frame pointer: "sub $8, %rsp; call *%rcx; add $8, %rsp; ret". A table for
 * that. (On arm64 it keeps one, and from 3.14 on also on x86-64: then it is where the stack is.)
 */
static const struct cfi *python_table(void)
{
	/* CIE of version 1: the caller's address is register 16, at CFA - 8, and CFA %rsp + 8;
	 * FDE: from 0 on, for 4096 bytes; from 4 on CFA is %rsp + 16 */
	static const char eh_frame[] = "\24\0\0\0\0\0\0\0\1\0\1\x78\20\x0c\7\10\x90\1\0\0\0\0\0\0"
				       "\34\0\0\0\34\0\0\0\0\0\0\0\0\0\0\0\0\20\0\0\0\0\0\0"
				       "\x44\x0e\20\0\0\0\0\0\0\0\0";
	static struct cfi table;

	if (!table.tables[0].nr && cfi_load_table(&table, eh_frame, sizeof(eh_frame), 0, false))
		return NULL;
	return &table;
}

static bool is_python(const struct unwinding *u, uint64_t pc, uint64_t *vaddr)
{
	const struct symtab *t = &u->process->jit.table;
	const struct symbol *sym = perf_map_find(&u->process->jit, pc);

	if (!sym || strncmp(symtab_name(t, sym), "py::", 4))
		return false;
	*vaddr = pc - sym->addr;
	return u->from->regs[CFI_FP] != u->from->regs[CFI_SP];
}
#endif

static bool find_table(void *arg, uint64_t pc, const struct cfi **table, uint64_t *vaddr)
{
	struct unwinding *u = arg;
	const struct exec_mapping *m;

	if (!u->process)
		return false;
	m = process_mapping(u->process, pc);
	if (!m && process_look_again(u->symbols->processes, u->process))
		m = process_mapping(u->process, pc);
	if (!m)
		return false;
	*table = NULL;
	if (m->file)
		*table = sym_file_cfi(u->symbols->files, m->file, pc - m->start + m->offset, vaddr);
#if defined(__x86_64__)
	else if (is_python(u, pc, vaddr))
		*table = python_table();
#endif
	return true;
}

size_t symbols_unwind(struct symbols *s, uint32_t pid, uint32_t image, struct unwind_from *from,
		      uint64_t *frames, size_t max, enum unwind_end *end)
{
	struct unwinding u = { s, process_find_image(s->processes, pid, image), from };

	return unwind(from, find_table, &u, frames, max, end);
}

void symbols_remarks(const struct symbols *s)
{
	foreign_remarks(s->foreign);
}

void symbols_stats(const struct symbols *s, struct symbols_stats *stats)
{
	*stats = (struct symbols_stats){
		.symbols = s->kallsyms.table.nr,
		.bytes = symtab_bytes(&s->kallsyms.table),
	};
	foreign_stats(s->foreign, stats);
	sym_files_stats(s->files, stats);
	processes_stats(s->processes, stats);
}
