# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The static tarball (make static) in a root that has nothing else, as a container of it has: what README.md says that it
needs there, and what it says where that is missing. BORESCOPE_DIST is the directory with the tarball; root."""

import ctypes
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

DIST = Path(os.environ["BORESCOPE_DIST"])
MACHINE = os.uname().machine
TARBALL = next(DIST.glob(f"borescope-*-{MACHINE}.tar.gz"))
NR_CAPS = 41
CAPS = {"SYS_PTRACE": 19, "SYS_ADMIN": 21, "SYSLOG": 34, "PERFMON": 38, "BPF": 39}
MOUNTS = {"proc": "mount -t proc none proc", "sys": "mount -t sysfs none sys", "tracefs": "mount -t tracefs none sys/kernel/tracing",
          "cgroup": "mount -t cgroup2 none sys/fs/cgroup"}
LOOK = ["opensnoop", "--duration", "0.3"]
SCRIPT = ["bscope", "--duration", "0.3", "-e", "t:sched:sched_switch { @ = count(); }"]


@pytest.fixture(name="tree", scope="module")
def fixture_tree(tmp_path_factory):
    folder = tmp_path_factory.mktemp("static")
    subprocess.run(["tar", "-xf", TARBALL, "--strip-components=1", "-C", folder], check=True)
    for name in ("proc", "sys"):
        (folder / name).mkdir()
    return folder


def enter(caps, argv):
    """The child's side: in the directory that is to be its root, with these capabilities only."""
    os.chroot(".")
    prctl = ctypes.CDLL(None).prctl
    for number in range(NR_CAPS):
        if number not in caps:
            prctl(24, number, 0, 0, 0)      # PR_CAPBSET_DROP
    os.execv(argv[0], argv)


def run(tree, caps, mounts, argv, *options):
    """In mount namespace of its own, with only these mounts."""
    script = "; ".join(["set -e", "cd " + str(tree), *(MOUNTS[name] for name in mounts), 'exec "$@"'])
    numbers = [str(CAPS[name]) for name in caps]
    return subprocess.run(["unshare", "-m", *options, "sh", "-c", script, "sh", sys.executable, __file__, ",".join(numbers),
                           "/sbin/borescope", *argv], capture_output=True, encoding="utf-8", check=False)


def test_tarball(tree):
    """The checksum is right; all of it takes less than 8 MB; each link is that tool; nothing is asked of a library."""
    said, name = (DIST / f"{TARBALL.name}.sha256").read_text(encoding="utf-8").split()
    assert (said, name) == (hashlib.sha256(TARBALL.read_bytes()).hexdigest(), TARBALL.name)
    files = [path for path in tree.rglob("*") if path.is_file() and not path.is_symlink()]
    assert sum(path.stat().st_size for path in files) < 8_000_000
    names = {path.name for path in (tree / "sbin").iterdir() if path.is_symlink()}
    assert len(names) >= 21
    for name in names:
        done = subprocess.run([tree / "sbin" / name, "--version"], capture_output=True, encoding="utf-8", check=True)
        assert done.stdout.startswith(f"{name} ")
        assert (tree / f"share/man/man8/{name}.8").is_file()
    assert b"INTERP" not in subprocess.run(["readelf", "-lW", tree / "sbin/borescope"], capture_output=True, check=True).stdout


def test_sbom():
    """What stands beside the tarball is of just that one, and names all that was linked, in the versions that are here."""
    said = json.loads((DIST / f"{TARBALL.name.removesuffix('.tar.gz')}.spdx.json").read_text(encoding="utf-8"))
    parts = {part["name"]: part for part in said["packages"]}
    assert parts["borescope"]["checksums"][0]["checksumValue"] == hashlib.sha256(TARBALL.read_bytes()).hexdigest()
    for name in ("libbpf", "libelf", "zlib", "liblzma"):
        here = subprocess.run(["pkg-config", "--modversion", name], capture_output=True, encoding="utf-8", check=True).stdout
        assert parts[name]["versionInfo"] == here.strip()
    assert {"libiberty", "glibc"} <= set(parts)
    ids = {part["SPDXID"] for part in said["packages"]}
    linked = {line["relatedSpdxElement"] for line in said["relationships"] if line["relationshipType"] == "STATIC_LINK"}
    assert linked == ids - {"SPDXRef-borescope"} and len(ids) == len(parts)


@pytest.mark.parametrize("caps, mounts, argv, status, says", [
    ("BPF PERFMON", "proc sys", LOOK, 0, ""),
    ("BPF PERFMON", "sys", LOOK, 0, ""),
    ("", "proc sys", LOOK, 1, "CAP_BPF and CAP_PERFMON"),
    ("BPF", "proc sys", LOOK, 1, "CAP_PERFMON"),
    ("BPF PERFMON", "proc", LOOK, 1, "/sys is empty here"),
    ("BPF PERFMON", "proc sys", [*LOOK, "--uid", "0"], 0, ""),
    ("BPF PERFMON", "proc sys", [*LOOK, "--uid", "root"], 2, "--uid"),
    ("BPF PERFMON", "proc sys", [*LOOK, "--cost"], 0, "CAP_SYS_ADMIN"),
    ("BPF PERFMON", "proc sys cgroup", ["runqlat", "--cgroup", "/", "0.2", "1"], 0, ""),
    ("BPF PERFMON", "proc sys", ["runqlat", "--cgroup", "/", "0.2", "1"], 2, "--cgroup"),
    ("BPF PERFMON", "proc sys tracefs", SCRIPT, 0, ""),
    ("BPF PERFMON SYS_ADMIN", "proc sys", SCRIPT, 0, ""),
    ("BPF PERFMON", "proc sys", SCRIPT, 1, "tracefs"),
    ("BPF PERFMON", "proc sys", ["profile", "0.3"], 0, "CAP_SYSLOG"),
])
def test_container(tree, caps, mounts, argv, status, says):
    """What README.md says under "In a container"."""
    done = run(tree, caps.split(), mounts.split(), argv)
    assert done.returncode == status, done.stderr
    assert says in done.stderr


def test_pid_namespace(tree):
    """In one of its own, xstack sees nobody else, and says so."""
    done = run(tree, ["BPF", "PERFMON"], ["proc", "sys"], ["xstack", "-a", "-i", "1"], "-p", "-f")
    assert done.returncode == 0 and "only threads of this pid namespace" in done.stderr
    assert len(done.stdout.splitlines()) <= 3


if __name__ == "__main__":
    enter({int(number) for number in sys.argv[1].split(",") if number}, sys.argv[2:])
