/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Mistakes, and what is said of them: one message for each. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "script/trees.h"

/* With four parameters */
static const struct {
	const char *text, *errors;
} rows[] = {
	{ "kproeb:f { }", "stdin:1:1-7: ERROR: there is no probe type kproeb\n"
			  "HINT: did you mean kprobe?\n" },
	{ "foo:f { }", "stdin:1:1-4: ERROR: there is no probe type foo\n" },
	{ ":f { }", "stdin:1:1-2: ERROR: there is no probe type of an empty name\n" },
	{ "kprobe { }",
	  "stdin:1:1-7: ERROR: this is written: kprobe:FUNCTION or kprobe:MODULE:FUNCTION\n" },
	{ "tracepoint:sched { }",
	  "stdin:1:1-17: ERROR: this is written: tracepoint:CATEGORY:EVENT\n" },
	{ "interval:100 { } profile:99 { }",
	  "stdin:1:1-13: ERROR: a unit is missing: interval:s:1 or interval:1s\n"
	  "stdin:1:18-28: ERROR: a unit is missing: profile:hz:99 or profile:10ms\n" },
	{ "interval:s:1b { } interval:s:0 { } interval:s:1s { } interval:h:1 { } profile:hz:nan { "
	  "} interval { }",
	  "stdin:1:1-14: ERROR: 1b: this number ends with something that is no suffix: these are "
	  "ns, us, ms, s, m, h, d, u, l, ul, ll, ull\n"
	  "stdin:1:19-31: ERROR: 0: this must be greater than 0\n"
	  "stdin:1:36-49: ERROR: 1s: this is a number without a unit\n"
	  "stdin:1:54-66: ERROR: there is no unit h; these are s, ms, us, hz\n"
	  "stdin:1:71-85: ERROR: nan: this is not a number\n"
	  "stdin:1:90-98: ERROR: this is written: interval:s:1 or interval:1s\n" },
	{ "kr:f+1 { } k:f+ { } k:f+1x { } k:0x1g { } k:+3 { } ur:/a:f+3 { }",
	  "stdin:1:1-7: ERROR: a kretprobe is at the end of a function: it can't have an offset\n"
	  "stdin:1:12-16: ERROR: +: digits are missing in this number\n"
	  "stdin:1:21-27: ERROR: +1x: this number ends with something that is no suffix: these are "
	  "ns, us, ms, s, m, h, d, u, l, ul, ll, ull\n"
	  "stdin:1:32-38: ERROR: 0x1g: this number ends with something that is no suffix: these "
	  "are ns, us, ms, s, m, h, d, u, l, ul, ll, ull\n"
	  "stdin:1:43-47: ERROR: a function is missing in front of the offset\n"
	  "stdin:1:52-61: ERROR: a uretprobe is at the end of a function: it can't have an "
	  "offset\n" },
	{ "u:/a@b.c:12 { } u:/a:rust:f { } u:\"/a:f { }",
	  "stdin:1:1-12: ERROR: lines of a source need DWARF, which is not read; give a function, "
	  "or function+offset\n"
	  "stdin:1:17-28: ERROR: there is no language rust; this is uprobe:FILE:FUNCTION or "
	  "uprobe:FILE:cpp:\"FUNCTION\"\n"
	  "stdin:1:33-44: ERROR: a '\"' is missing in this name\n" },
	{ "u:a:b:c:d:e:f:g:h:i { } usdt { }",
	  "stdin:1:1-20: ERROR: this is written: uprobe:FILE:FUNCTION or "
	  "uprobe:FILE:cpp:\"FUNCTION\"\n"
	  "stdin:1:25-29: ERROR: this is written: usdt:FILE:NAME or usdt:FILE:PROVIDER:NAME\n" },
	{ "k:$x { } k:$0 { } k:$7 { }",
	  "stdin:1:3-4: ERROR: the number of a parameter is missing; in quotation marks, a '$' "
	  "means itself\n"
	  "stdin:1:12-14: ERROR: the number of a parameter is missing; in quotation marks, a '$' "
	  "means itself\n"
	  "stdin:1:21-23: ERROR: parameter $7 is missing: the script was given 4\n" },
	{ "begin:f { }", "stdin:1:1-8: ERROR: this is written: begin\n" },
	{ "zz*:f { }", "stdin:1:1-6: ERROR: no probe type is like zz*\n" },
	{ "k:f", "stdin:1:4-5: ERROR: expected '{'\n" },
	{ "k:f k:g { }", "stdin:1:5-8: ERROR: expected '{'\n" },
	{ "k:f { $x = ; }", "stdin:1:12-13: ERROR: expected a value, not ';'\n" },
	{ "k:f { $x = 1 $y = 2; @z = (; }", "stdin:1:14-16: ERROR: expected ';', not '$y'\n"
					    "stdin:1:28-29: ERROR: expected a value, not ';'\n" },
	{ "k:f {\n"
	  "  $x = 1\n"
	  "  $y = 2;\n"
	  "  foo(1\n"
	  "}",
	  "stdin:2:9-10: ERROR: expected ';'\n"
	  "stdin:5:1-2: ERROR: expected ',' or ')', not '}'\n" },
	{ "k:f { foo(1, ; bar(]; }", "stdin:1:14-15: ERROR: expected a value, not ';'\n"
				     "stdin:1:20-21: ERROR: expected a value, not ']'\n" },
	{ "k:f { if x { } else 3; while 1 ; for (i : 0..1) { } for ($i : 3) { } for $i { } }",
	  "stdin:1:21-22: ERROR: expected '{', not '3'\n"
	  "stdin:1:32-33: ERROR: expected '{', not ';'\n"
	  "stdin:1:39-40: ERROR: expected a $variable, as in: for ($i : 0..10) { }, not 'i'\n"
	  "stdin:1:63-64: ERROR: a loop goes over a @map, or over numbers: 0..10\n"
	  "stdin:1:77-78: ERROR: expected ':', not '{'\n" },
	{ "k:f { 5 = 3; $x.a = 1; $x + 1 = 2; args[0] = 1; }",
	  "stdin:1:7-8: ERROR: this can't be set; only a $variable or a @map can\n"
	  "stdin:1:14-18: ERROR: what is part of something else can't be set; only a $variable or "
	  "a @map can\n"
	  "stdin:1:24-30: ERROR: this can't be set; only a $variable or a @map can\n"
	  "stdin:1:36-43: ERROR: what is part of something else can't be set; only a $variable or "
	  "a @map can\n" },
	{ "k:f { 5++; --f(); ++(1); }",
	  "stdin:1:8-10: ERROR: ++ goes with a $variable or a @map only\n"
	  "stdin:1:12-14: ERROR: -- goes with a $variable or a @map only\n"
	  "stdin:1:19-21: ERROR: ++ goes with a $variable or a @map only\n" },
	{ "k:f { let @x; let $x: ; let 5; let }",
	  "stdin:1:11-13: ERROR: maps are declared outside of probes: let @x = hash(1000);\n"
	  "stdin:1:23-24: ERROR: expected a type, not ';'\n"
	  "stdin:1:29-30: ERROR: expected a $variable, not '5'\n"
	  "stdin:1:36-37: ERROR: expected a $variable, not '}'\n" },
	{ "k:f { else { } import \"x\"; }",
	  "stdin:1:7-11: ERROR: there is no if in front of this else\n"
	  "stdin:1:16-22: ERROR: import is not supported: put all into one script\n" },
	{ "k:f { \"abc\n"
	  " \"a\\qb\"; \"\\400\"; }",
	  "stdin:1:7-11: ERROR: this text has no end: \" is missing\n"
	  "stdin:2:4-6: ERROR: there is no such escape in texts\n"
	  "stdin:2:11-13: ERROR: there is no such escape in texts\n" },
	{ "k:f { $; $0; $1x; 09; 0x; 1_; 12q; 99999999999999999999; 1e30; 5M; 0b }",
	  "stdin:1:7-8: ERROR: a name is missing behind '$'\n"
	  "stdin:1:10-12: ERROR: the first parameter is $1\n"
	  "stdin:1:14-17: ERROR: this is no parameter: they are $1, $2 ...\n"
	  "stdin:1:19-21: ERROR: a number that begins with 0 is octal: its digits are 0 to 7\n"
	  "stdin:1:23-25: ERROR: digits are missing in this number\n"
	  "stdin:1:27-29: ERROR: this number ends with a '_'\n"
	  "stdin:1:31-34: ERROR: this number ends with something that is no suffix: these are ns, "
	  "us, ms, s, m, h, d, u, l, ul, ll, ull\n"
	  "stdin:1:36-56: ERROR: this number does not fit into 64 bits\n"
	  "stdin:1:58-62: ERROR: this number does not fit into 64 bits\n"
	  "stdin:1:64-66: ERROR: this number ends with something that is no suffix: these are ns, "
	  "us, ms, s, m, h, d, u, l, ul, ll, ull\n"
	  "stdin:1:68-70: ERROR: digits are missing in this number\n" },
	{ "k:f { é; 1 \n"
	  " `; ' }",
	  "stdin:1:7-9: ERROR: this has no meaning here\n"
	  "stdin:2:2-3: ERROR: this has no meaning here\n"
	  "stdin:2:5-6: ERROR: this has no meaning here\n" },
	{ "k:f { /* abc", "stdin:1:7-9: ERROR: this comment has no end: */ is missing\n" },
	{ "k:f { $x = { 1; }; $y = if (1) { 2 }; }",
	  "stdin:1:12-18: ERROR: a value is wanted here, and this has none: its last statement "
	  "must be an expression without ';'\n"
	  "stdin:1:25-37: ERROR: a value is wanted here, and this has none: its last statement "
	  "must be an expression without ';'\n" },
	{ "k:f { @x[]; @x[1; }", "stdin:1:7-11: ERROR: a key is missing between '[' and ']'\n"
				 "stdin:1:17-18: ERROR: expected ',' or ']', not ';'\n" },
	{ "k:f { (a=1, a=2); (.a); (a=1, 3) }",
	  "stdin:1:13-14: ERROR: there are two fields a\n"
	  "stdin:1:22-23: ERROR: expected '=', not ')'\n"
	  "stdin:1:31-32: ERROR: expected the name of a field, not '3'\n" },
	{ "k:f { sizeof(; sizeof 3; offsetof(struct foo); offsetof(struct foo, 3) }",
	  "stdin:1:14-15: ERROR: expected a value, not ';'\n"
	  "stdin:1:23-24: ERROR: expected '(', not '3'\n"
	  "stdin:1:42-45: ERROR: expected ',' and a field, not 'foo'\n"
	  "stdin:1:69-70: ERROR: expected the name of a field, not '3'\n" },
	{ "k:f { $x->3; $x. ; }", "stdin:1:11-12: ERROR: expected the name of a field, not '3'\n"
				  "stdin:1:18-19: ERROR: expected the name of a field, not ';'\n" },
	{ "k:f /1 { 2 } k:g /1 == / { 3 }",
	  "stdin:1:8-9: ERROR: expected '/' at the end of the predicate, not '{'\n"
	  "stdin:1:24-25: ERROR: expected a value, not '/'\n" },
	{ "} k:f { 1 }", "stdin:1:1-2: ERROR: there is no '{' for this '}'\n" },
	{ "k:f { { 1; }", "stdin:1:5-6: ERROR: this '{' has no '}'\n" },
	{ "k:f { 1; } }", "stdin:1:12-13: ERROR: there is no '{' for this '}'\n" },
	{ "config = { a = ; b 3; c = (; } BEGIN { }",
	  "stdin:1:16-17: ERROR: expected a number, a word or a text, not ';'\n"
	  "stdin:1:20-21: ERROR: expected '=', not '3'\n"
	  "stdin:1:27-28: ERROR: expected a number, a word or a text, not '('\n" },
	{ "config = { a = 1 } config = { b = 2 } BEGIN { }",
	  "stdin:1:20-26: ERROR: there is a config block already\n" },
	{ "config { } BEGIN { }", "stdin:1:8-9: ERROR: expected '=', not '{'\n" },
	{ "let @x; let $x = 1; let @y = hash(); let @z = hash($a); let @w = hash(0);\n"
	  "BEGIN { }",
	  "stdin:1:7-8: ERROR: expected '=', not ';'\n"
	  "stdin:1:13-15: ERROR: $variables are declared inside of probes; here, it is let @map = "
	  "hash(1000);\n"
	  "stdin:1:35-36: ERROR: expected a value, not ')'\n"
	  "stdin:1:52-54: ERROR: how many entries the map has at most must be a number here: "
	  "hash(1000)\n"
	  "stdin:1:71-72: ERROR: how many entries the map has at most must be a number here: "
	  "hash(1000)\n" },
	{ "macro f { } macro (x) { } macro g(1) { } macro h(a, a) { } macro i(a) macro j() { $x } "
	  "BEGIN { }",
	  "stdin:1:9-10: ERROR: expected '(', not '{'\n"
	  "stdin:1:19-20: ERROR: expected the name of a macro, not '('\n"
	  "stdin:1:35-36: ERROR: expected a parameter: $variable, @map or a name\n"
	  "stdin:1:53-54: ERROR: there are two parameters of this name\n"
	  "stdin:1:71-76: ERROR: expected '{', not 'macro'\n" },
	{ "macro f($x) { } macro g(@x) { } macro h(x) { } BEGIN { f(1); g($x); g(@x[1]); h(1, 2); "
	  "$y = h(3); }",
	  "stdin:1:58-59: ERROR: macro f wants a $variable here\n"
	  "stdin:1:64-66: ERROR: macro g wants a @map without keys here\n"
	  "stdin:1:71-76: ERROR: macro g wants a @map without keys here\n"
	  "stdin:1:93-97: ERROR: macro h has no value: its last statement must be an expression "
	  "without ';'\n" },
	{ "macro f(x) { f(x) } macro g() { h() } macro h() { g() } BEGIN { f(1); g(); }",
	  "stdin:1:14-18: ERROR: macro f calls itself\n"
	  "stdin:1:51-54: ERROR: macro g calls itself\n" },
	{ "macro f(x) { @y = x; $z = 1; $w; } BEGIN { f(1) }",
	  "stdin:1:30-32: ERROR: macro f must be given $w: it knows its parameters only\n"
	  "stdin:1:14-16: ERROR: macro f must be given @y: it knows its parameters only\n" },
	{ "macro f(x) { 1 } macro f(y) { 2 } BEGIN { f(1) }",
	  "stdin:1:18-28: ERROR: there is a macro f with 1 parameters already\n" },
	{ "import \"x\"; fn f($x: int8) : int8 { return 1; } BEGIN { }",
	  "stdin:1:1-7: ERROR: import is not supported: put all into one script\n"
	  "stdin:1:13-15: ERROR: functions are not supported: a macro does the same, macro "
	  "name($x, y) { ... }\n" },
	{ "struct foo { int x; \n"
	  "BEGIN { }",
	  "stdin:1:1-7: ERROR: this struct has no '}'\n" },
	{ "struct foo BEGIN { }", "" },
	{ "#foo\n"
	  "#define\n"
	  "#if\n"
	  "#endif\n"
	  "#if 1 +\n"
	  "#endif\n"
	  "#else\n"
	  "#endif\n"
	  "#error no \"way\"\n"
	  "#if x(1)\n"
	  "#endif\n"
	  "BEGIN { }",
	  "stdin:1:1-5: ERROR: there is no directive #foo\n"
	  "stdin:2:8-9: ERROR: the name of this #define is missing\n"
	  "stdin:3:4-5: ERROR: expected a value, not the end\n"
	  "stdin:5:8-9: ERROR: expected a value, not the end\n"
	  "stdin:7:1-6: ERROR: there is no #if in front of this #else\n"
	  "stdin:8:1-7: ERROR: there is no #if in front of this #endif\n"
	  "stdin:9:1-7: ERROR: no \"way\"\n"
	  "stdin:10:5-9: ERROR: this is no constant\n" },
	{ "#if 1\n"
	  "BEGIN { }",
	  "stdin:1:1-4: ERROR: this has no #endif\n" },
	{ "#define F(x) x\n"
	  "#define E\n"
	  "#define B 1 +\n"
	  "#define R R2 + (\n"
	  "#define T int x\n"
	  "BEGIN { F(1); E; B; R; R; T; }",
	  "stdin:6:9-10: ERROR: F is a #define with arguments, which is not expanded; a macro of "
	  "the language is: macro F(...) { ... }\n"
	  "stdin:6:15-16: ERROR: E is #defined as nothing\n"
	  "stdin:3:14-15: ERROR: expected a value, not the end\n"
	  "stdin:4:17-18: ERROR: expected a value, not the end\n"
	  "stdin:5:11-16: ERROR: T, which is #defined as this, can't be used as a value\n" },
};

static void test_errors(void **state)
{
	static const char *const args[] = { "5", "a b", "-0x7", "vmlinux:vfs_read" };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		trees_read(rows[i].text, strlen(rows[i].text), args, 4);
		assert_string_equal(trees_errors(), rows[i].errors);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_errors) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
