#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Debian for another architecture, unpacked from its packages into the cache: the root of guests, and libraries to build with.

foreign.py ARCHITECTURE root|libraries [--update]: makes it if it is not there, and prints its directory.

No script of a package is run: arrange() does what is needed of what they do.
"""

import argparse
import hashlib
import shutil
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.append(str(Path(__file__).resolve().parent.parent))

import packages
from debian import CACHE, Problem, call, locked, private_apt
from machines import MACHINES

SUITES = ("bookworm", "bookworm-updates", "bookworm-security")
# What Debian takes for granted: the packages with Essential: yes, and what debootstrap adds to them.
ESSENTIAL = ("base-files base-passwd bash bsdutils coreutils dash debianutils diffutils dpkg findutils grep gzip hostname init-system-helpers "
             "libc-bin login mawk mount ncurses-base ncurses-bin netbase passwd perl-base procps sed sysvinit-utils tar util-linux").split()
# The only packages of the group build that have something to be linked with.
IS_LIBRARY = ("libc6-dev", "libbpf-dev", "libelf-dev", "zlib1g-dev", "liblzma-dev", "libiberty-dev", "libcmocka-dev")
# Other names of programs, which alternatives would make.
NAMES = {"awk": "mawk", "cc": "gcc", "which": "which.debianutils", "nawk": "mawk"}


def wanted(kind):
    """The packages that it is made from; what they depend on comes with them."""
    if kind == "libraries":
        return sorted(IS_LIBRARY)
    # the initramfs is busybox's
    listed = [debian for group, debian, _, _ in packages.read() if debian and group in ("build", "check")]
    return sorted({*ESSENTIAL, *listed, "busybox-static", "python3-pytest", "ca-certificates"})


def prepare(architecture, kind, update=False):
    """The directory of it, from the cache where it is there, is of these packages, and no UPDATE is asked for."""
    place = CACHE / "foreign" / f"{architecture}-{kind}"
    with locked(CACHE / "lock"):
        recipe = hashlib.sha256(Path(__file__).read_bytes()).hexdigest() + "\n" + "\n".join(wanted(kind)) + "\n"
        made = record(place)
        if update or not place.is_dir() or not made.exists() or not made.read_text().startswith(recipe):
            place.parent.mkdir(parents=True, exist_ok=True)
            made.write_text(recipe + "".join(f"{name}\n" for name in fetch(architecture, kind, place)))
    return place


def record(place):
    """The file that says what a directory was made from, the versions of its packages too."""
    return place.with_name(place.name + ".made")


def fetch(architecture, kind, place):
    """Makes it of the newest packages, and returns their files' names."""
    with tempfile.TemporaryDirectory(prefix="fetch-", dir=CACHE) as scratch:
        scratch = Path(scratch)
        apt = private_apt(scratch / "apt", SUITES, architecture)
        print(f"{architecture}: fetching {kind} of {SUITES[0]}", file=sys.stderr)
        call("apt-get", "-q", "update", env=apt)
        call("apt-get", "-qy", "--no-install-recommends", "--download-only", "install", *wanted(kind), env=apt)
        new = scratch / "new"
        # /usr is merged
        for name in ("bin", "sbin", "lib"):
            (new / "usr" / name).mkdir(parents=True)
            (new / name).symlink_to(f"usr/{name}")
        debs = sorted((scratch / "apt/cache/archives").glob("*.deb"))
        for deb in debs:
            call("tar", "-x", "--keep-directory-symlink", "-C", new, stdin=call("dpkg-deb", "--fsys-tarfile", deb))
        arrange(new)
        if kind == "root":
            call(MACHINES[architecture].user, new / "usr/sbin/ldconfig", "-r", new)     # bscope looks for libraries in its cache
        if place.is_dir():
            place.rename(scratch / "old")
        new.rename(place)
        return [deb.name for deb in debs]


def arrange(root):
    """What the packages' scripts would have done."""
    for name, target in NAMES.items():
        if (root / "usr/bin" / target).exists() and not (root / "usr/bin" / name).exists():
            (root / "usr/bin" / name).symlink_to(target)
    if (root / "usr/share/base-passwd").is_dir():
        for name in ("passwd", "group"):
            shutil.copy(root / f"usr/share/base-passwd/{name}.master", root / "etc" / name)
        shutil.copy(root / "usr/share/libc-bin/nsswitch.conf", root / "etc/nsswitch.conf")
        (root / "etc/hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")
        (root / "etc/mtab").symlink_to("../proc/self/mounts")
        (root / "root").mkdir(mode=0o700, exist_ok=True)
    for name in ("proc", "sys", "dev", "run", "tmp", "boot", "mnt"):
        (root / name).mkdir(exist_ok=True)


def main():
    parser = argparse.ArgumentParser(prog="tests/vm/foreign.py", description=__doc__.partition("\n\n")[0])
    parser.add_argument("architecture", choices=("arm64",))
    parser.add_argument("kind", choices=("root", "libraries"))
    parser.add_argument("--update", action="store_true", help="make it anew, of the newest packages")
    arguments = parser.parse_args()
    try:
        print(prepare(arguments.architecture, arguments.kind, arguments.update))
        return 0
    except (Problem, OSError) as problem:
        print(f"tests/vm/foreign.py: {problem}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
