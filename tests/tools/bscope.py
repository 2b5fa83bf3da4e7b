# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What the tests of bscope share: a script that runs, what it printed, and what must come out of known numbers."""

import json
import re
import shutil
import tempfile
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

from harness import BUILD, OK, VM, Tool, Workload, run_tool

STEPS = BUILD / "workloads" / "steps"
ROW = re.compile(r"^([\[(].*?[\])]) +(\d+) \|@* *\|$")          # of a histogram
ENTRY = re.compile(r"^@(\w*)(?:\[(.*)\])?: (.*)$")              # of a map, all in a line
OPENED = re.compile(r"^@(\w*)\[$")                              # of one whose key begins with a stack
HISTOGRAM = re.compile(r"^@(\w*)(?:\[(.*)\])?:$")
PERCENTILES = re.compile(r"^p50 (\S+) p90 (\S+) p99 (\S+) p99.9 (\S+) max (\S+)$")
FRAME = re.compile(r"^\s*(.+?)(?:\+\d+)?$")


class Bscope(Tool):
    """A script that runs: what happens from when the `with` block is entered is seen by it. `parameters`: $1 and so on."""

    def __init__(self, script, *args, parameters=(), **kwargs):
        super().__init__("bscope", "-v", *args, "-e", script, *parameters, verbose=False, **kwargs)
        self.verbose = True

    @property
    def objects(self):
        """All JSON objects, the last of which must be the summary; text that is no UTF-8 fails here."""
        objects = [json.loads(line, object_pairs_hook=unlike) for line in self.raw.decode("utf-8").splitlines()]
        assert [o["type"] == "summary" for o in objects] == [False] * (len(objects) - 1) + [True], objects[-3:]
        return objects

    def of_type(self, kind):
        """The data of all JSON objects of this type."""
        return [o["data"] for o in self.objects if o["type"] == kind]

    @property
    def printed(self):
        """What printf() made, of JSON."""
        return "".join(self.of_type("printf"))

    @property
    def maps(self):
        """The maps that JSON has at the end, by name: a value, or a dictionary by key."""
        return maps_of(self.objects)

    @property
    def text_maps(self):
        """The same of text. Histograms: {row: count}; keys with stacks are tuples of functions."""
        return maps_of_text(self.lines)


def unlike(pairs):
    """The dictionary of a JSON object, none of whose keys is there twice."""
    assert len(dict(pairs)) == len(pairs), [pair for pair in pairs if sum(other[0] == pair[0] for other in pairs) > 1]
    return dict(pairs)


def maps_of(objects):
    """The last of each map in JSON objects."""
    return {name: value for o in objects if o["type"] in ("map", "hist", "stats") for name, value in o["data"].items()}


def put(maps, name, key, value):
    if key is None:
        maps[f"@{name}"] = value
    else:
        maps.setdefault(f"@{name}", {})[key] = value


def take_histogram(lines):
    """The rows of a histogram, taken from the lines, in their order, and what follows them."""
    rows, percentiles = {}, None
    while lines and (found := ROW.match(lines[0])):
        rows[found[1]] = int(found[2])
        lines.pop(0)
    if lines and (found := PERCENTILES.match(lines[0])):
        percentiles = found.groups()
        lines.pop(0)
    assert not lines or not lines.pop(0), "there is no empty line behind the rows"
    return rows, percentiles


def number(text):
    return int(text) if re.fullmatch(r"-?\d+", text) else text


def maps_of_text(lines):
    """The maps in lines of text."""
    maps, lines = {}, list(lines)
    while lines:
        line = lines.pop(0)
        if found := HISTOGRAM.match(line):
            put(maps, found[1], found[2], take_histogram(lines)[0])
        elif found := OPENED.match(line):
            frames = []
            while not (end := re.match(r"^(.*)\]: (.*)$", lines[0])):
                frames.append(FRAME.match(lines.pop(0))[1])
            lines.pop(0)
            key = tuple(frames) if not end[1] else (*frames, end[1].strip(", "))
            put(maps, found[1], key, maps.get(f"@{found[1]}", {}).get(key, 0) + int(end[2]))
        elif found := ENTRY.match(line):
            put(maps, found[1], found[2], number(found[3]))
    return maps


def frames_of(key):
    """The functions in a stack that is a key of JSON."""
    return [FRAME.match(line)[1] for line in key.split("\n") if line.strip()]


def stacks_with(maps, *functions):
    """How often a stack with all of these functions was counted."""
    return sum(n for key, n in maps.items() if set(functions) <= set(frames_of(key)))


def bscope(*args, **kwargs):
    """Runs bscope with these arguments and no others."""
    return run_tool("", *args, program=BUILD / "bin" / "bscope", **kwargs)


def run_script(script, *args, parameters=(), **kwargs):
    """Runs a script that ends by itself; returns its completed process. Options come first, then $1 and so on."""
    return bscope(*args, "-e", script, *parameters, **kwargs)


def says(script, *args, **kwargs):
    """The standard output of a script that ends by itself, well."""
    done = run_script(script, *args, **kwargs)
    assert (done.returncode, errors(done.stderr)) == (OK, ""), done.stderr
    return done.stdout


def errors(text):
    """What stderr has besides what always stands there."""
    return re.sub(r"^Attached \d+ probes?\n", "", text, flags=re.M)


def watch(script, steps, cgroup, *args, workload="steps", **kwargs):
    """Runs a workload in a cgroup under a script that sees this cgroup alone, in JSON; returns the ended script."""
    with Workload(workload, *steps, cgroup=cgroup, **kwargs) as work:
        script = script.replace("PID", str(work.pid))
        with Bscope(script, "--cgroup", cgroup.path, "--json", *args) as tool:
            work.run()
    assert tool.status == OK, tool.err[-2000:]
    assert (tool.summary["lost"], tool.summary["lost_updates"], tool.summary["left_out"]) == (0, 0, 0), tool.err[-2000:]
    return tool


def watch_both(script, steps, cgroup, *args, workload="steps", **kwargs):
    """The same in JSON and in text, of one run of the workload."""
    with Workload(workload, *steps, cgroup=cgroup, **kwargs) as work:
        script = script.replace("PID", str(work.pid))
        with Bscope(script, "--cgroup", cgroup.path, "--json", *args) as tool, \
                Bscope(script, "--cgroup", cgroup.path, *args) as text:
            work.run()
    assert (tool.status, text.status) == (OK, OK), tool.err[-1000:] + text.err[-1000:]
    return tool, text


# --- what the aggregates must be ---

UNITS = "KMGTPE"


def bound(value):
    """As bpftrace writes a power of two."""
    unit = 0
    while value >= 1024:
        value, unit = value // 1024, unit + 1
    return f"{value}{UNITS[unit - 1] if unit else ''}"


def power_row(value):
    """(label, least, greatest) of the row of hist() that a value belongs to; None: no bound."""
    if value < 0:
        return "(..., 0)", None, -1
    if value < 2:
        return f"[{value}]", value, value
    low = 1 << value.bit_length() - 1
    return f"[{bound(low)}, {bound(2 * low)})", low, 2 * low - 1


def linear_row(value, least, most, step):
    """The same of lhist(value, least, most, step)."""
    if value < least:
        return f"(..., {least})", None, least - 1
    if value >= most:
        return f"[{most}, ...)", most, None
    low = least + (value - least) // step * step
    return f"[{low}, {min(low + step, most)})", low, min(low + step, most) - 1


def rows_of(values, row):
    """{label: count} of the rows that have values."""
    return dict(Counter(row(value)[0] for value in values))


def json_rows(values, row):
    """The same as JSON has it: [(least, greatest, count)], without the rows of nothing."""
    counts = Counter(row(value)[1:] for value in values)
    return sorted(((low, high, n) for (low, high), n in counts.items()), key=lambda r: float("-inf") if r[0] is None else r[0])


def filled(rows):
    """The rows that have something, of JSON's [{"min": 0, "max": 1, "count": 5}]."""
    return [(row.get("min"), row.get("max"), row["count"]) for row in rows if row["count"]]


def average(values):
    """As C divides."""
    return int(sum(values) / len(values)) if abs(sum(values)) < 1 << 50 else sum(values) // len(values)


@contextmanager
def file_of(text, suffix=".bt"):
    """A file with this text."""
    directory = Path(tempfile.mkdtemp(prefix="bscope-", dir="/tmp"))
    try:
        path = directory / f"script{suffix}"
        path.write_text(text, encoding="utf-8")
        yield path
    finally:
        shutil.rmtree(directory)


FEW = 2_000 if VM else 50_000       # of what happens at full speed
