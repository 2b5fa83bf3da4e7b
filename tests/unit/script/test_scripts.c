/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Scripts from their text to what they leave in their maps and send, without a kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
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
static const char *outside; /* a text in the kernel's memory */

static void end(void)
{
	if (interp)
		interp_free(interp);
	script_compiled_free(compiled);
	if (source)
		source_free(source);
	interp = NULL;
	compiled = NULL;
	source = NULL;
}

static void translate(const char *text, const struct compile_options *options)
{
	struct script *script;

	end();
	memset(&config, 0, sizeof(config));
	source = source_new("test", text, strlen(text));
	script = script_parse(source, NULL);
	script_configure(script, &config);
	compiled = script_compile(script, options, &config);
	assert_non_null(compiled);
}

/* Compiles it. */
static void compile(const char *text)
{
	static const struct compile_options options = { .probes = { .only_names = true },
							.btf = "/dev/null",
							.unsafe = true };

	translate(text, &options);
	assert_int_equal(source->errors, 0);
	interp = interp_new(compiled);
	assert_non_null(interp);
	if (outside)
		interp_outside(interp, INTERP_KERNEL, outside, strlen(outside) + 1);
}

/* The same, and runs each of its programs once. */
static void run(const char *text)
{
	compile(text);
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

/* What the helper leaves behind the end of a name is not part of it. */
static void test_comm_as_key(void **unused)
{
	static const char key[16] = "interp";
	const int64_t *v;

	run("begin { @k[comm] = 7; }");
	v = interp_map_value(interp, find_map("k")->index, key);
	assert_non_null(v);
	assert_int_equal(*v, 7);
}

static void test_divisions(void **unused)
{
	static const struct {
		const char *text;
		int64_t expected;
	} cases[] = {
		{ "begin { $a = -7; @r = $a / 2 }", -3 },
		{ "begin { $a = -7; @r = $a % 4 }", -3 },
		{ "begin { $a = 5; $b = 0; @r = $a / $b }", 1 },
		{ "begin { $a = 5; $b = 0; @r = $a % $b }", 1 },
		{ "begin { $a = 5; $b = 0; @r = (uint64)$a / (uint64)$b }", 1 },
		{ "begin { $a = 5; $b = 0; @r = (uint64)$a % (uint64)$b }", 1 },
		{ "begin { @r = 7; $b = 0; @r %= $b }", 1 },
		{ "begin { $a = 7; $b = 0; $a /= $b; @r = $a }", 1 },
		{ "begin { $a = -7; $b = 2; $a /= $b; @r = $a }", -3 },
	};

	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++)
		assert_value(cases[n].text, cases[n].expected);
	end();
}

static void test_expressions(void **unused)
{
	static const struct {
		const char *text;
		int64_t expected;
	} cases[] = {
		{ "begin { @r = 1 + 2 * 3 }", 7 },
		{ "begin { @r = (1 + 2) * 3 }", 9 },
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
		{ "begin { @r = strcontains(probe, \"egi\") }", 1 },
		{ "begin { @r = strncmp(probe, \"bed\", 2) }", 0 },
		{ "begin { @r = strncmp(probe, \"bed\", 3) }", 1 },
		{ "begin { @r = len(probe) }", 5 },
		{ "begin { $s = \"hello\"; @r = $s[1] }", 'e' },
		{ "begin { $a = 1; $b = &$a; $a = 5; @r = *$b }", 5 },
		{ "begin { $a = \"hello\"; $b = (int8 *)&$a; @r = *++$b }", 'e' },
		{ "begin { $a = \"hello\"; $b = &$a; @r = *$b == \"hello\" }", 1 },
		{ "begin { $t = (1, 7); $p = &$t; @r = (*$p).1 }", 7 },
		{ "struct f { int a:1; int b:7; } begin { $v = (uint64)0x15; "
		  "$f = *(struct f *)&$v; @r = $f.b }",
		  10 },
		{ "config = { max_strlen = 99 } begin { @r = config().max_strlen + "
		  "config.max_probes }",
		  1123 },
		{ "begin { @r = config.stack_mode == \"bpftrace\" }", 1 },
		{ "begin { $s = \"hello\"; @r = sizeof($s) }", 6 },
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
		{ "begin { @r = 0; for $i : 7..3 { @r += $i } }", 0 },
		{ "begin { @r = 0; for $i : 1..4 { for $j : 1..$i { @r++; if ($j == 2) { return } "
		  "} } }",
		  3 },
		{ "begin { @m[1] = 1; @r = 0; for $kv : @m { for $i : 0..3 { for $j : 0..4 { @r++ "
		  "} } } }",
		  12 },
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

/* How often it was divided by 0 is counted, by place. */
static void test_divisions_by_zero(void **unused)
{
	run("begin { $a = 0; unroll (3) { @r = 5 / $a; } @s = 5 % 2; @t = 6 / ($a + 1); }");
	assert_int_equal(compiled->nr_divisions, 2);
	assert_int_equal(interp->globals->lost[compiled->divisions[0].counter], 3);
	assert_int_equal(interp->globals->lost[compiled->divisions[1].counter], 0);
	assert_int_equal(value("t"), 6);
	end();
}

/* A length of str() counts the NUL, and what it cuts off was not wanted: it is not marked. */
static void test_lengths(void **unused)
{
	static const char text[] = "zztestyyy";
	const struct rt_tail *tails;
	char script[300];

	snprintf(script, sizeof(script),
		 "begin { $p = kptr(%llu); $n = 5; $z = 0; "
		 "printf(\"%%s %%s %%s %%s %%s\", str($p), str($p, 5), str($p, $n), str($p, $z), "
		 "str($p, 100)); @r = str($p, 5) == \"zzte\" && str($p, $n) == \"zzte\"; "
		 "@m[str($p, 5)]++; @m[str($p, $n)]++; @m[\"zzte\"]++; }",
		 (unsigned long long)(uintptr_t)text);
	outside = text;
	run(script);
	outside = NULL;
	tails = (const void *)((const char *)interp->records[0].bytes + sizeof(struct rt_record));
	assert_int_equal(tails[0].len, 9);
	assert_int_equal(tails[1].len, 4);
	assert_int_equal(tails[1].cut, 0);
	assert_int_equal(tails[2].len, 4);
	assert_int_equal(tails[2].cut, 0);
	assert_int_equal(tails[3].len, 0);
	assert_int_equal(tails[4].len, 9);
	assert_int_equal(value("r"), 1);
	assert_int_equal(interp_map_each(interp, find_map("m")->index, NULL, NULL), 1);
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

/* --- latency ------------------------------------------------------------------------------ */

void latency_victim(void);
void latency_victim(void)
{
}

/* A hit of program @n: @sp as it is while the function runs, one argument or what it returned. */
static void hit(size_t n, uint64_t sp, uint64_t value)
{
	bool is_return = compiled->programs[n]->targets[0]->attach == ATTACH_URETPROBE;
	uint64_t registers[42] = { 0 };

#if defined(__x86_64__)
	registers[152 / 8] = sp + (is_return ? 8 : 0);
	registers[(is_return ? 80 : 112) / 8] = value;
#else
	registers[248 / 8] = sp;
	registers[0] = value;
#endif
	assert_int_equal(interp_run_code(interp, interp->codes[n], registers, sizeof(registers)),
			 0);
}

/* Without running it. So many calls may be under way; 0: as many as there may be. */
static void compile_only(const char *text, unsigned calls)
{
	static const struct compile_options options = { .probes = { .only_names = true },
							.btf = "/dev/null" };

	translate(text, &options);
	assert_true(compiled->maps[0]->latency);
	if (calls)
		compiled->maps[0]->entries = calls;
	interp = interp_new(compiled);
	assert_non_null(interp);
	interp->globals->gate = 1;
}

/* Two programs for one clause; a return finds its own entry, by where it is on the stack. */
static void test_latency(void **unused)
{
	const struct interp_record *r;
	const int64_t *row;

	compile_only("latency:/proc/self/exe:latency_victim / latency > 2500 / "
		     "{ printf(\"%d %d %d %s\", entry.arg0, retval, latency, entry(comm)); }",
		     0);
	assert_int_equal(compiled->nr_programs, 2);
	hit(1, 5000, 9); /* a call that had begun before */
	hit(0, 5000, 1);
	hit(0, 4000, 2); /* it calls itself */
	hit(0, 3000, 3);
	hit(1, 3000, 33); /* too short: 1000 ns here for each look at the clock */
	hit(1, 4000, 22);
	hit(0, 4000, 4); /* left by longjmp(): the next one from there takes its place */
	hit(0, 4000, 5);
	hit(1, 4000, 55);
	hit(1, 5000, 11);
	hit(1, 5000, 12); /* its entry is used up */
	assert_int_equal(interp->nr_records, 2);
	for (size_t i = 0; i < 2; i++) {
		r = &interp->records[i];
		row = (const int64_t *)((const char *)r->bytes + sizeof(struct rt_record));
		assert_int_equal(row[0], i ? 1 : 2);
		assert_int_equal(row[1], i ? 11 : 22);
		assert_in_range(row[2], 2501, 10000);
		assert_string_equal((const char *)&row[3], "interp");
	}
	assert_int_equal(interp_map_each(interp, 0, NULL, NULL), 0);
	end();
}

/* What the map has no room for is counted, and no other entry's time is taken for it. */
static void test_latency_without_room(void **unused)
{
	compile_only(
		"latency:/proc/self/exe:latency_victim { @n = count(); @s = sum(entry.arg0); }",
		20);
	for (unsigned i = 0; i < 23; i++)
		hit(0, 8 * i + 8, 1);
	assert_int_equal(interp->globals->lost[compiled->maps[0]->lost], 3);
	for (unsigned i = 0; i < 23; i++)
		hit(1, 8 * i + 8, 0);
	assert_int_equal(value("n"), 20);
	end();
}

/* The words of an argv of the kernel's may be the kernel's or a process's; those of a process are
 * its own. */
static void test_join(void **unused)
{
	static const char word[] = "word", other[] = "other";
	const void *argv[] = { word, other, NULL };
	char text[128];

	for (int of_kernel = 0; of_kernel < 2; of_kernel++) {
		enum interp_space space = of_kernel ? INTERP_KERNEL : INTERP_USER;
		const struct rt_record *record;
		const struct statement *s;

		snprintf(text, sizeof(text), "begin { join(%s(%llu)); }",
			 of_kernel ? "kptr" : "uptr", (unsigned long long)(uintptr_t)argv);
		compile(text);
		interp_outside(interp, space, argv, sizeof(argv));
		interp_outside(interp, space, word, sizeof(word));
		interp_outside(interp, INTERP_USER, other, sizeof(other));
		assert_int_equal(interp_run(interp, 0), 0);
		record = interp->records[0].bytes;
		s = compiled->statements[record->statement];
		assert_int_equal(*(const int64_t *)((const char *)record + s->args[0].offset), 2);
		assert_memory_equal((const char *)record + s->size, "word", 4);
		assert_memory_equal((const char *)record + s->size + 8, "other", 5);
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
		cmocka_unit_test(test_comm_as_key),
		cmocka_unit_test(test_divisions),
		cmocka_unit_test(test_expressions),
		cmocka_unit_test(test_statements),
		cmocka_unit_test(test_divisions_by_zero),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_aggregates),
		cmocka_unit_test(test_printf),
		cmocka_unit_test(test_exit),
		cmocka_unit_test(test_join),
		cmocka_unit_test(test_latency),
		cmocka_unit_test(test_latency_without_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
