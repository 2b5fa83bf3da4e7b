/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What trees scripts are read as. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "script/trees.h"

struct row {
	const char *text, *tree;
};

/* Of "begin { TEXT }" */
static const struct row statements[] = {
	{ "1 + 2 * 3 - 4", "binary -[binary +[int 1, binary *[int 2, int 3]], int 4]" },
	{ "(1 + 2) * 3", "binary *[binary +[int 1, int 2], int 3]" },
	{ "-1 - -2", "binary -[unary -[int 1], unary -[int 2]]" },
	{ "!@x == ~$y", "binary ==[unary ![map @x], unary ~[variable $y]]" },
	{ "1 << 2 + 3 & 4 | 5 ^ 6", "binary |[binary &[binary <<[int 1, binary +[int 2, int 3]], "
				    "int 4], binary ^[int 5, int 6]]" },
	{ "$a || $b && $c == $d < $e", "binary ||[variable $a, binary &&[variable $b, binary "
				       "==[variable $c, binary <[variable $d, variable $e]]]]" },
	{ "$a - $b - $c", "binary -[binary -[variable $a, variable $b], variable $c]" },
	{ "$a % $b / $c", "binary /[binary %[variable $a, variable $b], variable $c]" },
	{ "1 ? 2 : 3 ? 4 : 5", "choice[int 1, int 2, choice[int 3, int 4, int 5]]" },
	{ "comm ?: \"none\"", "choice[name comm, string \"none\"]" },
	{ "1_000 + 0x1F + 017 + 0b101 + 1e6 + 2e3s + 5ms + 3us + 2ns + 1m + 1h + 1d + 7UL + "
	  "18446744073709551615",
	  "binary +[binary +[binary +[binary +[binary +[binary +[binary +[binary +[binary +[binary "
	  "+[binary +[binary +[binary +[int 1000, int 31], int 15], int 5], int 1000000], int "
	  "2000000000000], int 5000000], int 3000], int 2], int 60000000000], int 3600000000000], "
	  "int 86400000000000], int 7u], int 18446744073709551615u]" },
	{ "true; false", "int true, int false" },
	{ "\"a\\tb\\x41\\101\\\"\\\\\\0z\"", "string \"a\\tbAA\\\"\\\\\\000z\"" },
	{ "args->a.b[1]->c", "field ->c[index[field .b[field ->a[name args]], int 1]]" },
	{ "*$p->x; **$p; &$x",
	  "unary *[field ->x[variable $p]], unary *[unary *[variable $p]], unary &[variable $x]" },
	{ "*@x * *@y", "binary *[unary *[map @x], unary *[map @y]]" },
	{ "$t.0.1; @x.0", "field .1[field .0[variable $t]], field .0[map @x]" },
	{ "@; @x; @x[1]; @x[1, \"a\"]; @x[(1, \"a\")]; @x[(1,)]; @x[comm][3]",
	  "map @, map @x, map @x[int 1], map @x[int 1, string \"a\"], map @x[int 1, string \"a\"], "
	  "map @x[tuple[int 1]], index[map @x[name comm], int 3]" },
	{ "(); (1,); (1, 2); (1, 2,); ((1))",
	  "tuple, tuple[int 1], tuple[int 1, int 2], tuple[int 1, int 2], int 1" },
	{ "(a = 1, b = \"x\"); (.a = 1, .b = (2, 3)); (a=1)",
	  "record[.a = int 1, .b = string \"x\"], record[.a = int 1, .b = tuple[int 2, int 3]], "
	  "record[.a = int 1]" },
	{ "(uint64)x + 1; (uint64)-1; (uint64 *)arg0; (struct foo *)arg0; (struct foo **)arg0",
	  "binary +[cast (uint64)[name x], int 1], cast (uint64)[unary -[int 1]], cast (uint64 "
	  "*)[name arg0], cast (struct foo *)[name arg0], cast (struct foo **)[name arg0]" },
	{ "((struct foo *)arg0)->bar; (struct foo *)arg0->bar; (union u *)$x; (enum e)1",
	  "field ->bar[cast (struct foo *)[name arg0]], cast (struct foo *)[field ->bar[name "
	  "arg0]], cast (union u *)[variable $x], cast (enum e)[int 1]" },
	{ "(unsigned long int)$x; (const char *)$x; (size_t)$x; (int8[4])$x; (uint8[])$x; "
	  "(int32*[4]*)$x",
	  "cast (unsigned long int)[variable $x], cast (char *)[variable $x], cast "
	  "(size_t)[variable $x], cast (int8[4])[variable $x], cast (uint8[])[variable $x], cast "
	  "(int32 *[4] *)[variable $x]" },
	{ "(foo)$x; (foo)1; (foo)\"a\"; (foo)@x; (foo)bar; (foo*)-1",
	  "cast (foo)[variable $x], cast (foo)[int 1], cast (foo)[string \"a\"], cast (foo)[map "
	  "@x], cast (foo)[name bar], cast (foo *)[unary -[int 1]]" },
	{ "(pid) - 1; (pid)*tid; (pid) & 1; (x)(y); (arr[0]) * 2; (a) + (b)",
	  "binary -[name pid, int 1], binary *[name pid, name tid], binary &[name pid, int 1], "
	  "cast (x)[name y], binary *[index[name arr, int 0], int 2], binary +[name a, name b]" },
	{ "sizeof(uint32); sizeof(struct foo); sizeof($x); sizeof(args->a); sizeof(uint32*[10]); "
	  "sizeof(x)",
	  "sizeof (uint32), sizeof (struct foo), sizeof[variable $x], sizeof[field ->a[name "
	  "args]], sizeof (uint32 *[10]), sizeof[name x]" },
	{ "offsetof(struct foo, a.b); offsetof(foo_t, x)",
	  "offsetof a.b (struct foo), offsetof x (foo_t)" },
	{ "(typeof(uint8))$x; (typeof($y))$x; sizeof(typeof(int32)); sizeof(typeof($x))",
	  "cast (uint8)[variable $x], cast[variable $x, variable $y], sizeof (int32), "
	  "sizeof[variable $x]" },
	{ "str(arg0, 16); count(); hist(1, 2,)",
	  "call str[name arg0, int 16], call count, call hist[int 1, int 2]" },
	{ "$x = 1; @x = 2; @x[1] = 3; @ = count()",
	  "set =[variable $x, int 1], set =[map @x, int 2], set =[map @x[int 1], int 3], set =[map "
	  "@, call count]" },
	{ "$x += 1; $x -= 1; $x *= 1; $x /= 1; $x %= 1; $x &= 1; $x |= 1; $x ^= 1; $x <<= 1; $x "
	  ">>= 1",
	  "set +=[variable $x, int 1], set -=[variable $x, int 1], set *=[variable $x, int 1], set "
	  "/=[variable $x, int 1], set %=[variable $x, int 1], set &=[variable $x, int 1], set "
	  "|=[variable $x, int 1], set ^=[variable $x, int 1], set <<=[variable $x, int 1], set "
	  ">>=[variable $x, int 1]" },
	{ "$x++; $x--; ++$x; --@x[1]; @++",
	  "unary _++[variable $x], unary _--[variable $x], unary ++[variable $x], unary --[map "
	  "@x[int 1]], unary _++[map @]" },
	{ "$y = $x++ + ++$x",
	  "set =[variable $y, binary +[unary _++[variable $x], unary ++[variable $x]]]" },
	{ "let $x; let $x = 1; let $x: int8; let $x: struct task_struct * = curtask; let $x: "
	  "typeof($y) = 1",
	  "let $x, let $x[int 1], let $x (int8), let $x (struct task_struct *)[name curtask], let "
	  "$x[variable $y, int 1]" },
	{ "if (1) { 2 } 3", "if[int 1], do[int 2], int 3" },
	{ "if 1 == 2 { 3 } else if (4) { 5 } else { 6 }",
	  "if[binary ==[int 1, int 2]], do[int 3], else[if[int 4], do[int 5], else[int 6]]" },
	{ "if (1) { } else { }", "if[int 1]" },
	{ "while (1) { break; continue; }", "while[int 1], do[break, continue]" },
	{ "while $x < 3 { $x++ }",
	  "while[binary <[variable $x, int 3]], do[unary _++[variable $x]]" },
	{ "unroll(3) { 1 } unroll 4 { 2 } unroll (5) { 3 }",
	  "unroll[int 3], do[int 1], unroll[int 4], do[int 2], unroll[int 5], do[int 3]" },
	{ "for ($kv : @map) { print($kv.0); }",
	  "for $kv[map @map], do[call print[field .0[variable $kv]]]" },
	{ "for $i : 0..10 { 1 } for ($i : (1+1)..ncpus) { 2 }",
	  "for $i[int 0, int 10], do[int 1], for $i[binary +[int 1, int 1], name ncpus], do[int "
	  "2]" },
	{ "return; return 1; return", "return, return[int 1], return" },
	{ "{ 1; { 2 } }", "block[int 1, block[int 2]]" },
	{ "$x = { let $y = 1; $y + 1 }; $z = { 3 }",
	  "set =[variable $x, value[let $y[int 1], binary +[variable $y, int 1]]], set =[variable "
	  "$z, int 3]" },
	{ "$x = if (1) { 2 } else { $y = 3; $y }",
	  "set =[variable $x, choice[int 1, int 2, value[set =[variable $y, int 3], variable "
	  "$y]]]" },
	{ "_ = has_key(@x, 1)", "call has_key[map @x, int 1]" },
	{ ";;1;;2;", "int 1, int 2" },
	{ "print(1) /* c */; // d\n"
	  " print(2)",
	  "call print[int 1], call print[int 2]" },
	{ "comptime 3; comptime(1 + 2)", "int 3, binary +[int 1, int 2]" },
	{ "reg(\"sp\"); pid(init); kstack(perf, 3)",
	  "call reg[string \"sp\"], call pid[name init], call kstack[name perf, int 3]" },
};

/* With the parameters 5, "a b", -0x7 and vmlinux:vfs_read */
static const struct row scripts[] = {
	{ "BEGIN{} END{} begin{} end { }", "clause[probe begin, do], clause[probe end, do], "
					   "clause[probe begin, do], clause[probe end, do]" },
	{ "kprobe:f,kprobe:g,\n"
	  " k:h, { 1 }",
	  "clause[probe kprobe \"f\", probe kprobe \"g\", probe kprobe \"h\", do[int 1]]" },
	{ "kprobe:f+0x10{} k:mod:f+3{} k:0xffffffff81000000{} kr:f{} kretprobe:mod:f{}",
	  "clause[probe kprobe \"f\" +16, do], clause[probe kprobe \"mod\" \"f\" +3, do], "
	  "clause[probe kprobe 18446744071578845184, do], clause[probe kretprobe \"f\", do], "
	  "clause[probe kretprobe \"mod\" \"f\", do]" },
	{ "uprobe:/bin/bash:readline{} u:/a/b.so:0x10{} ur:libc:malloc{} uprobe:\"/a b\":f{} "
	  "uprobe:/x:cpp:\"f(int)\"{} u:./a:f+4{} u:f{}",
	  "clause[probe uprobe \"/bin/bash\" \"readline\", do], clause[probe uprobe \"/a/b.so\" "
	  "16, do], clause[probe uretprobe \"libc\" \"malloc\", do], clause[probe uprobe \"/a b\" "
	  "\"f\", do], clause[probe uprobe \"/x\" \"cpp\" \"f(int)\", do], clause[probe uprobe "
	  "\"./a\" \"f\" +4, do], clause[probe uprobe \"f\", do]" },
	{ "uprobe:/bin/*:f*{} uprobe:\"/a:b\":\"g\\\"h\"{} uprobe:/with#hash:asdf{} "
	  "uprobe:/a@3/b:f{}",
	  "clause[probe uprobe \"/bin/*\" \"f*\", do], clause[probe uprobe \"/a:b\" \"g\\\"h\", "
	  "do], clause[probe uprobe \"/with#hash\" \"asdf\", do], clause[probe uprobe \"/a@3/b\" "
	  "\"f\", do]" },
	{ "usdt:/x:prov:name{} usdt:/x:name{} U:/x::name{} usdt:*:a*{}",
	  "clause[probe usdt \"/x\" \"prov\" \"name\", do], clause[probe usdt \"/x\" \"name\", "
	  "do], clause[probe usdt \"/x\" \"\" \"name\", do], clause[probe usdt \"*\" \"a*\", do]" },
	{ "interval:s:1{} i:ms:100{} interval:hz:5{} interval:1s{} interval:5m{} interval:s:1e3{} "
	  "i:us:1_000{}",
	  "clause[probe interval \"s\" 1, do], clause[probe interval \"ms\" 100, do], clause[probe "
	  "interval \"hz\" 5, do], clause[probe interval 1000000000, do], clause[probe interval "
	  "300000000000, do], clause[probe interval \"s\" 1000, do], clause[probe interval \"us\" "
	  "1000, do]" },
	{ "profile:hz:99{} p:10ms{}",
	  "clause[probe profile \"hz\" 99, do], clause[probe profile 10000000, do]" },
	{ "software:faults:100{} s:cs{} hardware:cache-misses:1e6{} h:cycles:{}",
	  "clause[probe software \"faults\" 100, do], clause[probe software \"cs\", do], "
	  "clause[probe hardware \"cache-misses\" 1000000, do], clause[probe hardware \"cycles\", "
	  "do]" },
	{ "self:signal:SIGUSR1{} test:a{} bench:b{} iter:task{} it:task_file:/sys/x{} "
	  "watchpoint:0x10:8:rw{}",
	  "clause[probe self \"signal\" \"SIGUSR1\", do], clause[probe test \"a\", do], "
	  "clause[probe bench \"b\", do], clause[probe iter \"task\", do], clause[probe iter "
	  "\"task_file\" \"/sys/x\", do], clause[probe watchpoint \"0x10\" \"8\" \"rw\", do]" },
	{ "t:syscalls:sys_enter_*{} tracepoint:*{} rt:sched_switch{} "
	  "rawtracepoint:vmlinux:kfree_skb{}",
	  "clause[probe tracepoint \"syscalls\" \"sys_enter_*\", do], clause[probe tracepoint "
	  "\"*\" \"*\", do], clause[probe rawtracepoint \"sched_switch\", do], clause[probe "
	  "rawtracepoint \"vmlinux\" \"kfree_skb\", do]" },
	{ "kfunc:vmlinux:f{} kretfunc:f{} f:f{} fr:g{} fentry:bpf:12:p{}",
	  "clause[probe fentry \"vmlinux\" \"f\", do], clause[probe fexit \"f\", do], clause[probe "
	  "fentry \"f\", do], clause[probe fexit \"g\", do], clause[probe fentry \"bpf\" \"12\" "
	  "\"p\", do]" },
	{ "t*point:sched:sched_switch{} *:/bin/sh:f{} k*:f{} name=kprobe:f{}",
	  "clause[probe tracepoint \"sched\" \"sched_switch\", do], clause[probe uprobe "
	  "\"/bin/sh\" \"f\", probe uretprobe \"/bin/sh\" \"f\", probe usdt \"/bin/sh\" \"f\", "
	  "do], clause[probe kprobe \"f\", probe kretprobe \"f\", do], clause[probe kprobe \"f\", "
	  "do]" },
	{ "kprobe:$3{} kprobe:$4{} uprobe:/a/$1:\"$1\"{} profile:hz:$1{}",
	  "clause[probe kprobe \"-0x7\", do], clause[probe kprobe \"vmlinux\" \"vfs_read\", do], "
	  "clause[probe uprobe \"/a/5\" \"$1\", do], clause[probe profile \"hz\" 5, do]" },
	{ "kprobe:f /pid == 1/ { } kprobe:f/1/{} kprobe:f /100/25/ { } kprobe:f / 2 < 1 >> 8 / { }",
	  "clause[probe kprobe \"f\", predicate[binary ==[name pid, int 1]], do], clause[probe "
	  "kprobe \"f\", predicate[int 1], do], clause[probe kprobe \"f\", predicate[binary /[int "
	  "100, int 25]], do], clause[probe kprobe \"f\", predicate[binary <[int 2, binary >>[int "
	  "1, int 8]]], do]" },
	{ "kprobe:f /arg0 / 2 == ($x / 3) ? 1 : 2 / { } k:f /@x[tid]/{ }",
	  "clause[probe kprobe \"f\", predicate[choice[binary ==[binary /[name arg0, int 2], "
	  "binary /[variable $x, int 3]], int 1, int 2]], do], clause[probe kprobe \"f\", "
	  "predicate[map @x[name tid]], do]" },
	{ "k:f { $1; $2; $3; $9; $#; str($1); str($1, 2); str($2 + 2); str($9); str($9 + 1); "
	  "str(arg0 + $1) }",
	  "clause[probe kprobe \"f\", do[int 5 positional, string \"a b\" positional, int -7 "
	  "positional, int 0 positional, int 4, call str[string \"5\" positional], call str[string "
	  "\"5\" positional, int 2], call str[string \"b\" positional], call str[string \"\" "
	  "positional], call str[string \"\" positional], call str[binary +[name arg0, string "
	  "\"5\" positional]]]]" },
	{ "#!/usr/bin/env bpftrace\n"
	  "BEGIN {}",
	  "clause[probe begin, do]" },
	{ "#include <linux/sched.h>\n"
	  "#include \"x.h\"\n"
	  "BEGIN { }",
	  "clause[probe begin, do]" },
	{ "#define A 5\n"
	  "#define B (A << 2) + \\\n"
	  " 1\n"
	  "#define C\n"
	  "#define D args.x + B // c\n"
	  "#define E \"t\"\n"
	  "#define F(x) x\n"
	  "#define G -1\n"
	  "BEGIN { A; B; D * 2; E; F; G }",
	  "constant A 5, constant B 21, constant G -1, clause[probe begin, do[name A, name B, "
	  "binary *[binary +[field .x[name args], name B], int 2], string \"t\", name F, name "
	  "G]]" },
	{ "#ifdef BPFTRACE_HAVE_BTF\n"
	  "BEGIN { 1 }\n"
	  "#else\n"
	  "foo bar }\n"
	  "#endif\n"
	  "#ifndef BPFTRACE_HAVE_BTF\n"
	  "\"\n"
	  "#endif",
	  "clause[probe begin, do[int 1]]" },
	{ "#define X 3\n"
	  "#if defined(X) && X > 2 && !defined(Y)\n"
	  "k:a {}\n"
	  "#if 0\n"
	  "k:b {}\n"
	  "#elif 1\n"
	  "k:c {}\n"
	  "#else\n"
	  "k:d {}\n"
	  "#endif\n"
	  "#elif 1\n"
	  "k:e {}\n"
	  "#else\n"
	  "k:f {}\n"
	  "#endif\n"
	  "#undef X\n"
	  "#ifdef X\n"
	  "k:g {}\n"
	  "#endif",
	  "constant X 3, clause[probe kprobe \"a\", do], clause[probe kprobe \"c\", do]" },
	{ "uprobe:/bin/*:f { }\n"
	  "#define A 1\n"
	  "BEGIN { /* \n"
	  "#define B 2\n"
	  "*/ A }",
	  "constant A 1, clause[probe uprobe \"/bin/*\" \"f\", do], clause[probe begin, do[name "
	  "A]]" },
	{ "struct foo { int x; /* } */ struct { char c[4]; } s; } __attribute__((packed));\n"
	  "union u { int a; }\n"
	  "enum e { A = 1, B }\n"
	  "typedef struct foo foo_t;\n"
	  "struct fwd;\n"
	  "k:f { (foo_t)*arg0; (foo_x)*arg0 }",
	  "declaration \"struct foo { int x; /* } */ struct { char c[4]; } s; } "
	  "__attribute__((packed));\", declaration \"union u { int a; }\", declaration \"enum e { "
	  "A = 1, B }\", declaration \"typedef struct foo foo_t;\", declaration \"struct fwd;\", "
	  "clause[probe kprobe \"f\", do[cast (foo_t)[unary *[name arg0]], binary *[name foo_x, "
	  "name arg0]]]" },
	{ "config = { stack_mode=perf; max_strlen = 64, a = true\n"
	  " b = \"x y\" c=1e6 } BEGIN {}",
	  "setting stack_mode[name perf], setting max_strlen[int 64], setting a[int true], setting "
	  "b[string \"x y\"], setting c[int 1000000], clause[probe begin, do]" },
	{ "config = { } let @a = hash(10); let @b=lruhash(1 << 4) let @ = percpuhash(AF_INET); "
	  "BEGIN { }",
	  "map @a hash 10, map @b lruhash 16, map @ percpuhash 2, clause[probe begin, do]" },
	{ "macro one() { 1 } macro add(x, y) { x + y } BEGIN { one; one(); add(one, 2); $x = "
	  "add(add(1, 2), 3); }",
	  "clause[probe begin, do[block[int 1], block[int 1], block[binary +[int 1, int 2]], set "
	  "=[variable $x, binary +[binary +[int 1, int 2], int 3]]]]" },
	{ "macro inc($x) { $x += 1; } macro set(@m, k) { @m[k] = 1; } BEGIN { $a = 1; inc($a); "
	  "set(@q, comm); }",
	  "clause[probe begin, do[set =[variable $a, int 1], block[set +=[variable $a, int 1]], "
	  "block[set =[map @q[name comm], int 1]]]]" },
	{ "macro f(x) { let $y = x; $y + 1 } BEGIN { $y = f(2); f($y); f(3) }",
	  "clause[probe begin, do[set =[variable $y, value[let $y#1[int 2], binary +[variable "
	  "$y#1, int 1]]], block[let $y#2[variable $y], binary +[variable $y#2, int 1]], value[let "
	  "$y#3[int 3], binary +[variable $y#3, int 1]]]]" },
	{ "macro f(x) { if (x) { 1 } else { 2 } } macro g(@m) { for ($k : @m) { break; } } BEGIN { "
	  "print(f(3)); g(@x); }",
	  "clause[probe begin, do[call print[choice[int 3, int 1, int 2]], block[for $k#2[map @x], "
	  "do[break]]]]" },
	{ "macro say(x) { x; x; } BEGIN { say({ printf(\"hi\") }); say({ $a = 1; $a }); }",
	  "clause[probe begin, do[block[call printf[string \"hi\"], call printf[string \"hi\"]], "
	  "block[value[set =[variable $a, int 1], variable $a], value[set =[variable $a, int 1], "
	  "variable $a]]]]" },
	{ "macro s(t, u) { sizeof(t[2]) + sizeof(u) + (t*)1 + ((u)$1)  } BEGIN { s(typeof(uint8*), "
	  "typeof(struct foo)) }",
	  "clause[probe begin, do[binary +[binary +[binary +[sizeof (uint8 *[2]), sizeof (struct "
	  "foo)], cast (uint8 **)[int 1]], cast (struct foo)[int 5 positional]]]]" },
	{ "macro x(add) { add } macro add() { 2 } macro x() { 3 } BEGIN { x(1); x; (a = x(4), b = "
	  "x); }",
	  "clause[probe begin, do[block[int 1], block[int 3], record[.a = int 4, .b = int 3]]]" },
	{ "k:f { @a = 1 }\n"
	  "k:g { @b = 2\n"
	  "}",
	  "clause[probe kprobe \"f\", do[set =[map @a, int 1]]], clause[probe kprobe \"g\", do[set "
	  "=[map @b, int 2]]]" },
};

static void test_statements(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(statements) / sizeof(*statements); i++) {
		assert_string_equal(trees_of_statements(statements[i].text), statements[i].tree);
		assert_string_equal(trees_messages, "");
	}
}

static void test_scripts(void **state)
{
	static const char *const args[] = { "5", "a b", "-0x7", "vmlinux:vfs_read" };

	(void)state;
	for (size_t i = 0; i < sizeof(scripts) / sizeof(*scripts); i++) {
		assert_string_equal(trees_read(scripts[i].text, strlen(scripts[i].text), args, 4),
				    scripts[i].tree);
		assert_string_equal(trees_messages, "");
	}
}

/* A parameter is data: whatever it holds, it is one text, and is not read as part of the script. */
static void test_parameters_are_data(void **state)
{
	static const char *const args[] = { "\" } begin { system(\"x\"); } //", "$1", "1 + 1", "" };
	static const char text[] = "k:f { $1; $2; $3; $4; str($1) }";

	(void)state;
	assert_string_equal(trees_read(text, strlen(text), args, 4),
			    "clause[probe kprobe \"f\", do["
			    "string \"\\\" } begin { system(\\\"x\\\"); } //\" positional, "
			    "string \"$1\" positional, string \"1 + 1\" positional, "
			    "string \"\" positional, call str["
			    "string \"\\\" } begin { system(\\\"x\\\"); } //\" positional]]]");
	assert_string_equal(trees_messages, "");
}

/* A NUL and bytes that are no UTF-8 are as good as any in texts and comments. */
static void test_bytes(void **state)
{
	static const char text[] = "k:f { /* \0 \xff */ @ = \"a\0b\xff\"; // \0\n }";
	static const char wrong[] = "k:f { \0; \xff\xfe\0; }";

	(void)state;
	assert_string_equal(trees_read(text, sizeof(text) - 1, NULL, 0),
			    "clause[probe kprobe \"f\", do[set =[map @, "
			    "string \"a\\000b\\377\"]]]");
	assert_string_equal(trees_messages, "");
	trees_read(wrong, sizeof(wrong) - 1, NULL, 0);
	assert_string_equal(trees_errors(), "stdin:1:7-8: ERROR: this has no meaning here\n"
					    "stdin:1:10-13: ERROR: this has no meaning here\n");
}

/* --- bounds --- */

static char *repeat(const char *before, const char *part, size_t times, const char *after)
{
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	fputs(before, out);
	while (times--)
		fputs(part, out);
	fputs(after, out);
	fclose(out);
	return text;
}

static void expect_errors(char *text, const char *errors)
{
	trees_read(text, strlen(text), NULL, 0);
	free(text);
	assert_string_equal(trees_errors(), errors);
}

/* Trees that are too deep for what walks them get one message, at the place. */
static void test_depth(void **state)
{
	(void)state;
	expect_errors(repeat("k:f { ", "(", 190, "1"),
		      "stdin:1:198-199: ERROR: expected ')', not the "
		      "end\n");
	expect_errors(repeat("k:f { ", "(", 100000, "1"),
		      "stdin:1:206-207: ERROR: this is nested more than 200 levels deep\n");
	expect_errors(repeat("k:f { $x = ", "~", 100000, "1; }"),
		      "stdin:1:211-212: ERROR: this is nested more than 200 levels deep\n");
	expect_errors(repeat("k:f ", "{", 100000, "1"),
		      "stdin:1:206-207: ERROR: this is nested more than 200 levels deep\n");
	expect_errors(repeat("k:f { ", "if (1) { } else ", 100000, "{ } }"),
		      "stdin:1:3179-3180: ERROR: this is nested more than 200 levels deep\n");
	expect_errors(repeat("k:f { $x = 1", " + 1", 100000, "; }"),
		      "stdin:1:12-2413: ERROR: this has too many parts: its tree is more than 600 "
		      "levels high\n");
	expect_errors(repeat("k:f { $x = $y", ".a", 100000, "; }"),
		      "stdin:1:12-1214: ERROR: this has too many parts: its tree is more than 600 "
		      "levels high\n");
	expect_errors(repeat("k:f { $x = 1", " + 1", 500, "; }"), "");
}

/* As do words without end, be they of the script or of what it #defines. */
static void test_words(void **state)
{
	size_t size;
	char *text;
	FILE *out;

	(void)state;
	expect_errors(repeat("k:f { ", "(uint8)", 100000, "1 }"),
		      "stdin:1:1400-1401: ERROR: this is nested more than 200 levels deep\n");
	expect_errors(repeat("k:f { ", "comptime ", 100000, "1 }"),
		      "stdin:1:1798-1806: ERROR: this is nested more than 200 levels deep\n");
	expect_errors(repeat("k:f { f(1", ",1", 600000, ") }"),
		      "stdin:1:1000005-1000006: ERROR: this script has more than 1000000 words\n");
	expect_errors(repeat("k:f { ", ";", 1100000, "}"),
		      "stdin:1:1000005-1000006: ERROR: this script has more than 1000000 words\n");
	expect_errors(repeat("k:f", ",k:f", 70000, " { }"),
		      "stdin:1:262145-262148: ERROR: this list has more than 65536 probes\n");
	out = open_memstream(&text, &size);
	fputs("#define A0 args.x\n", out);
	for (int i = 1; i < 60; i++)
		fprintf(out, "#define A%d (A%d + A%d)\n", i, i - 1, i - 1);
	fputs("k:f { A59 }", out);
	fclose(out);
	expect_errors(text, "stdin:2:13-15: ERROR: this script has more than 1000000 words\n");
}

/* Macros that double what they are given must come to an end, too. */
static void test_macro_bounds(void **state)
{
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	fputs("macro m0(x) { x; x; }", out);
	for (int i = 1; i < 60; i++)
		fprintf(out, " macro m%d(x) { m%d({ x; x }); }", i, i - 1);
	fputs(" k:f { m59(@++); }", out);
	fclose(out);
	trees_read(text, size, NULL, 0);
	free(text);
	assert_non_null(strstr(trees_errors(), "macros make more than 200000 parts"));
	assert_null(strchr(strchr(trees_messages, '\n') + 1, '\n'));
}

/* 10,000 lines, a text of 1 MB, 100 keys: what people and their programs write. */
static void test_large(void **state)
{
	char *text;

	(void)state;
	expect_errors(
		repeat("", "k:f /pid == 1/ { @x[comm, arg0] = count(); printf(\"%d\\n\", $x); }\n",
		       10000, ""),
		"");
	expect_errors(repeat("k:f { @ = \"", "0123456789abcdef", 65536, "\"; }"), "");
	expect_errors(repeat("k:f { @[0", ", 1", 99, "] = 1; }"), "");
	text = repeat("", "k:f,\n", 1000, " { }");
	assert_non_null(strstr(trees_read(text, strlen(text), NULL, 0), "probe kprobe"));
	free(text);
	assert_string_equal(trees_messages, "");
}

/* What is not shown is counted: a script of errors fills no terminal. */
static void test_many_errors(void **state)
{
	char *text = repeat("k:f { ", "1 1; ", 1000, "}");
	size_t lines = 0;

	(void)state;
	trees_read(text, strlen(text), NULL, 0);
	free(text);
	for (const char *at = trees_errors(); (at = strchr(at, '\n')); at++)
		lines++;
	assert_int_equal(lines, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_statements),
		cmocka_unit_test(test_scripts),
		cmocka_unit_test(test_parameters_are_data),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_macro_bounds),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_many_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
