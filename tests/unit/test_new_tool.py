# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""docs/new-tool.md: its tool can be built, is what the page says, and the page names every place that a tool has. And the
functions that the other documents lead to are there."""

import re
import subprocess

import pytest

import layers
import new_tool
from test_help import BUILD
from test_layers import RULE, none
from manpage import VERSION

PAGE = new_tool.PAGE.read_text(encoding="utf-8")
NAME = new_tool.NAME


@pytest.fixture(name="tree", scope="module")
def fixture_tree(tmp_path_factory):
    """The tree with the tool, built."""
    folder = tmp_path_factory.mktemp("new-tool")
    new_tool.write_tree(folder)
    new_tool.make(folder, BUILD)
    return folder


def said(tree, *arguments):
    done = subprocess.run([tree / "build/bin" / NAME, *arguments], capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_files():
    """The page has the three files of a tool."""
    assert {path for added, path, _ in new_tool.blocks() if not added} == {
        f"bpf/{NAME}.shared.h", f"bpf/{NAME}.bpf.c", f"tools/{NAME}.c"}


def test_help(tree):
    lines = said(tree, "--help").splitlines()
    assert lines[0] == f"{NAME}: shows signals being sent, by whom, to whom"
    assert "  -s, --signal SIGNAL       only the signal of this number" in lines
    assert "  -p, --pid PID[,PID...]    these processes only" in lines
    assert said(tree, "--version") == f"{NAME} {VERSION} (borescope)\n"


def test_probes(tree):
    """Each program of a rung is there, each program is on a rung, and the page shows the list as it is."""
    text = said(tree, "--list", "probes")
    rungs, built = {}, {}
    for line in text.splitlines():
        probe, _, program, section = line.split("\t")
        (rungs if probe else built)[program] = section
    assert rungs == built and "not built" not in rungs.values()
    assert "".join(f"    {line}\n" for line in text.expandtabs().splitlines()) in PAGE


def test_columns_and_keys(tree):
    assert said(tree, "--list", "columns").split() == ["TIME", "PID", "COMM", "SIG", "TPID", "RESULT"]
    keys = {line.split("\t")[1] for line in said(tree, "--list", "keys").splitlines() if line.startswith("event\t")}
    assert keys == {"time", "pid", "tid", "uid", "comm", "signal", "target", "result"}


def test_keeps_the_rule(tree):
    none(layers.include_faults(tree, RULE))
    none(layers.size_faults(tree))


def test_misspelt_rung(tree, tmp_path):
    """What the page says of it: the compiler is content, --list is not."""
    new_tool.write_tree(tmp_path)
    source = tmp_path / f"tools/{NAME}.c"
    text = source.read_text(encoding="utf-8")
    source.write_text(text.replace('"signal_generate"', '"signal_generated"'), encoding="utf-8")
    new_tool.make(tmp_path, BUILD)
    assert "signals\t0\tsignal_generated\tnot built\n" in said(tmp_path, "--list", "probes")
    assert "`signals 0 signal_generated not built`" in PAGE


def test_checklist():
    """Every place that tests/unit/test_layers.py asks for stands in the page's checklist, and is a place that is there."""
    checklist = PAGE.partition("\n## The checklist\n")[2].partition("\n## ")[0]
    places = [path.format("NAME") for path in layers.TOOL_FILES]
    places += [path.replace("*", "subjects") for path in layers.TOOL_ENTRIES]
    assert not [place for place in places if f"`{place}`" not in checklist]


def test_when_table():
    """The headers that the table sends a reader to have what they are named for."""
    rows = re.findall(r"^\| (`.*?) \| .* \| `(.*?)` \|$", PAGE, re.M)
    assert len(rows) > 20
    for names, path in rows:
        text = (new_tool.ROOT / path).read_text(encoding="utf-8")
        for name in re.findall(r"`[^`]*?(\w+)[(){}]*`", names):
            assert re.search(rf"\b{name}\b", text), f"{path} has no {name}"


@pytest.mark.parametrize("name", ["tour", "words"])
def test_functions_are_there(name):
    text = (new_tool.ROOT / f"docs/{name}.md").read_text(encoding="utf-8")
    source = "".join(file.path.read_text(encoding="utf-8") for file in layers.house(new_tool.ROOT))
    functions = set(re.findall(r"`(\w+)\(", text))
    assert functions
    missing = [function for function in sorted(functions) if not re.search(rf"\b{function}\(", source)]
    assert not missing, f"docs/{name}.md leads to functions that are not there"
