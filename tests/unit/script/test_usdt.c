/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <asm/ptrace.h>
#include <cmocka.h>

#include "elf_fixture.h"
#include "script/elffuncs.h"
#include "script/usdt.h"

/* Assembly that has what <sys/sdt.h> makes: places, notes, a semaphore, and the base. The second
 * probe's note says that the base stood 0x1000 lower when it was linked. */
static const char source[] =
	".text\n.globl _start\n.type _start, @function\n_start:\n"
	"first: nop\nsecond: nop\n1: .size _start, . - _start\n"
	".section .stapsdt.base, \"aG\", \"progbits\", .stapsdt.base, comdat\n"
	".weak _.stapsdt.base\n_.stapsdt.base: .space 1\n"
	".section .probes, \"aw\", \"progbits\"\n.balign 8\nsemaphore: .quad 0\n"
	".data\n.globl counter\n.type counter, @object\n.size counter, 8\ncounter: .quad 5\n"
	".section .note.stapsdt, \"\", \"note\"\n"
	".balign 4\n.4byte 8, 2f-1f, 3\n.asciz \"stapsdt\"\n"
	"1: .quad first, _.stapsdt.base, semaphore\n"
	".asciz \"prov\"\n.asciz \"one\"\n.asciz \"ARGS\"\n2: .balign 4\n"
	/* of somebody else's */
	".4byte 4, 4, 1\n.asciz \"GNU\"\n.4byte 0\n"
	".4byte 8, 4f-3f, 3\n.asciz \"stapsdt\"\n"
	"3: .quad second - 0x1000, _.stapsdt.base - 0x1000, 0\n"
	".asciz \"prov\"\n.asciz \"two\"\n.asciz \"\"\n4: .balign 4\n"
	/* what points outside of the code */
	".4byte 8, 6f-5f, 3\n.asciz \"stapsdt\"\n"
	"5: .quad 0x10, _.stapsdt.base, 0\n"
	".asciz \"prov\"\n.asciz \"lost\"\n.asciz \"\"\n6: .balign 4\n"
	/* strings that don't end, at the end of the section */
	".4byte 8, 8f-7f, 3\n.asciz \"stapsdt\"\n"
	"7: .quad first, _.stapsdt.base, 0\n.ascii \"prov\"\n8:\n";

#if defined(__x86_64__)
#define ARGS "-4@%edi 8@counter(%rip)"
#else
#define ARGS "-4@w0 8@[sp, 16]"
#endif

static struct elf_image image;
static int fd;

static int begin(void **state)
{
	char text[sizeof(source) + 64];
	const char *args = strstr(source, "ARGS");

	(void)state;
	fixture_begin();
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(args - source), source, ARGS, args + 4);
	write_file("a.s", text);
	shell("cc -nostdlib -static -no-pie -Wl,--build-id=none a.s -o a 2>&1");
	fd = open(in_dir("a"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(elf_image_open(&image, fd), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	elf_image_close(&image);
	close(fd);
	fixture_end();
	return 0;
}

struct notes {
	int nr;
	struct usdt_note notes[8];
};

static bool keep(void *ctx, const struct usdt_note *n)
{
	struct notes *all = ctx;

	all->notes[all->nr++] = *n;
	return all->nr < 8;
}

static void test_notes(void **state)
{
	struct notes all = { 0 };
	uint64_t offset;

	(void)state;
	usdt_each(&image, keep, &all);
	assert_int_equal(all.nr, 2);
	assert_string_equal(all.notes[0].provider, "prov");
	assert_string_equal(all.notes[0].name, "one");
	assert_string_equal(all.notes[0].args, ARGS);
	assert_int_equal(all.notes[0].address, nm("a", "first"));
	assert_true(elffuncs_offset(&image, nm("a", "first"), true, &offset));
	assert_int_equal(all.notes[0].offset, offset);
	assert_true(elffuncs_offset(&image, nm("a", "semaphore"), false, &offset));
	assert_int_equal(all.notes[0].semaphore, offset);
	assert_string_equal(all.notes[1].name, "two");
	assert_int_equal(all.notes[1].address, nm("a", "second"));
	assert_int_equal(all.notes[1].semaphore, 0);
}

static bool first_only(void *ctx, const struct usdt_note *n)
{
	++*(int *)ctx;
	return false;
}

static void test_stops(void **state)
{
	int nr = 0;

	(void)state;
	usdt_each(&image, first_only, &nr);
	assert_int_equal(nr, 1);
}

/* --- arguments --- */

/* "r5+8*r6+4 -4": what was understood, with registers by their places in pt_regs. */
static const char *parsed(struct elf_image *im, unsigned int machine, const char *text)
{
	static char all[512];
	struct usdt_arg args[USDT_ARGS_MAX];
	size_t nr = usdt_parse(im, machine, 0x1000, text, args);
	char *at = all;

	all[0] = '\0';
	for (size_t i = 0; i < nr; i++) {
		const struct usdt_arg *a = &args[i];

		at += sprintf(at, "%s%s%d:", i ? " " : "", a->is_signed ? "-" : "", a->size);
		if (a->kind == USDT_CONSTANT)
			at += sprintf(at, "$%lld", (long long)a->value);
		else if (a->kind == USDT_REGISTER)
			at += sprintf(at, "r%u%s", a->reg, a->shift == 8 ? ">>8" : "");
		else if (a->kind == USDT_UNKNOWN)
			at += sprintf(at, "?");
		else if (a->reg == USDT_NO_REGISTER && a->index == USDT_NO_REGISTER)
			at += sprintf(at, "[%lld]", (long long)a->value);
		else if (a->index == USDT_NO_REGISTER)
			at += sprintf(at, "[r%u%+lld]", a->reg, (long long)a->value);
		else
			at += sprintf(at, "[r%u+%d*r%u%+lld]", a->reg, a->scale, a->index,
				      (long long)a->value);
	}
	return all;
}

static void test_x86(void **state)
{
	static const struct {
		const char *text, *parsed;
	} cases[] = {
		{ "", "" },
		{ "-4@%edi", "-4:r112" },
		{ "8@%rax 1@%ah 2@%r9w", "8:r80 1:r80>>8 2:r64" },
		{ "  -8@$-5   4@$0x10 ", "-8:$-5 4:$16" },
		{ "8@-16(%rbp)", "8:[r32-16]" },
		{ "8@(%rsp)", "8:[r152+0]" },
		{ "1@8(%rax,%rdx,4)", "1:[r80+4*r96+8]" },
		{ "1@(%rax,%rdx)", "1:[r80+1*r96+0]" },
		{ "1@0x8(,%rdx,8)", "1:[r65535+8*r96+8]" },
		{ "%rdi", "8:r112" },
		{ "8@4096", "8:[4096]" },
		{ "8@$18446744073709551615", "8:$-1" },
		/* what is not understood leaves the others where they are */
		{ "4f@%xmm0 -4@%edi", "8:? -4:r112" },
		{ "3@%edi 16@%rdi 4@%nothing 4@ @%eax 8@8(%rax,%rdx,3) 4@$ 4@$5x 8@%fs:40",
		  "3:? 16:? 4:? 4:? 8:? 8:? 4:? 4:? 8:?" },
		{ "8@unknown(%rip)", "8:?" },
		{ "8@8(%rax", "8:?" },
		{ "8@8(%ah)", "8:?" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(parsed(NULL, EM_X86_64, cases[i].text), cases[i].parsed);
}

static void test_arm64(void **state)
{
	static const struct {
		const char *text, *parsed;
	} cases[] = {
		{ "-4@w0 8@x30 8@sp", "-4:r0 8:r240 8:r248" },
		{ "-4@5 8@-1 8@#16", "-4:$5 8:$-1 8:$16" },
		{ "8@[sp, 16] 4@[x29, -4]", "8:[r248+16] 4:[r232-4]" },
		{ "8@[x0]", "8:[r0+0]" },
		{ "8@[x1, x2, lsl 3] 1@[x1,x2]", "8:[r8+8*r16+0] 1:[r8+1*r16+0]" },
		{ "8@x31 8@y0 8@x 8@[x0 8@x1", "8:? 8:? 8:? 8:?" },
		{ "8@[x0, x1, lsl 9]", "8:?" },
		{ "4f@s0 8@x1", "8:? 8:r8" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(parsed(NULL, EM_AARCH64, cases[i].text), cases[i].parsed);
	assert_string_equal(parsed(NULL, EM_RISCV, "8@a0"), "8:?");
}

/* A variable is as far from the probe (here at 0x1000) in memory as it is in the file. */
static void test_variables(void **state)
{
	unsigned long long counter = nm("a", "counter");
	char expected[128];

	(void)state;
	snprintf(expected, sizeof(expected), "8:[r128%+lld]", (long long)(counter - 0x1000));
	assert_string_equal(parsed(&image, EM_X86_64, "8@counter(%rip)"), expected);
	snprintf(expected, sizeof(expected), "4:[r128%+lld]", (long long)(counter - 0x1000 + 4));
	assert_string_equal(parsed(&image, EM_X86_64, "4@counter+4(%rip)"), expected);
	snprintf(expected, sizeof(expected), "8:[%llu]", counter);
	assert_string_equal(parsed(&image, EM_X86_64, "8@counter"), expected);
	assert_string_equal(parsed(&image, EM_X86_64, "8@counter+(%rip)"), "8:?");
	assert_string_equal(parsed(&image, EM_X86_64, "8@none(%rip)"), "8:?");
}

static void test_many(void **state)
{
	char text[1024] = "";

	(void)state;
	for (int i = 0; i < 40; i++)
		strcat(text, "8@%rax ");
	assert_int_equal(
		usdt_parse(NULL, EM_X86_64, 0, text, (struct usdt_arg[USDT_ARGS_MAX]){ { 0 } }),
		USDT_ARGS_MAX);
	memset(text, 'x', sizeof(text) - 1);
	memcpy(text, "8@", 2);
	text[sizeof(text) - 1] = '\0';
	assert_string_equal(parsed(&image, EM_X86_64, text), "8:?");
}

#if defined(__x86_64__)
/* The kernel's struct, as user space has it. */
static void test_places(void **state)
{
	static const struct {
		const char *name;
		size_t offset;
	} registers[] = {
#define REGISTER(name, field) { "8@%" #name, offsetof(struct pt_regs, field) }
		REGISTER(r15, r15), REGISTER(r14, r14), REGISTER(r13, r13), REGISTER(r12, r12),
		REGISTER(rbp, rbp), REGISTER(rbx, rbx), REGISTER(r11, r11), REGISTER(r10, r10),
		REGISTER(r9, r9),   REGISTER(r8, r8),	REGISTER(rax, rax), REGISTER(rcx, rcx),
		REGISTER(rdx, rdx), REGISTER(rsi, rsi), REGISTER(rdi, rdi), REGISTER(rip, rip),
		REGISTER(rsp, rsp),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
		struct usdt_arg arg[USDT_ARGS_MAX];

		assert_int_equal(usdt_parse(NULL, EM_X86_64, 0, registers[i].name, arg), 1);
		assert_int_equal(arg->kind, USDT_REGISTER);
		assert_int_equal(arg->reg, registers[i].offset);
	}
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_stops),
		cmocka_unit_test(test_x86),
		cmocka_unit_test(test_arm64),
		cmocka_unit_test(test_variables),
		cmocka_unit_test(test_many),
#if defined(__x86_64__)
		cmocka_unit_test(test_places),
#endif
	};

	return cmocka_run_group_tests_name("usdt", tests, begin, end);
}
