/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "script/formats.h"

#define COMMON                                                                                     \
	"format:\n"                                                                                \
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"                     \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n"                                 \
	"\n"

static const char openat[] =
	"name: sys_enter_openat\nID: 782\n" COMMON
	"\tfield:int __syscall_nr;\toffset:8;\tsize:4;\tsigned:1;\n"
	"\tfield:int dfd;\toffset:16;\tsize:8;\tsigned:0;\n"
	"\tfield:const char * filename;\toffset:24;\tsize:8;\tsigned:0;\n"
	"\tfield:const char *const * argv;\toffset:32;\tsize:8;\tsigned:0;\n"
	"\tfield:umode_t mode;\toffset:40;\tsize:8;\tsigned:0;\n"
	"\tfield:struct sockaddr __user * addr;\toffset:48;\tsize:8;\tsigned:0;\n"
	"\tfield:cap_user_header_t header;\toffset:56;\tsize:8;\tsigned:0;\n"
	"\nprint fmt: \"field:int no_field;\toffset:0;\tsize:4;\tsigned:0;\"\n";

static const char others[] =
	"name: others\nID: 5\n" COMMON "\tfield:char comm[16];\toffset:8;\tsize:16;\tsigned:0;\n"
	"\tfield:char short_name[TASK_COMM_LEN];\toffset:24;\tsize:8;\tsigned:0;\n"
	"\tfield:__u8 saddr[16];\toffset:32;\tsize:16;\tsigned:0;\n"
	"\tfield:unsigned long args[6];\toffset:48;\tsize:48;\tsigned:0;\n"
	"\tfield:strange_t list[2];\toffset:96;\tsize:8;\tsigned:1;\n"
	"\tfield:__data_loc char[] name;\toffset:104;\tsize:4;\tsigned:0;\n"
	"\tfield:__rel_loc char[] other;\toffset:108;\tsize:4;\tsigned:0;\n"
	"\tfield:__data_loc __u8[] bytes;\toffset:112;\tsize:4;\tsigned:0;\n"
	"\tfield:const void *where;\toffset:120;\tsize:8;\tsigned:0;\n"
	"\tfield:struct sk_buff * skb;\toffset:128;\tsize:8;\tsigned:0;\n"
	"\tfield:pid_t pid;\toffset:136;\tsize:4;\tsigned:1;\n"
	"\tfield:strange_t x;\toffset:140;\tsize:2;\tsigned:1;\n"
	"\tfield:bool flag;\toffset:142;\tsize:1;\tsigned:0;\n"
	"\tfield:int wide;\toffset:144;\tsize:8;\tsigned:1;\n"
	"\tfield:guid_t guid;\toffset:152;\tsize:16;\tsigned:0;\n";

static struct arena *arena;
static struct types *types;
static struct btf_types *btf;

static int begin(void **state)
{
	(void)state;
	arena = arena_new();
	types = types_new(arena);
	btf = btf_types_new(types, arena, "/nonexistent");
	return 0;
}

static int end(void **state)
{
	(void)state;
	btf_types_free(btf);
	arena_free(arena);
	return 0;
}

static const struct type *read_as(const char *category, const char *text)
{
	return format_record(types, arena, btf, category, "event", text, 200);
}

/* "int32 @16", "int8 * @24 user" */
static const char *field(const struct type *record, const char *name)
{
	static const char *const spaces[] = { "?", "kernel", "user", "context", "program" };
	uint32_t offset;
	const struct field *f = type_field(record, name, &offset);

	if (!f)
		return "none";
	return arena_printf(arena, "%s @%u%s%s%s%s", type_text(types, f->type), offset,
			    f->data_loc ? " data_loc" : "", f->rel_loc ? " rel_loc" : "",
			    f->type->kind == TYPE_POINTER ? " " : "",
			    f->type->kind == TYPE_POINTER ? spaces[f->type->space] : "");
}

static void test_syscall(void **state)
{
	const struct type *r = read_as("syscalls", openat);

	(void)state;
	assert_string_equal(field(r, "common_pid"), "int32 @4");
	assert_string_equal(field(r, "__syscall_nr"), "int32 @8");
	/* of the eight bytes the kernel takes as many as the type in C has */
	assert_string_equal(field(r, "dfd"), "int32 @16");
	assert_string_equal(field(r, "mode"), "uint16 @40");
	assert_string_equal(field(r, "filename"), "int8 * @24 user");
	assert_string_equal(field(r, "argv"), "int8 ** @32 user");
	assert_string_equal(field(r, "addr"), "struct sockaddr * @48 user");
	assert_string_equal(field(r, "header"), "uint64 @56");
	assert_string_equal(field(r, "no_field"), "none");
	assert_int_equal(r->size, 64);
	assert_string_equal(type_text(types, r), "struct _tracepoint_syscalls_event");
}

static void test_others(void **state)
{
	const struct type *r = read_as("sched", others);

	(void)state;
	assert_string_equal(field(r, "comm"), "string[16] @8");
	assert_string_equal(field(r, "short_name"), "int8[8] @24");
	assert_string_equal(field(r, "saddr"), "uint8[16] @32");
	assert_string_equal(field(r, "args"), "uint64[6] @48");
	assert_string_equal(field(r, "list"), "int32[2] @96");
	assert_string_equal(field(r, "name"), "string[200] @104 data_loc");
	assert_string_equal(field(r, "other"), "string[200] @108 rel_loc");
	assert_string_equal(field(r, "bytes"), "uint8[0] @112 data_loc");
	assert_string_equal(field(r, "where"), "void * @120 kernel");
	assert_string_equal(field(r, "skb"), "struct sk_buff * @128 kernel");
	assert_string_equal(field(r, "pid"), "int32 @136");
	assert_string_equal(field(r, "x"), "int16 @140");
	assert_string_equal(field(r, "flag"), "bool @142");
	assert_string_equal(field(r, "wide"), "int64 @144");
	assert_string_equal(field(r, "guid"), "uint8[16] @152");
	assert_int_equal(r->size, 168);
}

static void test_id(void **state)
{
	uint64_t id = 0;

	(void)state;
	assert_true(format_id(openat, &id));
	assert_int_equal(id, 782);
	assert_true(format_id("ID: 7", &id));
	assert_int_equal(id, 7);
	assert_false(format_id("name: x\nID: \n", &id));
	assert_false(format_id("ID: -7\n", &id));
	assert_false(format_id("ID: 7x\n", &id));
	assert_false(format_id("ID: 99999999999999999999\n", &id));
	assert_false(format_id("", &id));
	assert_false(format_id("XID: 7\n", &id));
}

struct seen {
	int common, own;
};

static void see(void *ctx, const struct format_field *f)
{
	struct seen *seen = ctx;

	seen->common += f->is_common;
	seen->own += !f->is_common;
}

static void test_each(void **state)
{
	struct seen seen = { 0 };

	(void)state;
	format_each_field(openat, see, &seen);
	assert_int_equal(seen.common, 2);
	assert_int_equal(seen.own, 7);
}

/* Lines that make no sense are left out, and those around them are read. */
static void test_nonsense(void **state)
{
	static const char *const lines[] = {
		"\tfield:;\toffset:8;\tsize:4;\tsigned:0;\n",
		"\tfield:int;\toffset:8;\tsize:4;\tsigned:0;\n",
		"\tfield:int x;\toffset:8;\tsigned:0;\n",
		"\tfield:int x;\tsize:4;\tsigned:0;\n",
		"\tfield:int x;\toffset:99999999999;\tsize:4;\tsigned:0;\n",
		"\tfield:int x;\toffset:8;\tsize:0;\tsigned:0;\n",
		"\tfield:int x;\toffset:8;\tsize:4294967295;\tsigned:0;\n",
		"\tfield:int x;\toffset:-8;\tsize:4;\tsigned:0;\n",
		"\tfield:int x\toffset:8\tsize:4\tsigned:0\n",
		"field\n",
		"\tfield:int x]\toffset:8;\tsize:4;\tsigned:0;\n",
		"\tfield:int x];\toffset:8;\tsize:4;\tsigned:0;\n",
		"\tfield:[4];\toffset:8;\tsize:4;\tsigned:0;\n",
		"\tfield:__data_loc char[] x;\toffset:8;\tsize:8;\tsigned:0;\n",
		"\tfield:   ;\toffset:8;\tsize:4;\tsigned:0;\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const char *text = arena_printf(
			arena, COMMON "%s\tfield:int y;\toffset:16;\tsize:4;\tsigned:1;\n",
			lines[i]);
		const struct type *r = read_as("a", text);

		if (strcmp(field(r, "x"), "none"))
			fail_msg("%s%s", lines[i], field(r, "x"));
		assert_string_equal(field(r, "y"), "int32 @16");
	}
}

static void test_any_bytes(void **state)
{
	uint32_t seed = 7;
	char text[sizeof(others)];

	(void)state;
	for (int i = 0; i < 3000; i++) {
		memcpy(text, others, sizeof(text));
		for (int k = 0; k < 4; k++) {
			seed = seed * 1664525 + 1013904223;
			text[(seed >> 8) % (sizeof(text) - 1)] = "*[];: \t\n_9a"[(seed >> 28) % 11];
		}
		read_as(seed & 1 ? "syscalls" : "a", text);
	}
}

/* Where we may: what the kernel has of a system call that all of them have. */
static void test_kernel(void **state)
{
	int dir = tracefs_open();
	const struct type *r;
	char *text;

	(void)state;
	if (dir < 0) {
		print_message("no tracefs: %s\n", strerror(-dir));
		skip();
	}
	text = tracefs_read(arena, dir, "events/sched/sched_switch/format", FORMAT_SIZE_MAX);
	assert_non_null(text);
	r = read_as("sched", text);
	assert_string_equal(field(r, "prev_comm"), "string[16] @8");
	assert_string_equal(field(r, "prev_pid"), "int32 @24");
	assert_null(tracefs_read(arena, dir, "events/sched/none/format", FORMAT_SIZE_MAX));
	/* no more than was asked for */
	assert_int_equal(strlen(tracefs_read(arena, dir, "events/sched/sched_switch/format", 10)),
			 10);
	close(dir);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_syscall),  TEST(test_others),	   TEST(test_id),     TEST(test_each),
		TEST(test_nonsense), TEST(test_any_bytes), TEST(test_kernel),
	};

	return cmocka_run_group_tests_name("formats", tests, NULL, NULL);
}
