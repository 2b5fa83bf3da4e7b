# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Every command line in EXAMPLES of every page does what the page says: it runs, and what it prints has the shape of what
the page shows below it."""

import json
import re
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from example_runs import World
from examples import Mismatch, all_examples, compare
from harness import FAILED, OK, VM

EXAMPLES = {example.name: example for example in all_examples()}
ENDS = (OK, -signal.SIGPIPE)    # a reader such as head goes when it has enough
DOCTOR = (0, 1, 2)              # what works here is no question of the page
# What the hardened kernel of a machine may refuse: then it is tried in a VM.
OF_KERNEL_FUNCTIONS = re.compile(r"\b(kprobe|kretprobe|fentry|fexit|latency:\w+ )")
AT_A_TIME = 4
PATIENCE = (1, 4, 16)           # how much longer one looks when what the page shows was not seen at first


class Tries:
    """The examples that were chosen, tried ahead, some at a time."""

    def __init__(self, world, chosen):
        self.world = world
        self.pool = ThreadPoolExecutor(AT_A_TIME)
        self.under_way = {name: self.pool.submit(world.run, EXAMPLES[name]) for name in chosen
                          if not world.missing(EXAMPLES[name])}

    def run(self, example):
        """What came of it. A second time it is tried anew."""
        ahead = self.under_way.pop(example.name, None)
        return ahead.result() if ahead else self.world.run(example)

    def end(self):
        self.pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="module")
def tries(request):
    chosen = {item.callspec.params["name"] for item in request.session.items
              if item.module is request.module and "name" in getattr(item, "callspec", ()).params}
    with World() as world:
        made = Tries(world, [name for name in EXAMPLES if name in chosen])
        yield made
        made.end()


def check_status(example, run):
    """The line and each tool in it has ended well."""
    assert run.tools, f"no tool ran: {run.err}"
    for record in run.tools:
        tool, *args = record["argv"]
        allowed = DOCTOR if tool.endswith("/borescope") and "doctor" in args else ENDS
        assert record["status"] in allowed, f"{record['argv']} ended with {record['status']}: {run.err[-1500:]}"
    if len(run.tools) == 1 and "|" in example.line or run.tools[0]["status"] == OK:
        assert run.status == OK, f"the line ended with {run.status}: {run.err[-1500:]}"
    strange = [line for line in run.err.splitlines() if re.match(r"(sh|jq|awk|cut|grep|column|head|tail|sort): ", line)]
    assert not strange


def printed_fault(example, run):
    """What is wrong with the output of an example for which the page shows none, or None."""
    for name in re.findall(r"(?:> |--svg )(\S+\.\w+)", example.line):
        if not run.files.get(name):
            return f"{name} is empty, or not there"
    if "|" in example.line or ">" in example.line or "--svg" in example.line:
        return None
    if not run.out:
        return "nothing is printed"
    if re.search(r" (-\w*j|--json)", example.line) and json.loads(run.out[-1])["type"] != "summary":
        return "the summary is not the last object"
    return None


def fault(example, run):
    """What is wrong with what a line printed, or None."""
    if not example.sample:
        return printed_fault(example, run)
    try:
        compare(example, run.out, run.err)
    except Mismatch as error:
        return str(error)
    return None


def is_for_a_vm(params):
    """What is tried on one kernel of the VMs' besides: what others may refuse."""
    return VM == "6.12" and bool(OF_KERNEL_FUNCTIONS.search(EXAMPLES[params["name"]].line))


@pytest.mark.any_kernel(besides=is_for_a_vm)
@pytest.mark.parametrize("name", EXAMPLES)
def test_example(tries, name):
    """It runs, ends well, and prints what the page shows."""
    example = EXAMPLES[name]
    if missing := tries.world.missing(example):
        pytest.skip(f"vm-ok: no {missing} here")
    for patient in PATIENCE:
        run = tries.run(example) if patient == 1 else tries.world.run(example, patient)
        if not VM and OF_KERNEL_FUNCTIONS.search(example.line) and run.tools and run.tools[0]["status"] == FAILED:
            pytest.skip(run.err.strip().splitlines()[-1])
        check_status(example, run)
        if not (wrong := fault(example, run)):
            return
    printed = "\n".join(run.out[:60])
    pytest.fail(f"{wrong}\n\n{run.tools[0]['argv']} printed\n{printed}\n{run.err[-1500:]}", pytrace=False)
