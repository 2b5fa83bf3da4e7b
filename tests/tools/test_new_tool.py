# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The tool of docs/new-tool.md, against a workload that says what it must show."""

import subprocess
import sys

import pytest

from harness import BUILD, HEAD_KEYS, ROOT, VM, Tool, Workload, assert_sorted_times

NAME, N = "sigsnoop", 23
RESULTS = ["delivered", "ignored"]
RUNGS = {"": "tp_btf", "tp_btf": "raw_tp"}      # by what is ruled out


@pytest.fixture(name="program", scope="module")
def fixture_program(tmp_path_factory):
    """The program, built from the page."""
    if VM:
        pytest.skip("vm-ok: it is built where it runs, and there is no compiler here")
    done = subprocess.run([sys.executable, ROOT / "tests/unit/new_tool.py", BUILD, tmp_path_factory.mktemp("new-tool")],
                          check=True, capture_output=True, encoding="utf-8")
    return done.stdout.strip()


@pytest.mark.parametrize("avoid", RUNGS)
def test_exact_rows(program, avoid, cgroup):
    """23 signals: exactly these rows, as text and as JSON."""
    with Workload("signals", N, cgroup=cgroup) as work:
        arguments = ("--cgroup", cgroup.path)
        with Tool(NAME, *arguments, program=program, avoid=avoid) as text, \
                Tool(NAME, *arguments, "--json", program=program, avoid=avoid) as json, \
                Tool(NAME, *arguments, "-x", "-s", 10, "--json", program=program, avoid=avoid) as ignored:
            done = work.run()
    assert len(done) == N and {line["result"] for line in done} == {0, 1}
    assert text.rung("signals", "tp_btf/signal_generate") == RUNGS[avoid]
    assert text.header == ["PID", "COMM", "SIG", "TPID", "RESULT"]
    assert text.rows == [{"PID": str(line["pid"]), "COMM": "signals", "SIG": str(line["signal"]),
                          "TPID": str(line["target"]), "RESULT": RESULTS[line["result"]]} for line in done]
    rows = [{"uid": 0, "tid": line["pid"], "comm": "signals", **line} for line in done]
    assert [{key: value for key, value in row.items() if key != "time"} for row in json.json] == rows
    assert all(HEAD_KEYS <= row.keys() for row in json.json)
    assert_sorted_times(json.json)
    assert [row["signal"] for row in ignored.json] == [10] * len([line for line in done if line["result"]])
    assert (json.summary["events"], json.summary["lost"], text.lost) == (N, 0, 0)


def test_signals_of_the_kernel(program, cgroup):
    """Nobody has sent them: "?" in text and null in JSON; and no filter on the sender lets them through."""
    with Workload("signals", 1, cgroup=cgroup) as work:
        with Tool(NAME, "-s", 17, "--json", program=program) as all_of_them, \
                Tool(NAME, "-s", 17, "--json", "-p", work.pid, program=program) as sent:
            work.run()
    ours = [row for row in all_of_them.json if row["target"] == work.pid]
    assert [(row["pid"], row["tid"], row["comm"], row["uid"]) for row in ours] == [(None, None, None, 0)]
    assert sent.json == []
