# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The man pages: clean, complete, and of the same opinion as the tools."""

import os
import re
import shutil
import subprocess

import pytest

import packages
from manpage import PAGES, ROOT, SECTIONS, TABLE_TOOLS, TOOLS, VERSION, Page, documented_keys, expand, page_of, plain
from test_help import BUILD, help_options, help_positional, listed, said

COLUMNS = 80
RENDERERS = {"mandoc": ["mandoc", "-Tutf8", "-O", f"width={COLUMNS}"],
             "groff": ["groff", "-man", "-ww", "-Tutf8", "-P-c"]}
UTF8 = {**os.environ, "LC_ALL": "C.UTF-8"}
SPDX = "SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only"

every_tool = pytest.mark.parametrize("tool", TOOLS)
every_table_tool = pytest.mark.parametrize("tool", TABLE_TOOLS)
every_page = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)


def run(argv, text):
    """Runs a renderer on a page's source."""
    if not shutil.which(argv[0]):
        pytest.skip(f"no {argv[0]}: the package {packages.of_program(argv[0])} has it")
    return subprocess.run(argv, input=text, capture_output=True, encoding="utf-8", env=UTF8, check=False)


# --- the pages by themselves ---


@every_tool
def test_every_tool_has_a_page(tool):
    assert (ROOT / "man" / f"{tool}.8") in PAGES


@every_tool
def test_sections(tool):
    """bscope's page is a language's reference, too."""
    sections = list(page_of(tool).sections)
    assert [title for title in sections if title in SECTIONS or tool in TABLE_TOOLS] == SECTIONS


@every_page
def test_mandoc_lint(path):
    done = run(["mandoc", "-T", "lint", "-W", "warning"], expand(path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@every_page
def test_groff_is_silent(path):
    done = run(RENDERERS["groff"], expand(path))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("renderer", RENDERERS)
@every_page
def test_rendered_lines(path, renderer):
    """80 columns are enough, and nothing of the source shows through."""
    text = re.sub(".\b", "", run(RENDERERS[renderer], expand(path)).stdout)
    assert len(text) > 1000
    for line in text.splitlines():
        assert len(line) <= COLUMNS, line
        assert not re.search(r'[\t\x1b\ufffd]|\\f[BIR]|\\\(|^\s*\.(TP|PP|SH|SS|B|I|BR|RB|EX|EE)\b', line), line


@every_page
def test_title(path):
    source = expand(path)
    head = re.search(r"^\.TH (\S+) (\S+) ", source, re.M)
    assert (head[1], head[2]) == (path.stem.upper(), path.suffix[1:])
    assert f'"Borescope {VERSION}"' in source


@every_page
def test_examples_can_be_copied(path):
    """A bare - may come out as a hyphen."""
    blocks = re.findall(r"^\.EX\n(.*?)^\.EE", expand(path), re.M | re.S)
    assert blocks
    for block in blocks:
        assert not re.search(r"(?<!\\)-", block), block


@every_page
def test_nothing_is_left_to_be_filled_in(path):
    left = re.findall(r'.*@.*|^\.\\" include.*', expand(path), re.M)
    assert not left


def test_expand_reports_a_missing_file(tmp_path):
    page = tmp_path / "x.8"
    page.write_text('.\\" include no-such-file\n', encoding="utf-8")
    done = subprocess.run([ROOT / "man" / "expand", page, "1"], capture_output=True, text=True, check=False)
    assert done.returncode and "no-such-file" in done.stderr


def test_shared_text_is_used():
    used = {name for path in PAGES for name in re.findall(r'^\.\\" include (\S+)', path.read_text(), re.M)}
    assert {path.stem for path in (ROOT / "man" / "common").iterdir()} == used


@every_page
def test_references(path):
    """Every page is named in borescope(7), and names it; what a page refers to of ours, exists."""
    page = Page(path)
    ours = {(other.stem, other.suffix[1:]) for other in PAGES}
    if path.name == "borescope.7":
        for name, section in ours:
            assert name == "borescope" or f"{name} ({section})" in page.text("WHICH QUESTION, WHICH TOOL")
    else:
        assert "borescope (7)" in page.text("SEE ALSO")
    for name, section in re.findall(r"^\.BR (\S+) \((\d)\)", page.source, re.M):
        assert (name, section) in ours or name not in {own for own, _ in ours}


@every_tool
def test_name_is_the_summary(tool):
    """NAME and --help say the same."""
    name, summary = said(tool, "--help").splitlines()[0].split(": ", 1)
    assert page_of(tool).text("NAME").strip() == f"{name} - {summary}"


# --- the pages and the tools ---


@every_tool
def test_options(tool):
    """Every option of --help, with its letter and its argument, stands in OPTIONS; and nothing else does."""
    tags = [plain(tag) for tag in page_of(tool).tags("OPTIONS")]
    options = [tag for tag in tags if tag.startswith("-")]
    assert sorted(options) == sorted(help_options(tool))
    positional = [re.sub(r"^\.[BI] ", "", tag) for tag in tags if not tag.startswith("-")]
    assert positional == help_positional(tool)


@every_table_tool
def test_columns(tool):
    """Every column that the tool can print, in any of its views, stands in FIELDS; and no other."""
    titles = listed(tool, "columns")
    assert len(titles) > 3
    page = page_of(tool)
    assert set(page.names("FIELDS", "Columns") + page.names("FIELDS", "Histogram")) == set(titles)


@every_table_tool
def test_json_keys(tool):
    """FIELDS promises the keys that the tool can print, no more and no fewer."""
    keys = {}
    for line in listed(tool, "keys"):
        kind, key = line.split("\t")
        keys.setdefault(kind, set()).add(key)
    assert {"type", "events", "lost", "cost_runs"} <= keys["summary"]
    assert documented_keys(tool) == keys


@every_table_tool
def test_probes(tool):
    """Every word of every rung is a program of the object, and every program is on a rung."""
    rungs, built = set(), set()
    for line in listed(tool, "probes"):
        probe, rung, program, section = line.split("\t")
        assert section != "not built", f"probe '{probe}', rung {rung}: there is no program {program}"
        if rung != "unless":
            (rungs if probe else built).add(program)
    assert rungs and rungs == built


def test_list_refuses_other_words():
    done = subprocess.run([BUILD / "bin" / TABLE_TOOLS[0], "--list", "probe"], capture_output=True, encoding="utf-8",
                          check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"{TABLE_TOOLS[0]}: --list: 'probe' is neither probes, columns nor keys\n"


# --- the sources ---


def sources():
    """All that is written in a language with comments."""
    for top in ("bpf", "libcommon", "script", "tools", "tests", "man", "vmlinux", "packaging", "debian", ".ci"):
        for path in sorted((ROOT / top).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                if path.suffix in (".c", ".h", ".py", ".sh", ".inc", ".8", ".7") or \
                   not path.suffix and path.read_bytes().startswith(b"#!"):
                    yield path
    yield ROOT / "Makefile"


def test_license_headers():
    missing = [str(path.relative_to(ROOT)) for path in sources()
               if SPDX not in "".join(path.read_text(encoding="utf-8").splitlines(True)[:3])]
    assert not missing
