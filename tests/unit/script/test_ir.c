/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The text of three-address code and of instructions, and what the checker finds wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/bpf.h>
#include <cmocka.h>

#include "script/ir.h"
#include "script/link.h"

static struct source *source;
static struct ir_function *f;
static char messages[4096]; /* what was said of the script */

static int open_function(void **unused)
{
	source = source_new("ir", "begin { }\n", 10);
	source->messages = fmemopen(messages, sizeof(messages), "w");
	f = ir_function_new(source->arena, "fn");
	f->scratch = 64;
	return 0;
}

static int close_function(void **unused)
{
	fclose(source->messages);
	source_free(source);
	return 0;
}

static void assert_dump(const char *expected)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ir_dump(f, out);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static void test_dump(void **unused)
{
	ir_value a, b, c;
	uint32_t one = ir_block(f), two = ir_block(f);

	a = ir_load(f, ir_context(f), 8, 4, true);
	b = ir_const(f, -5);
	c = ir_scratch(f, 16);
	b = ir_binary(f, IR_ADD, b, c); /* the address goes to the left */
	c = ir_bswap(f, a, 2);
	ir_store(f, b, -8, 2, c);
	ir_store_imm(f, b, 0, 8, 77);
	b = ir_global(f, 8);
	c = ir_negate(f, a);
	ir_atomic_add(f, b, 0, c);
	c = ir_binary_imm(f, IR_UMOD, a, 10);
	ir_branch(f, IR_SLE, a, c, one, two);
	ir_enter(f, one);
	ir_set(f, a, ir_extend(f, a, 1, false));
	b = ir_map(f, 3, false);
	c = ir_rodata(f, 24);
	ir_call(f, BPF_FUNC_map_delete_elem, IR_SCALAR, 2, b, c);
	ir_branch_imm(f, IR_NE, ir_map(f, 1, true), 0, one, two);
	ir_enter(f, two);
	ir_runtime(f, "rt_div", IR_SCALAR, 2, a, a);
	ir_return(f, 1);
	ir_return(f, 2); /* never reached, and left out */
	assert_null(ir_check(f));
	assert_dump("fn: scratch 64\n"
		    "b0:\n"
		    "  %1 = context\n"
		    "  %2 = s32 [%1 + 8]\n"
		    "  %3 = -5\n"
		    "  %4 = scratch 16\n"
		    "  %5 = add %4, %3\n"
		    "  %6 = bswap16 %2\n"
		    "  u16 [%5 - 8] = %6\n"
		    "  u64 [%5] = 77\n"
		    "  %7 = globals 8\n"
		    "  %8 = neg %2\n"
		    "  u64 [%7] += %8\n"
		    "  %9 = umod %2, 10\n"
		    "  if %2 s<= %9 then b1 else b2\n"
		    "b1:\n"
		    "  %10 = u8 %2\n"
		    "  %2 = %10\n"
		    "  %11 = map 3\n"
		    "  %12 = rodata 24\n"
		    "  %13 = map_delete_elem(%11, %12)\n"
		    "  %14 = map now 1\n"
		    "  if %14 != 0 then b1 else b2\n"
		    "b2:\n"
		    "  %15 = rt_div(%2, %2)\n"
		    "  return 1\n");
}

/* --- what is wrong --- */

static void assert_fault(const char *expected)
{
	const char *fault = ir_check(f);

	assert_non_null(fault);
	if (!strstr(fault, expected))
		fail_msg("'%s' has no '%s'", fault, expected);
}

/* The insn of the first block last added. */
static struct ir_insn *last(void)
{
	return &f->blocks[0].insns[f->blocks[0].nr - 1];
}

static void test_addresses(void **unused)
{
	ir_value at = ir_scratch(f, 0), v = ir_const(f, 1);

	ir_binary(f, IR_MUL, at, v);
	ir_return(f, 0);
	assert_fault("fn: block 0, instruction 2: an address can be added to");
	f->blocks[0].nr = 2;
	ir_binary(f, IR_SUB, v, at);
	ir_return(f, 0);
	assert_fault("an address on the right");
	f->blocks[0].nr = 2;
	ir_load(f, v, 0, 8, false);
	ir_return(f, 0);
	assert_fault("loads from no address");
	f->blocks[0].nr = 2;
	ir_store(f, ir_rodata(f, 0), 0, 8, v);
	ir_return(f, 0);
	assert_fault("no memory that can be written");
	f->blocks[0].nr = 2;
	ir_store(f, at, 0, 8, ir_map(f, 0, false));
	ir_return(f, 0);
	assert_fault("stores a map");
	f->blocks[0].nr = 2;
	ir_store(f, at, 0, 4, at);
	ir_return(f, 0);
	assert_fault("a part of an address");
	f->blocks[0].nr = 2;
	ir_set(f, ir_variable(f, IR_SCALAR), at);
	ir_return(f, 0);
	assert_fault("another class");
	f->blocks[0].nr = 2;
	ir_scratch(f, 65);
	ir_return(f, 0);
	assert_fault("outside of the scratch");
}

static void test_calls(void **unused)
{
	ir_value at = ir_scratch(f, 0), v = ir_load(f, at, 0, 8, false);

	ir_runtime(f, "rt_nothing", IR_SCALAR, 0);
	ir_return(f, 0);
	assert_fault("no function rt_nothing");
	f->blocks[0].nr = 2;
	ir_runtime(f, "rt_div", IR_SCALAR, 1, v);
	ir_return(f, 0);
	assert_fault("1 arguments for rt_div");
	f->blocks[0].nr = 2;
	ir_runtime(f, "rt_div", IR_SCALAR, 2, v, at);
	ir_return(f, 0);
	assert_fault("argument 2 is no number");
	f->blocks[0].nr = 2;
	ir_runtime(f, "rt_str_user", IR_SCALAR, 3, at, v, v);
	ir_return(f, 0);
	assert_fault("argument 2 is no constant");
	f->blocks[0].nr = 2;
	ir_call(f, BPF_FUNC_map_lookup_elem, IR_MAP_VALUE, 2, at, at);
	ir_return(f, 0);
	assert_fault("argument 1 is no map");
	f->blocks[0].nr = 2;
	ir_runtime(f, "rt_stack", IR_SCALAR, 4, at, at, ir_const(f, 8), ir_const(f, 0));
	ir_return(f, 0);
	assert_fault("argument 1 is no context");
	f->blocks[0].nr = 2;
	ir_call(f, BPF_FUNC_map_lookup_elem, IR_SCRATCH, 2, ir_map(f, 0, false), at);
	ir_return(f, 0);
	assert_fault("no function returns that");
}

static void test_operands(void **unused)
{
	ir_value v = ir_const(f, 1);

	ir_negate(f, v);
	last()->a = 99;
	ir_return(f, 0);
	assert_fault("no such value");
	f->blocks[0].nr = 1;
	ir_negate(f, v);
	last()->a = 0;
	ir_return(f, 0);
	assert_fault("no operand");
	f->blocks[0].nr = 1;
	ir_negate(f, v);
	last()->to = 0;
	ir_return(f, 0);
	assert_fault("its value goes nowhere");
	f->blocks[0].nr = 1;
	ir_binary_imm(f, IR_SHL, v, 64);
	ir_return(f, 0);
	assert_fault("shifted by 64");
	f->blocks[0].nr = 1;
	ir_binary_imm(f, IR_UDIV, v, 0);
	ir_return(f, 0);
	assert_fault("divided by 0");
	f->blocks[0].nr = 1;
	ir_extend(f, v, 3, false);
	ir_return(f, 0);
	assert_fault("a size of 3");
	f->blocks[0].nr = 1;
	ir_negate(f, v);
	last()->op = IR_RETURN + 1;
	ir_return(f, 0);
	assert_fault("no such instruction");
}

static void test_blocks(void **unused)
{
	ir_value v = ir_const(f, 1);
	uint32_t other = ir_block(f);

	assert_fault("the block has no end");
	ir_branch_imm(f, IR_EQ, v, 0, other, 2);
	ir_enter(f, other);
	ir_return(f, 0);
	assert_fault("no such block");
	f->blocks[0].nr = 1;
	ir_enter(f, 0);
	ir_branch_imm(f, IR_EQ, ir_scratch(f, 0), 0, other, other);
	assert_fault("compared with 0 only");
	f->blocks[0].nr = 1;
	ir_branch(f, IR_EQ, v, ir_scratch(f, 0), other, other);
	f->blocks[0].nr = 1;
	ir_jump(f, other);
	assert_null(ir_check(f));
	f->blocks[0].insns[0].op = IR_RETURN;
	f->blocks[0].insns[0].to = 0;
	assert_fault("an end in the middle");
}

/* Written on the one way, read behind both. */
static void test_written(void **unused)
{
	ir_value v = ir_const(f, 1), x = ir_variable(f, IR_SCALAR), y = ir_variable(f, IR_SCALAR);
	uint32_t then = ir_block(f), after = ir_block(f), loop = ir_block(f), end = ir_block(f);

	ir_branch_imm(f, IR_EQ, v, 0, then, after);
	ir_enter(f, then);
	ir_set(f, x, v);
	ir_jump(f, after);
	ir_enter(f, after);
	ir_jump(f, loop);
	ir_enter(f, loop);
	/* y: not written in the first round, though it is in each */
	ir_set(f, y, v);
	ir_branch_imm(f, IR_NE, y, 0, loop, end);
	ir_enter(f, end);
	ir_negate(f, y);
	ir_return(f, 0);
	assert_null(ir_check(f));
	f->blocks[end].insns[0].a = x;
	assert_fault("block 4, instruction 0: %2 is not written on every way to here");
	f->blocks[end].insns[0].a = y;
	f->blocks[loop].insns[0].a = y;
	assert_fault("block 3, instruction 0: %3 is not written on every way to here");
}

/* --- instructions --- */

static void test_code(void **unused)
{
	static const struct emit_config config = { .rings = 2, .cmpxchg = true };
	uint32_t then = ir_block(f), after = ir_block(f);
	struct code *c;
	ir_value v;
	char *text;
	size_t size;
	FILE *out;

	v = ir_load(f, ir_context(f), 16, 8, false);
	ir_branch_imm(f, IR_UGT, v, 5, then, after);
	ir_enter(f, then);
	ir_store(f, ir_scratch(f, 8), 0, 4,
		 ir_runtime(f, "rt_div", IR_SCALAR, 2, v, ir_const(f, 3)));
	ir_jump(f, after);
	ir_enter(f, after);
	ir_return(f, 0);
	assert_null(ir_check(f));
	c = code_make(source, f, &config);
	assert_non_null(c);
	assert_int_equal(c->scratch, 64 + 16);
	assert_int_equal(c->nr_functions, 1);
	assert_string_equal(c->functions[0].name, "rt_div");
	assert_int_equal(c->functions[0].start, c->own);
	c->nr = c->own;
	out = open_memstream(&text, &size);
	code_dump(c, out);
	fclose(out);
	assert_string_equal(text, "   0: r6 = r1\n"
				  "   1: r1 = globals ll\n"
				  "   3: r1 = *(u64 *)(r1 +0)\n"
				  "   4: if r1 != 1 goto 17\n"
				  "   5: *(u32 *)(r10 -4) = 0\n"
				  "   6: r2 = r10\n"
				  "   7: r2 += -4\n"
				  "   8: r1 = scratch ll\n"
				  "  10: call map_lookup_elem\n"
				  "  11: if r0 == 0 goto 17\n"
				  "  12: r7 = r0\n"
				  "  13: r1 = 1\n"
				  "  14: r1 = xchg(*(u64 *)(r7 +0), r1)\n"
				  "  15: if r1 != 0 goto 19\n"
				  "  16: goto 25\n"
				  "  17: r0 = 0\n"
				  "  18: exit\n"
				  "  19: r1 = globals +8 ll\n"
				  "  21: r2 = 1\n"
				  "  22: lock *(u64 *)(r1 +0) += r2\n"
				  "  23: r0 = 0\n"
				  "  24: exit\n"
				  "  25: r2 = *(u64 *)(r6 +16)\n"
				  "  26: if r2 <= 5 goto 32\n"
				  "  27: r1 = r2\n"
				  "  28: r2 = 3\n"
				  "  29: call rt_div\n"
				  "  30: r2 = r0\n"
				  "  31: *(u32 *)(r7 +24) = r2\n"
				  "  32: r0 = 0\n"
				  "  33: *(u64 *)(r7 +0) = 0\n"
				  "  34: exit\n");
	free(text);
}

/* What is said at the place in the script. */
static void assert_refused(const char *expected)
{
	static const struct emit_config config = { .rings = 1 };

	assert_null(ir_check(f));
	assert_null(code_make(source, f, &config));
	fflush(source->messages);
	if (!strstr(messages, expected))
		fail_msg("'%s' has no '%s'", messages, expected);
	assert_int_equal(source->errors, 1);
}

/* More addresses at once than the stack has slots; numbers would go elsewhere. */
static void test_too_many_addresses(void **unused)
{
	ir_value values[40], map = ir_map(f, 0, false), key = ir_scratch(f, 0);

	f->at = (struct span){ 6, 7 };
	for (size_t n = 0; n < 40; n++) {
		uint32_t next = ir_block(f), end = ir_block(f);

		values[n] = ir_call(f, BPF_FUNC_map_lookup_elem, IR_MAP_VALUE, 2, map, key);
		ir_branch_imm(f, IR_NE, values[n], 0, next, end);
		ir_enter(f, end);
		ir_return(f, 0);
		ir_enter(f, next);
	}
	for (size_t n = 0; n < 40; n++)
		ir_store_imm(f, values[n], 0, 8, 1);
	ir_return(f, 0);
	assert_refused("ir:1:7-8: ERROR: too many addresses are in use at once here");
}

static void test_too_far(void **unused)
{
	uint32_t then = ir_block(f), after = ir_block(f);

	f->at = (struct span){ 0, 5 };
	ir_branch_imm(f, IR_EQ, ir_load(f, ir_context(f), 0, 8, false), 0, then, after);
	ir_enter(f, then);
	for (size_t n = 0; n < 33000; n++)
		ir_store_imm(f, ir_scratch(f, 0), 0, 8, n);
	ir_jump(f, after);
	ir_enter(f, after);
	ir_return(f, 0);
	assert_refused("ir:1:1-6: ERROR: this is too long: a jump over 33000 instructions");
}

static void test_too_large(void **unused)
{
	f->scratch = (32 << 10) + 8;
	ir_store_imm(f, ir_scratch(f, 0), 0, 8, 1);
	ir_return(f, 0);
	assert_refused("this needs 32792 bytes at once");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_function, close_function)
	const struct CMUnitTest tests[] = {
		TEST(test_dump),    TEST(test_addresses),
		TEST(test_calls),   TEST(test_operands),
		TEST(test_blocks),  TEST(test_written),
		TEST(test_code),    TEST(test_too_many_addresses),
		TEST(test_too_far), TEST(test_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
