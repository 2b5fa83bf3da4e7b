/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/perf_event.h>

#include <cmocka.h>

#include "elf_fixture.h"
#include "script/ldcache.h"
#include "script/probes_internal.h"
#include "script/userpath.h"

static struct arena *arena;
static struct types *types;
static struct btf_types *btf;
static struct probe_options options;
static struct probes *probes;
static char *said; /* messages of the last expand() */
static struct target **targets;
static size_t nr;

/* No test of these looks at the kernel: a BTF file that is not there, and no tracefs. */
static int begin(void **state)
{
	(void)state;
	arena = arena_new();
	types = types_new(arena);
	btf = btf_types_new(types, arena, "/nonexistent");
	options = (struct probe_options){ 0 };
	probes = probes_new(arena, types, btf, &options);
	probes->tracefs = -EPERM;
	return 0;
}

static int end(void **state)
{
	(void)state;
	probes_free(probes);
	btf_types_free(btf);
	arena_free(arena);
	free(said);
	said = NULL;
	return 0;
}

static enum provider provider_of(const char *name)
{
	int p = 0;

	while (p < PROVIDERS && strcmp(ast_provider_name(p), name))
		p++;
	assert_true(p < PROVIDERS);
	return p;
}

static struct point point;

/* What a script calls a probe, simple ones: "uprobe:FILE:NAME+4", a number is one. */
static int expand(const char *text)
{
	struct source *src = source_new("test", text, strlen(text));
	char *rest = arena_strdup(arena, text), *part, *end;
	size_t size;
	int err;

	point = (struct point){ .text = text, .span = { 0, strlen(text) } };
	point.provider = provider_of(strsep(&rest, ":"));
	point.parts = arena_alloc(arena, 8 * sizeof(*point.parts));
	while ((part = strsep(&rest, ":"))) {
		char *plus = strchr(part, '+');

		if (plus) {
			*plus = '\0';
			point.has_offset = true;
			point.offset = atoi(plus + 1);
		}
		point.number = strtoull(part, &end, 0);
		if (*part && !*end)
			point.has_number = true;
		else
			point.parts[point.nr_parts++] = part;
	}
	free(said);
	src->messages = open_memstream(&said, &size);
	err = probes_expand(probes, src, NULL, &point, &targets, &nr);
	fclose(src->messages);
	source_free(src);
	return err;
}

static void assert_said(const char *text)
{
	if (!strstr(said, text))
		fail_msg("not said: %s, but: %s", text, said);
}

static void test_match(void **state)
{
	(void)state;
	assert_true(probes_match("*", ""));
	assert_true(probes_match("vfs_*", "vfs_read"));
	assert_true(probes_match("*read*", "vfs_readv"));
	assert_true(probes_match("v?s_read", "vfs_read"));
	assert_true(probes_match("a*b*c", "aXbYbZc"));
	assert_true(probes_match("*:*", "a:b"));
	assert_false(probes_match("vfs_*", "vf"));
	assert_false(probes_match("vfs_", "vfs_read"));
	assert_false(probes_match("?", ""));
	assert_false(probes_match("", "a"));
	assert_false(probes_match("a*b", "abc"));
	/* nothing of this grows with the length of both */
	assert_false(
		probes_match("*a*a*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
	assert_true(probes_is_pattern("a*"));
	assert_false(probes_is_pattern("a.b"));
}

static void assert_time(const char *text, enum attach attach, uint64_t interval, uint64_t period,
			uint64_t frequency, const char *name)
{
	assert_int_equal(expand(text), 0);
	assert_int_equal(nr, 1);
	assert_int_equal(targets[0]->attach, attach);
	assert_true(targets[0]->interval_ns == interval);
	assert_true(targets[0]->perf_period == period);
	assert_true(targets[0]->perf_frequency == frequency);
	assert_string_equal(targets[0]->name, name);
	assert_int_equal(targets[0]->cpu, -1);
	assert_string_equal(said, "");
}

static void test_times(void **state)
{
	(void)state;
	assert_time("interval:s:1", ATTACH_RUN, 1000000000, 0, 0, "interval:s:1");
	assert_time("interval:ms:100", ATTACH_RUN, 100000000, 0, 0, "interval:ms:100");
	assert_time("interval:us:5", ATTACH_RUN, 5000, 0, 0, "interval:us:5");
	assert_time("interval:hz:4", ATTACH_RUN, 250000000, 0, 0, "interval:hz:4");
	assert_time("interval:1000000000", ATTACH_RUN, 1000000000, 0, 0, "interval:s:1");
	assert_time("interval:1500000", ATTACH_RUN, 1500000, 0, 0, "interval:us:1500");
	assert_time("interval:1500001", ATTACH_RUN, 1500001, 0, 0, "interval:1500001");
	assert_time("profile:hz:99", ATTACH_PERF, 0, 0, 99, "profile:hz:99");
	assert_time("profile:ms:10", ATTACH_PERF, 0, 10000000, 0, "profile:ms:10");
	assert_int_equal(targets[0]->perf_type, PERF_TYPE_SOFTWARE);
	assert_int_equal(targets[0]->perf_config, PERF_COUNT_SW_CPU_CLOCK);
	assert_time("begin", ATTACH_RUN, 0, 0, 0, "begin");
	assert_time("end", ATTACH_RUN, 0, 0, 0, "end");
	assert_time("self:signal:SIGUSR1", ATTACH_RUN, 0, 0, 0, "self:signal:SIGUSR1");
	assert_int_equal(targets[0]->signal, SIGUSR1);
}

static void assert_refused(const char *text, const char *why)
{
	assert_true(expand(text) < 0);
	assert_int_equal(nr, 0);
	assert_said(why);
}

static void test_wrong_times(void **state)
{
	(void)state;
	assert_refused("interval:s:0", "frequency should be a positive integer");
	assert_refused("interval:s", "takes a unit of time and a number");
	assert_refused("interval:m:5", "m is not an accepted unit of time");
	assert_refused("interval:s:99999999999", "so long a time");
	assert_refused("profile:hz:2000000", "too many");
	assert_refused("profile:5", "too short");
	assert_refused("begin:x", "should not have a target");
	assert_refused("self:signal:SIGKILL", "SIGKILL is not a supported signal");
	assert_refused("self:moon:SIGUSR1", "moon is not a supported trigger");
	assert_refused("watchpoint:0x1000:8:w", "no watchpoint probes");
}

static void test_events(void **state)
{
	(void)state;
	assert_time("software:faults:10", ATTACH_PERF, 0, 10, 0, "software:faults:10");
	assert_int_equal(targets[0]->perf_config, PERF_COUNT_SW_PAGE_FAULTS);
	assert_time("software:cs", ATTACH_PERF, 0, 1000, 0, "software:cs:1000");
	assert_time("hardware:cycles", ATTACH_PERF, 0, 1000000, 0, "hardware:cycles:1000000");
	assert_int_equal(targets[0]->perf_type, PERF_TYPE_HARDWARE);
	assert_refused("software:fault", "fault is not a software probe");
	assert_said("did you mean faults");
	assert_refused("hardware:c*", "wildcards are not allowed");
	assert_refused("software:", "must have a software event name");
}

/* --- programs --- */

static const char source[] = "int work(void) { return 1; }\n"
			     "int work_more(void) { return 2; }\n"
			     "int _ZN2ns3runEi(int n) { return n; }\n"
			     "int _ZN2ns3runEc(char n) { return n; }\n"
			     "int main(void) { return work() + work_more(); }\n";

static int begin_programs(void **state)
{
	(void)state;
	fixture_begin();
	write_file("a.c", source);
	shell("cc -O0 -no-pie a.c -o first 2>&1 && cp first second && mkdir -p empty scripts && "
	      "printf '#!/bin/sh\\n' > scripts/first && chmod +x scripts/first");
	return 0;
}

static int end_programs(void **state)
{
	(void)state;
	fixture_end();
	return 0;
}

static int expand_in_dir(const char *fmt)
{
	return expand(arena_printf(arena, fmt, fixture_dir));
}

static void test_functions(void **state)
{
	(void)state;
	assert_int_equal(expand_in_dir("uprobe:%s/first:work"), 0);
	assert_int_equal(nr, 1);
	assert_int_equal(targets[0]->attach, ATTACH_UPROBE);
	assert_string_equal(targets[0]->path, in_dir("first"));
	assert_string_equal(targets[0]->function, "work");
	assert_string_equal(targets[0]->name,
			    arena_printf(arena, "uprobe:%s/first:work", fixture_dir));
	assert_int_equal(targets[0]->file_offset, nm("first", "work") - 0x400000);
	assert_int_equal(expand_in_dir("uretprobe:%s/first:wo*"), 0);
	assert_int_equal(nr, 2);
	assert_int_equal(targets[1]->attach, ATTACH_URETPROBE);
	assert_int_equal(expand_in_dir("uprobe:%s/first:main+4"), 0);
	assert_int_equal(targets[0]->file_offset, nm("first", "main") - 0x400000 + 4);
	assert_int_equal(expand_in_dir("uprobe:%s/*:work"), 0);
	assert_int_equal(nr, 2); /* a.c and the directories are no programs */
	assert_string_equal(targets[1]->path, in_dir("second"));
	assert_string_equal(said, "");
}

static void test_address(void **state)
{
	(void)state;
	assert_int_equal(expand(arena_printf(arena, "uprobe:%s:%llu", in_dir("first"),
					     (unsigned long long)nm("first", "work"))),
			 0);
	assert_int_equal(targets[0]->file_offset, nm("first", "work") - 0x400000);
	assert_null(targets[0]->function);
	assert_true(expand_in_dir("uprobe:%s/first:16") < 0);
	assert_said("Could not resolve address: ");
}

static void test_mangled(void **state)
{
	(void)state;
	assert_int_equal(expand_in_dir("uprobe:%s/first:cpp:run"), -ENOENT);
	assert_int_equal(expand_in_dir("uprobe:%s/first:_ZN2ns3runEi"), 0);
	assert_int_equal(nr, 1);
}

static int expand_name(const char *language, const char *name)
{
	struct source *src = source_new("test", "x", 1);
	const char *parts[3] = { in_dir("first"), language, name };
	size_t size;
	int err;

	if (!language)
		parts[1] = name;
	point = (struct point){ .text = "x",
				.provider = PROVIDER_UPROBE,
				.parts = parts,
				.nr_parts = language ? 3 : 2 };
	free(said);
	src->messages = open_memstream(&said, &size);
	err = probes_expand(probes, src, NULL, &point, &targets, &nr);
	fclose(src->messages);
	source_free(src);
	return err;
}

static void test_names_of_the_source(void **state)
{
	(void)state;
	assert_int_equal(expand_name("cpp", "ns::run"), 0);
	assert_int_equal(nr, 2);
	assert_int_equal(expand_name("cpp", "ns::run(int)"), 0);
	assert_int_equal(nr, 1);
	assert_string_equal(targets[0]->function, "_ZN2ns3runEi");
	assert_int_equal(expand_name(NULL, "ns::r*"), 0);
	assert_int_equal(nr, 2);
	assert_true(expand_name("fortran", "run") < 0);
	assert_said("unsupported language type: fortran");
}

static void test_wrong_programs(void **state)
{
	(void)state;
	assert_int_equal(expand_in_dir("uprobe:%s/first:wrk"), -ENOENT);
	assert_said("No matches for uprobe ");
	assert_said(":wrk.");
	assert_said(":work?");
	assert_true(expand_in_dir("uprobe:%s/none:work") < 0);
	assert_said("does not exist or is not executable");
	assert_true(expand_in_dir("uprobe:%s/a.c:work") < 0);
	assert_said("not an ELF file");
	assert_true(expand_in_dir("uprobe:%s:work") < 0);
	assert_said("does not exist or is not executable");
	assert_true(expand_in_dir("uprobe:%s/first:work+4000") < 0);
	assert_said("Offset outside the function bounds ('work' size is ");
	assert_true(expand_in_dir("uretprobe:%s/first:work+1") < 0);
	assert_said("uretprobes can not be attached to a function offset");
	assert_true(expand_in_dir("uprobe:%s/first") < 0);
	assert_true(expand_in_dir("usdt:%s/first:none") < 0);
	assert_said("No matches for usdt");
	assert_true(expand("usdt::name") < 0);
	assert_said("at least path or pid");
}

static void test_missing_ok(void **state)
{
	(void)state;
	probes->options.missing_ok = true;
	assert_int_equal(expand_in_dir("uprobe:%s/first:none"), 0);
	assert_int_equal(nr, 0);
	assert_said("WARNING: No matches for uprobe");
	assert_said("Skipping.");
	probes->options.missing_quiet = true;
	assert_int_equal(expand_in_dir("uprobe:%s/first:none"), 0);
	assert_int_equal(nr, 0);
	assert_string_equal(said, "");
}

static void test_too_many(void **state)
{
	(void)state;
	probes->options.max_probes = 3;
	assert_true(expand_in_dir("uprobe:%s/*:*") < 0);
	assert_said("more than 3 probes");
}

static void test_path(void **state)
{
	char *path = arena_strdup(arena, getenv("PATH"));

	(void)state;
	/* a script of the same name comes first, and has no functions */
	setenv("PATH",
	       arena_printf(arena, "%s/scripts:empty:%s/empty:%s", fixture_dir, fixture_dir,
			    fixture_dir),
	       1);
	assert_int_equal(expand("uprobe:second:work"), 0);
	assert_string_equal(targets[0]->path, in_dir("second"));
	assert_int_equal(expand("uprobe:first:work"), 0);
	assert_string_equal(targets[0]->path, in_dir("first"));
	setenv("PATH", "/nonexistent", 1);
	assert_true(expand("uprobe:first:work") < 0);
	probes->options.command = arena_printf(arena, "%s/first with words", fixture_dir);
	assert_int_equal(expand("uprobe:first:work"), 0);
	assert_string_equal(targets[0]->path, in_dir("first"));
	setenv("PATH", path, 1);
}

/* Ourselves: what is mapped is found by -p, by name and altogether. */
static void test_process(void **state)
{
	struct user_files found = { 0 };
	bool libc = false;

	(void)state;
	assert_int_equal(userpath_find(arena, "*", getpid(), NULL, &found), 0);
	for (size_t i = 0; i < found.nr; i++)
		libc = libc || strstr(found.files[i].shown, "/libc");
	assert_true(libc);
	found.nr = 0;
	assert_int_equal(userpath_find(arena, "libc", getpid(), NULL, &found), 0);
	assert_int_equal(found.nr, 1);
	assert_non_null(strstr(found.files[0].shown, "libc"));
	probes->options.pid = getpid();
	assert_int_equal(expand("uprobe:libc:malloc"), 0);
	assert_int_equal(targets[0]->pid, getpid());
	assert_string_equal(targets[0]->path, found.files[0].shown);
}

/* --- ldconfig's cache --- */

static size_t put(char *at, const void *data, size_t size)
{
	memcpy(at, data, size);
	return size;
}

static size_t make_cache(char *cache, int32_t flags)
{
	static const char strings[] = "libx.so.1\0/lib/libx.so.1\0libxy.so.2\0/lib/libxy.so.2\0";
	uint32_t header[] = { 2, sizeof(strings), 0, 0, 0, 0, 0 };
	uint32_t base = 48 + 2 * 24;
	struct {
		int32_t flags;
		uint32_t key, value, version;
		uint64_t hwcap;
	} entries[] = { { flags, base + 25, base + 36, 0, 0 }, { flags, base, base + 10, 0, 0 } };
	size_t size;

	size = put(cache, "glibc-ld.so.cache1.1", 20);
	size += put(cache + size, header, sizeof(header));
	size += put(cache + size, entries, sizeof(entries));
	return size + put(cache + size, strings, sizeof(strings));
}

static void test_cache(void **state)
{
#if defined(__x86_64__)
	const int32_t flags = 0x0303;
#elif defined(__aarch64__)
	const int32_t flags = 0x0a03;
#else
	const int32_t flags = 3;
#endif
	char cache[512], *copy;
	size_t size = make_cache(cache, flags);

	(void)state;
	assert_string_equal(ldcache_library(arena, cache, size, "libx"), "/lib/libx.so.1");
	assert_string_equal(ldcache_library(arena, cache, size, "libx.so.1"), "/lib/libx.so.1");
	assert_string_equal(ldcache_library(arena, cache, size, "libxy"), "/lib/libxy.so.2");
	assert_null(ldcache_library(arena, cache, size, "lib"));
	for (size_t len = 0; len < size; len++) { /* cut anywhere */
		copy = malloc(len ? len : 1);
		memcpy(copy, cache, len);
		ldcache_library(arena, copy, len, "libxy");
		free(copy);
	}
	make_cache(cache, 0x0801); /* another machine's */
	assert_null(ldcache_library(arena, cache, size, "libx"));
}

/* --- listing --- */

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
	const char *text;

	(void)state;
	text = list(arena_printf(arena, "uprobe:%s/first:work*", fixture_dir), false);
	assert_string_equal(text, arena_printf(arena,
					       "uprobe:%s/first:work\n"
					       "uprobe:%s/first:work_more\n",
					       fixture_dir, fixture_dir));
	assert_string_equal(list("interval", false),
			    "interval:hz:\ninterval:ms:\ninterval:s:\ninterval:us:\n");
	assert_string_equal(list("s:c*s", false), "");
	assert_string_equal(list("s:c*s:", false), "software:context-switches:\n"
						   "software:cpu-migrations:\n"
						   "software:cs:\n");
	assert_string_equal(list("hardware:cycles:,self", false),
			    "hardware:cycles:\nself:signal:SIGUSR1\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_match),
		TEST(test_times),
		TEST(test_wrong_times),
		TEST(test_events),
		TEST(test_functions),
		TEST(test_address),
		TEST(test_mangled),
		TEST(test_names_of_the_source),
		TEST(test_wrong_programs),
		TEST(test_missing_ok),
		TEST(test_too_many),
		TEST(test_path),
		TEST(test_process),
		TEST(test_cache),
		TEST(test_list),
	};

	return cmocka_run_group_tests_name("probes", tests, begin_programs, end_programs);
}
