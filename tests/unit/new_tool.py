# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The tool of docs/new-tool.md, taken out of the page and built in a tree of its own.

    new_tool.py BUILD DIR       builds it in DIR with the library of BUILD, and prints the path of the program

A block of the page is a file if "`PATH`:" stands above it, and goes into a file if "add to `PATH`:" does."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs/new-tool.md"
NAME = "sigsnoop"
BLOCK = re.compile(r"(add to )?`([\w./-]+)`:\n\n```c\n(.*?)^```", re.M | re.S)
LINKED = ("Makefile", "VERSION", "libcommon", "man")    # what the tool does not change
COPIED = ("vmlinux", "bpf/lib")


def blocks():
    """(whether it is added to the file, the file's path, text) of each block."""
    return [(bool(added), path, text) for added, path, text in BLOCK.findall(PAGE.read_text(encoding="utf-8"))]


def add(path, text):
    """Puts text at a header's end: before what ends it."""
    source = path.read_text(encoding="utf-8")
    end = source.rindex("#endif")
    if "#pragma clang attribute pop" in source:
        end = source.rindex("#ifndef", 0, end)
    path.write_text(f"{source[:end]}{text}\n{source[end:]}", encoding="utf-8")


def write_tree(folder):
    """The tree of a developer who has done what the page says."""
    for path in LINKED:
        (folder / path).symlink_to(ROOT / path)
    for path in COPIED:
        shutil.copytree(ROOT / path, folder / path)
    (folder / "tools").mkdir()
    (folder / "tools/links").write_text("", encoding="utf-8")
    for added, path, text in blocks():
        if added:
            add(folder / path, text)
        else:
            (folder / path).write_text(text, encoding="utf-8")


def make(folder, build):
    """Builds the tool with the library that is built already, and with the flags that make was given. Returns the path
    of the program."""
    library = folder / "build/libcommon.a"
    if not library.is_symlink():
        library.parent.mkdir(exist_ok=True)
        library.symlink_to(Path(build).absolute() / "libcommon.a")
    subprocess.run(["make", "O=build", "-o", "build/libcommon.a", f"build/bin/{NAME}"], cwd=folder, check=True,
                   stdout=subprocess.DEVNULL)
    return folder / "build/bin" / NAME


if __name__ == "__main__":
    write_tree(Path(sys.argv[2]))
    print(make(Path(sys.argv[2]), sys.argv[1]))
