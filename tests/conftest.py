# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Of both suites: under tests/check they report by progress.py. What is in this folder can be imported by all tests."""

import os
import sys

sys.dont_write_bytecode = True

import progress

# What a make above has handed down, of its own: no make of a test is part of it.
for _name in ("MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS", "MAKELEVEL"):
    os.environ.pop(_name, None)


def pytest_configure(config):
    directory = os.environ.get("BORESCOPE_SUMMARY")
    if directory:
        config.pluginmanager.register(progress.Progress(directory))
