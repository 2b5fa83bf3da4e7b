# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The example of borescope(7): a job that rewrites a file holds up a service on the same slow disk. Who, and where?"""

import contextlib

import pytest

from filesystems import mounted
from harness import Tool, Workload
from machine import call, need_scsi_debug, scsi_delay

MS = 1_000_000
READS, REWRITES = 400, 4
DELAY_MS = 2                    # of each request: one after another, where others wait in the queue


@pytest.fixture
def slow_ext4(disk, place):
    """An ext4 on a disk that does one request at a time, each in DELAY_MS."""
    need_scsi_debug()
    call("mkfs.ext4", "-q", "-F", disk.path)
    with scsi_delay(DELAY_MS * MS), contextlib.ExitStack() as stack:
        depth = disk.sys / "device" / "queue_depth"
        before = depth.read_text()
        depth.write_text("1")
        stack.callback(depth.write_text, before)
        yield disk, stack.enter_context(mounted("ext4", disk.path, place / "mnt"))


def slower_than(tool, ns):
    """How many of the requests in all histograms took longer."""
    return sum(bucket["count"] for row in tool.json for bucket in row["buckets"] if bucket["from_ns"] >= ns)


def test_a_job_holds_up_a_service(slow_ext4, place):
    """biolatency shows that reads have got a second hump; ext4slower who is behind it, and the file."""
    disk, mount = slow_ext4
    (mount / "shop").mkdir()
    (mount / "export").mkdir()
    service = ("fileops", "read", READS, mount / "shop")
    with Workload(*service, comm="shopd", directory=place) as shop:
        with Tool("biolatency", "-Q", "-d", disk.name, "--comm", "shopd", "--json") as quiet:
            shop.run()
    with Workload(*service, comm="shopd", directory=place) as shop, \
            Workload("fileops", "rewrite", REWRITES, mount / "export", comm="nightly", directory=place) as job, \
            Tool("biolatency", "-Q", "-d", disk.name, "--comm", "shopd", "--json") as busy, \
            Tool("ext4slower", "10", "--json") as slower:
        job.start()
        shop.run()
        done = job.finish()
    hump = 4 * DELAY_MS * MS
    assert slower_than(quiet, hump) < REWRITES <= slower_than(busy, hump)
    syncs = [row for row in slower.json if row["comm"] == "nightly" and row["operation"] == "sync"]
    assert [row["path"] for row in syncs] == ["export/large"] * len(done)
    assert max(slower.json, key=lambda row: row["latency_ns"])["comm"] == "nightly"
    assert any((row["comm"], row["operation"], row["path"]) == ("shopd", "read", "shop/data") for row in slower.json)
