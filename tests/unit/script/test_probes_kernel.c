/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/btf.h>
#include <cmocka.h>

#include "elf_fixture.h"
#include "kernel/preempt.h"
#include "script/btf_internal.h"
#include "script/probes_internal.h"

/* A kernel of our own: a directory in place of tracefs, some BTF, and what it grants. */
static struct arena *arena;
static struct types *types;
static struct btf_types *btf;
static struct btf *sample;
static struct probes *probes;
static char *said;
static struct target **targets;
static size_t nr;

static void make_event(const char *category, const char *name, int id, const char *fields)
{
	char text[1024];

	shell(arena_printf(arena, "mkdir -p events/%s/%s", category, name));
	snprintf(text, sizeof(text),
		 "name: %s\nID: %d\nformat:\n\tfield:int "
		 "common_pid;\toffset:4;\tsize:4;\tsigned:1;\n"
		 "\n%s\nprint fmt: \"\"\n",
		 name, id, fields);
	write_file(arena_printf(arena, "events/%s/%s/format", category, name), text);
}

static void make_tracefs(void)
{
	make_event("sched", "sched_switch", 7,
		   "\tfield:pid_t next_pid;\toffset:8;\tsize:4;\tsigned:1;\n");
	make_event("sched", "sched_wakeup", 8, "");
	make_event("syscalls", "sys_enter_read", 9,
		   "\tfield:char * buf;\toffset:24;\tsize:8;\tsigned:0;\n");
	make_event("net", "netif_rx", 10, "");
	write_file("available_events", "sched:sched_switch\nsched:sched_wakeup\n"
				       "syscalls:sys_enter_read\nnet:netif_rx\n");
	write_file("available_filter_functions",
		   "vfs_read\nvfs_readv\nvfs_write\nvfs_hidden\next4_file_open [ext4]\n"
		   "vfs_read.part.0\nbpf_read\n__ftrace_invalid_address___12\n");
}

/* One function that programs at trampolines may be at, and four that they may not. */
static void make_odd_functions(int i64)
{
	int pair, either, proto;

	pair = btf__add_struct(sample, "pair", 16);
	btf__add_field(sample, "a", i64, 0, 0);
	btf__add_field(sample, "b", i64, 64, 0);
	either = btf__add_union(sample, "either", 8);
	btf__add_field(sample, "a", i64, 0, 0);
	proto = btf__add_func_proto(sample, 0);
	btf__add_func_param(sample, "pair", pair);
	btf__add_func(sample, "odd_pair", BTF_FUNC_STATIC, proto);
	btf__add_func(sample, "odd_return", BTF_FUNC_STATIC, btf__add_func_proto(sample, either));
	proto = btf__add_func_proto(sample, i64);
	btf__add_func_param(sample, "either", either);
	btf__add_func(sample, "odd_union", BTF_FUNC_STATIC, proto);
	proto = btf__add_func_proto(sample, i64);
	for (int i = 0; i < 13; i++)
		btf__add_func_param(sample, "n", i64);
	btf__add_func(sample, "odd_many", BTF_FUNC_STATIC, proto);
	proto = btf__add_func_proto(sample, i64);
	btf__add_func_param(sample, "", 0);
	btf__add_func(sample, "odd_any", BTF_FUNC_STATIC, proto);
}

static void make_btf(void)
{
	int i64, proto, many, pointer, typedefs;

	sample = btf__new_empty();
	i64 = btf__add_int(sample, "long", 8, BTF_INT_SIGNED);
	proto = btf__add_func_proto(sample, i64);
	btf__add_func_param(sample, "fd", i64);
	btf__add_func_param(sample, "count", i64);
	btf__add_func(sample, "vfs_read", BTF_FUNC_STATIC, proto);
	btf__add_func(sample, "vfs_readv", BTF_FUNC_STATIC, proto);
	btf__add_func(sample, "vfs_untraceable", BTF_FUNC_STATIC, proto);
	btf__add_func(sample, "bpf_read", BTF_FUNC_STATIC, proto);
	many = btf__add_func_proto(sample, i64);
	for (int i = 0; i < 8; i++)
		btf__add_func_param(sample, "n", i64);
	btf__add_func(sample, "vfs_write", BTF_FUNC_STATIC, many);
	pointer = btf__add_ptr(sample, proto);
	typedefs = btf__add_typedef(sample, "btf_trace_sched_switch", pointer);
	assert_true(typedefs > 0);
	btf__add_typedef(sample, "btf_trace_sched_wakeup", pointer);
	btf__add_typedef(sample, "btf_trace_sys_enter", pointer);
	make_odd_functions(i64);
}

static int begin(void **state)
{
	const struct probe_options options = { 0 };
	const void *data;
	uint32_t size;

	(void)state;
	arena = arena_new();
	fixture_begin();
	make_tracefs();
	make_btf();
	types = types_new(arena);
	btf = btf_types_new(types, arena, NULL);
	btf->modules_read = true;
	data = btf__raw_data(sample, &size);
	btf->state = btf_raw_memory(&btf->vmlinux.raw, data, size, NULL);
	assert_int_equal(btf->state, 0);
	probes = probes_new(arena, types, btf, &options);
	probes->tracefs = open(fixture_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	probes->kprobes = probes->trampolines = GRANTED;
	return 0;
}

static int end(void **state)
{
	(void)state;
	probes_free(probes);
	btf_types_free(btf);
	btf__free(sample);
	arena_free(arena);
	fixture_end();
	free(said);
	said = NULL;
	return 0;
}

static struct point point;
static bool say_unmatched;

static int expand(const char *text)
{
	struct source *src = source_new("test", text, strlen(text));
	char *rest = arena_strdup(arena, text), *part;
	size_t size;
	int err;

	point = (struct point){ .text = text, .span = { 0, strlen(text) } };
	part = strsep(&rest, ":");
	while (strcmp(ast_provider_name(point.provider), part))
		point.provider++;
	point.parts = arena_alloc(arena, 8 * sizeof(*point.parts));
	while ((part = strsep(&rest, ":"))) {
		char *plus = strchr(part, '+');

		if (plus) {
			*plus = '\0';
			point.has_offset = true;
			point.offset = atoi(plus + 1);
		}
		point.parts[point.nr_parts++] = part;
	}
	free(said);
	src->messages = open_memstream(&said, &size);
	err = probes_expand(probes, src, NULL, &point, &targets, &nr);
	if (say_unmatched)
		probes_unmatched(probes, src, NULL, &point, false);
	fclose(src->messages);
	source_free(src);
	return err;
}

static void assert_said(const char *text)
{
	if (!strstr(said, text))
		fail_msg("not said: %s, but: %s", text, said);
}

/* A wildcard, and nothing to match it: an error only when that is asked for. */
static void assert_nothing(const char *text)
{
	assert_int_equal(expand(text), 0);
	assert_int_equal(nr, 0);
	assert_string_equal(said, "");
	say_unmatched = true;
	expand(text);
	say_unmatched = false;
	assert_said("ERROR: Probe has no valid attach points: nothing matches");
}

/* One target, of this name and way. */
static void assert_one(const char *text, const char *name, enum attach attach)
{
	if (expand(text))
		fail_msg("%s: %s", text, said);
	assert_int_equal(nr, 1);
	assert_string_equal(targets[0]->name, name);
	assert_int_equal(targets[0]->attach, attach);
	assert_string_equal(said, "");
}

static void test_tracepoints(void **state)
{
	uint32_t offset;

	(void)state;
	assert_one("tracepoint:sched:sched_switch", "tracepoint:sched:sched_switch",
		   ATTACH_TRACEPOINT);
	assert_int_equal(targets[0]->tracepoint_id, 7);
	assert_string_equal(targets[0]->category, "sched");
	assert_string_equal(targets[0]->function, "sched_switch");
	assert_non_null(type_field(targets[0]->args, "next_pid", &offset));
	assert_one("tracepoint:netif_rx", "tracepoint:net:netif_rx", ATTACH_TRACEPOINT);
	assert_int_equal(expand("tracepoint:sched:*"), 0);
	assert_int_equal(nr, 2);
	assert_int_equal(expand("tracepoint:s*:*_*e*"), 0);
	assert_int_equal(nr, 2); /* sched_wakeup, sys_enter_read */
}

static void test_no_tracepoints(void **state)
{
	(void)state;
	assert_int_equal(expand("tracepoint:sched:sched_swich"), -ENOENT);
	assert_said("No matches for tracepoint sched:sched_swich.");
	assert_said("did you mean tracepoint:sched:sched_switch?");
	assert_int_equal(expand("tracepoint:sched:sys_enter_rea"), -ENOENT);
	assert_said("did you mean tracepoint:syscalls:sys_enter_read?");
	assert_nothing("tracepoint:sched:x*");
	assert_int_equal(expand("tracepoint:..:sched"), -ENOENT);
	assert_int_equal(expand("tracepoint:sched/sched_switch:."), -ENOENT);
	assert_true(expand("tracepoint") < 0);
	close(probes->tracefs);
	probes->tracefs = -EACCES;
	assert_true(expand("tracepoint:sched:sched_switch") < 0);
	assert_said("takes root");
}

static void test_without_args(void **state)
{
	(void)state;
	assert_int_equal(expand("tracepoint:sched:sched_switch"), 0);
	assert_true(probes_without_args(probes, targets[0]));
	assert_int_equal(targets[0]->attach, ATTACH_RAW_TP);
	assert_null(targets[0]->args);
	assert_non_null(targets[0]->why);
	assert_string_equal(targets[0]->name, "tracepoint:sched:sched_switch");
	/* no raw tracepoint of that name, and one that all system calls pass */
	assert_int_equal(expand("tracepoint:net:netif_rx"), 0);
	assert_false(probes_without_args(probes, targets[0]));
	assert_int_equal(expand("tracepoint:syscalls:sys_enter_read"), 0);
	assert_false(probes_without_args(probes, targets[0]));
	assert_int_equal(targets[0]->attach, ATTACH_TRACEPOINT);
	assert_null(targets[0]->args);
}

static void test_raw_tracepoints(void **state)
{
	(void)state;
	assert_one("rawtracepoint:sched_switch", "rawtracepoint:vmlinux:sched_switch",
		   ATTACH_RAW_TP);
	assert_int_equal(targets[0]->args->nr_fields, 1); /* the first is not its own */
	assert_one("rawtracepoint:vmlin*:sys_*", "rawtracepoint:vmlinux:sys_enter", ATTACH_RAW_TP);
	/* of a module without BTF */
	assert_one("rawtracepoint:netif_rx", "rawtracepoint:netif_rx", ATTACH_RAW_TP);
	assert_null(targets[0]->args);
	assert_int_equal(expand("rawtracepoint:sched_*"), 0);
	assert_int_equal(nr, 2);
	assert_int_equal(expand("rawtracepoint:sched_switsh"), -ENOENT);
	assert_said("did you mean rawtracepoint:sched_switch?");
	assert_int_equal(expand("rawtracepoint:none:sched_switch"), -ENOENT);
}

static void test_functions(void **state)
{
	(void)state;
	assert_one("kprobe:vfs_read", "kprobe:vfs_read", ATTACH_KPROBE);
	assert_int_equal(targets[0]->args->nr_fields, 2);
	assert_null(targets[0]->why);
	assert_one("kprobe:vmlinux:vfs_read", "kprobe:vmlinux:vfs_read", ATTACH_KPROBE);
	assert_null(targets[0]->module);
	assert_one("kprobe:vfs_read+4", "kprobe:vfs_read+4", ATTACH_KPROBE);
	assert_int_equal(targets[0]->file_offset, 4);
	assert_null(targets[0]->args);
	assert_one("kprobe:vfs_write", "kprobe:vfs_write", ATTACH_KPROBE);
	assert_int_equal(targets[0]->args->nr_fields, 6); /* the others are on the stack */
	assert_one("fentry:vfs_read", "fentry:vmlinux:vfs_read", ATTACH_FENTRY);
	assert_int_equal(targets[0]->btf_id,
			 btf__find_by_name_kind(sample, "vfs_read", BTF_KIND_FUNC));
	assert_int_equal(targets[0]->nr_args, 2);
	assert_one("fexit:vfs_read", "fexit:vmlinux:vfs_read", ATTACH_FEXIT);
	assert_ptr_equal(targets[0]->ret, type_int(types, 8, true));
}

/* The wildcard means what can be traced, and nothing that programs themselves call. */
static void test_patterns(void **state)
{
	(void)state;
	assert_int_equal(expand("kprobe:*read*"), 0);
	assert_int_equal(nr, 2);
	assert_string_equal(targets[1]->name, "kprobe:vfs_readv");
	assert_int_equal(expand("kprobe:*"), 0);
	assert_int_equal(nr, 5);
	assert_one("kprobe:ext*:*", "kprobe:ext4:ext4_file_open", ATTACH_KPROBE);
	assert_string_equal(targets[0]->module, "ext4");
	assert_int_equal(expand("fentry:vfs_*"), 0);
	assert_int_equal(nr, 3); /* not what BTF has and tracing has not, or the other way round */
	assert_nothing("kprobe:x*");
	assert_nothing("kprobe:none*:vfs_read");
	assert_true(expand("kprobe:none:vfs_read") < 0);
	assert_said("module none in probe kprobe:none:vfs_read is not loaded");
}

static void test_odd_functions(void **state)
{
	(void)state;
	write_file("available_filter_functions",
		   "odd_pair\nodd_return\nodd_union\nodd_many\nodd_any\n");
	assert_int_equal(expand("kprobe:odd_*"), 0);
	assert_int_equal(nr, 5);
	assert_one("fentry:odd_*", "fentry:vmlinux:odd_pair", ATTACH_FENTRY);
	assert_one("fexit:odd_*", "fexit:vmlinux:odd_pair", ATTACH_FEXIT);
}

static void test_returns(void **state)
{
	(void)state;
	assert_one("kretprobe:vfs_read", "kretprobe:vfs_read",
		   preempt_inside() ? ATTACH_KRETPROBE : ATTACH_FEXIT);
	assert_ptr_equal(targets[0]->ret, type_int(types, 8, true));
	assert_null(targets[0]->args);
	/* more arguments than trampolines hand over everywhere */
	assert_one("kretprobe:vfs_write", "kretprobe:vfs_write", ATTACH_KRETPROBE);
	assert_int_equal(expand("kretprobe:vfs_read*"), 0);
	assert_int_equal(targets[0]->attach, ATTACH_KRETPROBE);
	probes->trampolines = REFUSED;
	assert_one("kretprobe:vfs_read", "kretprobe:vfs_read", ATTACH_KRETPROBE);
}

/* Each for the other, where the kernel refuses one. */
static void test_ladder(void **state)
{
	(void)state;
	probes->kprobes = REFUSED;
	assert_one("kprobe:vfs_read", "kprobe:vfs_read", ATTACH_FENTRY);
	assert_non_null(targets[0]->why);
	assert_true(targets[0]->btf_id > 0);
	assert_one("kretprobe:vfs_write", "kretprobe:vfs_write", ATTACH_FEXIT);
	assert_true(expand("kprobe:vfs_read+4") < 0);
	assert_int_equal(expand("kprobe:vfs_rea*"), 0);
	assert_int_equal(targets[1]->attach, ATTACH_FENTRY);
	probes->kprobes = GRANTED;
	probes->trampolines = REFUSED;
	assert_one("fentry:vfs_write", "fentry:vmlinux:vfs_write", ATTACH_KPROBE);
	assert_non_null(targets[0]->why);
	assert_int_equal(targets[0]->args->nr_fields, 6);
	assert_one("fexit:vfs_read", "fexit:vmlinux:vfs_read", ATTACH_KRETPROBE);
	assert_null(targets[0]->args);
	assert_ptr_equal(targets[0]->ret, type_int(types, 8, true));
}

static void test_nothing_granted(void **state)
{
	(void)state;
	probes->kprobes = probes->trampolines = REFUSED;
	assert_true(expand("kprobe:vfs_read") < 0);
	assert_said("grants neither kprobes nor fentry: vfs_read can't be probed");
	assert_said("the nearest tracepoint is tracepoint:syscalls:sys_enter_read");
	assert_true(expand("fexit:vfs_read") < 0);
	assert_said("grants neither");
	/* a listing, or a trial, does not mind */
	probes->options.only_names = true;
	assert_one("kprobe:vfs_read", "kprobe:vfs_read", ATTACH_KPROBE);
	assert_one("fexit:vfs_read", "fexit:vmlinux:vfs_read", ATTACH_FEXIT);
}

static void test_no_functions(void **state)
{
	(void)state;
	assert_int_equal(expand("fentry:vfs_reed"), -ENOENT);
	assert_said("No matches for fentry vfs_reed.");
	assert_said("did you mean fentry:vfs_read?");
	assert_true(expand("fentry:vfs_read+4") < 0);
	assert_said("only a kprobe can be at an offset");
	assert_true(expand("kprobe") < 0);
	assert_true(expand("kprobe:a:b:c") < 0);
	btf->state = -ENOENT;
	assert_true(expand("fentry:vfs_read") < 0);
	assert_said("needs the kernel's BTF");
}

static char *list(const char *pattern, bool verbose)
{
	char *text = NULL, *copy;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	probes_list(probes, pattern, verbose, out);
	fclose(out);
	copy = arena_strdup(arena, text);
	free(text);
	return copy;
}

static void test_list(void **state)
{
	(void)state;
	assert_string_equal(list("tracepoint:sched:*", false),
			    "tracepoint:sched:sched_switch\ntracepoint:sched:sched_wakeup\n");
	assert_string_equal(list("t:sched_s*", true),
			    "tracepoint:sched:sched_switch\n    pid_t next_pid\n");
	assert_string_equal(list("kprobe:vfs_r*", false), "kprobe:vfs_read\nkprobe:vfs_readv\n");
	assert_string_equal(list("kprobe:ext4:*", false), "kprobe:ext4:ext4_file_open\n");
	assert_string_equal(list("fexit:vfs_read", true),
			    "fexit:vmlinux:vfs_read\n    long fd\n    long count\n"
			    "    long retval\n");
	assert_string_equal(list("kfunc:vfs_readv,k:vfs_write", false),
			    "fentry:vmlinux:vfs_readv\nkprobe:vfs_write\n");
	assert_string_equal(list("*wakeup*", false), "rawtracepoint:vmlinux:sched_wakeup\n"
						     "tracepoint:sched:sched_wakeup\n");
	assert_string_equal(list("netif", false), "tracepoint:net:netif_rx\n");
	assert_string_equal(list("kprobe:none", false), "");
}

static void test_list_of_all(void **state)
{
	const char *all = list(NULL, false);

	(void)state;
	assert_non_null(strstr(all, "fentry:vmlinux:vfs_read\n"));
	assert_non_null(strstr(all, "kprobe:vfs_read\n"));
	assert_non_null(strstr(all, "software:faults:\n"));
	assert_null(strstr(all, "kretprobe"));
	assert_null(strstr(all, "uprobe"));
	/* what this kernel refuses is not offered, but has a name */
	probes->kprobes = probes->trampolines = REFUSED;
	all = list(NULL, false);
	assert_null(strstr(all, "fentry"));
	assert_null(strstr(all, "kprobe"));
	assert_non_null(strstr(all, "tracepoint:net:netif_rx\n"));
	assert_string_equal(list("kprobe:vfs_read", false), "kprobe:vfs_read\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_tracepoints),	    TEST(test_no_tracepoints), TEST(test_without_args),
		TEST(test_raw_tracepoints), TEST(test_functions),      TEST(test_patterns),
		TEST(test_odd_functions),   TEST(test_returns),	       TEST(test_ladder),
		TEST(test_nothing_granted), TEST(test_no_functions),   TEST(test_list),
		TEST(test_list_of_all),
	};

	return cmocka_run_group_tests_name("probes of the kernel", tests, NULL, NULL);
}
