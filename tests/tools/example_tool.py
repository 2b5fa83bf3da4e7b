# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Stands in for a tool in the command line of an example: example_tool.py WORLD TOOL ARGUMENT...

It runs the tool with the arguments that the page has, but for what every reader puts in for himself, or what a test
cannot wait for:

    a pid, a disk, a cgroup, a network namespace   those of the test (what is given is only how many)
    seconds (options with SEC, interval, duration) at most world["seconds"]
    how many reports (count)                       at most two
    thresholds in milliseconds (min_ms, MS)        0: the test's disk is not slow

And it adds the test's disk, or else its cgroup, where the line has none, since the machine is not the test's alone; and
-v, to say when it sees events. WORLD is a JSON file; in world["records"] it leaves what it ran, and how that ended."""

import json
import os
import signal
import subprocess
import sys

COUNT = 2


class Arguments:
    """A tool's arguments, read as getopt_long() does, by what its --help says that its options take."""

    def __init__(self, world, tool):
        self.world = world
        self.options = world["options"][tool]       # {"-p": "PID[,PID...]", "-x": None}
        self.positional = world["positional"][tool]
        self.has_script = tool == "bscope"
        self.given = set()
        self.ends = False                           # by itself

    def value(self, what, text):
        """What stands for this argument here; `what` is how --help calls it."""
        world = self.world
        if what in ("SEC", "interval", "duration"):
            return str(min(float(text), world["seconds"])) if float(text) > world["seconds"] else text
        if what == "count":
            return str(min(int(text), COUNT))
        if what in ("MS", "min_ms"):
            return "0"
        if what.split("[")[0] in ("PID", "TID"):
            return ",".join(map(str, world["pids"][:text.count(",") + 1]))
        return {"PATH|ID": world["cgroup"], "DISK": world["disk"], "NAME|PATH|PID|INODE": world["netns"]}.get(what, text)

    def option(self, name, text, rest):
        """An option; `text`: its argument, if that is in the same word. Returns the words for it."""
        self.given.add(name)
        what = self.options.get(name)       # the tool itself says it of one that it has not
        if not what:
            return [name]
        text = rest.pop(0) if text is None else text
        self.ends = self.ends or what == "SEC" and name in ("-d", "--duration") or name in ("--events", "--iterations") \
            or (name, what) in (("-i", "N"), ("-c", "COMMAND"))
        return [name, self.value(what, text)]

    def letters(self, word, rest):
        """-xu USER: options of a letter in one word."""
        for at, letter in enumerate(word[1:], 2):
            takes = self.options.get(f"-{letter}")
            yield from self.option(f"-{letter}", word[at:] or None if takes else None, rest)
            if takes:
                break

    def adapted(self, words):
        """The arguments to run the tool with."""
        found, rest, names = [], list(words), list(self.positional)
        while rest:
            word = rest.pop(0)
            if word.startswith("--") and len(word) > 2:
                name, equals, text = word.partition("=")
                found += self.option(name, text if equals else None, rest)
            elif word.startswith("-") and word != "-":
                found += self.letters(word, rest)
            elif self.has_script:
                found += [word, *rest]
                break
            else:
                name = names.pop(0) if names else None
                self.ends = self.ends or name in ("count", "duration")
                found.append(self.value(name, word))
        if "min_ms" in names:
            found.append("0")
        return [*self.scope(), *found]

    def scope(self):
        """Options that keep it to what the test does."""
        added = ["-v"]
        if self.options.get("-d") == "DISK" and not self.given & {"-d", "--disk"}:
            added += ["-d", self.world["disk"]]
        elif not self.given & {"--cgroup", "-d", "--disk"} and not (self.has_script and "-c" in self.given):
            added += ["--cgroup", self.world["cgroup"]]
        return added


def leave(world, record):
    """Says what is going on, for the test to read."""
    path = os.path.join(world["records"], f"{os.getpid()}")
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(record, file)
    os.rename(path + ".new", path)


def main(path, tool, *words):
    with open(path, encoding="utf-8") as file:
        world = json.load(file)
    ends = True
    if tool in world["options"]:
        arguments = Arguments(world, tool)
        words = arguments.adapted(words)
        ends = arguments.ends
    argv = [os.path.join(world["programs"], tool), *words]
    child = subprocess.Popen(argv, preexec_fn=lambda: signal.signal(signal.SIGPIPE, signal.SIG_DFL))
    record = {"argv": argv, "pid": child.pid, "ends": ends, "status": None}
    leave(world, record)
    os.dup2(os.open("/dev/null", os.O_WRONLY), 1)   # so that a reader that goes is the tool's affair alone
    record["status"] = child.wait()
    leave(world, record)
    return max(record["status"], 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
