/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One stack as text and JSON, by functions of this program. */
#include <unistd.h>

#include "output.h"
#include "stacks/frames.h"
#include "stacks/stacks.h"

#define OURS static __attribute__((noinline, noclone, used)) int
OURS leaf(int i)
{
	return i + 1;
}
OURS caller(int i)
{
	return leaf(i) + 1;
}
OURS other(int i)
{
	return i - 1;
}

static struct symbols *symbols;
static struct named_frames named; /* as in a tool: it lives as long as the program */
static uint64_t kernel[1] = { 16 }, user[2];

static int setup(void **state)
{
	stacks_options = (struct stacks_options){ 0 };
	user[0] = (uint64_t)leaf;
	user[1] = (uint64_t)caller;
	symbols = symbols_new();
	frames_set(&named, &(const struct frames){ symbols, getpid(), kernel, user, 1, 2 });
	return setup_output(state) || !symbols;
}

static int teardown(void **state)
{
	symbols_free(symbols);
	return teardown_output(state);
}

static void test_text(void **state)
{
	(void)state;
	assert_true(frames_text(&o, &named, false));
	assert_string_equal(text(), "[kernel+0x10] | leaf;caller");
	assert_true(frames_text(&o, &named, true));
	assert_string_equal(text(), "caller;leaf | [kernel+0x10]");
}

/* With -U and -K only one part is left, which may be empty. */
static void test_parts(void **state)
{
	(void)state;
	for (int root_first = 0; root_first < 2; root_first++) {
		stacks_options = (struct stacks_options){ .user_only = true };
		assert_true(frames_text(&o, &named, root_first));
		assert_string_equal(text(), root_first ? "caller;leaf" : "leaf;caller");
		stacks_options = (struct stacks_options){ .kernel_only = true };
		assert_true(frames_text(&o, &named, root_first));
		assert_string_equal(text(), "[kernel+0x10]");
	}
	frames_set(&named, &(const struct frames){ symbols, getpid(), NULL, user, 0, 2 });
	assert_false(frames_text(&o, &named, false));
	assert_string_equal(text(), "");
}

/* A frame is looked up once, and the names of all are good together. */
static void test_once(void **state)
{
	struct json j;

	(void)state;
	assert_string_equal(frames_name(&named, 1).function, "leaf");
	assert_string_equal(frames_name(&named, 2).function, "caller");
	user[0] = (uint64_t)other;
	assert_true(frames_text(&o, &named, false));
	assert_string_equal(text(), "[kernel+0x10] | leaf;caller");
	json_init(&j, &o);
	json_object(&j, NULL);
	frames_json_kernel(&j, "kernel", &named);
	frames_json_user(&j, "user", &named);
	json_end_object(&j);
	assert_string_equal(
		text(), "{\"kernel\":[{\"function\":null,\"module\":\"[kernel]\",\"offset\":16}],"
			"\"user\":[{\"function\":\"leaf\",\"module\":\"test_frames\"},"
			"{\"function\":\"caller\",\"module\":\"test_frames\"}]}\n");
	frames_set(&named, &(const struct frames){ symbols, getpid(), kernel, user, 1, 1 });
	assert_true(frames_text(&o, &named, false));
	assert_string_equal(text(), "[kernel+0x10] | other");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_parts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_once, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
