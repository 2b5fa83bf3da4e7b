# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The examples of the man pages: the command lines of EXAMPLES, what stands below each, and the shape of that."""

import itertools
import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from manpage import ROOT, Page, plain

SECTIONS = ("THE FIRST FIVE MINUTES", "EXAMPLES", "EXAMPLE")    # those with lines to copy
TOOLS = sorted(path.stem for path in (ROOT / "tools").glob("*.c"))
NAMES = {*TOOLS, *re.findall(r"^(\w+) \w+$", (ROOT / "tools" / "links").read_text(encoding="utf-8"), re.M)}
PROMPT = re.compile(r"([#$]) (.*)")


@dataclass
class Example:
    """A command line of a page; sample: the lines of output that the page shows below it, [] if it shows none."""
    page: str
    section: str
    line: str
    root: bool
    sample: list

    @property
    def tool(self):
        """The tool that it is about: the first one in it."""
        return next((word for word in re.findall(r"[a-z0-9]+", self.line) if word in NAMES), None)

    @property
    def name(self):
        """For the reader of a test's result."""
        return f"{self.page}: {' '.join(self.line.split())}"


def is_unfinished(text):
    """Whether a shell would wait for the rest of the line: a quotation or a pipe is open."""
    try:
        shlex.split(text)
    except ValueError:
        return True
    return text.rstrip().endswith(("|", "\\"))


def of_block(page, section, lines):
    """The examples between .EX and .EE. A block without a prompt that begins with a tool's name is a command itself."""
    if not any(PROMPT.match(line) for line in lines):
        if lines and lines[0].split(" ")[0] in NAMES:
            yield Example(page, section, "\n".join(lines), True, [])
        return
    found = None
    for line in lines:
        prompt = PROMPT.match(line)
        if prompt and not (found and is_unfinished(found.line)):
            if found:
                yield found
            found = Example(page, section, prompt[2], prompt[1] == "#", [])
        elif found and not found.sample and is_unfinished(found.line):
            found.line += "\n" + line
        elif found:
            found.sample.append(line)
    if found:
        yield found


def of_tag(line):
    """The command in a list item's tag, of .B alone."""
    text = plain(line[3:]).strip() if line.startswith(".B ") else ""
    return text if text.split(" ")[0] in NAMES else None


def examples(path):
    """All examples of a page, in their order."""
    found = []
    page = Page(path)
    for title, parts in page.sections.items():
        if title not in SECTIONS:
            continue
        for section, lines in parts.items():
            block = None
            for before, line in zip([""] + lines, lines):
                if line.startswith(".EX"):
                    block = []
                elif line.startswith(".EE"):
                    found += of_block(Path(path).name, section, block)
                    block = None
                elif block is not None:
                    block.append(plain(line))
                elif before in (".TP", ".TQ") and (command := of_tag(line)):
                    found.append(Example(Path(path).name, section, command, True, []))
    return found


# --- the shape of output ---

# Kinds of lines that are the same whatever is in them; a line that is none of these is a table's header or row, or
# a line of text, in which everything but its numbers must be as the page says.
KINDS = {
    "range": r" *\d+ -> \d+ +: \d+ +\|[* ]{40}\|",
    "statistics": r" +avg [\d.]+ p50 [\d.]+ p90 [\d.]+ p99 [\d.]+ p99\.9 [\d.]+ max [\d.]+ \([mun]secs\)",
    "histogram of a process": r"[pt]id = \d+ \S+",
    "histogram of a disk": r"disk = \w+",
    "histogram of flags": r"flags = [A-Z][\w-]*",
    "owner of a stack": r"    - {16}\S+ \(\d+\)",
    "frame": r"    (?! )\S+",
    "total of a stack": r"        \d+",
    "clock": r"\d\d:\d\d:\d\d",
    "clock and load": r"\d\d:\d\d:\d\d loadavg: [\d.]+ [\d.]+ [\d.]+ \d+/\d+ \d+",
    "sampling": r"\w+: sampling at \d+ Hz by (cycles|the CPU clock)",
    "verdict of the doctor": r"\w+ +(full|reduced|none)( .*)?",
    "detail of the doctor": r" {21}\S.*",
    "entry of a map": r"@\w*(\[.*\])?: -?\d+",
    "histogram in a map": r"@\w*(\[.*\])?:",
    "range in a map": r"[\[(][-\w, ]+[\])] +\d+ \|[@ ]*\|",
    "stack in a map": r"@\w*\[",
    "frame in a map": r"    ?\S.*\+\d+",
    "end of a stack in a map": r"\](, .*\])?: \d+",
    "percentiles in a map": r"p50 \S+ p90 \S+ p99 \S+ p99\.9 \S+ max \S+",
}
OPTIONAL = {"detail of the doctor"}     # what some kernels give no reason for
KINDS = {name: re.compile(pattern) for name, pattern in KINDS.items()}
TITLE = re.compile(r"[A-Z%>][\w%>:/.()-]*")
CELLS = {"time": r"\d\d:\d\d:\d\d(\.\d+)?", "number": r"-?\d+", "decimal": r"-?\d+\.\d+", "address": r"[0-9.]+|[0-9a-f:]*:[0-9a-f:.]*",
         "address and port": r"\S+\]?:\d+"}
UNKNOWN = {"?", "-", "..."}     # in any column
OF_TEXT = {"EXIT_CODE"}         # columns in which a number is one of many
OPTIONAL_KEYS = "oom_"          # so begin keys that only some objects of a kind have
# Where columns are as wide as what is in them, as page and test need not have the same there.
FITTED = re.compile(r"\| *column -t|--top|\btcptop\b")


class Mismatch(AssertionError):
    """Output that is not as the page shows it."""


def kind_of_cell(text):
    return next((kind for kind, pattern in CELLS.items() if re.fullmatch(pattern, text)), "text")


def kind_of_line(line):
    return next((name for name, pattern in KINDS.items() if pattern.fullmatch(line)), None)


def titles(line):
    """The columns if the line is a table's header, or None."""
    words = line.split("," if "," in line else None)
    return words if len(words) > 1 and all(map(TITLE.fullmatch, words)) and any(w.isupper() for w in words) else None


class Table:
    """Rows below one header: what kinds of values each column has."""

    def __init__(self, header):
        self.header = header
        self.comma = "," if "," in header else None
        self.columns = [{"text"} if title in OF_TEXT else set() for title in titles(header)]
        self.least = len(self.columns) - 1      # the last one may be empty
        self.rows = 0

    def cells(self, row):
        """The last column takes the rest of a row."""
        return row.split(self.comma, len(self.columns) - 1)

    def add(self, row):
        cells = self.cells(row)
        self.rows += 1
        self.least = min(self.least, len(cells))
        for kinds, cell in zip(self.columns, cells):
            if cell not in UNKNOWN:
                kinds.add(kind_of_cell(cell))

    def check(self, row):
        """Raises Mismatch for a row that is not like those that were added."""
        cells = self.cells(row)
        if len(cells) < self.least:
            raise Mismatch(f"{len(cells)} columns, not {self.least}: {row}")
        for name, kinds, cell in zip(titles(self.header), self.columns, cells):
            kind = kind_of_cell(cell)
            if kinds and "text" not in kinds and kind not in kinds and cell not in UNKNOWN:
                raise Mismatch(f"{name} is {cell}, a {kind}; on the page {' or '.join(sorted(kinds))}: {row}")


class Text:
    """The shape of text: tables by header, and the kinds of other lines."""

    def __init__(self, lines):
        self.tables = {}
        self.kinds = {}     # kind or text with N for numbers: a line of it
        self.rows = []      # (header, row)
        table = None
        for line in lines:
            line = line.rstrip()
            kind = kind_of_line(line)
            if not line or line == "...":
                continue
            if titles(line):
                table = self.tables.setdefault(line, Table(line))
            elif kind:
                self.kinds.setdefault(kind, line)
            elif table:
                table.add(line)
                self.rows.append((table.header, line))
            else:
                self.kinds.setdefault(re.sub(r"\d+(\.\d+)?", "N", line), line)


def compare_text(sample, actual):
    """Raises Mismatch unless text is of the sample's shape: all that it has, and nothing else."""
    page, ours = Text(sample), Text(actual)
    for header in page.tables:
        if header not in ours.tables:
            raise Mismatch(f"no such header: {header}\nbut {list(ours.tables)}")
        if page.tables[header].rows and not ours.tables[header].rows:
            raise Mismatch(f"no row below {header}")
    for header in ours.tables:
        if header not in page.tables:
            raise Mismatch(f"a header that the page has not: {header}")
    for header, row in ours.rows:
        if page.tables[header].rows:
            page.tables[header].check(row)
    for kind, line in page.kinds.items():
        if kind not in ours.kinds and kind not in OPTIONAL:
            raise Mismatch(f"no such line: {line}")
    for kind, line in ours.kinds.items():
        if kind not in page.kinds and kind not in OPTIONAL:
            raise Mismatch(f"a line that the page has not: {line}")


def is_json(lines):
    return bool(lines) and lines[0].startswith(("{", "["))


def objects(lines):
    """JSON values one after the other, on lines of their own or folded (where a page is too narrow for them)."""
    decoder, text, found = json.JSONDecoder(), "".join(lines), []
    while text := text.lstrip():
        value, end = decoder.raw_decode(text)
        found.append(value)
        text = text[end:]
    return found


def check_like(sample, value, path=""):
    """Raises Mismatch unless a JSON value has the sample's keys, in their order, and values of its types; null is any."""
    if sample is None or value is None:
        return
    if isinstance(sample, (int, float)) and not isinstance(sample, bool):
        sample, value = 0, 0 if isinstance(value, (int, float)) and not isinstance(value, bool) else value
    if type(sample) is not type(value):
        raise Mismatch(f"{path or 'it'} is {value!r}, not like {sample!r}")
    if isinstance(sample, dict):
        keys = [key for key in sample if key in value or not key.startswith(OPTIONAL_KEYS)]
        if keys != list(value):
            raise Mismatch(f"the keys of {path or 'the object'} are {list(value)}, not {keys}")
        for key in keys:
            check_like(sample[key], value[key], f"{path}.{key}")
    elif isinstance(sample, list) and sample and value:
        for part in value:
            check_like(sample[0], part, f"{path}[]")


def compare_json(sample, actual):
    """Raises Mismatch unless for each object of the sample there is one like it."""
    try:
        ours = objects(actual)
    except json.JSONDecodeError as error:
        raise Mismatch(f"no JSON: {error}") from None
    for o in objects(sample):
        wrong = []
        for value in ours:
            try:
                check_like(o, value)
                break
            except Mismatch as error:
                wrong.append(str(error))
        else:
            raise Mismatch(wrong[0] if wrong else "no JSON object")


def of_stderr(example, line):
    """Whether a line of a sample is one that a tool says on stderr."""
    return line.startswith(f"{example.tool}: ")


def squeezed(line):
    """A header with one space between its titles; any other line as it is."""
    return " ".join(line.split()) if titles(line) else line


def compare(example, out, err):
    """Raises Mismatch unless the lines on stdout, and of the tool's on stderr those that the page shows, are of its shape."""
    said = [line for line in example.sample if of_stderr(example, line)]
    sample = [line for line in example.sample if not of_stderr(example, line)]
    if is_json(sample):
        compare_json(sample, out)
    elif any(sample):
        if FITTED.search(example.line):
            sample, out = ([squeezed(line) for line in lines] for lines in (sample, out))
        compare_text(sample, out)
    have = Text(err.splitlines()).kinds
    for kind, line in Text(said).kinds.items():
        if kind not in have:
            raise Mismatch(f"not said: {line}")


def all_examples():
    """Of all pages."""
    return list(itertools.chain.from_iterable(map(examples, sorted((ROOT / "man").glob("*.[1-9]")))))
