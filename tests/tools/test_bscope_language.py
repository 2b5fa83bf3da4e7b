# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""bscope's language: what statements, expressions and functions do, in programs that need nothing of the kernel but to be
run, and with what comes from others: their texts, their arguments."""

import datetime
import json
import os
import pwd
import re
import subprocess
import time

import pytest

from bscope import STEPS, Bscope, run_script, says, watch, watch_both
from harness import BUILD, CONTROL, FAILED, OK, VM, Workload
from snoop import arguments

each_kernel = pytest.mark.each_kernel
U = f"uprobe:{STEPS}"


def printed(expression, how="%d"):
    return f'printf("{how}\\n", {expression});'


EXPRESSIONS = [
    # arithmetic, with signs
    ("7 + 3 * 4 - (2 - 5)", 22), ("17 / 5", 3), ("17 % 5", 2), ("-17 / 5", -3), ("-17 % 5", -2), ("17 / -5", -3),
    ("17 % -5", 2),
    ("-17 / -5", 3), ("0x10 + 010 + 1e3 + 1_000", 2024), ("1 << 40", 1 << 40), ("-16 >> 2", -4), ("5 & 3 | 8 ^ 2", 11),
    ("~5", -6), ("!5", 0), ("!0", 1), ("- -5", 5), ("(1 + 2) * (3 + 4)", 21), ("10 - 3 - 2", 5), ("2 + 3 << 1", 10),
    ("9223372036854775807", (1 << 63) - 1), ("-9223372036854775807 - 1", -(1 << 63)),
    # comparing, with signs; && and ||
    ("-1 < 1", 1), ("-1 > 1", 0), ("(uint64)-1 > 1", 1), ("5 >= 5 && 4 <= 3", 0), ("5 == 5 || 1 / 0", 1), ("3 != 3", 0),
    ("1 && 2", 1), ("0 || 0", 0), ("1 < 2 == 1", 1), ("(1, 2) == (1, 2)", 1),
    # casts
    ("(uint8)300", 44), ("(int8)200", -56), ("(int16)0x18000", -32768), ("(int32)0x80000000", -(1 << 31)),
    ("(uint32)-1", (1 << 32) - 1),
    ("(int64)(int8)-1", -1), ("(bool)5", 1), ("(uint16)0x12345", 0x2345),
    # choosing
    ("1 ? 2 : 3", 2), ("0 ? 2 : 0 ? 4 : 5", 5), ("7 ?: 5", 7), ("0 ?: 5", 5),
    # sizes
    ("sizeof(uint16)", 2), ("sizeof(1)", 8), ("bswap((uint16)0x1234)", 0x3412), ("bswap((uint32)0x12345678)", 0x78563412),
    # texts
    ('"a" == "a"', 1), ('"a" == "b"', 0), ('"a" != "ab"', 1), ('strncmp("abc", "abd", 2)', 0), ('strncmp("abc", "abd", 3)', 1),
    ('strcontains("hello world", "o w")', 1), ('strcontains("hello", "x")', 0), ('strcontains("hello", "")', 1),
    ('len("hello")', 5), ('strcmp("x", "x")', 0),
    # times and constants
    ("1s", 10**9), ("5ms + 3us + 2ns", 5003002), ("2m", 120 * 10**9), ("AF_INET6", 10), ("O_CREAT", 64), ("EAGAIN", 11),
]


@each_kernel
def test_expressions():
    """Each of many, in one script."""
    script = "begin { " + "\n".join(printed(text) for text, _ in EXPRESSIONS) + " }"
    got = says(script).splitlines()
    assert dict(zip((text for text, _ in EXPRESSIONS), got)) == {text: str(value) for text, value in EXPRESSIONS}


@each_kernel
def test_expressions_of_variables():
    """The same numbers where the compiler does not know them: it computes in the program."""
    known = [(text, value) for text, value in EXPRESSIONS
             if re.fullmatch(r"[-\d\s+*/%()&|^<>=!~?:]+", text) and "1 / 0" not in text]
    lines = []
    for number, (text, _) in enumerate(known):
        literals = re.findall(r"\d+", text)
        moved = re.sub(r"\d+", lambda found: f"@v[{found[0]}]", text)
        lines.append(" ".join(f"@v[{value}] = {value};" for value in literals) + f' printf("%d\\n", {moved}); ')
    script = "config = { print_maps_on_exit = false } begin { " + "\n".join(lines) + " }"
    assert len(known) > 25
    assert dict(zip((text for text, _ in known), says(script).splitlines())) == {text: str(value) for text, value in known}


@each_kernel
@pytest.mark.parametrize("script, out", [
    # statements
    ("$x = 5; if ($x > 3) { printf(\"a\"); } else { printf(\"b\"); }", "a"),
    ("$x = 1; if ($x == 0) { printf(\"a\"); } else if ($x == 1) { printf(\"b\"); } else { printf(\"c\"); }", "b"),
    ("$i = 0; while ($i < 5) { printf(\"%d\", $i); $i++; }", "01234"),
    ("$i = 0; while (1) { $i++; if ($i == 2) { continue; } if ($i > 4) { break; } printf(\"%d\", $i); }", "134"),
    ("unroll (3) { printf(\"x\"); }", "xxx"), ("$n = 0; unroll (4) { $n += 2; } printf(\"%d\", $n);", "8"),
    ("for $i : 0..4 { printf(\"%d\", $i); }", "0123"), ("for ($i : 2..4) { printf(\"%d\", $i); }", "23"),
    ("for ($i : 1..4) { for ($j : 1..$i) { printf(\"%d\", $j); if ($j == 2) { return; } } }", "112"),
    ("for $i : 0..3 { for $j : 0..3 { @++; } } printf(\"%d\", @); clear(@);", "9"),
    ("$a = 1; $p = &$a; $a = 7; printf(\"%d\", *$p);", "7"), ("printf(\"%s\", config.stack_mode);", "bpftrace"),
    ("printf(\"a\"); return; printf(\"b\");", "a"), ("{ $x = 1; } let $x = 2; printf(\"%d\", $x);", "2"),
    ("let $y : uint8 = 5; $y = 6; printf(\"%d\", $y);", "6"),
    ("$x = \"hi\"; $x = \"a longer one\"; printf(\"%s\", $x);", "a longer one"),
    ("$x = 5; $x += 3; $x -= 1; $x *= 6; $x /= 4; $x %= 7; printf(\"%d\", $x);", "3"),
    ("$x = 5; printf(\"%d%d%d\", $x++, ++$x, $x--);", "577"),
    ("$t = (1, \"a\", 3); printf(\"%d %s %d\", $t.0, $t.1, $t.2);", "1 a 3"),
    ("$s = 1 ? \"yes\" : \"no\"; printf(\"%s\", $s);", "yes"),
    ("$r = (.a = 5, .b = \"x\"); printf(\"%d %s\", $r.a, $r.b);", "5 x"),
    ("print((.c = 5, .d = (1, 2)));", "{ .c = 5, .d = (1, 2) }\n"),
    ("printf(\"%d\", \\\n    5);", "5"),
    # printing
    ("print(5); print(\"hi\"); print((1, \"x\", -2)); print(1 == 1);", "5\nhi\n(1, x, -2)\ntrue\n"),
    ("printf(\"%5d|%-5d|%05d|%x|%X|%o|%c|%%\", 42, 42, 42, 255, 255, 8, 65);", "   42|42   |00042|ff|FF|10|A|%"),
    ("printf(\"%10s|%-10s|%.2s\", \"abc\", \"abc\", \"abc\");", "       abc|abc       |ab"),
    ("printf(\"%u %lu %llu %ld %lld %i\", 5, 6, 7, -8, -9, -10);", "5 6 7 -8 -9 -10"),
    ("printf(\"%p %#x\", 4096, 255);", "0x1000 0xff"), ("printf(\"%hhd %hd\", 300, 70000);", "44 4464"),
    ("printf(\"%d %d\", -1, (uint64)18446744073709551615);", "-1 -1"), ("printf(\"%u\", (uint32)-1);", "4294967295"),
    ("printf(\"\\t|\\x41\\101\\\\|\\\"\");", "\t|AA\\|\""),
    ("printf(\"%r\", buf(\"a\\x01\\xff\", 3));", "a\\x01\\xff"), ("printf(\"%rx\", buf(\"ab\", 2));", "\\x61\\x62"),
    ("printf(\"%s\", ntop(0x0100007f));", "127.0.0.1"),
    ("printf(\"%s\", ntop(2, 0x0100007f));", "127.0.0.1"),
    ("printf(\"%s %s\", ntop(pton(\"10.1.2.3\")), ntop(pton(\"fe80::1\")));", "10.1.2.3 fe80::1"),
    # struct in6_addr where the name of the task is, behind whose end 5.10 leaves what was there
    ("printf(\"%.14s\", ntop(*((struct in6_addr *)((uint64)curtask + offsetof(struct task_struct, comm)))));",
     "6273:636f:7065"),
])
def test_statements(script, out):
    """Statements, and how values are printed."""
    assert says("begin { " + script + " }") == out


@each_kernel
@pytest.mark.parametrize("script, out", [
    ("@a[1] = 2; for ($kv : @a) { printf(\"%d-%d\", $kv.0, $kv.1); } delete(@a, 1);", "1-2"),
    ("@a[1, \"x\"] = 2; for $kv : @a { print($kv); $n = $kv.0.0 + $kv.1; printf(\"%d\", $n); } delete(@a, (1, \"x\"));",
     "((1, x), 2)\n3"),
    ("for $i : 0..3 { for $j : 0..3 { @n++; } } @a[1] = 1; for ($kv : @a) { for $j : 0..3 { @n++; } } "
     "printf(\"%d\", @n); clear(@a); clear(@n);", "12")])
def test_loops_over_maps(script, out):
    """for over a map: a kernel has to be able to (5.13)."""
    done = run_script("begin { " + script + " }")
    if VM == "5.10":
        assert done.returncode == FAILED and "5.13" in done.stderr
    else:
        assert (done.returncode, done.stdout) == (OK, out)


@each_kernel
@pytest.mark.parametrize("script, out", [
    ("if ($1 > 1) { $x = \"big\"; $n = 1; } else { $y = 3; $x = \"small\"; $n = -2; } printf(\"%s %d %d\", $x, $n, $y);",
     {"5": "big 1 0", "0": "small -2 3"}),
    ("if ($1) { if ($1 > 1) { $deep = 7; } $k = 4; } $z = \"z\"; @[$deep, $k, $z] = 1; print(@); clear(@);",
     {"5": "@[7, 4, z]: 1", "1": "@[0, 4, z]: 1", "0": "@[0, 0, z]: 1"}),
    ("for $i : 0..5 { if ($i == $1) { $at = $i; } } $at += 10; printf(\"%d\", $at);", {"3": "13", "9": "10"}),
])
def test_variables_of_an_inner_block(script, out):
    """Used behind the block that was the first to assign it, a variable is one of the outer block, and that is said, once;
    bpftrace knows none of that name."""
    for parameter, text in out.items():
        done = run_script(f"begin {{ {script} }}", parameters=[parameter])
        assert (done.returncode, done.stdout.strip()) == (OK, text), done.stderr
        assert done.stderr.count("is used behind the block") == len(set(re.findall(r"\$[a-z]+ is used behind", done.stderr))) > 0
    done = run_script(f"begin {{ {script} }}", "--compat", parameters=["1"])
    assert done.returncode == FAILED and "undefined variable: $" in done.stderr
    done = run_script("begin { if (1) { let $x = 1; } print($x); }")
    assert done.returncode == FAILED and "undefined variable: $x" in done.stderr


@each_kernel
@pytest.mark.parametrize("script, times", [("$a = 0; unroll (3) { @ = 5 / $a; }", 3), ("$a = 0; @ = 5 % (uint64)$a;", 1),
                                           ("@ = 5 / (3 - 3);", 1)])
def test_divisions_by_zero(script, times):
    """1, as in bpftrace, and it is said how often; where it may be 0 and is not, nothing is."""
    done = run_script("begin { " + script + " $b = 2; @b = 6 / $b; }")
    assert done.returncode == OK and {"@: 1", "@b: 3"} <= set(done.stdout.splitlines())
    assert re.findall(r"divisions by 0: (\d+);", done.stderr) == [str(times)], done.stderr
    done = run_script("begin { " + script + " }", "--compat")
    assert done.returncode == OK and "WARNING: Divide or modulo by 0 detected." in done.stderr


@each_kernel
def test_who_runs_it():
    """In begin, the process is bscope."""
    out = says('begin { printf("%d %d %s %d %s %d\\n", uid, gid, username, ncpus, comm, elapsed < 10000000000); }')
    me = pwd.getpwuid(os.getuid())
    assert out == f"{me.pw_uid} {os.getgid()} {me.pw_name} {os.sysconf('SC_NPROCESSORS_CONF')} bscope 1\n"


def test_escapes():
    """What would drive a terminal does not, but where that is asked for."""
    script = 'begin { printf("%s|%r\\n", "\\x1b[2J", "\\x1b[0m"); @["\\x1b]0;x\\x07"] = "\\x9b"; }'
    done = run_script(script)
    first, rest = done.stdout.split("\n", 1)
    assert first.endswith("|\x1b[0m") and "\x1b" not in first[:-4] and "[2J" in first
    assert not CONTROL.search(rest) and "]0;x" in rest
    assert "\x1b[2J" in run_script(script, "--raw").stdout
    lines = run_script(script, "--json").stdout.splitlines()
    assert json.loads(lines[0])["data"] == "\x1b[2J|\x1b[0m\n"
    assert not any(CONTROL.search(line) for line in lines)


def test_other_values():
    """Times, errors, signals, addresses of networks, names of the kernel's."""
    before = datetime.datetime.now()
    out = says('begin { printf("%s|%s|%s\\n", strerror(13), signal_name(9), syscall_name(39));'
               ' time("%Y-%m-%d %H:%M:%S\\n"); time(); printf("%s\\n", strftime("%Y-%m-%d %H:%M:%S", nsecs)); '
               'print(strftime("%s", nsecs)); printf("%s\\n", ksym(kaddr("vfs_read"))); }').splitlines()
    after = datetime.datetime.now() + datetime.timedelta(seconds=1)
    assert out[0] == "Permission denied|Killed|getpid"
    for line in (out[1], out[3]):
        assert before.replace(microsecond=0) <= datetime.datetime.fromisoformat(line) <= after
    assert out[2] == out[1].split()[1] or re.fullmatch(r"\d\d:\d\d:\d\d", out[2])
    assert abs(int(out[4]) - time.time()) < 60
    assert out[5] == "vfs_read"


def test_clocks():
    """nsecs and its other clocks, against the machine's."""
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC), time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    out = says('begin { printf("%llu %llu %llu\\n", nsecs(monotonic), nsecs(boot), nsecs); }').split()
    after = time.clock_gettime_ns(time.CLOCK_MONOTONIC), time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    assert before[0] < int(out[0]) < after[0]
    assert before[1] < int(out[1]) <= int(out[2]) < after[1]


# --- what comes with the command line ---

@each_kernel
def test_positional_parameters():
    """Numbers, texts, how many there are, and those that are not there."""
    script = 'begin { printf("%d %s %d %d [%s] %d\\n", $1, str($2), $#, $3, str($3), $1 + 1); }'
    assert says(script, parameters=["42", "two words"]) == "42 two words 2 0 [] 43\n"
    assert says(script, parameters=["--", "-5", "7"]) == "-5 7 2 0 [] -4\n"
    assert says(script, parameters=["0x10", ""]) == "16  2 0 [] 17\n"


@pytest.mark.parametrize("text", ['"); exit(); //', "$(reboot)", "%s %n", "a\\nb", "\x1b[2J", "' \" \\"])
def test_parameters_are_data(text):
    """Whatever they are, they are not read as a part of the script."""
    out = says("begin { printf(\"%s\\n\", str($1)); }", "--json", parameters=["--", text])
    assert json.loads(out.splitlines()[0])["data"] == text + "\n"


def test_parameter_that_is_no_number():
    """A text where a number is wanted is an error, not 0."""
    done = run_script('begin { printf("%d\\n", $1); }', parameters=["abc"])
    assert (done.returncode, done.stdout) == (FAILED, "") and "takes an integer" in done.stderr


def test_parameters_in_probes(cgroup):
    """A part of a probe's name, and a predicate."""
    with Workload("steps", "3*getppid", "2*lseek:7", cgroup=cgroup) as work:
        with Bscope("tracepoint:syscalls:sys_enter_$1 /pid == $2/ { @ = count(); }", "--cgroup", cgroup.path, "--json",
                    parameters=["lseek", work.pid]) as tool:
            work.run()
    assert tool.maps == {"@": 2}


def test_named_parameters():
    """getopt(): numbers, texts and switches by name, behind --."""
    script = 'begin { printf("%d %s %d %d\\n", getopt("n", 5), getopt("name", "none"), getopt("fast"), ' \
             'getopt("slow", false)); }'
    assert says(script) == "5 none 0 0\n"
    assert says(script, parameters=["--", "--n=7", "--name=x", "--fast"]) == "7 x 1 0\n"


def test_environment():
    """bpftrace's own variables are settings here, too, and come before those of the script."""
    script = 'begin { @[1] = 1; @[2] = 2; @[3] = 3; }'
    done = run_script(script, env={**os.environ, "BPFTRACE_MAX_MAP_KEYS": "2"})
    assert done.returncode == OK and done.stdout.count("@[") == 2 and "room for 2 keys" in done.stderr
    done = run_script("config = { max_map_keys = 3 } " + script, env={**os.environ, "BPFTRACE_MAX_MAP_KEYS": "2"})
    assert done.stdout.count("@[") == 2
    done = run_script(script, env={**os.environ, "BPFTRACE_MAX_MAP_KEYS": "x"})
    assert done.returncode == FAILED and "BPFTRACE_MAX_MAP_KEYS=x" in done.stderr


# --- texts of others ---

@each_kernel
def test_hostile_texts(place, cgroup):
    """Names that drive a terminal, or are no UTF-8: text is safe, JSON is right."""
    script = """tracepoint:syscalls:sys_enter_openat { printf("%s %s\\n", comm, str(args.filename));
        @[comm, str(args.filename)] = count(); }"""
    json_tool, text = watch_both(script, ["open", 3, place], cgroup, workload="hostile")
    assert not CONTROL.search(text.out), repr(text.out)
    shown = [line for line in text.lines if not line.startswith("@")]
    assert len(shown) == 3 and all("]0;x" in line and str(place) in line for line in shown)
    lines = json_tool.of_type("printf")
    assert len(lines) == 3 and all(f" {place}/\x1b]0;x\x07\x9d" in line for line in lines)
    [(key, n)] = json_tool.maps["@"].items()
    assert n == 3 and f"{place}/\x1b]0;x\x07" in key
    assert not CONTROL.search(json_tool.out.replace("\n", ""))


def test_raw_texts(place, cgroup):
    """%r, and --raw: byte by byte."""
    script = 'tracepoint:syscalls:sys_enter_openat { printf("%r\\n", str(args.filename)); }'
    with Workload("hostile", "open", 3, place, cgroup=cgroup) as work:
        with Bscope(script, "--cgroup", cgroup.path) as raw, \
                Bscope(script.replace("%r", "%s"), "--raw", "--cgroup", cgroup.path) as all_raw:
            work.run()
    name = os.fsencode(place) + b"/\x1b]0;x\x07\xc2\x9d\x9d\n\xc3\n"
    assert raw.raw == name * 3 == all_raw.raw


@pytest.mark.parametrize("length", [63, 64, 65, 200, 1022, 1023, 1024, 1025, 4000])
def test_long_texts(length, cgroup):
    """A text is as long as it is, up to max_strlen; what is cut is seen to be."""
    path = "/no/" + "x" * (length - 4)
    script = 'tracepoint:syscalls:sys_enter_openat { printf("%s\\n", str(args.filename)); @[str(args.filename)] = count(); }'
    tool = watch(script, [f"2*open:{path}"], cgroup)
    [name, other] = tool.printed.splitlines()
    [(key, n)] = tool.maps["@"].items()
    assert name == other == key and n == 2
    if length < 1024:
        assert name == path
    else:
        assert name.endswith("..") and path.startswith(name[:-2]) and 1020 <= len(name) <= 1026
    tool = watch("config = { max_strlen = 4096 } " + script, [f"2*open:{path}"], cgroup)
    assert tool.printed == f"{path}\n" * 2 and tool.maps == {"@": {path: 2}}


@each_kernel
def test_join(place, cgroup):
    """join(): the arguments of an exec."""
    script = 'tracepoint:syscalls:sys_enter_execve { join(args->argv); join(args.argv, ","); }'
    with Workload("execs", "spawn", 3, place, cgroup=cgroup) as work:
        with Bscope(script, "--cgroup", cgroup.path) as text, Bscope(script, "--cgroup", cgroup.path, "--json") as tool:
            work.run()
    lines = [between.join(arguments(place, number)) for number in range(3) for between in (" ", ",")]
    assert text.lines == lines
    assert [o["data"].rstrip("\n") for o in tool.objects if o["type"] == "join"] == lines


def test_join_of_nothing(cgroup):
    """An array that is not there is empty."""
    tool = watch(f"{U}:step_add {{ join(arg0); }}", ["add:0:0"], cgroup)
    assert tool.of_type("join") in ([""], [])


@each_kernel
def test_buffers(cgroup):
    """buf(): bytes of a process."""
    script = f"{U}:step_text {{ printf(\"%r %d\\n\", buf(arg0, 4), len(buf(arg0, 3))); }}"
    tool, text = watch_both(script, ["text:a\x01\x02b"], cgroup)
    assert text.lines == ["a\\x01\\x02b 3"]
    assert tool.of_type("printf") == ["a\\x01\\x02b 3\n"]


def test_hardware_addresses(cgroup):
    """macaddr(): six bytes."""
    assert watch(f'{U}:step_text {{ printf("%s", macaddr(arg0)); @[macaddr(arg0)] = count(); }}', ["text:abcdef"],
                 cgroup).printed == "61:62:63:64:65:66"


def test_addresses_that_lead_nowhere(cgroup):
    """What can't be read is empty, and nothing else happens."""
    tool = watch(f'{U}:step_add {{ printf("[%s]%d\\n", str(arg0), *(uint32 *)arg1); }}', ["add:16:4096"], cgroup)
    assert tool.printed == "[]0\n"


# --- what acts ---

def test_unsafe():
    """system() and signal() need --unsafe."""
    done = run_script('begin { system("echo no"); }')
    assert (done.returncode, done.stdout) == (FAILED, "") and "--unsafe" in done.stderr
    assert says('begin { system("echo %s %d", "yes", 5); }', "--unsafe") == "yes 5\n"


def test_signal(cgroup):
    """signal(): to the process that it is in."""
    with Workload("steps", "getppid", "nanosleep:60000000000", cgroup=cgroup) as work:
        with Bscope('tracepoint:syscalls:sys_enter_getppid { signal("SIGKILL"); @ = count(); }', "--unsafe", "--cgroup",
                    cgroup.path, "--json") as tool:
            work.start()
            assert work.process.wait(30) == -9
    assert tool.maps == {"@": 1}


def test_cat(tmp_path):
    """cat(): a file, escaped."""
    (tmp_path / "file").write_bytes(b"one\n\x1b[2Jtwo\n")
    out = says(f'begin {{ cat("{tmp_path}/%s", "file"); }}')
    assert out.startswith("one\n") and "two" in out and not CONTROL.search(out)
    done = run_script('begin { cat("/no/such/file"); }')
    assert done.returncode == OK and "/no/such/file" in done.stderr


def test_messages_of_scripts():
    """errorf() and warnf(): on stderr, with their place."""
    done = run_script('begin {\n  errorf("no %d", 5); warnf("hm %s", "x"); }')
    assert done.stdout == ""
    assert re.search(r"^stdin:2:3-\d+: ERROR: no 5$", done.stderr, re.M)
    assert re.search(r"^stdin:2:\d+-\d+: WARNING: hm x$", done.stderr, re.M)


# --- macros, constants, own types ---

@each_kernel
@pytest.mark.parametrize("script, out", [
    ("#define FIVE 5\n#define SIX (FIVE + 1)\nbegin { print(SIX); }", "6\n"),
    ("#include <linux/sched.h>\n#ifndef BPFTRACE_HAVE_BTF\n#error no\n#endif\nbegin { print(1); }", "1\n"),
    ("enum color { RED = 3, GREEN };\nbegin { print(GREEN); printf(\"%d\\n\", RED); }", None),
    ("macro twice(x) { x * 2 }\nbegin { print(twice(21)); }", "42\n"),
    ("macro add(@m, n) { @m += n; }\nbegin { @a = 1; add(@a, 5); }", "@a: 6\n"),
    ("struct pair { int a; char b[4]; };\nbegin { printf(\"%d %d\\n\", sizeof(struct pair), offsetof(struct pair, b)); }",
     "8 4\n"),
    ("config = { max_strlen = 64; }\nbegin { print(1); }", "1\n")])
def test_declarations(script, out):
    """What stands above the probes."""
    if out is None:
        assert says(script).split() in (["GREEN", "3"], ["4", "3"])
    else:
        assert says(script) == out


# --- JSON is what text is ---

def test_json_of_everything():
    """Each kind of output as an object of its own, as bpftrace has them."""
    script = """begin { printf("a\\"b\\n"); print(5); print("x"); print((1, "y")); time("%Y\\n");
        @ = 5; @s = "t"; @k[1, "a"] = -3;
        @h = hist(5); @l = lhist(5, 0, 10, 5); @t = stats(5); @a = avg(7); @c = count(); @tuple = (1, "z"); @b = 1 == 1; }"""
    out = says(script, "--json", "-q")
    objects = [json.loads(line) for line in out.splitlines()]
    assert objects[:4] == [{"type": "printf", "data": 'a"b\n'}, {"type": "value", "data": 5}, {"type": "value", "data": "x"},
                           {"type": "value", "data": [1, "y"]}]
    assert objects[4] == {"type": "time", "data": f"{datetime.date.today().year}\n"}
    maps = {name: (o["type"], value) for o in objects[5:-1] for name, value in o["data"].items()}
    assert maps == {
        "@": ("map", 5), "@s": ("map", "t"), "@k": ("map", {"1,a": -3}), "@c": ("map", 1), "@tuple": ("map", [1, "z"]),
        "@b": ("map", True), "@h": ("hist", [{"min": 4, "max": 7, "count": 1}]),
        "@l": ("hist", [{"min": 5, "max": 9, "count": 1}]),
        "@t": ("stats", {"count": 1, "average": 5, "total": 5}), "@a": maps["@a"]}
    assert maps["@a"][1] == 7 and objects[-1]["type"] == "summary"
    assert says(script, "-f", "json", "-q") == out


def test_compat_json():
    """--compat: no summary, and how many probes there were."""
    lines = says("begin { @ = 1; }", "--compat", "-f", "json").splitlines()
    assert [json.loads(line)["type"] for line in lines] == ["attached_probes", "map"]
    assert lines[0] == '{"type": "attached_probes", "count": 1, "data": {"probes": 1}}'


def test_output_file(tmp_path):
    """-o: into a file, which is made anew."""
    path = tmp_path / "out"
    path.write_text("old\n" * 100, encoding="ascii")
    assert says("begin { @ = 1; }", "-o", path) == ""
    assert path.read_text(encoding="ascii") == "@: 1\n"
    done = run_script("begin { @ = 1; }", "-o", "/no/such/dir/out")
    assert done.returncode == FAILED and "/no/such/dir/out" in done.stderr


def test_standard_input():
    """-: a script from a pipe."""
    done = subprocess.run([BUILD / "bin" / "bscope", "-"], input="begin { print(5); }", capture_output=True, text=True,
                          check=False)
    assert (done.returncode, done.stdout) == (OK, "5\n")


@each_kernel
@pytest.mark.parametrize("call, status", [("exit()", 0), ("exit(0)", 0), ("exit(3)", 3), ("exit(255)", 255)])
def test_exit_status(call, status):
    """exit(): the status, and end and the maps come."""
    done = run_script("begin { @ = 1; " + call + '; @ = 2; } END { printf("end\\n"); }')
    assert (done.returncode, done.stdout) == (status, "end\n@: 1\n")
