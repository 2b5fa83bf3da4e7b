/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One stack as text and JSON, by functions of this program. */
#include <stdio.h>
#include <unistd.h>

#include "output.h"
#include "stacks/frames.h"
#include "stacks/stacks.h"
#include "symbols/symbols.h"

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

/* The kernel's place 16; without the number for a user from whom kallsyms hides those. */
static const char *place, *offset;

/* A copy of @text, which has up to two places for @insert. */
static const char *with(const char *text, const char *insert)
{
	static char buf[512];

	snprintf(buf, sizeof(buf), text, insert, insert);
	return buf;
}

static int setup(void **state)
{
	struct frame_name name;

	stacks_options = (struct stacks_options){ 0 };
	user[0] = (uint64_t)leaf;
	user[1] = (uint64_t)caller;
	symbols = symbols_new();
	symbols_kernel(symbols, 16, &name);
	place = name.module_offset ? "[kernel+0x10]" : "[kernel]";
	offset = name.module_offset ? "16" : "null";
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
	assert_string_equal(text(), with("%s | leaf;caller", place));
	assert_true(frames_text(&o, &named, true));
	assert_string_equal(text(), with("caller;leaf | %s", place));
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
		assert_string_equal(text(), place);
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
	assert_string_equal(text(), with("%s | leaf;caller", place));
	json_init(&j, &o);
	json_object(&j, NULL);
	frames_json_kernel(&j, "kernel", &named);
	frames_json_user(&j, "user", &named);
	json_end_object(&j);
	assert_string_equal(
		text(),
		with("{\"kernel\":[{\"function\":null,\"module\":\"[kernel]\",\"offset\":%s}],"
		     "\"user\":[{\"function\":\"leaf\",\"module\":\"test_frames\"},"
		     "{\"function\":\"caller\",\"module\":\"test_frames\"}]}\n",
		     offset));
	frames_set(&named, &(const struct frames){ symbols, getpid(), kernel, user, 1, 1 });
	assert_true(frames_text(&o, &named, false));
	assert_string_equal(text(), with("%s | other", place));
}

/* An address that is not to be told is in no output. */
static void test_hidden_address(void **state)
{
	const struct frame_name name = { .module = "[kernel]" };
	char buf[FRAME_TEXT_LEN];
	struct json j;

	(void)state;
	assert_string_equal(frame_name_text(&name, buf, sizeof(buf)), "[kernel]");
	json_init(&j, &o);
	frames_json_frame(&j, &name);
	assert_string_equal(text(),
			    "{\"function\":null,\"module\":\"[kernel]\",\"offset\":null}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_parts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hidden_address, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
