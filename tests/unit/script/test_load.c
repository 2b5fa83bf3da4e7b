/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the kernel's verifier says of each function of the runtime, called several times in a
 * program, and of functions made at random, which also run there. Without privileges, all is
 * skipped.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "lib/core/types.shared.h"
#include "script.shared.h"
#include "script/load.h"
#include "script/random_ir.h"

#define TIMES 4 /* each function is called in a program */

struct rig {
	struct source *source;
	struct compiled c;
	struct script_config config;
	struct script_map maps[5], *all[5];
	struct type types[5], key;
	struct program program, *programs[1];
	struct target target;
	const struct target *targets[1];
	struct loaded l;
	struct ir_function *f;
	int64_t rodata[32];
};

static struct rig rig;

static int open_rig(void **unused)
{
	static const struct type values[5] = {
		{ .kind = TYPE_HIST, .count = 4 }, { .kind = TYPE_LHIST, .lhist = { 0, 100, 10 } },
		{ .kind = TYPE_MIN, .size = 16 },  { .kind = TYPE_MAX, .size = 16 },
		{ .kind = TYPE_INT, .size = 8 },
	};
	struct rig *r = &rig;

	memset(r, 0, sizeof(*r));
	r->source = source_new("rig", "begin { }", 9);
	r->key = (struct type){ .kind = TYPE_INT, .size = 8 };
	memcpy(r->types, values, sizeof(values));
	for (unsigned n = 0; n < 5; n++) {
		r->maps[n] = (struct script_map){ .name = "m",
						  .key = &r->key,
						  .value = &r->types[n],
						  .index = n,
						  .entries = 100,
						  .per_cpu = n < 4,
						  .generations = n == 2 };
		r->all[n] = &r->maps[n];
	}
	r->rodata[1] = 100;
	r->rodata[2] = 10;
	r->target = (struct target){ .attach = ATTACH_RUN };
	r->targets[0] = &r->target;
	r->f = ir_function_new(r->source->arena, "rig");
	r->f->scratch = 24000;
	r->f->ungated = true;
	r->program = (struct program){ .targets = r->targets, .nr_targets = 1, .code = r->f };
	r->programs[0] = &r->program;
	r->c = (struct compiled){ .source = r->source,
				  .maps = r->all,
				  .nr_maps = 5,
				  .programs = r->programs,
				  .nr_programs = 1,
				  .rodata = r->rodata,
				  .rodata_size = sizeof(r->rodata),
				  .nr_lost = 4,
				  .interns = true,
				  .config = &r->config };
	return 0;
}

static int close_rig(void **unused)
{
	if (rig.l.compiled)
		script_unload(&rig.l);
	source_free(rig.source);
	return 0;
}

static bool may_load(void)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "may_load", "GPL", insns, 2, NULL);

	if (fd >= 0)
		close(fd);
	return fd != -EPERM;
}

/* Ends the program, and has it loaded as one of @attach. */
static void load(enum attach attach)
{
	static const struct load_options options = { .verbose = true };
	const char *fault;

	ir_return(rig.f, 0);
	fault = ir_check(rig.f);
	if (fault)
		fail_msg("%s", fault);
	rig.target.attach = attach;
	assert_int_equal(script_load(&rig.l, &rig.c, &options), 0);
	if (attach == ATTACH_RUN)
		assert_int_equal(loaded_run(&rig.l, 0), 0);
	script_unload(&rig.l);
}

/* --- what calls are made of --- */

static ir_value constant(int64_t v)
{
	return ir_const(rig.f, v);
}

static ir_value place(uint32_t offset)
{
	return ir_scratch(rig.f, offset);
}

/* A number that the verifier does not know. */
static ir_value number(uint32_t which)
{
	return ir_load(rig.f, place(8 * which), 0, 8, false);
}

static ir_value lost(void)
{
	return ir_global(rig.f, offsetof(struct rt_globals, lost));
}

static void keep(ir_value v)
{
	ir_store(rig.f, place(1000), 0, 8, v);
}

/* What follows depends on it, as on the condition of an if. */
static void decide(ir_value v)
{
	uint32_t then = ir_block(rig.f), after = ir_block(rig.f);

	ir_branch_imm(rig.f, IR_NE, v, 0, then, after);
	ir_enter(rig.f, then);
	ir_atomic_add(rig.f, place(1008), 0, v);
	ir_jump(rig.f, after);
	ir_enter(rig.f, after);
}

static void test_texts_read(void **unused)
{
	static const char *const functions[] = { "rt_str_user", "rt_str_kernel", "rt_str_any" };
	static const uint32_t rooms[] = { 1, 2, 8, 9, 64, 200, 1024, 4096 };

	if (!may_load())
		skip();
	for (size_t n = 0; n < TIMES * 24; n++)
		keep(ir_runtime(rig.f, functions[n % 3], IR_SCALAR, 3, place(2000),
				constant(rooms[n / 3 % 8]), number(0)));
	load(ATTACH_RUN);
}

static void test_buffers_read(void **unused)
{
	static const char *const functions[] = { "rt_buf_user", "rt_buf_kernel" };
	static const uint32_t rooms[] = { 1, 2, 8, 9, 64, 200, 1024, 4096 };

	if (!may_load())
		skip();
	for (size_t n = 0; n < TIMES * 16; n++)
		keep(ir_runtime(rig.f, functions[n % 2], IR_SCALAR, 4, place(2000),
				constant(rooms[n / 2 % 8]), number(0), number(1)));
	for (size_t n = 0; n < TIMES; n++) {
		keep(ir_runtime(rig.f, "rt_read_kernel", IR_SCALAR, 3, place(2000), constant(13),
				number(0)));
		keep(ir_runtime(rig.f, "rt_read_user", IR_SCALAR, 3, place(2000), constant(8),
				number(0)));
		keep(ir_runtime(rig.f, "rt_read_any", IR_SCALAR, 3, place(2000), constant(4096),
				number(0)));
	}
	load(ATTACH_RUN);
}

static void test_texts(void **unused)
{
	if (!may_load())
		skip();
	for (size_t n = 0; n < TIMES; n++) {
		keep(ir_runtime(rig.f, "rt_str_comm", IR_SCALAR, 2, place(2000), place(0)));
		keep(ir_runtime(rig.f, "rt_str_copy", IR_SCALAR, 3, place(2000),
				constant(1 + 77 * n), place(8000)));
	}
	load(ATTACH_RUN);
}

static void test_equal(void **unused)
{
	static const uint32_t rooms[] = { 1, 2, 8, 9, 64, 65, 72, 73, 200, 1024, 4096 };

	if (!may_load())
		skip();
	for (size_t n = 0; n < 22; n++) {
		decide(ir_runtime(rig.f, "rt_str_equal", IR_SCALAR, 3, place(2000), place(8000),
				  constant(rooms[n % 11])));
		decide(ir_runtime(rig.f, "rt_str_equal_n", IR_SCALAR, 4, place(2000), place(8000),
				  constant(rooms[n % 11]), number(1)));
	}
	load(ATTACH_RUN);
}

static void test_contains(void **unused)
{
	static const uint32_t rooms[][2] = { { 1024, 64 }, { 64, 1024 }, { 16, 16 }, { 200, 33 } };

	if (!may_load())
		skip();
	for (size_t n = 0; n < 8; n++)
		decide(ir_runtime(rig.f, "rt_str_contains", IR_SCALAR, 4, place(2000),
				  constant(rooms[n % 4][0]), place(8000),
				  constant(rooms[n % 4][1])));
	load(ATTACH_RUN);
}

static void test_numbers(void **unused)
{
	if (!may_load())
		skip();
	for (size_t n = 0; n < TIMES; n++) {
		decide(ir_runtime(rig.f, "rt_div", IR_SCALAR, 2, number(0), number(1)));
		decide(ir_runtime(rig.f, "rt_mod", IR_SCALAR, 2, number(0), number(1)));
	}
	load(ATTACH_RUN);
}

static void change(unsigned map, ir_value at)
{
	switch (map) {
	case 0:
		ir_runtime(rig.f, "rt_hist", IR_SCALAR, 3, at, number(1), constant(4));
		break;
	case 1:
		ir_runtime(rig.f, "rt_lhist", IR_SCALAR, 4, at, number(1), ir_rodata(rig.f, 0),
			   constant(RT_LHIST_SLOTS(0, 100, 10)));
		break;
	case 2:
		ir_runtime(rig.f, "rt_min", IR_SCALAR, 3, at, number(1), constant(0));
		ir_runtime(rig.f, "rt_min", IR_SCALAR, 3, at, number(1), constant(1));
		break;
	case 3:
		ir_runtime(rig.f, "rt_max", IR_SCALAR, 3, at, number(1), constant(0));
		ir_runtime(rig.f, "rt_max", IR_SCALAR, 3, at, number(1), constant(1));
		break;
	default:
		ir_atomic_add(rig.f, at, 0, number(1));
		break;
	}
}

static void test_maps(void **unused)
{
	if (!may_load())
		skip();
	for (unsigned n = 0; n < TIMES * 5; n++) {
		unsigned map = n % 5;
		uint32_t there = ir_block(rig.f), found = ir_block(rig.f), after = ir_block(rig.f);
		ir_value m = ir_map(rig.f, map, rig.maps[map].generations), at;

		if (rig.maps[map].generations)
			ir_branch_imm(rig.f, IR_NE, m, 0, there, after);
		else
			ir_jump(rig.f, there);
		ir_enter(rig.f, there);
		at = ir_runtime(rig.f, "rt_slot", IR_MAP_VALUE, 3, m, place(0), place(8000));
		ir_branch_imm(rig.f, IR_NE, at, 0, found, after);
		ir_enter(rig.f, found);
		change(map, at);
		ir_jump(rig.f, after);
		ir_enter(rig.f, after);
	}
	load(ATTACH_RUN);
}

static void test_records(void **unused)
{
	static const char *const functions[] = { "rt_append", "rt_append_user", "rt_append_kernel",
						 "rt_append_any" };
	ir_value offset = ir_variable(rig.f, IR_SCALAR);
	uint64_t most = 64;

	if (!may_load())
		skip();
	ir_set(rig.f, offset, constant(64));
	for (size_t n = 0; n < 8; n++, most += 1024) {
		ir_value from = n % 4 ? number(0) : place(2000);

		ir_set(rig.f, offset,
		       ir_runtime(rig.f, functions[n % 4], IR_SCALAR, 5, place(8000), offset,
				  constant(n & 1 ? 1024 : 1019), from,
				  constant((16 + 8 * n % 40) << 32 | most)));
	}
	ir_runtime(rig.f, "rt_send", IR_SCALAR, 4, place(8000), offset, constant(most), lost());
	for (size_t n = 0; n < TIMES; n++)
		ir_runtime(rig.f, "rt_send", IR_SCALAR, 4, place(8000), constant(24), constant(24),
			   lost());
	load(ATTACH_RUN);
}

static void test_ids(void **unused)
{
	if (!may_load())
		skip();
	for (size_t n = 0; n < 2; n++) {
		ir_runtime(rig.f, "rt_stack", IR_SCALAR, 4, ir_context(rig.f), place(2000),
			   constant(8 * RT_STACK_DEPTH_MAX), constant(n ? 256 : 0));
		ir_runtime(rig.f, "rt_intern", IR_SCALAR, 3, place(2000),
			   constant(8 * RT_STACK_DEPTH_MAX), lost());
		ir_runtime(rig.f, "rt_str_any", IR_SCALAR, 3,
			   place(2000 + offsetof(struct rt_bytes, len)), constant(1024), number(0));
		ir_runtime(rig.f, "rt_intern", IR_SCALAR, 3, place(2000), constant(1024), lost());
	}
	load(ATTACH_RUN);
}

/* The types of programs that have stacks by functions of their own. */
static void test_ids_of_others(void **unused)
{
	static const enum attach attaches[] = { ATTACH_TRACEPOINT, ATTACH_UPROBE, ATTACH_PERF };

	if (!may_load())
		skip();
	for (size_t n = 0; n < 3; n++) {
		close_rig(NULL);
		open_rig(NULL);
		ir_runtime(rig.f, "rt_stack", IR_SCALAR, 4, ir_context(rig.f), place(2000),
			   constant(8 * RT_STACK_DEPTH_MAX), constant(0));
		ir_runtime(rig.f, "rt_intern", IR_SCALAR, 3, place(2000),
			   constant(8 * RT_STACK_DEPTH_MAX), lost());
		load(attaches[n]);
	}
}

/* --- at random --- */

/* Puts what the program finds in its scratch where the test knows it. */
static void write_scratch(uint32_t size, int byte)
{
	uint32_t zero = 0, stride = (size + 7) & ~7u;
	size_t all = (size_t)stride * libbpf_num_possible_cpus();
	char *bytes = malloc(all);

	memset(bytes, byte, all);
	for (size_t at = 0; at < all; at += stride)
		memset(bytes + at, 0, 8);
	assert_int_equal(bpf_map_update_elem(rig.l.scratch_fd, &zero, bytes, BPF_ANY), 0);
	free(bytes);
}

/* Did it leave that on any CPU, and was it there that it ran? */
static bool left(uint32_t size, const char *expected, uint32_t len)
{
	uint32_t zero = 0, stride = (size + 7) & ~7u, found = 0;
	size_t all = (size_t)stride * libbpf_num_possible_cpus();
	char *bytes = malloc(all);

	assert_int_equal(bpf_map_lookup_elem(rig.l.scratch_fd, &zero, bytes), 0);
	for (size_t at = 0; at < all; at += stride)
		found += !memcmp(bytes + at + size - len, expected, len);
	free(bytes);
	return found == 1;
}

static void run_random(void)
{
	uint64_t context[RANDOM_CONTEXT];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = context, .ctx_size_in = sizeof(context));
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);
	char *expected = malloc(rig.f->scratch);

	for (size_t n = 0; n < RANDOM_CONTEXT; n++)
		context[n] = random_number();
	memset(expected, 0xa5, rig.f->scratch);
	random_ids = (uint64_t)getpid() << 32 | (uint32_t)gettid();
	random_meaning(rig.f, context, expected);
	assert_int_equal(bpf_obj_get_info_by_fd(rig.l.scratch_fd, &info, &len), 0);
	write_scratch(info.value_size, 0xa5);
	assert_int_equal(bpf_prog_test_run_opts(rig.l.programs[0], &opts), 0);
	assert_true(left(info.value_size, expected, rig.f->scratch));
	free(expected);
}

static void test_random(void **unused)
{
	static const struct load_options options = { 0 };
	unsigned loaded = 0;

	if (!may_load())
		skip();
	for (unsigned n = 1; n <= 15; n++) {
		int err;

		close_rig(NULL);
		open_rig(NULL);
		random_seed(n * 0x9e3779b97f4a7c15);
		rig.f = random_function(rig.source->arena, 40);
		rig.f->ungated = true;
		rig.program.code = rig.f;
		assert_null(ir_check(rig.f));
		err = script_load(&rig.l, &rig.c, &options);
		/* loops in loops with branches may be more than the verifier goes through */
		if (err == -E2BIG)
			continue;
		assert_int_equal(err, 0);
		run_random();
		script_unload(&rig.l);
		loaded++;
	}
	assert_in_range(loaded, 10, 15);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)
	const struct CMUnitTest tests[] = {
		TEST(test_texts_read),	  TEST(test_buffers_read), TEST(test_texts),
		TEST(test_equal),	  TEST(test_contains),	   TEST(test_numbers),
		TEST(test_maps),	  TEST(test_records),	   TEST(test_ids),
		TEST(test_ids_of_others), TEST(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
