# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""profile of a process that is one program after another, or maps one file after another, at the same
addresses: a function is one of the code that ran, or it has no name."""

from collections import Counter

import pytest

from harness import BUILD, VM, Tool, Workload

NAMES = ["west", "east"]


@pytest.fixture(name="copies")
def copies_fixture(place):
    """Two programs that differ in the name of the function in which they work."""
    program = (BUILD / "workloads" / "images").read_bytes()
    assert program.count(b"image_here") == 1
    for name in NAMES:
        (place / name).write_bytes(program.replace(b"image_here", f"image_{name}".encode()))
        (place / name).chmod(0o755)
    return [place / name for name in NAMES]


def right_and_wrong(stacks):
    """How many samples have the function of the program (as its comm is) in them, that of the other one, or none."""
    counts = Counter()
    for stack in stacks:
        functions = {frame["function"] for frame in stack["user"]}
        for name in NAMES:
            if f"image_{name}" in functions:
                counts["right" if stack["comm"] == name else "wrong"] += stack["count"]
                break
        else:
            counts["none"] += stack["count"]
    return counts


def watch(copies, how, milliseconds, rounds, *args):
    """profile of the workload: how it names its functions."""
    with Workload("images", how, milliseconds, *copies * rounds, comm=NAMES[0], directory=copies[0].parent) as work:
        with Tool("profile", "-p", work.pid, "-j", "-F", 199 if VM else 499, *args) as tool:
            work.run()
    assert tool.status == 0, tool.said
    return right_and_wrong(tool.json)


@pytest.mark.parametrize("unwind", [[]] if VM else [[], ["--unwind", "dwarf"]])
def test_exec(copies, unwind):
    """Programs of 20 ms, each executed by the one before. Some have gone when they are looked at."""
    counts = watch(copies, "exec", 20, 5 if VM else 15, *unwind)
    assert not counts["wrong"] and counts["right"] > (0 if VM else counts["none"] / 4), counts


@pytest.mark.parametrize("only", [["-C", 0]] if VM else [[], ["-C", 0]])
def test_mapped_over(copies, only):
    """A file that is mapped to where another one was: the kernel tells when. Looks take long in a VM, and may not take
    more than a part of the time: there, many samples come before one."""
    counts = watch(copies, "map", 150, 3 if VM else 6, *only)
    assert not counts["wrong"] and counts["right"] > (0 if VM else 4 * counts["none"]), counts
