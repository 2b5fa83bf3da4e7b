# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The man pages: clean, complete, and of the same opinion as the tools."""

import os
import re
import shutil
import subprocess

import pytest

from manpage import PAGES, ROOT, SECTIONS, TOOLS, VERSION, Page, documented_keys, expand, page_of, plain
from test_help import help_options, help_positional

COLUMNS = 80
RENDERERS = {"mandoc": ["mandoc", "-Tutf8", "-O", f"width={COLUMNS}"],
             "groff": ["groff", "-man", "-ww", "-Tutf8", "-P-c"]}
UTF8 = {**os.environ, "LC_ALL": "C.UTF-8"}
SPDX = "SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only"
HISTOGRAM = {"usecs", "msecs", "count", "distribution", "avg", "p50", "p90", "p99", "p99.9", "max", "total"}

every_tool = pytest.mark.parametrize("tool", TOOLS)
every_page = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)


def run(argv, text):
    """Runs a renderer on a page's source."""
    if not shutil.which(argv[0]):
        pytest.skip(f"{argv[0]} is not installed")
    return subprocess.run(argv, input=text, capture_output=True, encoding="utf-8", env=UTF8, check=False)


def source_of(path):
    """A C file of this repository."""
    return (ROOT / path).read_text(encoding="utf-8")


def source_of_tool(tool):
    """A tool's file; and threads or flows, where those have its columns and keys."""
    source = source_of(f"tools/{tool}.c")
    for unit in "tasks/thread", "net/flow_counts":
        if f'"{unit}.h"' in source:
            source += source_of(f"libcommon/{unit}.h") + source_of(f"libcommon/{unit}.c")
    return source


def body(source, function):
    """The text of a C function; "" if there is none."""
    found = re.search(rf"^\w[^;{{}}]*\b{function}\([^;{{}}]*\)\n{{\n(.*?)^}}", source, re.M | re.S)
    return found[1] if found else ""


def literal_keys(source):
    """The keys that a piece of C gives to the json_*() functions."""
    return set(re.findall(r'\bjson_\w+\([^,;]*,\s*"(\w+)"', source))


# --- the pages by themselves ---


@every_tool
def test_every_tool_has_a_page(tool):
    assert (ROOT / "man" / f"{tool}.8") in PAGES


@every_tool
def test_sections(tool):
    assert list(page_of(tool).sections) == SECTIONS


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
    ours = {other.stem: other.suffix[1:] for other in PAGES}
    if path.stem == "borescope":
        for name, section in ours.items():
            assert name == "borescope" or f"{name} ({section})" in page.text("WHICH QUESTION, WHICH TOOL")
    else:
        assert "borescope (7)" in page.text("SEE ALSO")
    for name, section in re.findall(r"^\.BR (\S+) \((\d)\)", page.source, re.M):
        assert ours.get(name, section) == section


@every_tool
def test_name_is_the_summary(tool):
    """NAME, --help and the tool's table say the same."""
    name = page_of(tool).text("NAME").strip()
    summary = re.search(r'\.summary = "(.*?)"', source_of(f"tools/{tool}.c"))[1]
    assert name == f"{tool} - {summary}"


# --- the pages and the tools ---


@every_tool
def test_options(tool):
    """Every option of --help, with its letter and its argument, stands in OPTIONS; and nothing else does."""
    tags = [plain(tag) for tag in page_of(tool).tags("OPTIONS")]
    options = [tag for tag in tags if tag.startswith("-")]
    assert sorted(options) == sorted(help_options(tool))
    positional = [re.sub(r"^\.[BI] ", "", tag) for tag in tags if not tag.startswith("-")]
    assert positional == help_positional(tool)


@every_tool
def test_columns(tool):
    """Every column that the tool can print stands in FIELDS; and no other."""
    source, page = source_of_tool(tool), page_of(tool)
    if "hist_maps.h" in source:
        keys = literal_keys(body(source, "members"))
        unsaid = set() if ".total =" in source else {"total"}
        assert set(page.names("FIELDS", "Histogram")) == HISTOGRAM - unsaid | keys
        return
    if ("stacks.h" in source or "stacks/samples.h" in source) and ".columns" not in source:
        head = re.search(r'"%6s.*?;', body(source_of("libcommon/stacks/print.c"), "stacks_top"), re.S)[0]
        assert set(page.names("FIELDS", "Columns")) == set(re.findall(r'"([A-Z]+%?)"', head))
        return
    titles = re.findall(r'\bCOL(?:_PART)?\(\w+,\s*[\w.]+,\s*"([^"]+)"', source)
    titles += re.findall(r'\bCOL_HEAD\(\w+,\s*"([^"]+)"', source) + re.findall(r'\bCOL_CUSTOM\("([^"]+)"', source)
    titles += re.findall(r'\.(?:kinds_)?title = "([^"]+)"', source)
    titles += [name for macro, name in (("COL_CLOCK", "TIME"), ("COL_TIME", "TIME"), ("COL_ELAPSED", "TIME(s)"))
               if re.search(rf"\b{macro}\b", source)]
    assert len(titles) > 3
    assert set(page.names("FIELDS", "Columns")) == set(titles)


def summary_hook(source):
    """The body of a tool's .summary_json, which is its own function or one of libcommon's; "" if it has none."""
    hook = re.search(r"\.summary_json = (\w+)", source)
    if not hook:
        return ""
    places = [source, *(path.read_text(encoding="utf-8") for path in sorted((ROOT / "libcommon").glob("*/*.c")))]
    found = [text for text in (body(place, hook[1]) for place in places) if text]
    assert len(found) == 1, f"{hook[1]} is in {len(found)} places"
    return found[0]


def expected_keys(tool):
    """The keys that the sources can print, by kind of object."""
    source = source_of_tool(tool)
    summaries = [text for text in (summary_hook(source), body(source, "thread_summary_json")) if text]
    own_summary, own = literal_keys("".join(summaries)), source
    for text in summaries:
        own = own.replace(text, "")
    own = literal_keys(own)
    own |= set(re.findall(r'\.(?:kinds_)?key = "(\w+)"', source))
    if "flow_json(" in source:
        own |= literal_keys(body(source_of("libcommon/net/flow.c"), "flow_json"))
    if "FMT_ERRNO" in source or "json_errno(" in source:
        own |= {"errno"} | literal_keys(body(source_of("libcommon/output/json.c"), "json_errno"))
    expected = {"summary": own_summary | literal_keys(body(source_of("libcommon/run/tool.c"), "summary"))
                           | literal_keys(body(source_of("libcommon/run/cost.c"), "cost_json"))}
    if "hist_maps.h" in source:
        bucket = {"from_ns", "to_ns", "count"}
        expected["bucket"] = bucket
        expected["histogram"] = own | {"time"} | literal_keys(body(source_of("libcommon/hist/hist.c"), "hist_json")) \
            - (bucket - {"count"})
    elif "stacks.h" in source or "stacks/samples.h" in source:
        show = source_of("libcommon/stacks/print.c")
        expected["summary"] |= literal_keys(body(source_of("libcommon/stacks/report.c"), "stacks_summary_json"))
        if "stacks/samples.h" in source:
            events = source_of("libcommon/stacks/samples.c")
            expected["summary"] |= literal_keys(body(events, "stack_samples_summary_json"))
        expected["function"] = literal_keys(body(show, "stacks_top_json"))
        expected["frame"] = literal_keys(body(source_of("libcommon/stacks/frames.c"), "frame_json"))
        expected["stack"] = {"kernel", "user"} | literal_keys(body(show, "stacks_json"))
        if ".tid =" not in source:  # threads are not told apart
            expected["stack"] -= {"tid"}
        labels = re.search(r"\.labels = \{(.*?)\}", source)
        expected["stack"] |= set(re.findall(r'"(\w+)"', labels[1])) if labels else set()
        if ".columns =" in source:  # prints rows, too
            expected["event"] = (own - expected["frame"]) | literal_keys(body(source_of("libcommon/output/table.c"), "table_json"))
    else:
        expected["event"] = own | literal_keys(body(source_of("libcommon/output/table.c"), "table_json"))
    return expected


@every_tool
def test_json_keys(tool):
    """FIELDS promises the keys that the sources print, no more and no fewer."""
    expected = expected_keys(tool)
    assert {"type", "events", "lost", "cost_runs"} < expected["summary"]
    assert documented_keys(tool) == expected


# --- the sources ---


def sources():
    """All that is written in a language with comments."""
    for top in ("bpf", "libcommon", "tools", "tests", "man", "vmlinux", ".ci"):
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
