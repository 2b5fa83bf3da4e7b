/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Scripts from their text to what they leave in their maps and send, without a kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <cmocka.h>

#include "script/ast.h"
#include "script/check.h"
#include "script/interp.h"

static struct source *source;
static struct script_config config;
static struct compiled *compiled;
static struct interp *interp;

static void end(void)
{
	if (interp)
		interp_free(interp);
	if (source)
		source_free(source);
	interp = NULL;
	source = NULL;
}

/* Compiles it, and runs each of its programs once. */
static void run(const char *text)
{
	static const struct compile_options options = { .probes = { .only_names = true },
							.btf = "/dev/null",
							.unsafe = true };
	struct script *script;

	end();
	memset(&config, 0, sizeof(config));
	source = source_new("test", text, strlen(text));
	script = script_parse(source, NULL);
	script_configure(script, &config);
	compiled = script_compile(script, &options, &config);
	assert_non_null(compiled);
	assert_int_equal(source->errors, 0);
	interp = interp_new(compiled);
	assert_non_null(interp);
	for (size_t n = 0; n < compiled->nr_programs; n++)
		assert_int_equal(interp_run(interp, n), 0);
}

static const struct script_map *find_map(const char *name)
{
	for (size_t n = 0; n < compiled->nr_maps; n++)
		if (!strcmp(compiled->maps[n]->name, name))
			return compiled->maps[n];
	fail_msg("no map @%s", name);
	return NULL;
}

static int64_t value(const char *map)
{
	const int64_t *v = interp_map_value(interp, find_map(map)->index, NULL);

	assert_non_null(v);
	return *v;
}

static void assert_value(const char *text, int64_t expected)
{
	run(text);
	if (value("r") != expected)
		fail_msg("%s: %lld, not %lld", text, (long long)value("r"), (long long)expected);
}

static void test_expressions(void **unused)
{
	static const struct {
		const char *text;
		int64_t expected;
	} cases[] = {
		{ "begin { @r = 1 + 2 * 3 }", 7 },
		{ "begin { @r = (1 + 2) * 3 }", 9 },
		{ "begin { $a = -7; @r = $a / 2 }", -3 },
		{ "begin { $a = -7; @r = $a % 4 }", -3 },
		{ "begin { $a = 5; $b = 0; @r = $a / $b }", 0 },
		{ "begin { $a = 5; @r = $a << 3 | 1 }", 41 },
		{ "begin { $a = -1; @r = (uint8)$a }", 255 },
		{ "begin { $a = 200; @r = (int8)$a }", -56 },
		{ "begin { $a = 3; @r = $a > 2 ? 10 : 20 }", 10 },
		{ "begin { $a = 0; @r = $a && 1 }", 0 },
		{ "begin { $a = 5; @r = !$a || $a == 5 }", 1 },
		{ "begin { @r = 5; @r++; @r += 10; @r-- }", 15 },
		{ "begin { @r = pid }", 4242 },
		{ "begin { @r = tid }", 4243 },
		{ "begin { @r = uid }", 1000 },
		{ "begin { @r = 0x10 + 1e3 }", 1016 },
		{ "begin { $p = (uint16)0x1234; $p = bswap($p); @r = $p }", 0x3412 },
		{ "begin { let $p; $p = 0; $p = (uint32)0x12345678; @r = bswap($p) }", 0x78563412 },
		{ "begin { let $p: uint16 = 0x1234; @r = bswap($p) }", 0x3412 },
		{ "begin { $p = (uint16)1; $p += 1; @r = bswap($p) }", 2LL << 56 },
		{ "begin { @r = __NR_getppid }", SYS_getppid },
		{ "begin { @r = SYS_getppid == __NR_getppid }", 1 },
		{ "begin { @r = ICMP_ECHO + ICMPV6_ECHO_REPLY }", 137 },
		{ "begin { $s = \"abc\"; @r = $s == \"abc\" }", 1 },
		{ "begin { $s = \"abc\"; @r = $s == \"abd\" }", 0 },
		{ "begin { $s = \"abc\"; @r = strncmp($s, \"abd\", 2) }", 0 },
		{ "begin { @r = comm == \"interp\" }", 1 },
		{ "begin { @r = strcontains(\"a quick fox\", \"quick\") }", 1 },
		{ "begin { @r = strcontains(\"a quick fox\", \"quack\") }", 0 },
		{ "begin { $t = (1, 2, 3); @r = $t.1 }", 2 },
		{ "begin { @r = sizeof(uint32) }", 4 },
		{ "struct foo { int a; char b; long c; } begin { @r = sizeof(struct foo) }", 16 },
		{ "struct foo { int a; char b; long c; } begin { @r = offsetof(struct foo, c) }",
		  8 },
	};

	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++)
		assert_value(cases[n].text, cases[n].expected);
	end();
}

static void test_statements(void **unused)
{
	static const struct {
		const char *text;
		int64_t expected;
	} cases[] = {
		{ "begin { if (pid == 4242) { @r = 1 } else { @r = 2 } }", 1 },
		{ "begin { if (pid == 1) { @r = 1 } else if (pid == 4242) { @r = 2 } }", 2 },
		{ "begin { @r = 0; $i = 0; while ($i < 10) { @r += $i; $i++ } }", 45 },
		{ "begin { @r = 0; $i = 0; while (1) { $i++; if ($i > 9) { break; } "
		  "if ($i % 2) { continue; } @r += $i } }",
		  20 },
		{ "begin { @r = 0; unroll(5) { @r += 2 } }", 10 },
		{ "begin { @r = 0; for $i : 3..7 { @r += $i } }", 18 },
		{ "begin { @r = 1; return; @r = 2 }", 1 },
		{ "begin /pid == 1/ { @r = 1 } end { @r += 5 }", 5 },
		{ "begin { let $x = 3; { let $x = 4; } @r = $x }", 3 },
		{ "begin { @m[1] = 10; @m[2] = 20; @r = @m[1] + @m[2] + @m[3] }", 30 },
		{ "begin { @m[1] = 10; delete(@m[1]); @r = @m[1] }", 0 },
		{ "begin { @m[1,\"a\"] = 10; @r = @m[1,\"a\"] }", 10 },
		{ "begin { @m[1] = 10; @r = has_key(@m, 1) + 2 * has_key(@m, 2) }", 1 },
		{ "begin { @m[1] = 3; @m[2] = 4; @r = 0; for $kv : @m { @r += $kv.0 * $kv.1 } }",
		  11 },
	};

	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++)
		assert_value(cases[n].text, cases[n].expected);
	end();
}

static void test_aggregates(void **unused)
{
	const struct rt_sum *sum;
	const struct rt_extreme *extreme;

	run("begin { unroll(5) { @c = count(); @s = sum(7); @a = avg(3); } "
	    "@min = min(5); @min = min(-2); @max = max(5); @max = max(9); }");
	assert_int_equal(value("c"), 5);
	sum = interp_map_value(interp, find_map("s")->index, NULL);
	assert_int_equal(sum->sum, 35);
	sum = interp_map_value(interp, find_map("a")->index, NULL);
	assert_int_equal(sum->sum, 15);
	assert_int_equal(sum->count, 5);
	extreme = interp_map_value(interp, find_map("min")->index, NULL);
	assert_int_equal(extreme->value, -2);
	extreme = interp_map_value(interp, find_map("max")->index, NULL);
	assert_int_equal(extreme->value, 9);
	end();
}

/* A record of printf: its numbers, and its strings behind them. */
static void test_printf(void **unused)
{
	const struct statement *s;
	const struct rt_record *record;
	const struct rt_tail *tail;
	const char *bytes;

	run("begin { printf(\"%d %s %s\\n\", pid, \"hello\", comm); }");
	assert_int_equal(interp->nr_records, 1);
	record = interp->records[0].bytes;
	s = compiled->statements[record->statement];
	assert_int_equal(s->action, ACTION_PRINTF);
	assert_string_equal(s->format, "%d %s %s\n");
	bytes = (const char *)record;
	assert_int_equal(*(const int64_t *)(bytes + s->args[0].offset), 4242);
	if (s->args[1].type->kind == TYPE_STRING) {
		tail = (const void *)(bytes + s->args[1].offset);
		assert_int_equal(tail->len, 5);
		assert_memory_equal(bytes + s->size, "hello", 5);
	}
	end();
}

/* exit() closes the gate, so that nothing else is counted. */
static void test_exit(void **unused)
{
	run("begin { @r = 1; exit(); @r = 2; }");
	assert_int_equal(value("r"), 1);
	assert_int_equal(interp->globals->gate, 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expressions), cmocka_unit_test(test_statements),
		cmocka_unit_test(test_aggregates),  cmocka_unit_test(test_printf),
		cmocka_unit_test(test_exit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
