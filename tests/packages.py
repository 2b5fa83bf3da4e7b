# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What packaging/packages says: which package has a program that the tests call."""

import shutil
from pathlib import Path

LIST = Path(__file__).resolve().parent.parent / "packaging" / "packages"


def read():
    """(group, Debian's package or None, Fedora's packages, programs) of each line."""
    for line in LIST.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            group, debian, fedora, *programs = line.split()
            yield group, None if debian == "-" else debian, [] if fedora == "-" else fedora.split(","), programs


def of_program(program):
    """The package that has it, by the name it has here."""
    for _, debian, fedora, programs in read():
        if program in programs:
            return " ".join(fedora) if shutil.which("dnf") else debian
    raise KeyError(f"{LIST} has no package with {program}")


def missing(group):
    """Packages of the group, as Debian calls them, of which a program is not there."""
    return [debian for name, debian, _, programs in read()
            if name == group and not all(map(shutil.which, programs))]
