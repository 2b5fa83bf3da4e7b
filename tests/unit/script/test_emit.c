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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
