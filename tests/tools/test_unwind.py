# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""profile --unwind dwarf: the stacks of programs that keep no frame pointers."""

import math
import os
import random
import signal
import struct
import time

import pytest

from harness import BUILD, USAGE, VM, Tool, Workload, one_line, public_copy, run_tool
from machine import need

SECONDS = 4 if VM else 3
ROOT = ["main", "_start"]       # what every stack of a first thread has at its root, beside the C library's
NOBODY = 65534


def names(frames):
    """The functions of a JSON stack."""
    return [frame["function"] for frame in frames]


def watch(mode, *tool_args, seconds=SECONDS, name="nofp", **kwargs):
    """Runs a workload under `profile --unwind dwarf` of it; returns the ended tool and what the workload printed."""
    with Workload(name, seconds * 1000, *([mode] if mode else []), **kwargs) as work:
        with Tool("profile", "-p", work.pid, "-j", "-F", 199, *(tool_args or ["--unwind", "dwarf"])) as tool:
            work.start()
            time.sleep(seconds + 0.5)
        done = work.finish()
    assert tool.status == 0, tool.said
    assert tool.summary["events"] == sum(stack["count"] for stack in tool.json) > 0
    return tool, done


def count(tool, wanted):
    """Samples whose user stack is as `wanted` says of its functions, leaf first."""
    return sum(stack["count"] for stack in tool.json if wanted(names(stack["user"])))


def nearly_all(some, samples):
    """But for those taken while the process ends, or in the middle of a switch from one task to another."""
    return samples - 2 - 0.03 * samples <= some <= samples and some > 0


def is_sequence(functions, *parts):
    """Do these functions stand in this order, with others between?"""
    at = iter(functions)
    return all(part in at for part in parts)


def test_through_a_library():
    """From the function that qsort() calls to the program's start; by frame pointers it is the leaf and little else."""
    tool, (done,) = watch("sort")
    whole = count(tool, lambda f: is_sequence(f, "burn", "compare", "sort_some", "sort_all", *ROOT) and f[-1] == "_start")
    assert nearly_all(whole, tool.summary["events"]), tool.json[-1]
    assert nearly_all(tool.summary["unwound"], tool.summary["events"])
    assert nearly_all(tool.summary["unwound_to_root"], tool.summary["events"])
    assert tool.summary["lost"] == tool.summary["skipped"] and not tool.summary["truncated"]
    assert not nearly_all(tool.summary["unwound_uncopied"], tool.summary["events"])
    between = next(stack["user"] for stack in reversed(tool.json) if "compare" in names(stack["user"]))
    assert {"libc.so.6"} == {frame["module"] for frame in between[names(between).index("compare") + 1:
                                                                  names(between).index("sort_some")]}
    leaves = [count(tool, lambda f, leaf=leaf: f and f[0] == leaf) for leaf in ("burn_seventy", "burn_thirty")]
    share = done["seventy_ns"] / (done["seventy_ns"] + done["thirty_ns"])
    assert abs(leaves[0] / sum(leaves) - share) < 4.5 * math.sqrt(share * (1 - share) / sum(leaves)) + 0.005
    tool, _ = watch("sort", "--unwind", "fp")
    assert not count(tool, lambda f: "main" in f) and "unwound" not in tool.summary
    assert "built without frame pointers, most of it in nofp: see --unwind dwarf" in tool.said


def test_second_thread():
    """A thread's stack begins in the C library, where it says so."""
    tool, _ = watch("thread")
    whole = count(tool, lambda f: is_sequence(f, "burn", "compare", "sort_some", "sort_all"))
    assert nearly_all(whole, tool.summary["events"])
    assert nearly_all(tool.summary["unwound_to_root"], tool.summary["events"])


def test_in_system_calls():
    """Samples taken in the kernel have the stack of the program that called it."""
    tool, _ = watch("call")
    in_kernel = sum(stack["count"] for stack in tool.json if stack["kernel"])
    called = sum(stack["count"] for stack in tool.json if stack["kernel"]
                 and is_sequence(names(stack["user"]), "call_read", *ROOT))
    assert in_kernel >= 0.8 * tool.summary["events"] and nearly_all(called, in_kernel)
    assert {frame["module"] for stack in tool.json[-1:] for frame in stack["user"][:1]} == {"libc.so.6"}
    only_user, _ = watch("call", "--unwind", "dwarf", "-U")
    assert not any(stack["kernel"] for stack in only_user.json)
    assert nearly_all(count(only_user, lambda f: is_sequence(f, "call_read", *ROOT)), only_user.summary["events"])


def test_copy_that_ends():
    """A stack deeper than what is copied ends there, says so at its root, and is counted."""
    depths = []
    for size in (16384, 4096, 512):
        tool, _ = watch("deep", "--unwind", f"dwarf,{size}", seconds=2)
        deep = [stack for stack in tool.json if names(stack["user"])[:1] == ["burn_seventy"]]
        assert all(names(stack["user"])[-1] == "[truncated]" for stack in deep)
        assert nearly_all(tool.summary["unwound_uncopied"], tool.summary["events"])
        assert f"deeper than the {size} bytes that are copied of each" in tool.said
        assert tool.summary["copied_bytes"] <= size * tool.summary["unwound"]
        depths.append(names(deep[-1]["user"]).count("go_deep"))
    # on arm64 the address to return to is at a frame's lower end, so that of one frame more is copied
    more = os.uname().machine == "aarch64"
    assert 12 <= depths[0] - more <= 16 and 2 <= depths[1] - more <= 4 and depths[2] - more <= 1, depths


def test_reader_that_does_not_follow():
    """What has no room in the rings while the tool is held up is counted as lost."""
    with Workload("nofp", 20000, "deep") as work:
        with Tool("profile", "-p", work.pid, "-j", "-F", 999 if VM else 4999, "--source", "cpu-clock",
                  "--unwind", "dwarf") as tool:
            work.start()
            time.sleep(1)
            tool.process.send_signal(signal.SIGSTOP)
            time.sleep(8)
            tool.process.send_signal(signal.SIGCONT)
            time.sleep(0.5)
    assert tool.status == 0, tool.said
    assert tool.summary["lost"] > 0, tool.summary
    assert tool.summary["events"] < tool.summary["taken"] <= tool.summary["events"] + tool.summary["lost"]


def test_process_that_ended(place):
    """A process that has ended, and whose program is gone, was unwound while it lived."""
    with Workload("nofp", 700, comm="gone", directory=place) as work:
        with Tool("profile", "-p", work.pid, "-j", "-F", 199, "--unwind", "dwarf") as tool:
            work.start()
            time.sleep(0.2)
            (place / "gone").unlink()
            work.finish()
            time.sleep(0.3)
    assert count(tool, lambda f: is_sequence(f, "compare", "sort_some", *ROOT)) > 0.9 * tool.summary["events"] > 0


def test_code_without_tables():
    """Code that a compiler made in memory has no tables: where it keeps a frame pointer, that serves."""
    with Workload("jitburn", 1500) as work:
        with Tool("profile", "-p", work.pid, "-j", "-F", 199, "--unwind", "dwarf") as tool:
            work.start()
            time.sleep(1.5)
        work.finish()
    jit = [stack for stack in tool.json if stack["user"] and stack["user"][0]["module"] == "[jit]"]
    in_jit = sum(stack["count"] for stack in jit)
    # not in its first instructions and its last, where the pointer is the caller's
    whole = sum(stack["count"] for stack in jit if is_sequence(names(stack["user"]), *ROOT))
    assert whole >= 0.95 * in_jit > 0.4 * tool.summary["events"], (whole, in_jit, tool.summary)


def test_real_program():
    """python3, as the distribution builds it: nearly all stacks begin where the program does."""
    program = ["/usr/bin/python3", "-c", "import json\nwhile True: json.dumps([{'a': i} for i in range(999)], indent=1)"]
    need(os.path.exists(program[0]), "python3 is not installed")
    pid = os.posix_spawn(program[0], program, os.environ)
    try:
        time.sleep(1 if VM else 0.3)
        with Tool("profile", "-p", pid, "-j", "-F", 99, "--unwind", "dwarf") as tool:
            time.sleep(SECONDS)
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    assert tool.summary["unwound_to_root"] >= 0.95 * tool.summary["unwound"] > 0, tool.summary
    assert count(tool, lambda f: f and f[-1] == "_start") >= 0.95 * tool.summary["events"]


# --- tables that were made to do harm ---


def section(elf, name):
    """The place and the size of a section in the bytes of an ELF file."""
    offset, = struct.unpack_from("<Q", elf, 40)
    size, number, names_at = struct.unpack_from("<HHH", elf, 58)
    headers = [struct.unpack_from("<IIQQQQ", elf, offset + i * size) for i in range(number)]
    texts = headers[names_at][4]
    for header in headers:
        if elf[texts + header[0]:].startswith(name + b"\0"):
            return header[4], header[5]
    raise AssertionError(f"no section {name}")


def entry(body):
    """A table's entry: its length, and that, padded with DW_CFA_nop."""
    body += bytes(-len(body) % 8 + 4)
    return struct.pack("<I", len(body)) + body


def table_for_all(program):
    """An .eh_frame that has one function, from address 0 on for a gigabyte, with these instructions."""
    cie = entry(struct.pack("<IB4sBBBBB", 0, 1, b"zR\0\1", 0x78, 16, 1, 0, 0))
    return cie + entry(struct.pack("<IQQB", len(cie) + 4, 0, 1 << 30, 0) + program)


TABLES = {
    "garbage": lambda size: random.Random(23).randbytes(size),
    "ones": lambda size: b"\xff" * size,
    # the CFA is a word further up each time, and the address to return to the same for ever
    "endless": lambda size: table_for_all(b"\x0c\x07\x08\x08\x10"),
    # DW_CFA_offset_extended of register 8,000,000, then DW_CFA_remember_state: libdw takes 0.5 GB
    "large": lambda size: table_for_all(b"\x05\x80\xa4\xe8\x03\x01" + b"\x0a" * 9),
    "states": lambda size: table_for_all(b"\x0a" * (size // 2)),
    # nothing but DW_CFA_advance_loc of 0, and expressions of nothing but DW_OP_dup
    "long": lambda size: table_for_all(b"\x40" * (size // 2)),
    "expression": lambda size: table_for_all(b"\x0f\x40" + b"\x12" * 64 + b"\x16\x10\x40" + b"\x12" * 64),
    "beyond": lambda size: table_for_all(b"\x0c\x07\x08\x0f\xff\xff\xff\xff\x0f\x06"),
}


@pytest.mark.any_kernel
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="vm-ok: written for x86-64")
@pytest.mark.parametrize("kind", TABLES)
def test_hostile_tables(kind, place):
    """Another user's tables give short stacks: no crash, no more memory, and as many samples as without them."""
    program = public_copy(BUILD / "workloads" / "nofp", place)
    elf = bytearray(program.read_bytes())
    at, size = section(elf, b".eh_frame")
    table = TABLES[kind](size)[:size]
    elf[at:at + len(table)] = table
    program.write_bytes(elf)
    with Workload("nofp", 2000, uid=NOBODY, directory=place) as work:
        with Tool("profile", "-p", work.pid, "-j", "-F", 199, "--unwind", "dwarf") as tool:
            work.start()
            time.sleep(2)
            with open(f"/proc/{tool.process.pid}/status", encoding="ascii") as status:
                peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
        work.finish()
    assert tool.status == 0, tool.said
    assert tool.summary["events"] == tool.summary["taken"] > 3
    assert all(len(stack["user"]) <= 513 for stack in tool.json)
    assert count(tool, lambda f: f and f[0] in ("burn_seventy", "burn_thirty")) \
        >= (0.1 if VM else 0.9) * tool.summary["events"]
    assert count(tool, lambda f: "_start" in f) <= 0.05 * tool.summary["events"]
    assert ("deeper than the" if kind == "endless" else "built without tables to unwind by") in tool.said
    assert peak < 100_000, "kB"


@pytest.mark.any_kernel
@pytest.mark.parametrize("value", ["dwarfs", "dwarf,", "dwarf,511", "dwarf,16385", "dwarf,4k", "dwarf,-1", ""])
def test_arguments(value):
    """What --unwind does not take is said in one line."""
    done = run_tool("profile", "--unwind", value, 1)
    assert done.returncode == USAGE and "--unwind" in one_line(done.stderr)


def test_needs_user_stacks():
    """-K leaves nothing to unwind."""
    done = run_tool("profile", "-K", "--unwind", "dwarf", 1)
    assert done.returncode == USAGE and "--unwind" in one_line(done.stderr)
