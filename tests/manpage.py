# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What a man page says, for tests to hold the tools to: sections, options, columns, JSON keys."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSION = (ROOT / "VERSION").read_text(encoding="utf-8").strip()
# Those that ask the kernel. borescope runs them, and has neither tables nor their options: test_borescope.py is its test.
TOOLS = sorted(path.stem for path in (ROOT / "tools").glob("*.c") if path.stem != "borescope")
# Those that have tables of columns and probes; what bscope prints and where it looks is up to its script.
TABLE_TOOLS = [tool for tool in TOOLS if (ROOT / "bpf" / f"{tool}.bpf.c").is_file()]
PAGES = sorted(path for path in (ROOT / "man").glob("*.[1-9]"))
SECTIONS = ["NAME", "SYNOPSIS", "DESCRIPTION", "REQUIREMENTS", "OPTIONS", "EXAMPLES", "FIELDS", "OVERHEAD", "NOTES",
            "SEE ALSO"]


def expand(path):
    """The source of a page with its shared text, as it is installed."""
    return subprocess.run([ROOT / "man" / "expand", path, VERSION], check=True, capture_output=True,
                          encoding="utf-8").stdout


def plain(text):
    """A line of source without fonts and escapes: "\\fB\\-p\\fR" is "-p"."""
    text = re.sub(r"\\f[BIRP]", "", text)
    for escape, char in (("\\-", "-"), ("\\(aq", "'"), ("\\(dq", '"'), ("\\(at", "@"), ("\\(mc", "\u00b5"), ("\\(ha", "^"),
                         ("\\(ti", "~"), ("\\&", ""), ("\\e", "\\")):
        text = text.replace(escape, char)
    return text


def title(line):
    """Of a .SH or .SS line."""
    return plain(line[3:]).strip().strip('"')


class Page:
    """A page's source, cut into sections and subsections."""

    def __init__(self, path):
        self.path = Path(path)
        self.source = expand(path)
        self.sections = {}   # title: {subsection's title, or "" before the first: its lines}
        section = None
        for line in self.source.splitlines():
            if line.startswith(".SH "):
                section = self.sections[title(line)] = {"": []}
                lines = section[""]
            elif line.startswith(".SS ") and section is not None:
                lines = section.setdefault(title(line), [])
            elif section is not None:
                lines.append(line)

    def text(self, section):
        """All lines of a section, plain."""
        return "\n".join(plain(line) for lines in self.sections[section].values() for line in lines)

    def tags(self, section, subsection=None):
        """What stands at the left of the list items: "-p, --pid PID[,PID...]"."""
        found = []
        for name, lines in self.sections[section].items():
            if subsection is None or name == subsection:
                found += [after for before, after in zip(lines, lines[1:]) if before == ".TP"]
        return found

    def names(self, section, subsection):
        """The bold words of the tags: "\\fBmin_ns\\fR, \\fBmax_ns\\fR (numbers)" has two."""
        return [plain(name) for tag in self.tags(section, subsection) for name in re.findall(r"\\fB(.*?)\\fR", tag)]


def page_of(tool):
    """The page of a tool."""
    return Page(ROOT / "man" / f"{tool}.8")


def documented_keys(tool):
    """The JSON keys that a tool's page promises, by kind of object: {"event": {...}, "summary": {...}}.

    They are the list items of the subsections "JSON: KIND object" of FIELDS. A histogram has kind
    "histogram", and the objects in its "buckets" have kind "bucket".
    """
    page = page_of(tool)
    kinds = {name.split()[1]: name for name in page.sections["FIELDS"] if re.fullmatch(r"JSON: \w+ object", name)}
    return {kind: set(page.names("FIELDS", name)) for kind, name in kinds.items()}
