# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What the tests of biolatency share: its histograms, and what must hold within them."""

import contextlib
import re

from harness import LOST, RFC3339, Workload

N = 23
MS = 1_000_000
FAR = 4096                      # blocks away, so that the requests of two workloads are never merged
BUCKET_ERROR = 0.05             # of the log-linear buckets
PERCENTILES = ("p50_ns", "p90_ns", "p99_ns", "p999_ns")
LEFT_OUT = re.compile(r"^\w+: (\d+) requests are not in these histograms", re.M)
TEXT_ROW = re.compile(r"^\s*(\d+) -> (\d+)\s*: (\d+)\s+\|[* ]*\|$", re.M)


def histograms(tool):
    """The histogram objects that counted something."""
    return [h for h in tool.json if h["count"]]


def total(tool):
    """How many I/Os all histograms count."""
    return sum(h["count"] for h in tool.json)


def row(ns, unit):
    """Which row of a text that time belongs to."""
    return max(ns // unit, 1).bit_length()


def check_histogram(h):
    """What must hold within one histogram object."""
    buckets = h["buckets"]
    assert sum(b["count"] for b in buckets) == h["count"]
    assert all(0 <= b["from_ns"] < b["to_ns"] for b in buckets)
    assert all(a["to_ns"] <= b["from_ns"] for a, b in zip(buckets, buckets[1:]))
    assert all(row(b["from_ns"], unit) == row(b["to_ns"] - 1, unit) for b in buckets[:-1] for unit in (1000, MS)), buckets
    used = [b for b in buckets if b["count"]]
    assert used[0]["from_ns"] <= h["min_ns"] <= used[0]["to_ns"]
    assert used[-1]["from_ns"] <= h["max_ns"] <= used[-1]["to_ns"]
    assert h["min_ns"] * h["count"] <= h["sum_ns"] <= h["max_ns"] * h["count"]
    ordered = [h["min_ns"], *(h[p] for p in PERCENTILES), h["max_ns"]]
    assert ordered == sorted(ordered), ordered
    assert RFC3339.fullmatch(h["time"])


def in_text(tool):
    """The sum of the counts in text histograms."""
    return sum(int(row[2]) for row in TEXT_ROW.findall(tool.out))


def agrees(tool, counted, kernel):
    """Whether a tool counted what the kernel did, or says of each that is missing that it is."""
    told = sum(map(int, LOST.findall(tool.err) + LEFT_OUT.findall(tool.err)))
    return kernel - told <= counted <= kernel


@contextlib.contextmanager
def working(kind, disk, n=N, first=0, **kwargs):
    """A waiting `diskio` on the disk, from its block `first` on."""
    with Workload("diskio", kind, n, disk.path, first, **kwargs) as work:
        yield work
