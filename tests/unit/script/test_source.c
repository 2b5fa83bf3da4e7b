/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What is said about places of a script, and the memory of a compilation. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "script/source.h"

static struct source *src;
static char *messages;
static size_t messages_size;

static void begin(const char *text, size_t size)
{
	src = source_new("a\033b.bt", text, size);
	free(messages);
	src->messages = open_memstream(&messages, &messages_size);
}

static void end(const char *expected)
{
	fclose(src->messages);
	assert_string_equal(messages, expected);
	source_free(src);
}

static void test_places(void **state)
{
	static const char text[] = "ab\n\ncd\n";
	static const unsigned places[][2] = { { 1, 1 }, { 1, 2 }, { 1, 3 }, { 2, 1 },
					      { 3, 1 }, { 3, 2 }, { 3, 3 }, { 4, 1 } };
	unsigned line, column;

	(void)state;
	begin(text, strlen(text));
	for (uint32_t at = 0; at < 8; at++) {
		source_place(src, at, &line, &column);
		assert_int_equal(line, places[at][0]);
		assert_int_equal(column, places[at][1]);
	}
	source_place(src, 1000, &line, &column); /* behind the end */
	assert_int_equal(line, 4);
	end("");
}

static void test_message(void **state)
{
	static const char text[] = "one\n\ttwo x\r\nthree";

	(void)state;
	begin(text, strlen(text));
	source_error(src, (struct span){ 5, 8 }, "no %s", "\033[2J\n");
	source_hint(src, "did you mean %d?", 2);
	source_warning(src, (struct span){ 12, 17 }, "odd");
	src->no_warnings = true;
	source_warning(src, (struct span){ 12, 17 }, "odd");
	assert_int_equal(src->errors, 1);
	end("a\\033b.bt:2:2-5: ERROR: no \\033[2J\\n\n"
	    "    two x\n"
	    "    ~~~\n"
	    "HINT: did you mean 2?\n"
	    "a\\033b.bt:3:1-6: WARNING: odd\n"
	    "three\n"
	    "~~~~~\n");
}

/* At the end of a line, over several lines, behind the text, and where the end is before the
 * beginning. */
static void test_odd_places(void **state)
{
	static const char text[] = "one\ntwo";

	(void)state;
	begin(text, strlen(text));
	source_error(src, (struct span){ 3, 3 }, "missing");
	source_error(src, (struct span){ 1, 6 }, "both");
	source_error(src, (struct span){ 100, 200 }, "beyond");
	source_error(src, (struct span){ 5, 4 }, "backwards");
	end("a\\033b.bt:1:4-5: ERROR: missing\n"
	    "one\n"
	    "   ~\n"
	    "a\\033b.bt:1-2: ERROR: both\n"
	    "one\n"
	    " ~~\n"
	    "a\\033b.bt:2:4-5: ERROR: beyond\n"
	    "two\n"
	    "   ~\n"
	    "a\\033b.bt:2:2-3: ERROR: backwards\n"
	    "two\n"
	    " ~\n");
}

/* Bytes that a terminal must not see take as many columns as what stands for them. */
static void test_bytes(void **state)
{
	static const char text[] = "\033\0\xc3\xa9\xff x";

	(void)state;
	begin(text, sizeof(text) - 1);
	source_error(src, (struct span){ 1, 5 }, "here");
	end("a\\033b.bt:1:2-6: ERROR: here\n"
	    "\\033\\000\xc3\xa9\\377 x\n"
	    "    ~~~~~~~~~\n");
}

/* Of a line of a megabyte, what is around the place is shown. */
static void test_long_line(void **state)
{
	const size_t size = 1 << 20;
	char *text = malloc(size);
	char *line;

	(void)state;
	memset(text, 'a', size);
	memcpy(text + 500000, "here", 4);
	begin(text, size);
	source_error(src, (struct span){ 500000, 500004 }, "far");
	source_error(src, (struct span){ 0, size }, "all of it");
	source_error(src, (struct span){ size - 1, size }, "the last");
	fclose(src->messages);
	for (line = messages; *line; line += strcspn(line, "\n") + 1)
		assert_true(strcspn(line, "\n") < 200);
	assert_non_null(strstr(messages, "aaahereaaa"));
	line = strchr(strstr(messages, "here"), '\n') + 1; /* what is below it */
	assert_int_equal(strspn(line + strspn(line, " "), "~"), 4);
	source_free(src);
	free(text);
}

static void test_too_long(void **state)
{
	char *text = calloc(1, SOURCE_MAX + 1);

	(void)state;
	src = source_new("x", text, SOURCE_MAX);
	assert_non_null(src);
	source_free(src);
	assert_null(source_new("x", text, SOURCE_MAX + 1));
	free(text);
}

/* --- did you mean --- */

static void test_nearest(void **state)
{
	static const char *const names[] = { "kprobe", "kretprobe", "uprobe", "printf",
					     "print",  "comm",	    "pid",    NULL };
	static const struct {
		const char *name, *best;
	} rows[] = {
		{ "kproeb", "kprobe" }, /* two letters exchanged */
		{ "kprob", "kprobe" },
		{ "kkprobe", "kprobe" },
		{ "kretprob", "kretprobe" },
		{ "pritnf", "printf" },
		{ "comm", "comm" },
		{ "com", "comm" },
		{ "pd", "pid" },
		{ "p", NULL },
		{ "xyz", NULL },
		{ "", NULL },
		{ "something_else_entirely", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct nearest n = { .name = rows[i].name };
		const char *best;

		for (const char *const *s = names; *s; s++)
			nearest_try(&n, *s);
		best = n.best;

		if (!best || !rows[i].best)
			assert_ptr_equal(best, rows[i].best);
		else
			assert_string_equal(best, rows[i].best);
	}
}

/* Names of any length are compared, or are not near. */
static void test_nearest_long(void **state)
{
	char name[200], other[200];
	struct nearest n = { .name = name };

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	memcpy(other, name, sizeof(name));
	other[5] = 'b';
	nearest_try(&n, other);
	assert_null(n.best);
	name[64] = other[64] = 0;
	nearest_try(&n, other);
	assert_ptr_equal(n.best, other);
}

/* --- memory --- */

static void test_arena(void **state)
{
	struct arena *a = arena_new();
	size_t capacity = 0;
	uint32_t *list = NULL;

	(void)state;
	for (size_t size = 0; size < 200000; size = size * 3 + 1) {
		char *p = arena_alloc(a, size);

		assert_int_equal((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, size);
	}
	for (uint32_t i = 0; i < 10000; i++) {
		if (i == capacity)
			list = arena_grow(a, list, &capacity, i + 1, sizeof(*list));
		list[i] = i;
	}
	for (uint32_t i = 0; i < 10000; i++)
		assert_int_equal(list[i], i);
	assert_string_equal(arena_strndup(a, "abc", 2), "ab");
	assert_string_equal(arena_strndup(a, NULL, 0), "");
	assert_string_equal(arena_printf(a, "%s-%d", "x", 5), "x-5");
	arena_free(a);
	arena_free(NULL);
}

static int teardown(void **state)
{
	(void)state;
	free(messages);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),	   cmocka_unit_test(test_message),
		cmocka_unit_test(test_odd_places), cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_long_line),  cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_nearest),	   cmocka_unit_test(test_nearest_long),
		cmocka_unit_test(test_arena),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
