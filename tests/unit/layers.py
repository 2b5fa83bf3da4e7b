# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The rule of who may include whom, as CONTRIBUTING.md has it, and what of a source tree breaks it.

Each *_faults() returns sentences, one per fault; a source tree is given by its root, so that the tests can
build small ones that are wrong."""

import os
import re
import subprocess
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

GENERATED = re.compile(r"\w+\.skel\.h|flamegraph\.(js|css)\.inc|syscalls-(native|compat|x32)\.h|script-runtime\.inc"
                       r"|(questions|links|affixes)\.inc")
FILE_LINES = 800
FUNCTION_LINES = 60     # between the braces
COLUMNS = 100           # the formatter does not break comments
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)')
PROGRAMS = "bpf/NAME.bpf.c"


# The tree of a script has anything in anything: those who check it and lower it call each other all the time. They share
# script/compile.h, and are one unit.
COMPILER = {"builtins", "call", "check", "compile", "functions", "latency", "lower"}


def script_unit(stem):
    """A unit of script/ may be several files, whose names begin alike: lower.c, lower_expr.c."""
    word = stem.partition("_")[0]
    return "compile" if word in COMPILER else word


class Rule:
    """`user` and `kernel`: what each wing may include, besides itself, directly or through others."""

    def __init__(self, contributing):
        fence = next((block for block in re.findall(r"^```\n(.*?)^```", contributing, re.M | re.S)
                      if block.startswith("bpf/lib/*.shared.h")), None)
        assert fence, "CONTRIBUTING.md has no rule: a block that begins with bpf/lib/*.shared.h"
        self.user, self.kernel = {}, {}
        for line in fence.splitlines()[1:]:
            if line.startswith("bpf/lib "):
                self.read_floors(line.removeprefix("bpf/lib ").split("<"))
            else:
                self.read_line(line)

    def read_line(self, line):
        """kernel  symbols    + base"""
        wings, _, below = line.partition("+")
        allowed = set(below.split())
        assert allowed <= set(self.user), f"CONTRIBUTING.md: in '{line}' a wing stands before its own line"
        closure = allowed.union(*(self.user[wing] for wing in allowed))
        self.user.update((wing, closure) for wing in wings.split())

    def read_floors(self, floors):
        """core < hist stacks < net block"""
        below = set()
        for floor in floors:
            self.kernel.update((wing, frozenset(below)) for wing in floor.split())
            below |= set(floor.split())


class Source:
    """A file of the tree: its place in the house."""

    def __init__(self, root, path):
        self.root, self.path, self.name = root, path, path.name
        parts = path.relative_to(root).parts
        self.relative = "/".join(parts)
        self.kernel = parts[0] == "bpf"
        self.shared = self.name.endswith(".shared.h")
        if parts[:2] in (("bpf", "lib"), ("tests", "unit")):
            self.wing = parts[2] if len(parts) > 3 else None    # tests/unit/output.h is any test's
        elif self.kernel:
            self.wing = PROGRAMS
        else:
            self.wing = parts[1] if parts[0] == "libcommon" else parts[0]

    def text(self):
        return self.path.read_text(encoding="utf-8")

    def lines(self):
        return self.text().splitlines()

    def includes(self):
        """(line number, name, is it in quotes)"""
        for number, line in enumerate(self.lines(), 1):
            found = INCLUDE.match(line)
            if found:
                yield number, found[1] or found[2], found[1] is not None

    def unit(self):
        """A .c with its .h; a wing's internal.h goes with the unit that has the wing's name. Headers of the BPF side
        are units of their own."""
        if self.kernel:
            return self.relative
        unit = re.sub(r"\.[ch]$", "", self.relative)
        if self.relative.startswith("script/"):
            return f"script/{script_unit(unit.removeprefix('script/'))}"
        return unit.replace("/internal", f"/{self.wing}") if unit.endswith("/internal") else unit


def sources(root, *folders):
    """The C files and headers below these folders, sorted."""
    return [Source(root, path) for folder in folders for path in sorted((root / folder).rglob("*.[ch]"))]


def house(root):
    return sources(root, "libcommon", "tools", "script", "bpf")


def find(source, name):
    """The file that #include "name" means."""
    places = ["bpf"] if source.kernel else ["libcommon", "bpf"]
    places += ["tests/unit"] if source.relative.startswith("tests/") else []
    for place in places + ["."]:
        path = source.root / place / name
        if path.is_file() and (place != "." or name.startswith("script/")):
            return Source(source.root, path)
    return None


def wrong_side(source, target):
    """Why no file of this side may include that one, whatever the wing."""
    if source.shared and not target.shared:
        return "what both sides include may include its like only"
    if not source.kernel and target.kernel and not target.shared:
        return "it is the kernel side's"
    if target.name == "internal.h" and source.wing != target.wing:
        return f"it is for files of '{target.wing}' only"
    if source.wing != PROGRAMS and target.wing == PROGRAMS:
        owner = target.name.removesuffix(".shared.h")     # a tool, or script: bpf/script_hash.shared.h
        if source.wing == "script" and script_unit(owner) == "script":
            return None
        if owner not in (source.wing, source.wing == "tools" and source.name.removesuffix(".c")):
            return f"it is {owner}'s own"
    return None


def wrong_wing(rule, source, target):
    """Which wings it may include, if that one is not among them."""
    allowed = (rule.kernel if source.kernel else rule.user).get(source.wing)
    if allowed is None:
        return f"the rule in CONTRIBUTING.md has no wing '{source.wing}'"
    if target.wing == source.wing or target.wing in allowed or (target.kernel and not source.kernel):
        return None
    return f"wing '{source.wing}' may include {' '.join(sorted(allowed)) or 'only itself'}"


def include_faults(root, rule):
    """Includes that name no file from the root of libcommon or bpf, or one that the rule does not allow."""
    faults = []
    for source in house(root) + sources(root, "tests/unit"):
        for number, name, quoted in source.includes():
            at = f"{source.relative}:{number}"
            if not quoted:
                if source.wing == "base" and name.startswith(("bpf/", "libelf", "gelf", "zlib", "lzma", "demangle")):
                    faults.append(f"{at}: wing 'base' includes <{name}>: it may use the C library only")
                continue
            if GENERATED.fullmatch(name):
                continue
            target = find(source, name)
            if not target:
                faults.append(f'{at}: there is no "{name}" in {"bpf" if source.kernel else "libcommon or bpf"}')
            elif source.wing and target.wing:
                why = wrong_side(source, target) or wrong_wing(rule, source, target)
                if why:
                    faults.append(f"{at}: wing '{source.wing}' includes {name} of wing '{target.wing}': {why}")
    return faults


def circles(graph):
    """The groups of units that reach each other (strongly connected, more than one), each sorted."""
    def reach(start):
        seen, todo = set(), [start]
        while todo:
            for unit in graph.get(todo.pop(), ()):
                if unit not in seen:
                    seen.add(unit)
                    todo.append(unit)
        return seen

    reached = {unit: reach(unit) for unit in graph}
    return sorted({tuple(sorted(other for other in reached[unit] if unit in reached.get(other, ())))
                   for unit in graph if unit in reached[unit]})


def circle_faults(root):
    """Units that include each other, be it through others."""
    graph = defaultdict(dict)
    for source in house(root):
        for number, name, quoted in source.includes():
            target = find(source, name) if quoted else None
            if target and target.unit() != source.unit():
                graph[source.unit()].setdefault(target.unit(), f'{source.relative}:{number}: "{name}"')
    return ["a circle: " + ", ".join(where for unit in circle for other, where in graph[unit].items() if other in circle)
            for circle in circles(graph)]


def functions(lines):
    """(number of the line with its name, lines between its braces) of each function, in the kernel's style."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line.startswith("}") and start:
            yield start - 1, number - start - 1
            start = None


def size_faults(root):
    """Files, functions and lines that have grown too long."""
    faults = []
    for source in house(root) + sources(root, "tests"):
        lines = source.lines()
        if len(lines) > FILE_LINES:
            faults.append(f"{source.relative}: {len(lines)} lines, more than {FILE_LINES}")
        faults += [f"{source.relative}:{number}: {len(line.expandtabs(8))} columns, more than {COLUMNS}"
                   for number, line in enumerate(lines, 1) if len(line.expandtabs(8)) > COLUMNS]
        faults += [f"{source.relative}:{number}: a function of {length} lines, more than {FUNCTION_LINES}: "
                   f"{lines[number - 1]}" for number, length in functions(lines) if length > FUNCTION_LINES]
    return faults


def calls(text):
    """(number of the line, the text of each argument) of each call, as its parentheses and commas have it."""
    for call in re.finditer(r"\b(?!(?:if|while|for|switch|return|sizeof)\b)\w+\(", text):
        depth, start, arguments = 1, call.end(), []
        for at in range(call.end(), len(text)):
            depth += (text[at] in "([{") - (text[at] in ")]}")
            if depth == 0 or depth == 1 and text[at] == ",":
                arguments.append(text[start:at])
                start = at + 1
            if depth == 0:
                break
        yield text.count("\n", 0, call.start()) + 1, arguments


def order_faults(root):
    """Calls of bscope's compiler with two arguments that each put instructions into the script's program: which of them
    comes first is the C compiler's choice, and two builds would make different programs of one script."""
    units = sources(root, "script")
    makers = {name for unit in units for name in re.findall(r"^(?:static )?ir_value (\w+)\(", unit.text(), re.MULTILINE)}
    makes = re.compile(rf"\b(?:{'|'.join(sorted(makers))})\(") if makers else re.compile("(?!)")
    return [f"{unit.relative}:{number}: two arguments that make instructions: {', '.join(two)}"
            for unit in units for number, arguments in calls(unit.text())
            if len(two := [" ".join(text.split()) for text in arguments if makes.search(text)]) > 1]


def alone(job):
    """Compiles a header by itself, and twice; what the compiler says if it does not."""
    compiler, source, name = job
    done = subprocess.run([*compiler, "-Werror", "-fsyntax-only", "-x", "c", "-"], cwd=source.root,
                          input=f'#include "{name}"\n' * 2, capture_output=True, encoding="utf-8", check=False)
    errors = [line for line in done.stderr.splitlines() if "error" in line]
    return f"{source.relative}: does not compile alone: {errors[0] if errors else done.stderr}" if done.returncode else None


def header_faults(root, user, kernel):
    """Headers that need another one before them. `user`, `kernel`: the compiler and its flags on each side."""
    jobs = []
    for source in house(root):
        if source.name.endswith(".h"):
            name = source.relative if source.wing == "script" else source.relative.partition("/")[2]
            if source.shared or not source.kernel:
                jobs.append((user, source, name))
            if source.kernel:
                jobs.append((kernel, source, name))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [fault for fault in pool.map(alone, jobs) if fault]


class Globals:
    """What object files, build/obj/libcommon/WING/NAME.o, build/obj/script/NAME.o and build/obj/tools/NAME.o, define and
    use."""

    def __init__(self, objects, nm="nm"):
        self.defined, self.users = {}, defaultdict(set)
        listing = subprocess.run([nm, "-A", *objects], capture_output=True, encoding="utf-8", check=True).stdout
        for line in listing.splitlines():
            file, _, rest = line.partition(":")
            *_, kind, name = rest.split()
            if kind in "Uw":
                self.users[name].add(Path(file))
            elif kind.isupper():
                self.defined[name] = Path(file)

    @staticmethod
    def unit(file):
        """The unit that an object is part of."""
        return f"script/{script_unit(file.stem)}" if file.parent.name == "script" else str(file)

    @staticmethod
    def source(file):
        """The path of what an object was made of."""
        folder = file.parent.name
        return Path(folder if folder in ("script", "tools") else f"libcommon/{folder}") / f"{file.stem}.c"

    def lonely_faults(self, root, exceptions):
        """Globals that no other unit uses, and exceptions that are none. Tests may use what is for them: exceptions."""
        tests = "".join(source.path.read_text(encoding="utf-8") for source in sources(root, "tests/unit", "tests/fuzz"))
        lonely = {name: file for name, file in self.defined.items()
                  if not self.users[name] - {file} and name != "main"}
        faults = []
        for name, file in sorted(lonely.items()):
            source = root / self.source(file)
            if name not in exceptions:
                own = len(re.findall(rf"\b{name}\b", source.read_text(encoding="utf-8"))) > 1
                users = ["its own unit"] * own + ["tests"] * bool(re.search(rf"\b{name}\b", tests))
                faults.append(f"{source.relative_to(root)}: {name} is used by {' and '.join(users) + ' only' if users else 'nobody'}")
        return faults + [f"{name} is used by another unit, or gone: no exception any more" for name in sorted(set(exceptions) - set(lonely))]

    def name_faults(self, prefixes):
        """Globals whose name does not begin with that of their unit or wing, without its plural and whatever the
        underscores; `prefixes`: words that a unit uses besides."""
        faults = []
        for name, file in sorted(self.defined.items()):
            words = [file.stem, file.parent.name]
            words += [file.stem.partition("_")[0]] if file.parent.name == "script" else []
            own = [re.sub("(?<=s)es$|s$", "", word.replace("_", "")) for word in words]
            allowed = (*own, *prefixes.get(f"{file.parent.name}/{file.stem}.c", "").split())
            if file.parent.name != "tools" and not name.replace("_", "").startswith(allowed):
                faults.append(f"{self.source(file)}: {name} begins with none of: {' '.join(allowed)}")
        return faults

    def call_faults(self, rule):
        """Uses that no include shows: of a wing that the rule does not allow."""
        faults = []
        for name, files in sorted(self.users.items()):
            target = self.defined.get(name)
            for file in sorted(files) if target else ():
                wing, other = file.parent.name, target.parent.name
                if wing != other and other not in rule.user.get(wing, ()):
                    faults.append(f"{file}: wing '{wing}' uses {name} of wing '{other}'")
        return faults

    def circle_faults(self):
        """Units that call each other, be it through others."""
        graph = defaultdict(dict)
        for name, files in self.users.items():
            target = self.defined.get(name)
            for file in files if target else ():
                if target and self.unit(file) != self.unit(target):
                    graph[self.unit(file)].setdefault(self.unit(target), f"{file.parent.name}/{file.stem}.c uses {name}")
        return ["a circle: " + ", ".join(where for unit in circle for other, where in graph[unit].items()
                                         if other in circle) for circle in circles(graph)]


PATH = re.compile(r"(?<![\w/.<$*{}-])(?:tests|libcommon|bpf|tools|script|man|packaging|vmlinux|docs)/[\w./-]*\w")
OWN_FILE = re.compile(r"(?<![\w/.<\"*-])(?:[a-z]\w+(?:\.probes)?\.bpf\.[ch]|[a-z]\w+(?:\.shared)?\.[ch])\b")
PLACEHOLDER = re.compile(r"NAME|WING|TOOL|sigsnoop")     # the last is the example of docs/new-tool.md


def mention_faults(root):
    """Documents that name a path, and comments that name a file of the house, that is not there. Files of the kernel
    are named by their path."""
    names = {source.name for source in house(root) + sources(root, "vmlinux")}
    faults = []
    for document in [*root.glob("*.md"), *root.glob("docs/*.md"), *root.glob("*/README.md"), *root.glob("tests/*/README.md"),
                     root / "NEWS"]:
        for number, line in enumerate(document.read_text(encoding="utf-8").splitlines(), 1):
            faults += [f"{document.relative_to(root)}:{number}: there is no {path}" for path in PATH.findall(line)
                       if not PLACEHOLDER.search(path) and not (root / path).exists()]
    for source in house(root):
        for number, line in enumerate(source.lines(), 1):
            faults += [f"{source.relative}:{number}: there is no {name}" for name in OWN_FILE.findall(line)
                       if name not in names and "include" not in line]
    return faults


TOOL_FILES = ("tools/{}.c", "bpf/{}.bpf.c", "man/{}.8", "tests/tools/test_{}.py", "tests/unit/golden/{}.help")
# bscope's programs are made of the script that it is given, by script/
MAKES_ITS_PROGRAMS = {"bscope"}
TOOL_ENTRIES = ("tests/tools/suite.py", "tests/bench/*.py", "man/borescope.7", "README.md", "NEWS")


def tool_faults(root, tools):
    """Tools without one of the files and entries that each has."""
    faults = [f"{tool}: there is no {path.format(tool)}" for tool in tools for path in TOOL_FILES
              if not (root / path.format(tool)).is_file() and
              not (tool in MAKES_ITS_PROGRAMS and path.startswith("bpf/"))]
    for pattern in TOOL_ENTRIES:
        text = "".join(path.read_text(encoding="utf-8") for path in root.glob(pattern))
        faults += [f"{tool}: {pattern} does not name it" for tool in tools if not re.search(rf"\b{tool}\b", text)]
    return faults
