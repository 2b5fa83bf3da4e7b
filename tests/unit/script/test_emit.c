/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the instructions of functions do in the interpreter has to be what the three-address code
 * says, word for word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "script/interp.h"
#include "script/random_ir.h"

static struct source *source;

static void compare(struct interp *i, struct ir_function *f)
{
	static const struct emit_config config = { .rings = 1, .cmpxchg = true };
	static const struct emit_config old = { .rings = 1 };
	uint64_t context[RANDOM_CONTEXT];
	const char *fault = ir_check(f);
	struct code *code;
	char *scratch;

	if (fault)
		fail_msg("%s", fault);
	for (size_t n = 0; n < RANDOM_CONTEXT; n++)
		context[n] = random_number();
	code = code_make(source, f, random_below(2) ? &config : &old);
	assert_non_null(code);
	assert_int_equal(interp_run_code(i, code, context, sizeof(context)), 0);
	scratch = malloc(f->scratch);
	memset(scratch, 0xa5, f->scratch);
	random_meaning(f, context, scratch);
	assert_memory_equal(scratch, i->scratch + i->scratch_size - f->scratch, f->scratch);
	free(scratch);
	/* the next one finds it as new */
	free(i->scratch);
	i->scratch = NULL;
}

static void test_random(void **unused)
{
	struct compiled c = { 0 };
	struct interp *i;

	for (unsigned n = 1; n <= 1500; n++) {
		random_seed(n * 0x9e3779b97f4a7c15);
		source = source_new("random", "begin { }", 9);
		c.source = source;
		i = interp_new(&c);
		compare(i, random_function(source->arena, 300));
		interp_free(i);
		source_free(source);
	}
}

/* A program with a closed gate, one that is marked as running, and one that runs. */
static void test_gate(void **unused)
{
	static const struct emit_config configs[] = { { .rings = 1, .cmpxchg = true },
						      { .rings = 1 } };
	struct compiled c = { 0 };

	for (size_t n = 0; n < 2; n++) {
		struct interp *i;
		struct code *code;
		struct ir_function *f;
		uint64_t *left;

		source = source_new("gate", "begin { }", 9);
		c.source = source;
		i = interp_new(&c);
		f = ir_function_new(source->arena, "gate");
		f->scratch = 8;
		ir_store_imm(f, ir_scratch(f, 0), 0, 8, 4711);
		ir_return(f, 0);
		code = code_make(source, f, &configs[n]);
		i->globals->gate = 0;
		assert_int_equal(interp_run_code(i, code, NULL, 0), 0);
		left = (uint64_t *)(i->scratch + i->scratch_size - 8);
		assert_int_not_equal(*left, 4711);
		i->globals->gate = 1;
		*(uint64_t *)i->scratch = 1;
		assert_int_equal(interp_run_code(i, code, NULL, 0), -1); /* the mark stays */
		assert_int_not_equal(*left, 4711);
		assert_int_equal(i->globals->left_out, 1);
		*(uint64_t *)i->scratch = 0;
		assert_int_equal(interp_run_code(i, code, NULL, 0), 0);
		assert_int_equal(*left, 4711);
		assert_int_equal(i->globals->left_out, 1);
		i->globals->gate = 0;
		*left = 0;
		f->ungated = true;
		assert_int_equal(interp_run_code(i, code_make(source, f, &configs[n]), NULL, 0), 0);
		assert_int_equal(*left, 4711);
		interp_free(i);
		source_free(source);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_gate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
