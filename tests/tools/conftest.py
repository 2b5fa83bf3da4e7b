# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Fixtures of the tool tests; see harness.py for the contract and machine.py for what is borrowed."""

import os
import shutil
import sys
import tempfile
import zlib
from pathlib import Path

import pytest

sys.dont_write_bytecode = True

import machine
from filesystems import filesystem
from harness import VM
from machine import PREFIX
from network import Network
from second_try import SecondTry


@pytest.fixture
def place():
    """An empty directory of the test's own that every user can reach; its name is unique on the machine."""
    path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def open_place(place):
    """A directory of the test's own in which every user can make files."""
    path = place / "open"
    path.mkdir()
    path.chmod(0o777)
    return path


@pytest.fixture
def cgroup():
    """A cgroup of the test's own."""
    group = machine.Cgroup()
    yield group
    group.remove()


@pytest.fixture
def other_cgroup():
    """A second cgroup, for what a filter must not match."""
    group = machine.Cgroup()
    yield group
    group.remove()


@pytest.fixture(scope="session")
def disk(tmp_path_factory):
    """A disk that nobody else uses: scsi_debug in the VM, a loop device natively and where the VM's kernel lacks that."""
    if VM and not machine.HAS_SCSI_DEBUG:
        machine.call("modprobe", "loop")
    maker = machine.scsi_disk(100_000) if machine.HAS_SCSI_DEBUG else machine.loop_disk(tmp_path_factory.mktemp("disk"))
    with maker as made:
        yield made


@pytest.fixture(scope="session")
def second_disk(tmp_path_factory):
    """Another such disk, a loop device."""
    if VM:
        machine.call("modprobe", "loop")
    with machine.loop_disk(tmp_path_factory.mktemp("second")) as made:
        yield made


@pytest.fixture(scope="session")
def ext4(tmp_path_factory):
    """An ext4 that nobody else uses."""
    with filesystem("ext4", tmp_path_factory.mktemp("ext4")) as place:
        yield place


@pytest.fixture
def event_place(tool, open_place, request):
    """Where the workloads of the test's `tool` make their files; direct I/O needs more than the tmpfs of an old kernel."""
    return request.getfixturevalue("ext4") if tool in ("ext4slower", "fileslower") else open_place


@pytest.fixture
def network():
    """Two network namespaces with a link between them."""
    with Network() as made:
        yield made


@pytest.fixture(scope="session", autouse=True)
def nothing_left_behind():
    """After the last test: no process, cgroup, mount or temporary directory of these tests is left."""
    yield
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    assert not children.exists() or not children.read_text().split()
    mount = machine.cgroup2_mount()
    assert not mount or not list(mount.glob(f"{PREFIX}-*"))
    assert not list(Path("/tmp").glob(f"{PREFIX}-*"))
    assert f"/tmp/{PREFIX}-" not in Path("/proc/self/mountinfo").read_text(encoding="utf-8")


def is_left_out(item):
    """Whether a whole suite in a VM does without it: what it tests is the same on the machine's own kernel."""
    marker = item.get_closest_marker("any_kernel")
    params = item.callspec.params if hasattr(item, "callspec") else {}
    if marker is None or params.get("tool") in marker.args:
        return False
    return "besides" not in marker.kwargs or not marker.kwargs["besides"](params)


def is_dealt_to_another(item, hand):
    """Whether another kernel of this VM run has the test; a test stays with its kernel as long as it has its name."""
    number, of = map(int, hand.split("/"))
    return not item.get_closest_marker("each_kernel") and zlib.crc32(item.nodeid.encode()) % of != number


def deselect(config, items, is_out):
    config.hook.pytest_deselected(items=[item for item in items if is_out(item)])
    items[:] = [item for item in items if not is_out(item)]


def pytest_collection_modifyitems(config, items):
    """Without root nothing can be attached: natively that is a reason to skip."""
    if os.environ.get("BORESCOPE_OF_THE_KERNEL"):
        deselect(config, items, is_left_out)
    if hand := os.environ.get("BORESCOPE_DEALT"):
        deselect(config, items, lambda item: is_dealt_to_another(item, hand))
    if os.geteuid() == 0 or VM:
        return
    for item in items:
        if not item.get_closest_marker("unprivileged"):
            item.add_marker(pytest.mark.skip(reason="needs root"))


def pytest_configure(config):
    if os.environ.get("BORESCOPE_SECOND_TRY"):
        config.pluginmanager.register(SecondTry())
