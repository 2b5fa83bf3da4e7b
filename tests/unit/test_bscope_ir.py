# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""bscope's compiler, without privileges: the three-address code of many small scripts, what is said of wrong ones, and
scripts of hostile sizes."""

import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from test_help import BUILD

GOLDENS = Path(__file__).parent / "goldens"
BSCOPE = BUILD / "bin" / "bscope"
UPDATE = "BORESCOPE_UPDATE_GOLDENS"     # with this variable set, what comes out becomes what is expected
PATIENCE = 20                           # seconds for what should take one


def compiled(script, *args, stage="ir", **kwargs):
    """Compiles a script; its stage is on stdout, what is wrong on stderr."""
    return subprocess.run([BSCOPE, "-d", stage, *map(str, args), "-e", script], stdin=subprocess.DEVNULL, capture_output=True,
                          encoding="utf-8", errors="backslashreplace", timeout=PATIENCE, check=False, **kwargs)


def parts(path):
    """The script that a golden file begins with, each line behind '# ', and the code."""
    lines = path.read_text(encoding="utf-8").splitlines(True)
    script = [line[2:] for line in lines if line.startswith("# ")]
    return "".join(script).rstrip("\n"), "".join(lines[len(script):])


# --- goldens ---

@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the goldens are of x86-64")
@pytest.mark.parametrize("path", sorted(GOLDENS.iterdir()), ids=lambda path: path.stem)
def test_golden(path):
    """The code of a small script has not changed unnoticed."""
    script, expected = parts(path)
    done = compiled(script)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    if os.environ.get(UPDATE):
        path.write_text("".join(f"# {line}\n" for line in script.split("\n")) + done.stdout, encoding="utf-8")
    else:
        assert done.stdout == expected, f"if this is meant: {UPDATE}=1 pytest {Path(__file__).name}"


def test_goldens_are_many():
    """One for each statement, expression and function at least."""
    scripts = "\n".join(parts(path)[0] for path in GOLDENS.iterdir())
    assert len(list(GOLDENS.iterdir())) >= 100
    for word in ("printf print clear zero delete has_key len time strftime str buf join cat exit strncmp strcontains strerror "
                 "ntop macaddr bswap sizeof offsetof count sum min max avg stats hist lhist if else while unroll for let "
                 "return break continue ksym usym kptr uptr nsecs").split():
        assert re.search(rf"\b{word}\b", scripts), f"no golden has {word}"


@pytest.mark.parametrize("stage, has", [("ast", "printf"), ("ir", "rt_send"), ("bpf", "call"), ("all", "rt_send")])
def test_stages(stage, has):
    """Each stage can be looked at."""
    done = compiled('begin { printf("%d", 5); }', stage=stage)
    assert (done.returncode, done.stderr) == (0, "") and has in done.stdout


def test_the_same_twice():
    """The same script gives the same code."""
    script = 'begin { @a[1, "x"] = count(); @b[comm] = hist(nsecs); if (@c > 5) { printf("%s %d", comm, @c); } @c++; }'
    for stage in ("ast", "ir", "bpf"):
        assert compiled(script, stage=stage).stdout == compiled(script, stage=stage).stdout != ""


# --- wrong scripts ---

def wrong(text, column, marked, script, hint=None):
    """A script, and what is said of it: one error in its first line."""
    return pytest.param(script, text, column, marked, hint, id=script[:60])


WRONG = [
    wrong("unknown function: foo", 14, "foo(1)", "begin { $x = foo(1); }"),
    wrong("unknown identifier: nsec", 14, "nsec", "begin { @a = nsec; }", "did you mean nsecs?"),
    wrong("unknown function: printd", 9, 'printd("x")', 'begin { printd("x"); }', "did you mean printf()?"),
    wrong("undefined variable: $count", 15, "$count", "begin { print($count); }"),
    wrong("undefined variable: $coutn", 27, "$coutn", "begin { $count = 1; print($coutn); }", "did you mean $count?"),
    wrong("undefined map: @a", 15, "@a", "begin { print(@a); }"),
    wrong("@a is int64, and can't take string[2]", 17, "@a", 'begin { @a = 1; @a = "x"; }'),
    wrong("@a has keys: int64", 20, "@a", "begin { @a[1] = 1; @a = 2; }"),
    wrong("@a has no keys", 17, "@a[1]", "begin { @a = 1; @a[1] = 2; }"),
    wrong("the keys of @a are int64, and these are string", 20, '@a["x"]', 'begin { @a[1] = 1; @a["x"] = 2; }'),
    wrong("the keys of @a are int64, and these are (int64,int64)", 20, "@a[1, 2]", "begin { @a[1] = 1; @a[1, 2] = 2; }"),
    wrong("$x is int64, and can't take string[2]", 22, '"a"', 'begin { $x = 1; $x = "a"; }'),
    wrong("$x is declared already", 21, "let $x = 2", "begin { let $x = 1; let $x = 2; }"),
    wrong("count() takes 0 arguments, and here are 1", 14, "count(1)", "begin { @a = count(1); }"),
    wrong("sum() takes 1 argument, and here are 0", 14, "sum()", "begin { @a = sum(); }"),
    wrong("hist() takes at least 1 argument, and here are 0", 14, "hist()", "begin { @a = hist(); }"),
    wrong("lhist() takes 4 arguments, and here are 3", 14, "lhist(1, 0, 10)", "begin { @a = lhist(1, 0, 10); }"),
    wrong("lhist()'s max has to be more than its min", 27, "0", "begin { @a = lhist(1, 10, 0, 1); }"),
    wrong("lhist()'s step has to be more than 0", 30, "0", "begin { @a = lhist(1, 0, 10, 0); }"),
    wrong("lhist() would have more than 1000 rows", 14, "lhist(1, 0, 1000000, 1)",
          "begin { @a = lhist(1, 0, 1000000, 1); }"),
    wrong("lhist() needs constants: min, max and step", 26, "pid", "begin { @a = lhist(1, 0, pid, 1); }"),
    wrong("hist()'s second argument is a constant from 0 to 5", 22, "9", "begin { @a = hist(1, 9); }"),
    wrong("what is summed up is a number, and this is string[2]", 18, '"x"', 'begin { @a = sum("x"); }'),
    wrong("count() has to be assigned to a map: @ = count(...)", 9, "count()", "begin { count(); }"),
    wrong("count() has to be assigned to a map: @ = count(...)", 14, "count()", "begin { $x = count(); }"),
    wrong("@a is count_t, and can't take sum_t", 23, "@a", "begin { @a = count(); @a = sum(5); }"),
    wrong("@a is count_t, and can't take int64", 23, "@a", "begin { @a = count(); @a++; }"),
    wrong("@a is hist_t: it can be printed, but not be used", 28, "@a", "begin { @a = hist(1); $x = @a; }"),
    wrong("a format has to be a literal text", 16, "5", "begin { printf(5); }"),
    wrong("too many arguments for format string (2 supplied, 1 expected)", 9, 'printf("%d", 1, 2)',
          'begin { printf("%d", 1, 2); }'),
    wrong("unsupported format specifier for type 'string': %d (argument 1: it takes an integer)", 9, 'printf("%d", "x")',
          'begin { printf("%d", "x"); }'),
    wrong("unsupported format specifier for type 'string': %d (argument 1: it takes an integer)", 9, 'printf("%d", comm)',
          'begin { printf("%d", comm); }'),
    wrong("not enough arguments for format string (1 supplied, 2 expected)", 9, 'printf("%s %d\\n", 5)',
          'begin { printf("%s %d\\n", 5); }'),
    wrong("there is no kind of map nosuch; these are hash, lruhash, percpuhash, percpulruhash and percpuarray", 10, "nosuch",
          "let @a = nosuch(5); begin { @a = 1; }"),
    wrong("a floating-point number can be kept and shown, but programs can't calculate with it", 71, "$f + 1",
          "struct f { float f; }; begin { $f = ((struct f *)0)->f; @a = $f; @b = $f + 1; }"),
    wrong("float can't be counted up or down", 57, "$f++", "struct f { float f; }; begin { $f = ((struct f *)0)->f; $f++; }"),
    wrong("$f is float, and can't take int64", 62, "1", "struct f { float f; }; begin { $f = ((struct f *)0)->f; $f = 1; }"),
    wrong("unknown identifier: latency", 14, "latency", "begin { @a = latency; }",
          "it is there in pairs of probes, such as latency:vfs_read"),
    wrong("str() takes at least 1 argument, and here are 0", 9, "str()", "begin { str(); }"),
    wrong("str()'s length is a number, and this is string[2]", 24, '"x"', 'begin { $s = str(comm, "x"); }'),
    wrong("str() takes an address, and this is (int64,int64)", 15, "str((1, 2))", "begin { print(str((1, 2))); }"),
    wrong("buf() needs a length here: buf(address, length)", 15, "buf(uptr(5))", "begin { print(buf(uptr(5))); }"),
    wrong("strncmp() needs a constant length that is not below 0", 27, "pid", 'begin { strncmp("a", "b", pid); }'),
    wrong("strncmp() takes texts, and this is int64", 17, "1", 'begin { strncmp(1, "b", 1); }'),
    wrong("arg0 is not there in begin probes", 14, "arg0", "begin { @a = arg0; }"),
    wrong("retval is not there in begin probes", 14, "retval", "begin { @a = retval; }"),
    wrong("what the arguments of begin are is not known here", 14, "args", "begin { @a = args.x; }"),
    wrong("there are no registers in begin probes", 14, 'reg("ip")', 'begin { @a = reg("ip"); }'),
    wrong("func is not there in begin probes", 14, "func", "begin { @a = func; }"),
    wrong("signal() changes something: it needs --unsafe", 9, "signal(9)", "begin { signal(9); }"),
    wrong("system() changes something: it needs --unsafe", 9, 'system("x")', 'begin { system("x"); }'),
    wrong("nsecs() takes monotonic, boot, tai or sw_tai", 20, "foo", "begin { @a = nsecs(foo); }"),
    wrong("pid() takes curr_ns or init", 18, "foo", "begin { @a = pid(foo); }"),
    wrong("kaddr(): the kernel shows no symbol no_such_symbol_here", 14, 'kaddr("no_such_symbol_here")',
          'begin { @a = kaddr("no_such_symbol_here"); }'),
    wrong("cgroupid(): /no/such: No such file or directory", 14, 'cgroupid("/no/such")',
          'begin { @a = cgroupid("/no/such"); }'),
    wrong("pton(): this is no address: 1.2.3", 14, 'pton("1.2.3")', 'begin { @a = pton("1.2.3"); }'),
    wrong("unroll needs a constant from 1 to 100", 17, "0", "begin { unroll (0) { @a = 1; } }"),
    wrong("unroll needs a constant from 1 to 100", 17, "pid", "begin { unroll (pid) { @a = 1; } }"),
    wrong("unroll needs a constant from 1 to 100", 17, "101", "begin { unroll (101) { @a = 1; } }"),
    wrong("there is no loop here", 9, "break", "begin { break; }"),
    wrong("there is no loop here", 9, "continue", "begin { continue; }"),
    wrong("there is no type struct foo", 14, "(struct foo *)5", "begin { @a = (struct foo *)5; }"),
    wrong("there is no type foo", 14, "(foo)5", "begin { @a = (foo)5; }"),
    wrong("there is no type struct task_strct", 15, "(struct task_strct *)curtask",
          "begin { @a = ((struct task_strct *)curtask)->pid; }", "did you mean struct task_struct?"),
    wrong("there is no type struct nosuch", 14, "sizeof(struct nosuch)", "begin { @a = sizeof(struct nosuch); }"),
    wrong("unknown identifier: foo", 19, "foo", "begin { @a = $1 + foo; }"),
    wrong("+ can't be applied to string[2] and int64", 14, '"x" + 1', 'begin { @a = "x" + 1; }'),
    wrong("texts can be compared by == and != only", 14, '"x" < "y"', 'begin { @a = "x" < "y"; }'),
    wrong("string[2] and int64 can't be compared", 14, '"x" == 1', 'begin { @a = "x" == 1; }'),
    wrong("what - or ~ is applied to is a number, and this is string[2]", 15, '"x"', 'begin { @a = -"x"; }'),
    wrong("what ! is applied to is a number, and this is string[2]", 15, '"x"', 'begin { @a = !"x"; }'),
    wrong("the two values are string[2] and int64", 14, '1 ? "x" : 2', 'begin { @a = 1 ? "x" : 2; }'),
    wrong("expected a value, not ';'", 14, ";", "begin { @a = ; }"),
    wrong("expected ';', not '@b'", 16, "@b", "begin { @a = 1 @b = 2; }"),
    wrong("expected ')', not ';'", 16, ";", "begin { @a = (1; }"),
    wrong("expected '{', not '}'", 14, "}", "begin { if 1 } "),
    wrong("there is no if in front of this else", 9, "else", "begin { else { } }"),
    wrong("this '{' has no '}'", 7, "{", "begin { @a = 1;"),
    wrong("expected '{'", 7, "@a", "begin @a = 1; }"),
    wrong('this text has no end: " is missing', 9, '"unfinished }', 'begin { "unfinished }'),
    wrong("digits are missing in this number", 14, "0x", "begin { @a = 0x; }"),
    wrong("this number ends with something that is no suffix: these are ns, us, ms, s, m, h, d, u, l, ul, ll, ull", 14, "12abc",
          "begin { @a = 12abc; }"),
    wrong("this number does not fit into 64 bits", 14, "99999999999999999999", "begin { @a = 99999999999999999999; }"),
    wrong("this comment has no end: */ is missing", 9, "/*", "begin { /* unfinished }"),
    wrong("there is no probe type begn", 1, "begn", "begn { @a = 1; }", "did you mean begin?"),
    wrong("there is no probe type kprob", 1, "kprob", "kprob:vfs_read { @a = 1; }", "did you mean kprobe?"),
    wrong("s: this is not a number", 1, "interval:s", "interval:s { @a = 1; }"),
    wrong("there is no unit x; these are s, ms, us, hz", 1, "interval:x:1", "interval:x:1 { @a = 1; }"),
    wrong("0: this must be greater than 0", 1, "interval:s:0", "interval:s:0 { @a = 1; }"),
    wrong("x: this is not a number", 1, "interval:s:x", "interval:s:x { @a = 1; }"),
    wrong("this is written: interval:s:1 or interval:1s", 1, "interval:s:1:2", "interval:s:1:2 { @a = 1; }"),
    wrong("x: this is not a number", 1, "profile:hz:x", "profile:hz:x { @a = 1; }"),
    wrong("a unit is missing: profile:hz:99 or profile:10ms", 1, "profile:99", "profile:99 { @a = 1; }"),
    wrong("this is written: tracepoint:CATEGORY:EVENT", 1, "tracepoint:sched", "tracepoint:sched { @a = 1; }"),
    wrong("nosuch is not a software probe", 1, "software:nosuch:1", "software:nosuch:1 { @a = 1; }"),
    wrong("nosuch is not a hardware probe", 1, "hardware:nosuch:1", "hardware:nosuch:1 { @a = 1; }"),
    wrong("uprobe target file '/no/such' does not exist or is not executable", 1, "uprobe:/no/such:x",
          "uprobe:/no/such:x { @a = 1; }"),
    wrong("this is written: kprobe:FUNCTION or kprobe:MODULE:FUNCTION", 1, "kprobe:", "kprobe: { @a = 1; }"),
    wrong("bscope has no iter probes", 1, "iter:task", "iter:task { @a = 1; }"),
    wrong("bscope has no watchpoint probes", 1, "watchpoint:0x1000:8:w", "watchpoint:0x1000:8:w { @a = 1; }"),
    wrong("this is written: begin", 1, "begin:1", "begin:1 { @a = 1; }"),
    wrong("SIGUSR3 is not a supported signal (it is SIGUSR1)", 1, "self:signal:SIGUSR3", "self:signal:SIGUSR3 { @a = 1; }"),
    wrong("expected '/' at the end of the predicate, not '{'", 11, "{", "begin / 1 { @a = 1; }"),
    wrong("delete() takes a map, such as @x[k]", 16, "5", "begin { delete(5); }"),
    wrong("clear() takes a map, such as @x", 15, "5", "begin { clear(5); }"),
    wrong("clear() takes a map, such as @x", 15, "@a[1]", "begin { clear(@a[1]); }"),
    wrong("print() takes at least 1 argument, and here are 0", 9, "print()", "begin { print(); }"),
    wrong("len() takes a map with keys, a text, a buffer or a stack, and this is int64", 9, "len(5)", "begin { len(5); }"),
    wrong("len() takes a map with keys, a text, a buffer or a stack, and this is int64", 17, "len(@a)", "begin { @a = 1; len(@a); }"),
    wrong("has_key() takes 2 arguments, and here are 1", 9, "has_key(@a)", "begin { has_key(@a); }"),
    wrong("a format has to be a literal text", 14, "5", "begin { time(5); }"),
    wrong("strftime()'s format has to be a literal", 18, "5", "begin { strftime(5, 1); }"),
    wrong("the exit status is a number, and this is string[2]", 14, '"x"', 'begin { exit("x"); }'),
    wrong("what join() reads is a number, and this is string[2]", 14, '"x"', 'begin { join("x"); }'),
    wrong("tseries() is not there in bscope", 14, "tseries(1, 1s, 5)",
          "begin { @a = tseries(1, 1s, 5); }", "print(@x) in an interval probe shows how a value goes"),
    wrong("socket_cookie() is not there in bscope", 14, "socket_cookie(5)",
          "begin { @a = socket_cookie(5); }", "the address of the socket tells it apart as well: @[args.sk]"),
    wrong("uaddr() is there in uprobe and usdt probes, and not in begin", 14, 'uaddr("x")', 'begin { @a = uaddr("x"); }'),
    wrong("kaddr() takes a literal name", 20, "5", "begin { @a = kaddr(5); }"),
    wrong("there is no setting nosuch that a script could read", 14, "config.nosuch", "begin { @a = config.nosuch; }"),
    wrong("& takes a $variable: nothing else has an address here", 14, "&pid", "begin { @a = &pid; }",
          "a copy has one: $x = ...; &$x"),
    wrong("unknown setting: nosuch", 12, "nosuch = 1", "config = { nosuch = 1 } begin { @a = 1; }"),
    wrong("max_strlen: it should be a number from 1 to 10240", 12, "max_strlen = 0",
          "config = { max_strlen = 0 } begin { @a = 1; }"),
    wrong("max_strlen: it should be a number", 12, 'max_strlen = "x"', 'config = { max_strlen = "x" } begin { @a = 1; }'),
    wrong("stack_mode: it should be bpftrace, perf or raw", 12, "stack_mode = foo",
          "config = { stack_mode = foo } begin { @a = 1; }"),
    wrong("missing_probes: it should be error, warn or ignore", 12, "missing_probes = foo",
          "config = { missing_probes = foo } begin { @a = 1; }"),
    wrong("how many entries the map has at most must be a number here: hash(1000)", 15, "x",
          "let @a = hash(x); begin { @a = 1; }"),
    wrong("macro m wants a $variable here", 35, "5", "macro m($x) { $x } begin { @a = m(5); }"),
    wrong("there is no #if in front of this #endif", 1, "#endif", "#endif"),
    wrong("there is no directive #nosuch", 1, "#nosuch", "#nosuch"),
    wrong("there is no type nosuch", 12, "nosuch", "struct x { nosuch y; }; begin { @a = 1; }"),
    wrong("struct x has no field z", 36, "(struct x *)5)->z", "struct x { int y; }; begin { @a = ((struct x *)5)->z; }"),
    wrong("rawtracepoint:vmlinux:sched_switch has no argument nextt", 35, "args.nextt",
          "rawtracepoint:sched_switch { @a = args.nextt; }", "did you mean next?"),
    wrong("expected ',' or '}', not 'B'", 16, "B", "enum e { A = 1 B }; begin { @a = A; }"),
    wrong("functions are not supported: a macro does the same, macro name($x, y) { ... }", 1, "fn",
          "fn f() { } begin { @a = 1; }"),
    wrong("import is not supported: put all into one script", 1, "import", 'import "x"; begin { @a = 1; }'),
    wrong("unknown identifier: count", 14, "count", "begin { @a = count; }", "count is a function: count()"),
    wrong("too many arguments for format string (2 supplied, 1 expected)", 9, 'printf("%y %d", 5, 6)',
          'begin { printf("%y %d", 5, 6); }', "%y is no conversion: it is printed as it is"),
    # one mistake, one message
    wrong("this '{' has no '}'", 7, "{", 'begin { printf("x")'),
    wrong("this '{' has no '}'", 16, "{", 'begin { if (1) { printf("x")'),
    wrong("undefined map: @a", 19, "@a", "begin { for $kv : @a { print($kv); } }"),
    wrong("this can't be set; only a $variable or a @map can", 9, "pid", "begin { pid = 5; }"),
    wrong("this can't be set; only a $variable or a @map can", 9, '"x"', 'begin { "x" = 5; }'),
    wrong("what is part of something else can't be set; only a $variable or a @map can", 26, "$p->x",
          "begin { $p = (uint8 *)5; $p->x = 1; }"),
    wrong("expected a value, not '='", 13, "=", "begin { @a[ = 1; }"),
    wrong("uprobe target file '/no/such' does not exist or is not executable", 1, "uprobe:/no/such:x",
          "uprobe:/no/such:x { @a = 1; } end { print(@a); }"),
    wrong("undefined map: @totla", 27, "@totla", "begin { @total = 1; print(@totla); }", "did you mean @total?"),
]


@pytest.mark.parametrize("script, text, column, marked, hint", WRONG)
def test_wrong(script, text, column, marked, hint):
    """One message, with the place, the line and what in it is meant."""
    done = compiled(script)
    assert (done.returncode, done.stdout) == (1, "")
    [first, *lines] = done.stderr.splitlines()
    assert first == f"stdin:1:{column}-{column + len(marked)}: ERROR: {text}"
    line = script.split("\n")[0]
    assert lines[:2] == [line, " " * (column - 1) + "~" * len(marked)]
    assert line[column - 1:column - 1 + len(marked)] == marked
    assert lines[2:] == ([f"HINT: {hint}"] if hint else [])


def errors(script, *args):
    """(line, text) of all messages."""
    done = compiled(script, *args)
    assert (done.returncode, done.stdout) == (1, "")
    found = re.findall(r"^stdin:(\d+)(?:-\d+)?:(?:\d+-\d+:)? ERROR: (.*)$", done.stderr, re.M)
    return [(int(line), text) for line, text in found]


@pytest.mark.parametrize("value", [
    "sizeof", "sizeof(", "sizeof()", "offsetof", "offsetof(", "offsetof(int)", "offsetof(int,", "offsetof(struct a b)", "typeof",
    "typeof(", "(typeof()1)", "(typeof()", "f()[", "$x.", "-", "1 ? ", "(,)", "str(", "@a["])
def test_unfinished(value):
    """What lacks a part is checked as far as it goes: fuzzing found that it was not."""
    assert errors(f"begin {{ @a = {value}; @b = 1; }}")


@pytest.mark.parametrize("args, said", [
    (["begin { @ = 1; }"], "there is no file 'begin { @ = 1; }': a program is given by -e"),
    (["-l", "software:nosuch*"], "there is no software:nosuch*"),
    (["-l", "nosuch*"], "there is no nosuch*")])
def test_wrong_arguments(args, said):
    """What is not there, in one line; as bpftrace, a list of nothing is no error."""
    done = subprocess.run([BSCOPE, *args], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "") and done.stderr.splitlines()[-1] == f"bscope: {said}"
    if args[0] == "-l":
        assert subprocess.run([BSCOPE, "--compat", *args], capture_output=True, check=False).returncode == 0


def test_several_mistakes():
    """Three mistakes give three messages, in their order."""
    script = "begin {\n  $x = foo(1);\n  printf(\"%d\\n\", $y);\n  @a = nsec;\n}"
    assert [line for line, _ in errors(script)] == [2, 3, 4]
    script = "begin {\n  $x = ;\n  $y = 5;\n  if ( { }\n}\nend {\n  print(1;\n}"
    found = errors(script)
    assert found[0][0] == 2 and found[-1][0] in (4, 7) and len(found) >= 2


def test_many_mistakes():
    """Not more than a screen of them."""
    script = "begin { " + "\n".join(f"$a{i} = no{i};" for i in range(1000)) + " }"
    done = compiled(script)
    assert done.returncode == 1 and "There may be more; they are not shown" in done.stderr
    assert done.stderr.count("ERROR") == 20


def test_mistakes_of_long_lines():
    """Of a line of 100,000 characters, what is around the place."""
    done = ends("begin { " + "@a = 1; " * 10000 + "@b = foo(); " + "@a = 1; " * 10000 + "}")
    assert done.returncode == 1 and max(map(len, done.stderr.splitlines())) < 300
    assert "foo()" in done.stderr and "~~~~~" in done.stderr


def test_mistakes_with_hostile_bytes():
    """What would drive a terminal is escaped."""
    done = compiled('begin { $x = foo("\x1b]0;x\x07", "\x9b2J"); }')
    assert done.returncode == 1 and "unknown function: foo" in done.stderr
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", done.stderr)


def test_file_in_messages(tmp_path):
    """The name of the file stands in front."""
    path = tmp_path / "a script.bt"
    path.write_text("begin {\n\t@a = foo();\n}\n", encoding="utf-8")
    done = subprocess.run([BSCOPE, "-d", "ir", path], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == f"{path}:2:7-12: ERROR: unknown function: foo\n    @a = foo();\n         ~~~~~\n"


def test_warnings_can_be_left_out():
    """--no-warnings."""
    script = "#warning take care\nbegin { @ = 1; }"
    assert "stdin:1:1-9: WARNING: take care" in compiled(script).stderr
    assert compiled(script, "--no-warnings").stderr == ""


@pytest.mark.parametrize("setting, says", [
    ("warn", "WARNING: No matches for uprobe /bin/sh:nosuch. Skipping."), ("ignore", "")])
def test_missing_probes(setting, says):
    """A probe that is not there: said or not, as the script wants it."""
    done = compiled(f"config = {{ missing_probes = {setting} }} uprobe:/bin/sh:nosuch {{ @a = 1; }} begin {{ @b = 1; }}")
    assert done.returncode == 0 and done.stdout.startswith("begin_0:") and "uprobe" not in done.stdout
    assert says in done.stderr if says else done.stderr == ""


# --- hostile sizes ---

def ends(script, *args, seconds=PATIENCE, stage="bpf"):
    """Compiles what may be too much: it works, or there is one clear error, soon, and with bounded memory."""
    begin = time.monotonic()
    command = ["prlimit", f"--as={2 << 30}", BSCOPE, "-d", stage, *args, "-"]
    done = subprocess.run(command, input=script, capture_output=True, encoding="utf-8", timeout=seconds, check=False)
    assert done.returncode in (0, 1), (done.returncode, done.stderr[:500])
    assert done.returncode == 0 or re.search(r"^stdin:[\d:-]+ ERROR: .", done.stderr, re.M), done.stderr[:500]
    assert time.monotonic() - begin < seconds
    return done


@pytest.mark.parametrize("line, works", [
    ("@a = 1;", False), ("$x = 1;", True), ("// nothing", True), ("", True), ("#define X{} {}", True),
    ("@m{} = count();", False),
    ('printf("%d\\n", {});', False), ("if (pid == {}) {{ @a = 1; }}", False)])
def test_ten_thousand_lines(line, works):
    """As many statements as no program has."""
    lines = "\n".join(line.replace("{}", str(i)).replace("{{", "{").replace("}}", "}") for i in range(10_000))
    script = f"{lines}\nbegin {{ @z = 1; }}" if line.startswith("#") else f"begin {{\n{lines}\n@z = 1; }}"
    done = ends(script)
    assert done.returncode == 0 or not works, done.stderr[:300]


@pytest.mark.parametrize("clause", ["interval:s:{} {{ @a[{}] = count(); }}", "begin {{ @a{} = {}; }}",
                                    "interval:ms:5 {{ printf(\"%d\", {}); }} // {}"])
def test_a_thousand_probes(clause):
    """As many clauses."""
    done = ends("\n".join(clause.format(i + 1, i) for i in range(1000)))
    assert done.returncode == 0, done.stderr[:300]


def test_more_probes_than_are_allowed():
    """max_probes: an error that names it."""
    done = ends("\n".join("interval:s:1 { @a = count(); }" for _ in range(2000)))
    assert done.returncode == 1 and "max_probes" in done.stderr
    done = ends("config = { max_probes = 2000 }\n" + "\n".join("interval:s:1 { @a = count(); }" for _ in range(2000)))
    assert done.returncode == 0, done.stderr[:300]


@pytest.mark.parametrize("use", ['@a = "{}";', 'printf("{}");', 'printf("%s", "{}");', '@a["{}"] = 1;',
                                 'if (comm == "{}") {{ @a = 1; }}',
                                 "@{} = 1;", "${} = 1;", "{}();", "@a = {};", "/* {} */ @a = 1;"])
def test_a_megabyte(use):
    """Names and texts of a million letters."""
    ends("begin { " + use.replace("{}", "x" * 1_000_000).replace("{{", "{").replace("}}", "}") + " }")


@pytest.mark.parametrize("parts_of_key", [10, 100, 1000])
def test_many_parts_of_a_key(parts_of_key):
    """A key of many numbers, or texts."""
    numbers = ", ".join(str(i) for i in range(parts_of_key))
    done = ends(f"begin {{ @a[{numbers}] = 1; }}")
    assert done.returncode == 0 or parts_of_key > 50, done.stderr
    done = ends(f"begin {{ @a[{', '.join(['comm'] * parts_of_key)}] = count(); }}")
    assert done.returncode == 0 or parts_of_key > 20, done.stderr


@pytest.mark.parametrize("open_, close", [("(", ")"), ("-", ""), ("!", ""), ("~", ""), ("(1, ", ")"), ("1 ? ", " : 0"),
                                          ("@a[", "]"),
                                          ("f(", ")"), ("(uint8)", ""), ("1 + ", ""), ("1 && ", ""), ("*", ""), ("&", "")])
@pytest.mark.parametrize("depth", [100, 100_000])
def test_deep_expressions(open_, close, depth):
    """Nested deeper than anybody reads: an error, and no crash."""
    done = ends(f"begin {{ @x = {open_ * depth}1{close * depth}; }}")
    assert done.returncode == 1 or depth == 100


@pytest.mark.parametrize("open_, close", [("{ ", " }"), ("if (1) { ", " }"), ("while (1) { ", " }"), ("unroll (2) { ", " }"),
                                          ("if (1) { @a = 1; } else ", "")])
@pytest.mark.parametrize("depth", [20, 20_000])
def test_deep_statements(open_, close, depth):
    """The same of blocks."""
    done = ends(f"begin {{ {open_ * depth}{{ @z = 1; }}{close * depth} }}")
    assert done.returncode == 1 or depth == 20


def test_loops_in_loops():
    """Each of them is looked at once, and not once for each of those around it."""
    done = ends("begin { " + "".join(f"for $i{depth} : 0..1 {{ " for depth in range(60)) + "@n++; " + "} " * 60 + "}")
    assert done.returncode == 0, done.stderr


def test_macros_that_grow():
    """Each calls the one before twice: two to the power of thirty."""
    macros = "macro m0(x) { x + 1 }\n" + "\n".join(f"macro m{i}(x) {{ m{i - 1}(x) + m{i - 1}(x) }}" for i in range(1, 31))
    done = ends(f"{macros}\nbegin {{ @a = m30(1); }}")
    assert done.returncode == 1 and "macro" in done.stderr


def test_unrolling_that_grows():
    """A hundred times a hundred times a hundred."""
    done = ends("begin { unroll (100) { unroll (100) { unroll (100) { @a += 1; } } } }")
    assert done.returncode == 1


@pytest.mark.parametrize("script", [
    "", "\0", "begin", "begin {", "}", "{", "/", "//", "/*", "\"", "begin { \"", "@", "$", "begin { @ }", "begin /",
    "begin / {",
    "*", ":",
    "config", "config = {", "struct", "struct x {", "enum {", "macro", "let", "#", "#define",
    "#if", "#endif", "begin { (struct }", "begin { sizeof( }", "begin { @x[ }", "begin { 0x }", "begin { 1e }", "begin { '",
    "begin { \xff }", "tracepoint", "tracepoint:", "tracepoint::", "kprobe:", "uprobe:", "uprobe::", "interval:", "profile",
    "begin,",
    "begin { for }", "begin { for $i : 0.. {} }", "begin { $x.1.2.3 }", "begin { a->b->c }", "begin { let }",
    "begin { unroll }"])
def test_fragments(script):
    """What is not a script is an error, each of it."""
    done = ends(script)
    assert done.returncode == 1 and done.stdout == ""


def test_bytes_of_all_kinds():
    """All bytes there are, in a text and outside of one."""
    everything = bytes(range(256))
    for text in (b'begin { printf("' + everything.replace(b'"', b"").replace(b"\\", b"") + b'"); }', everything * 40):
        done = subprocess.run([BSCOPE, "-d", "bpf", "-"], input=text, capture_output=True, timeout=PATIENCE, check=False)
        assert done.returncode in (0, 1) and not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", done.stderr), done.stderr


def test_too_long():
    """A file without an end is refused at once."""
    done = subprocess.run([BSCOPE, "-d", "ir", "-"], input="\n" * (17 << 20), capture_output=True, text=True,
                          timeout=PATIENCE, check=False)
    assert done.returncode == 1 and re.search(r"longer than \d+ MiB", done.stderr)


def test_explain_is_unprivileged():
    """--explain of what needs nothing of the kernel."""
    done = subprocess.run([BSCOPE, "--explain", "-e", "begin { @a[1] = hist(5); }"], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0 and "begin" in done.stdout and "@a" in done.stdout, done.stderr


def test_map_that_is_not_used():
    """It is declared, and that is all."""
    done = compiled("let @a = hash(5); let @b = hash(6); begin { @b[1] = 2; }")
    assert done.returncode == 0 and "WARNING: Unused map: @a" in done.stderr and "@b" not in done.stderr.splitlines()[0]
