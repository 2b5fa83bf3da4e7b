/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <execinfo.h>
#include <fcntl.h>
#include <linux/types.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

#include <cmocka.h>

#include "elf_fixture.h"
#include "lib/stacks/stacks.shared.h"
#include "symbols/symbols.h"
#include "symbols/unwind.h"

#define TEST(f) cmocka_unit_test(f)

/* --- this very program, against the unwinder that the compiler brings --------------------- */

#define MAX_FRAMES 64

extern void *__libc_stack_end; /* glibc: where the first thread's stack begins */

static struct symbols *symbols;
static void *theirs[MAX_FRAMES];
static uint64_t ours[MAX_FRAMES];
static size_t nr_theirs, nr_ours;
static enum unwind_end how;

/* As the kernel would hand them over. */
static void saved_registers(uint64_t *words, const ucontext_t *u)
{
#if defined(__x86_64__)
	static const int order[] = { REG_R15, REG_R14, REG_R13, REG_R12, REG_RBP, REG_RBX, REG_R11,
				     REG_R10, REG_R9,  REG_R8,	REG_RAX, REG_RCX, REG_RDX, REG_RSI,
				     REG_RDI, -1,      REG_RIP, -1,	 -1,	  REG_RSP, -1 };

	for (int i = 0; i < STACK_REGS; i++)
		words[i] = order[i] < 0 ? 0 : u->uc_mcontext.gregs[order[i]];
#else
	memcpy(words, u->uc_mcontext.regs, STACK_REGS * sizeof(*words));
#endif
}

/* Between variables there is memory that the address sanitizer does not want read. */
__attribute__((no_sanitize("address"))) static void copy_stack(uint64_t *to, const uint64_t *from,
							       size_t words)
{
	for (size_t i = 0; i < words; i++)
		to[i] = ((const volatile uint64_t *)from)[i];
}

__attribute__((noinline)) static void look(void)
{
	uint64_t words[STACK_REGS], sp;
	struct unwind_from from = { 0 };
	ucontext_t u;

	nr_theirs = backtrace(theirs, MAX_FRAMES);
	getcontext(&u);
	saved_registers(words, &u);
	unwind_registers(&from, words);
	sp = words[STACK_REG_SP];
	from.base = STACK_BASE(sp);
	from.size = ((uint64_t)__libc_stack_end - from.base) & ~7ull;
	from.stack = malloc(from.size);
	copy_stack((uint64_t *)from.stack, (const uint64_t *)from.base, from.size / 8);
	nr_ours = symbols_unwind(symbols, getpid(), symbols_image(symbols, getpid()), &from, ours,
				 MAX_FRAMES, &how);
	free((void *)from.stack);
}

static void assert_alike(void)
{
	size_t first = 0;

	assert_int_equal(how, UNWIND_ROOT);
	/* ours begins in look(); what is before that in theirs is the taking of it */
	while (first < nr_theirs && (uint64_t)theirs[first] != ours[1])
		first++;
	assert_in_range(first, 1, nr_theirs - 1);
	assert_int_equal(nr_theirs - first, nr_ours - 1);
	for (size_t i = 1; i < nr_ours; i++)
		assert_int_equal((uint64_t)theirs[first + i - 1], ours[i]);
	assert_in_range(nr_ours, 6, MAX_FRAMES);
}

static void test_own_stack(void **state)
{
	(void)state;
	look();
	assert_alike();
}

static int look_once(const void *a, const void *b)
{
	if (!nr_ours)
		look();
	return *(const int *)a - *(const int *)b;
}

static void test_through_qsort(void **state)
{
	int some[] = { 4, 2, 8, 1 };

	(void)state;
	nr_ours = 0;
	qsort(some, 4, sizeof(some[0]), look_once);
	assert_alike();
}

static void handler(int number)
{
	(void)number;
	look();
}

static void test_through_a_signal(void **state)
{
	(void)state;
	signal(SIGUSR1, handler);
	raise(SIGUSR1);
	signal(SIGUSR1, SIG_DFL);
	assert_alike();
}

static int remember_self(void **state)
{
	(void)state;
	symbols = symbols_new();
	return !symbols || symbols_remember(symbols, getpid());
}

static int forget_self(void **state)
{
	(void)state;
	symbols_free(symbols);
	return 0;
}

/* --- tables ------------------------------------------------------------------------------- */

#if defined(__x86_64__)
static const char functions[] = "	.text\n"
				"	.globl f\n"
				"f:	.cfi_startproc\n"
				"	.skip 1\n"
				"	.cfi_adjust_cfa_offset 8\n"
				"	.cfi_offset %rbx, -16\n"
				"	.skip 1\n"
				"	.cfi_remember_state\n"
				"	.cfi_def_cfa %rbp, 32\n"
				"	.cfi_restore %rbx\n"
				"	.cfi_register %r12, %r13\n"
				"	.skip 300\n"
				"	.cfi_restore_state\n"
				"	.cfi_undefined %rip\n"
				"	.skip 1\n"
				"	.cfi_endproc\n"
				"	.globl hole\n"
				"hole:	.skip 16\n"
				"	.globl g\n"
				"g:	.cfi_startproc\n"
				"	.cfi_signal_frame\n"
				"	.cfi_escape 0x0f, 3, 0x77, 32, 0x06\n"
				"	.cfi_val_offset %rbx, 24\n"
				"	.cfi_offset %xmm3, -64\n"
				"	.skip 70000\n"
				"	.cfi_def_cfa_offset 8\n"
				"	.skip 8\n"
				"	.cfi_endproc\n";

static struct cfi table;

static bool at(const char *file, const char *function, uint64_t offset, struct cfi_row *row)
{
	unsigned int steps = 100;

	return cfi_find(&table, nm(file, function) + offset, row, &steps);
}

static void assert_rule(const struct cfi_rule *rule, enum cfi_how is, int reg, int64_t n)
{
	assert_int_equal(rule->how, is);
	assert_int_equal(rule->reg, reg);
	assert_int_equal(rule->n, n);
}

enum { RBX = 3, RBP = 6, RSP = 7, R12 = 12, R13 = 13, RIP = 16 };

static void check_functions(const char *file)
{
	int fd = open(in_dir("%s", file), O_RDONLY | O_CLOEXEC);
	struct cfi_row row;

	assert_int_equal(cfi_load(&table, fd), 0);
	close(fd);
	assert_true(at(file, "f", 0, &row));
	assert_rule(&row.cfa, CFI_SUM, RSP, 8);
	assert_int_equal(row.ra, RIP);
	assert_rule(&row.regs[RIP], CFI_SAVED, 0, -8);
	assert_rule(&row.regs[RBX], CFI_SAME, 0, 0);
	assert_false(row.is_signal);
	assert_true(at(file, "f", 1, &row));
	assert_rule(&row.cfa, CFI_SUM, RSP, 16);
	assert_rule(&row.regs[RBX], CFI_SAVED, 0, -16);
	assert_true(at(file, "f", 301, &row));
	assert_rule(&row.cfa, CFI_SUM, RBP, 32);
	assert_rule(&row.regs[RBX], CFI_SAME, 0, 0);
	assert_rule(&row.regs[R12], CFI_REGISTER, R13, 0);
	assert_true(at(file, "f", 302, &row));
	assert_rule(&row.cfa, CFI_SUM, RSP, 16);
	assert_rule(&row.regs[RBX], CFI_SAVED, 0, -16);
	assert_rule(&row.regs[RIP], CFI_UNDEFINED, 0, 0);
	assert_false(at(file, "f", 303, &row));
	assert_false(at(file, "hole", 15, &row));
	assert_true(at(file, "g", 69999, &row));
	assert_int_equal(row.cfa.how, CFI_EXPR);
	assert_int_equal(row.cfa.len, 3);
	assert_rule(&row.regs[RBX], CFI_SUM, 0, 24);
	assert_true(row.is_signal);
	assert_false(at(file, "g", 70000, &row)); /* an offset, of an expression */
	cfi_free(&table);
}

static void test_eh_frame(void **state)
{
	(void)state;
	write_file("functions.s", functions);
	shell("gcc -nostdlib -shared -o eh functions.s");
	check_functions("eh");
}

static void test_debug_frame(void **state)
{
	(void)state;
	write_file("functions.s", functions);
	shell("{ echo .cfi_sections .debug_frame; cat functions.s; } >debug.s &&"
	      "gcc -nostdlib -shared -o debug debug.s");
	check_functions("debug");
}

/* Where only the start files have an .eh_frame. */
static void test_both(void **state)
{
	struct cfi_row row;
	int fd;

	(void)state;
	write_file("both.c", "int f(int n) { return n + 1; }\n"
			     "int g(int n) { return f(n) * f(n + 1); }\n"
			     "int main(int argc, char **argv) { return g(argc); }\n");
	shell("gcc -g -fno-asynchronous-unwind-tables -fomit-frame-pointer -o both both.c");
	fd = open(in_dir("both"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(cfi_load(&table, fd), 0);
	close(fd);
	assert_true(at("both", "_start", 1, &row));
	assert_rule(&row.regs[RIP], CFI_UNDEFINED, 0, 0);
	assert_true(at("both", "main", 1, &row));
	assert_true(at("both", "g", 1, &row));
	cfi_free(&table);
}

/* .debug_frame of two CIEs as large as the table that are no strings, and functions that name them
 * in turn: neither is read to its end for each of them. */
static void test_endless_cie(void **state)
{
	const size_t cies = 15 << 20, nr = 500000, size = cies + nr * 16;
	unsigned char *bytes = malloc(size);
	uint32_t head[2] = { 0, 0xffffffff };

	(void)state;
	memset(bytes, 'A', cies);
	for (uint32_t at = 0; at <= 16; at += 16) {
		head[0] = cies - at - 4;
		memcpy(bytes + at, head, sizeof(head));
		bytes[at + 8] = 1; /* the version */
	}
	for (size_t i = 0; i < nr; i++) {
		uint32_t *p = (uint32_t *)(bytes + cies + i * 16);

		/* two FDEs of 4 bytes each, which say where their CIEs are */
		p[0] = p[2] = 4;
		p[1] = 0;
		p[3] = 16;
	}
	alarm(20); /* it takes milliseconds; it took half an hour */
	assert_int_equal(cfi_load_table(&table, bytes, size, 0, true), 0);
	alarm(0);
	assert_int_equal(table.tables[0].nr, 0);
	cfi_free(&table);
	free(bytes);
}

/* A table of one function, at 0x1000 for 0x1000 bytes. */
static void one_function(const unsigned char *code, size_t size)
{
	static unsigned char bytes[1 << 20] = {
		16, 0,	  0, 0, 0,  0, 0, 0, 1, 'z',  'R', 0, 1, 0x78, 16, 1, 0, 0, 0, 0, /* CIE */
		0,  0,	  0, 0, 24, 0, 0, 0,						  /* FDE */
		0,  0x10, 0, 0, 0,  0, 0, 0, 0, 0x10, 0,   0, 0, 0,    0,  0, 0,
	};
	uint32_t len = 4 + 17 + size;

	memcpy(bytes + 20, &len, sizeof(len));
	memcpy(bytes + 45, code, size);
	assert_int_equal(cfi_load_table(&table, bytes, 45 + size, 0, false), 0);
	assert_int_equal(table.tables[0].nr, 1);
}

#define ONE_FUNCTION(...)                                                                          \
	one_function((const unsigned char[]){ __VA_ARGS__ },                                       \
		     sizeof((const unsigned char[]){ __VA_ARGS__ }))

static bool find_one(void *arg, uint64_t pc, const struct cfi **found, uint64_t *vaddr)
{
	(void)arg;
	*found = &table;
	*vaddr = pc;
	return pc >= 0x1000 && pc < 0x2000;
}

/* The stack: words that say where they are. */
static size_t unwind_one(uint64_t pc, uint64_t *frames, size_t max, enum unwind_end *end)
{
	struct unwind_from from = { .pc = pc, .base = 0x8000, .size = 4096 };
	uint64_t stack[512];
	size_t nr;

	for (int i = 0; i < 512; i++)
		stack[i] = 0x1800 + i;
	for (int i = 0; i < CFI_REGS; i++)
		from.regs[i] = 0x8000 + 8 * i;
	from.regs[CFI_FP] = 0;
	from.stack = (const unsigned char *)stack;
	nr = unwind(&from, find_one, NULL, frames, max, end);
	cfi_free(&table);
	return nr;
}

static void test_expression(void **state)
{
	uint64_t frames[2];
	enum unwind_end end;

	(void)state;
	/* the CFA: rsp + 8 + ((rip & 15) >= 11) << 3, as in a procedure linkage table */
	ONE_FUNCTION(0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22, 0x90, 1);
	unwind_one(0x1000, frames, 2, &end);
	/* r16 is 0x8080: not 11 or more; rsp is 0x8038 */
	assert_int_equal(frames[1], 0x1800 + 7);
	/* the address to return to is where rsp + 16 points to */
	ONE_FUNCTION(0x0c, 7, 8, 0x10, 16, 4, 0x77, 0, 0x23, 16);
	unwind_one(0x1000, frames, 2, &end);
	assert_int_equal(frames[1], 0x1800 + 9);
}

static void test_ends(void **state)
{
	uint64_t frames[600];
	enum unwind_end end;

	(void)state;
	/* one frame above the other until the copy ends: rsp is 56 bytes into it */
	ONE_FUNCTION(0x0c, 7, 8, 0x90, 1);
	assert_int_equal(unwind_one(0x1000, frames, 600, &end), 1 + 512 - 7);
	assert_int_equal(end, UNWIND_UNCOPIED);
	ONE_FUNCTION(0x0c, 7, 8, 0x90, 1);
	assert_int_equal(unwind_one(0x1000, frames, 100, &end), 100);
	assert_int_equal(end, UNWIND_DEEP);
	ONE_FUNCTION(0x07, 16);
	assert_int_equal(unwind_one(0x1000, frames, 100, &end), 1);
	assert_int_equal(end, UNWIND_ROOT);
	/* a caller below: it was read as this one, and goes no further */
	ONE_FUNCTION(0x0c, 7, 0, 0x90, 0);
	assert_int_equal(unwind_one(0x1000, frames, 100, &end), 2);
	assert_int_equal(end, UNWIND_UNKNOWN);
	ONE_FUNCTION(0x0c, 7, 8, 0x90, 1);
	assert_int_equal(unwind_one(0x2000, frames, 100, &end), 1);
	assert_int_equal(end, UNWIND_UNKNOWN);
}

static bool row_of(const unsigned char *code, size_t size, unsigned int *steps)
{
	struct cfi_row row;
	bool found;

	one_function(code, size);
	found = cfi_find(&table, 0x1fff, &row, steps);
	cfi_free(&table);
	return found;
}

static void test_bounds(void **state)
{
	static unsigned char code[100000];
	unsigned int steps = 1000;

	(void)state;
	memset(code, 0x0a, 8); /* DW_CFA_remember_state */
	assert_true(row_of(code, 9, &steps));
	memset(code, 0x0a, 9);
	assert_false(row_of(code, 9, &steps));
	assert_false(row_of((const unsigned char *)"\x0b", 1, &steps)); /* and none to restore */
	memset(code, 0x40, sizeof(code));				/* DW_CFA_advance_loc */
	steps = 50000;
	assert_false(row_of(code, sizeof(code), &steps));
	assert_int_equal(steps, 0);
	steps = 1000;
	/* registers that there are not: to be left alone, but as a base */
	assert_true(row_of((const unsigned char *)"\x05\x80\xa4\xe8\x03\x01", 6, &steps));
	assert_false(row_of((const unsigned char *)"\x0c\x80\xa4\xe8\x03\x01", 6, &steps));
	assert_false(row_of((const unsigned char *)"\x0f\x7f\x12", 3, &steps)); /* beyond */
	assert_false(row_of((const unsigned char *)"\x3f", 1, &steps));
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_own_stack),
		TEST(test_through_qsort),
		TEST(test_through_a_signal),
#if defined(__x86_64__)
		cmocka_unit_test(test_endless_cie),
		TEST(test_eh_frame),
		TEST(test_debug_frame),
		TEST(test_both),
		TEST(test_expression),
		TEST(test_ends),
		TEST(test_bounds),
#endif
	};
	int failed;

	fixture_begin();
	failed = cmocka_run_group_tests(tests, remember_self, forget_self);
	fixture_end();
	return failed;
}
