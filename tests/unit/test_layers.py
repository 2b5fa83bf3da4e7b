# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The tree keeps the rule of CONTRIBUTING.md; and each fault that layers.py looks for is found in a tree that has it."""

import os
import shlex
import subprocess
from functools import cache
from pathlib import Path

import pytest

import layers
from manpage import ROOT, TOOLS

BUILD = Path(os.environ.get("BORESCOPE_BUILD") or ROOT / "build").absolute()
RULE = layers.Rule((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))

# Globals that no other unit uses, and why they are there
LONELY = {
    "tests give it bytes or a text, where its unit reads a file of the kernel's or of another process":
        "btf_scan_mem btf_scan_split kallsyms_read kallsyms_other_modules process_id_parse process_status_parse "
        "preempt_by_version preempt_by_setting preempt_by_boot preempt_by_config_line session_growth_take "
        "btf_raw_memory store_add store_begin",
    "tests call it by itself: what calls it in its unit prints more than the answer":
        "disk_find open_flags_parse",
    "tests make what a source has for itself":
        "arena_free arena_new",
    "arithmetic of histograms, which the kernel fills and tests do":
        "hist_add hist_max hist_min hist_percentile hist_slot_from hist_slot_to",
    "a tool ends without it or calls it by another function; tests end with it, and look for leaks":
        "flow_counts_free stacks_clear",
    "packaging/multicall.c, which is no part of a common build, has another one in its place":
        "borescope_is_all_in_one",
}

# Units whose globals begin with another word than their name
PREFIXES = {"base/msg.c": "debug error note progress warn", "output/flamegraph.c": "flame", "output/out.c": "utf8",
            "symbols/elfimage.c": "elfsegments", "symbols/maps.c": "process",
            "script/source.c": "arena nearest", "script/ast.c": "node op", "script/parse_probe.c": "provider",
            "script/btf.c": "record", "script/formats.c": "tracefs", "script/list.c": "probes", "script/link.c": "code",
            "script/disasm.c": "code", "script/load_maps.c": "loaded",
            "script/lower_places.c": "check", "script/call_actions.c": "function", "script/call_maps.c": "function",
            "script/call_texts.c": "function", "script/call_values.c": "function", "script/call_usdt.c": "usdt",
            "script/call_addresses.c": "function"}


def make_variable(name, folder=ROOT):
    """As make has it in this build."""
    return shlex.split(subprocess.run(["make", "-s", f"O={BUILD}", f"print-{name}"], cwd=folder, check=True,
                                      capture_output=True, encoding="utf-8").stdout)


def compilers():
    """With the flags of each side. A header need not use all that it defines; one with programs leaves to the tool what
    they do with an event."""
    return ([*make_variable("CC"), *make_variable("ALL_CFLAGS"), "-Wno-unused"],
            [*make_variable("CLANG"), *make_variable("BPF_CFLAGS"), "-Wno-unused",
             "-Wno-undefined-internal", "-include", "vmlinux.h"])


@cache
def built():
    """The objects of the library and of the tools that stand for a source that is there."""
    objects = [path for path in sorted((BUILD / "obj").glob("*/**/*.o"))
               if (ROOT / path.relative_to(BUILD / "obj")).with_suffix(".c").exists()]
    assert len(objects) > len(TOOLS), f"{BUILD} is not built"
    return layers.Globals(objects)


def none(faults):
    assert not faults, "\n" + "\n".join(faults)


def test_includes():
    none(layers.include_faults(ROOT, RULE))


def test_circles_of_includes():
    none(layers.circle_faults(ROOT))


def test_sizes():
    none(layers.size_faults(ROOT))


def test_order_of_arguments():
    none(layers.order_faults(ROOT))


def test_headers_compile_alone():
    none(layers.header_faults(ROOT, *compilers()))


def test_lonely_globals():
    none(built().lonely_faults(ROOT, {name for names in LONELY.values() for name in names.split()}))


def test_names():
    none(built().name_faults(PREFIXES))


def test_circles_of_calls():
    none(built().circle_faults())


def test_mentions():
    none(layers.mention_faults(ROOT))


def test_calls():
    none(built().call_faults(RULE))


def test_tools_are_complete():
    none(layers.tool_faults(ROOT, TOOLS))


# --- each fault is found ---


@pytest.fixture(name="tree")
def fixture_tree(tmp_path):
    """A function that writes the files of a small tree, {path: text}, and returns its root."""
    def write(files):
        for path, text in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text, encoding="utf-8")
        return tmp_path
    return write


HEADERS = {path: "" for path in (
    "libcommon/base/msg.h", "libcommon/kernel/btf.h", "libcommon/output/out.h", "libcommon/run/tool.h", "libcommon/net/flow.h",
    "libcommon/files/paths.h", "libcommon/stacks/internal.h", "bpf/lib/core/path.bpf.h", "bpf/lib/core/events.shared.h", "bpf/lib/net/flow.bpf.h",
    "bpf/lib/net/flow.shared.h", "bpf/lib/files/open.probes.bpf.h", "bpf/mytool.shared.h", "tests/unit/output.h",
    "bpf/script.shared.h", "script/run.h")}


@pytest.mark.parametrize("path, name, fault", [
    ("libcommon/base/msg.c", "output/out.h", "wing 'base' includes output/out.h of wing 'output'"),
    ("libcommon/output/out.c", "kernel/btf.h", "wing 'output' includes kernel/btf.h of wing 'kernel'"),
    ("libcommon/net/flow.c", "files/paths.h", "wing 'net' includes files/paths.h of wing 'files'"),
    ("libcommon/net/flow.h", "flow.shared.h", 'there is no "flow.shared.h" in libcommon or bpf'),
    ("libcommon/net/flow.c", "../base/msg.h", 'there is no "../base/msg.h" in libcommon or bpf'),
    ("libcommon/net/flow.c", "lib/net/flow.bpf.h", "it is the kernel side's"),
    ("libcommon/net/flow.c", "mytool.shared.h", "it is mytool's own"),
    ("libcommon/net/flow.c", "stacks/internal.h", "it is for files of 'stacks' only"),
    ("libcommon/cellar/wine.c", "base/msg.h", "has no wing 'cellar'"),
    ("tools/other.c", "mytool.shared.h", "it is mytool's own"),
    ("bpf/lib/net/flow.bpf.h", "base/msg.h", 'there is no "base/msg.h" in bpf'),
    ("bpf/lib/net/flow.bpf.h", "lib/files/open.probes.bpf.h", "wing 'net' may include core hist stacks"),
    ("bpf/lib/core/path.bpf.h", "lib/net/flow.shared.h", "wing 'core' may include only itself"),
    ("bpf/lib/net/flow.shared.h", "lib/core/path.bpf.h", "what both sides include may include its like only"),
    ("tests/unit/base/test_msg.c", "run/tool.h", "wing 'base' includes run/tool.h of wing 'run'"),
    ("tools/mytool.c", "script.shared.h", "it is script's own"),
    ("libcommon/run/tool.c", "script/run.h", "wing 'run' includes script/run.h of wing 'script'"),
])
def test_finds_includes(tree, path, name, fault):
    faults = layers.include_faults(tree({**HEADERS, path: f'/* a file */\n#include "{name}"\n'}), RULE)
    assert len(faults) == 1 and faults[0].startswith(f"{path}:2: ") and fault in faults[0], faults


def test_finds_libraries_below(tree):
    root = tree({"libcommon/base/msg.c": "#include <stdio.h>\n#include <bpf/libbpf.h>\n"})
    assert layers.include_faults(root, RULE) == [
        "libcommon/base/msg.c:2: wing 'base' includes <bpf/libbpf.h>: it may use the C library only"]


@pytest.mark.parametrize("path, name", [
    ("tools/mytool.c", "mytool.shared.h"), ("bpf/mytool.bpf.c", "mytool.shared.h"), ("tools/mytool.c", "net/flow.h"),
    ("tools/mytool.c", "mytool.skel.h"), ("libcommon/run/tool.c", "output/out.h"),
    ("libcommon/net/flow.c", "lib/net/flow.shared.h"), ("bpf/lib/net/flow.bpf.h", "lib/core/path.bpf.h"),
    ("bpf/mytool.bpf.c", "lib/files/open.probes.bpf.h"), ("tests/unit/net/test_flow.c", "output.h"),
    ("script/run.c", "script.shared.h"), ("script/run.c", "script/run.h"), ("script/run.c", "run/tool.h"),
    ("tools/mytool.c", "script/run.h"), ("tests/unit/script/test_run.c", "script.shared.h")])
def test_allows_includes(tree, path, name):
    assert not layers.include_faults(tree({**HEADERS, path: f'#include "{name}"\n'}), RULE)


def test_finds_circles_of_includes(tree):
    root = tree({"libcommon/net/a.c": '#include "net/a.h"\n', "libcommon/net/a.h": '#include "net/b.h"\n',
                 "libcommon/net/b.h": "", "libcommon/net/b.c": '#include "net/b.h"\n#include "net/c.h"\n',
                 "libcommon/net/c.h": "", "libcommon/net/c.c": '#include "net/c.h"\n#include "net/internal.h"\n',
                 "libcommon/net/internal.h": '#include "net/net.h"\n', "libcommon/net/net.h": "",
                 "libcommon/net/net.c": '#include "net/net.h"\n#include "net/internal.h"\n'})
    assert not layers.circle_faults(root)
    tree({"libcommon/net/c.h": '\n#include "net/a.h"\n'})
    assert layers.circle_faults(root) == ['a circle: libcommon/net/a.h:1: "net/b.h", libcommon/net/b.c:2: "net/c.h", '
                                          'libcommon/net/c.h:2: "net/a.h"']


def test_finds_sizes(tree):
    def function(lines):
        return "int f(void)\n{\n" + "\t;\n" * lines + "}\n"

    limit = layers.FUNCTION_LINES
    root = tree({"libcommon/net/a.c": function(limit), "libcommon/net/b.c": "/* b */\n" + function(limit + 1),
                 "tools/a.c": "\t" * 12 + "1234\n" + "\t" * 12 + "12345\n", "bpf/a.bpf.c": "\n" * layers.FILE_LINES, "bpf/b.bpf.c": "\n" * (layers.FILE_LINES + 1)})
    assert layers.size_faults(root) == [
        f"libcommon/net/b.c:2: a function of {limit + 1} lines, more than {limit}: int f(void)",
        "tools/a.c:2: 101 columns, more than 100",
        f"bpf/b.bpf.c: {layers.FILE_LINES + 1} lines, more than {layers.FILE_LINES}"]


def test_finds_orders(tree):
    root = tree({"script/ir.h": "ir_value ir_const(int f, int x);\nir_value ir_add(int f, ir_value a, ir_value b);\n",
                 "script/a.c": "void f(void)\n{\n\tir_add(c->f, ir_const(1, 2), other(\n\t\tir_const(1, 3)));\n"
                               "\tir_add(c->f, a, ir_add(1, b, ir_const(1, 2)));\n\tif (ir_const(1, 2), ir_const(1, 3))\n"
                               "\t\tx = ir_block(1), y = ir_block(1);\n}\n"})
    assert layers.order_faults(root) == [
        "script/a.c:3: two arguments that make instructions: ir_const(1, 2), other( ir_const(1, 3))"]


def test_finds_headers(tree):
    root = tree({"libcommon/net/a.h": "static inline int a(uint32_t x) { return x; }\n",
                 "libcommon/net/twice.h": "struct twice { int x; };\n",
                 "libcommon/net/good.h": "#ifndef GOOD_H\n#define GOOD_H\n#include <stdint.h>\nuint32_t good(void);\n#endif\n",
                 "bpf/lib/net/b.shared.h": "#ifndef B_H\n#define B_H\nstruct b { __u32 x; };\n#endif\n",
                 "bpf/lib/net/c.bpf.h": "#ifndef C_H\n#define C_H\nstruct c { missing_t x; };\n#endif\n",
                 "vmlinux.h": "typedef unsigned int __u32;\n"})
    user, kernel = compilers()
    faults = layers.header_faults(root, [user[0], "-Ilibcommon", "-Ibpf"],
                                  [kernel[0], "-target", "bpf", "-Ibpf", "-include", "vmlinux.h"])
    assert [fault.partition(":")[0] for fault in faults] == [
        "libcommon/net/a.h", "libcommon/net/twice.h", "bpf/lib/net/b.shared.h", "bpf/lib/net/c.bpf.h"]
    assert "uint32_t" in faults[0] and "twice" in faults[1] and "__u32" in faults[2] and "missing_t" in faults[3]


def compiled(root):
    """Globals of the objects of a small tree."""
    for source in sorted((root / "libcommon").rglob("*.c")):
        subprocess.run([*make_variable("CC"), "-c", source, "-o", source.with_suffix(".o")], check=True)
    return layers.Globals(sorted((root / "libcommon").rglob("*.o")))


def test_finds_lonely_globals(tree):
    root = tree({"libcommon/net/a.c": "void used(void) {}\nint own;\nvoid seam(void) { own++; }\nvoid both(void) { seam(); }\n"
                                      "void forgotten(void) {}\nvoid dead(void) {}\n",
                 "libcommon/run/b.c": "void used(void); void both(void);\nvoid b(void) { used(); both(); }\n",
                 "tests/unit/net/test_a.c": "seam(); dead();"})
    names = compiled(root)
    assert names.lonely_faults(root, {"b"}) == [
        "libcommon/net/a.c: dead is used by tests only", "libcommon/net/a.c: forgotten is used by nobody",
        "libcommon/net/a.c: own is used by its own unit only",
        "libcommon/net/a.c: seam is used by its own unit and tests only"]
    assert names.lonely_faults(root, {"b", "dead", "forgotten", "own", "seam", "used"}) == [
        "used is used by another unit, or gone: no exception any more"]


def test_finds_calls(tree):
    root = tree({"libcommon/base/low.c": "void high(void);\nvoid low(void) { high(); }\n",
                 "libcommon/run/high.c": "void low(void);\nvoid high(void) { low(); }\n"})
    names = compiled(root)
    assert names.call_faults(RULE) == [f"{root}/libcommon/base/low.o: wing 'base' uses high of wing 'run'"]
    assert names.circle_faults() == ["a circle: base/low.c uses high, run/high.c uses low"]


def test_finds_tools(tree):
    root = tree({path.format("good"): "" for path in layers.TOOL_FILES} |
                {path.replace("*", "subjects"): "good, goodly" for path in layers.TOOL_ENTRIES})
    assert not layers.tool_faults(root, ["good"])
    (root / "man/good.8").unlink()
    tree({"tests/bench/subjects.py": "goodly"})
    assert layers.tool_faults(root, ["good"]) == ["good: there is no man/good.8", "good: tests/bench/*.py does not name it"]


def test_finds_names(tree):
    root = tree({"libcommon/net/flow_addrs.c": "void flow_addr_a(void) {}\nvoid flowaddr_b(void) {}\nvoid net_c(void) {}\n"
                                               "void extra_d(void) {}\nvoid addr_e(void) {}\n"})
    assert compiled(root).name_faults({"net/flow_addrs.c": "extra"}) == [
        "libcommon/net/flow_addrs.c: addr_e begins with none of: flowaddr net extra"]


def test_finds_mentions(tree):
    root = tree({"NEWS": "See tools/NAME.c, libcommon/net/flow.c\nand libcommon/net/flaw.c.", "libcommon/net/flow.c":
                 "/* flow.c, include/net/inet_sock.h */\n/* see inet.c and gone.bpf.h */\n", "vmlinux/vmlinux.h": ""})
    assert layers.mention_faults(root) == [
        "NEWS:2: there is no libcommon/net/flaw.c", "libcommon/net/flow.c:2: there is no inet.c",
        "libcommon/net/flow.c:2: there is no gone.bpf.h"]
